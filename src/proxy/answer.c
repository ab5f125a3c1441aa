/* Passing the answer on: its head, its body framed for this client, interim answers before it, and
 * in a tunnel whatever the node sends. */
#include "proxy/exchange_priv.h"
#include "proxy/head.h"

/* Interim answers (1xx) that are passed on for one request; more is a node gone wild. */
#define INTERIMS_MAX 16

static void run_answer(struct fl_exchange *ex);
static void read_head(struct fl_exchange *ex);

void fl_exchange_cut(struct fl_exchange *ex, const char *why)
{
	fl_exchange_blame(ex);
	fl_exchange_give_up(ex, 502, why);
}

static void hold_back(struct fl_exchange *ex)
{
	if (ex->upstream_paused)
		return;
	fl_stream_recv_pause(ex->conn->stream);
	ex->upstream_paused = true;
}

static void resume(struct fl_exchange *ex)
{
	if (!ex->upstream_paused || ex->upstream_eof)
		return;
	ex->upstream_paused = false;
	if (fl_stream_recv(ex->conn->stream, fl_answer_recv))
		fl_exchange_cut(ex, "the connection to the node failed");
}

/* ---- sending to the client ---- */

static void on_answer_sent(void *cookie, int result);

/* What was gathered is all sent: an interim answer, or the answer itself. */
static void all_sent(struct fl_exchange *ex)
{
	if (ex->state == FL_EX_INTERIM) {
		fl_exchange_set_state(ex, FL_EX_REQUEST);
		fl_text_clear(&ex->answer_head);
		/* Its bytes went to the client, but the answer proper has not begun. */
		ex->answer_begun = false;
		ex->answered = !fl_inq_empty(&ex->in);
		fl_exchange_clocks(ex);
		read_head(ex);
	} else if (ex->tunnel && !ex->request_sent && !ex->request_lost) {
		/* The node has ended its side; the client may still speak. */
		ex->answer_sent = true;
		fl_stream_shutdown(ex->session->stream);
		fl_exchange_clocks(ex);
	} else {
		fl_exchange_finish(ex);
	}
}

/* What the pipe must know of the node's end. */
static void pass_end(struct fl_exchange *ex)
{
	ex->answer.eof = ex->upstream_eof;
	ex->answer.broken = ex->upstream_reset;
}

static void run_answer(struct fl_exchange *ex)
{
	struct fl_session *s = ex->session;
	struct iovec iov[FL_SEND_IOV];
	int count;

	while (!ex->answer_sending && ex->state != FL_EX_OVER) {
		switch (fl_pipe_gather(&ex->answer, iov, &count)) {
		case FL_PIPE_SEND:
			break;
		case FL_PIPE_STARVED:
			fl_exchange_clocks(ex);
			resume(ex);
			return;
		case FL_PIPE_DONE:
			all_sent(ex);
			return;
		case FL_PIPE_MALFORMED:
			fl_exchange_cut(ex, "the node's answer breaks its framing");
			return;
		case FL_PIPE_TRUNCATED:
			fl_exchange_cut(ex, "the node's answer ended too early");
			return;
		}
		int sent = fl_stream_send(s->stream, iov, count, on_answer_sent);
		if (sent < 0) {
			fl_session_close(s, true);
			return;
		}
		ex->answer_begun = true;
		if (sent == 0) {
			ex->answer_sending = true;
			/* What a client is too slow for waits in the kernel, not here. */
			hold_back(ex);
			fl_exchange_clocks(ex);
			return;
		}
		fl_pipe_sent(&ex->answer);
	}
}

/* on_sent of the client's stream: the cookie is the session. */
static void on_answer_sent(void *cookie, int result)
{
	struct fl_session *s = cookie;
	struct fl_exchange *ex = s->exchange;

	ex->answer_sending = false;
	fl_pipe_sent(&ex->answer);
	if (result < 0) {
		fl_session_close(s, true);
		return;
	}
	run_answer(ex);
}

/* ---- the head ---- */

static void pass_interim(struct fl_exchange *ex, const struct fl_http1_head *head)
{
	static const struct fl_head_answer plain = {.chunked = false};
	struct fl_slice prefix = {NULL, 0};

	if (++ex->interims > INTERIMS_MAX) {
		fl_exchange_cut(ex, "the node sent too many interim answers");
		return;
	}
	fl_exchange_set_state(ex, FL_EX_INTERIM);
	/* HTTP/1.0 knows no interim answers: there it is passed on as nothing. */
	if (ex->minor >= 1)
		prefix = fl_head_answer(
			&ex->answer_head, head, (struct fl_slice){NULL, 0}, &plain);
	fl_pipe_init(&ex->answer, &ex->in, head, prefix, false);
	fl_inq_head_done(&ex->in);
	run_answer(ex);
}

/* Sends `head`, which may still stand in the first buffer, and then the body. */
static void begin_answer(struct fl_exchange *ex, const struct fl_http1_head *framing,
	struct fl_slice head, bool chunked)
{
	ex->answer_head_bytes = head.n;
	fl_pipe_init(&ex->answer, &ex->in, framing, head, chunked);
	if (head.p != ex->answer_head.p)
		fl_pipe_hold_prefix(&ex->answer);
	pass_end(ex);
	fl_inq_head_done(&ex->in);
}

static void begin_tunnel(struct fl_exchange *ex, struct fl_slice head)
{
	static const struct fl_http1_head until_close = {.framing = FL_BODY_CLOSE};

	begin_answer(ex, &until_close, head, false);
	fl_exchange_tunnel(ex);
	if (ex->state == FL_EX_ANSWER)
		run_answer(ex);
}

/* How the answer is framed for this client. */
static struct fl_head_answer plan(struct fl_exchange *ex, const struct fl_http1_head *head)
{
	bool unsized = head->framing == FL_BODY_CHUNKED || head->framing == FL_BODY_CLOSE;
	bool old = ex->minor == 0;

	ex->client_close = ex->worker->draining || (unsized && old) || !ex->request.body.done;
	return (struct fl_head_answer){
		.chunked = unsized && !old,
		.close = ex->client_close || !ex->keep_alive,
		.keep_alive = old,
		.upgrade = head->status == 101,
	};
}

static void pass_answer(
	struct fl_exchange *ex, const struct fl_http1_head *head, struct fl_slice raw)
{
	struct fl_head_answer how = plan(ex, head);

	fl_exchange_set_state(ex, FL_EX_ANSWER);
	ex->status = head->status;
	fl_text_clear(&ex->answer_head);
	if (!fl_inq_head_is_in_place(&ex->in))
		raw.n = 0; /* it goes when the head is done */
	struct fl_slice out = fl_head_answer(&ex->answer_head, head, raw, &how);
	if (ex->answer_head.failed) {
		fl_exchange_cut(ex, "the node's answer has too large a head");
		return;
	}
	if (how.upgrade) {
		begin_tunnel(ex, out);
		return;
	}
	ex->answer_keeps = head->keep_alive && head->framing != FL_BODY_CLOSE;
	begin_answer(ex, head, out, how.chunked);
	run_answer(ex);
}

/* The node has closed, and its answer's head is not there. */
static void no_head(struct fl_exchange *ex)
{
	if (ex->answered)
		fl_exchange_cut(ex, "the node closed in the midst of its answer's head");
	else
		fl_exchange_failed(ex, "the node closed without an answer");
}

/* As read_head of a session, for answers; *bytes is the head. */
static long find_head(struct fl_exchange *ex, struct fl_slice *bytes)
{
	struct fl_worker *w = ex->worker;
	struct fl_http1_error err;

	if (fl_inq_is_fresh(&ex->in)) {
		*bytes = fl_inq_front(&ex->in);
		long end = fl_http1_response_front(
			bytes->p, bytes->n, ex->method, &w->limits, &w->head);
		if (end > 0) {
			bytes->n = (size_t)end;
			fl_inq_head_found(&ex->in, (size_t)end);
			return end;
		}
	}
	long end = fl_inq_head(&ex->in, &w->limits, bytes, &err);
	if (end > 0 &&
		fl_http1_response(bytes->p, bytes->n, ex->method, &w->limits, &w->head, &err))
		return -1;
	return end;
}

/* Looks for a whole head among what came, and acts on it. */
static void read_head(struct fl_exchange *ex)
{
	struct fl_worker *w = ex->worker;
	struct fl_slice bytes;
	long end = find_head(ex, &bytes);

	if (end == 0) {
		if (ex->upstream_eof)
			no_head(ex);
		else
			resume(ex);
		return;
	}
	if (end < 0) {
		fl_exchange_cut(ex, "the node's answer is malformed");
		return;
	}
	const struct fl_http1_head *head = &w->head;
	if (head->status == 101 && !ex->upgrade)
		fl_exchange_cut(ex, "the node switched protocols unasked");
	else if (head->status >= 200 || head->status == 101)
		pass_answer(ex, head, bytes);
	else
		pass_interim(ex, head);
}

/* ---- receiving from the node ---- */

/* What came before the end may still wait for the client, and may be all there is to come. */
static void on_end(struct fl_exchange *ex, int result)
{
	ex->upstream_eof = true;
	ex->upstream_reset = result < 0;
	if (ex->state == FL_EX_REQUEST) {
		no_head(ex);
	} else if (ex->state == FL_EX_ANSWER) {
		pass_end(ex);
		run_answer(ex);
	}
}

void fl_answer_recv(void *cookie, struct fl_rbuf *buf, int result)
{
	struct fl_exchange *ex = cookie;

	if (result <= 0) {
		on_end(ex, result);
		return;
	}
	ex->answered = true;
	fl_inq_push(&ex->in, buf);
	if (fl_inq_full(&ex->in))
		hold_back(ex);
	if (ex->state == FL_EX_REQUEST)
		read_head(ex);
	else if (ex->state == FL_EX_ANSWER)
		run_answer(ex);
}
