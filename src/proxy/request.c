/* Sending the request: as much of it as the client has sent, as fast as the node takes it; again
 * from its beginning after a failed attempt; and in a tunnel whatever the client sends. */
#include "proxy/exchange_priv.h"

/* What is sent to the next node: the head, and the body that went by already, framed alike. */
static bool make_again(struct fl_exchange *ex)
{
	fl_text_clear(&ex->again);
	fl_text_add(&ex->again, ex->head.p, ex->head.n);
	if (ex->replay.n) {
		if (ex->request.chunked)
			fl_text_format(&ex->again, "%zx\r\n", ex->replay.n);
		fl_text_add(&ex->again, ex->replay.p, ex->replay.n);
		if (ex->request.chunked)
			FL_TEXT_LITERAL(&ex->again, "\r\n");
	}
	return !ex->again.failed;
}

static void on_request_sent(void *cookie, int result);

static void all_sent(struct fl_exchange *ex)
{
	if (ex->request_sent)
		return;
	ex->request_sent = true;
	if (ex->answer_sent) {
		fl_exchange_finish(ex);
		return;
	}
	if (ex->tunnel)
		fl_stream_shutdown(ex->conn->stream);
	fl_exchange_clocks(ex);
}

/* The node takes no more. It may have answered before it had read everything and then closed; what
 * it said, or its end, is about to be received, if it was not. Nothing more is sent after a gap. */
static void lost(struct fl_exchange *ex)
{
	ex->request_lost = true;
	if (ex->answer_sent)
		fl_exchange_finish(ex);
	else
		fl_exchange_clocks(ex);
}

/* Sends as much of the request as there is. */
static void run_request(struct fl_exchange *ex)
{
	struct iovec iov[FL_SEND_IOV];
	int count;

	while (!ex->request_sending && !ex->request_lost && ex->conn &&
		ex->state != FL_EX_CONNECT) {
		switch (fl_pipe_gather(&ex->request, iov, &count)) {
		case FL_PIPE_SEND:
			break;
		case FL_PIPE_STARVED:
			fl_exchange_clocks(ex);
			fl_session_want(ex->session);
			return;
		case FL_PIPE_DONE:
			all_sent(ex);
			return;
		case FL_PIPE_MALFORMED:
			fl_exchange_give_up(ex, 400, "the request body breaks its framing");
			return;
		case FL_PIPE_TRUNCATED:
			fl_session_close(ex->session, true);
			return;
		}
		if (ex->request.bytes > ex->worker->conf->client.body && !ex->tunnel) {
			fl_exchange_give_up(ex, 413, "the request body is too large");
			return;
		}
		int sent = fl_stream_send(ex->conn->stream, iov, count, on_request_sent);
		if (sent == 0) {
			ex->request_sending = true;
			fl_exchange_clocks(ex);
			return;
		}
		fl_pipe_sent(&ex->request);
		if (sent < 0) {
			lost(ex);
			return;
		}
	}
}

static void on_request_sent(void *cookie, int result)
{
	struct fl_exchange *ex = cookie;

	ex->request_sending = false;
	fl_pipe_sent(&ex->request);
	if (result < 0)
		lost(ex);
	else
		run_request(ex);
}

void fl_exchange_input(struct fl_exchange *ex)
{
	if (ex->session->peer_eof)
		ex->request.eof = true;
	if (!ex->request_sent)
		run_request(ex);
}

/* The connection stands: the request goes out, and the answer may come in. */
void fl_exchange_start(struct fl_exchange *ex)
{
	fl_exchange_set_state(ex, FL_EX_REQUEST);
	if (ex->begun) {
		if (!make_again(ex)) {
			fl_exchange_reply(ex, 503, "no memory");
			return;
		}
		fl_pipe_again(&ex->request, (struct fl_slice){ex->again.p, ex->again.n});
	}
	ex->begun = true;
	ex->request_sent = false;
	ex->request_lost = false;
	ex->upstream_paused = false;
	ex->upstream_eof = false;
	ex->upstream_reset = false;
	if (fl_stream_recv(ex->conn->stream, fl_answer_recv)) {
		fl_exchange_failed(ex, "the connection failed");
		return;
	}
	run_request(ex);
}

void fl_exchange_tunnel(struct fl_exchange *ex)
{
	static const struct fl_http1_head until_close = {.framing = FL_BODY_CLOSE};

	ex->tunnel = true;
	ex->request_sent = false;
	fl_pipe_init(
		&ex->request, &ex->session->in, &until_close, (struct fl_slice){"", 0}, false);
	ex->request.eof = ex->session->peer_eof;
	run_request(ex);
}
