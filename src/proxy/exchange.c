/* The life of an exchange: its memory, the end of it, and its clock. The other files of it:
 * begin.c (what is known of the request), attempt.c (choosing a node, connecting, retrying),
 * request.c (sending), answer.c (passing the answer on), record.c. */
#include "proxy/exchange_priv.h"

#include "base/assert.h"

#include <stdlib.h>

/* Exchanges a worker keeps for reuse, with their buffers. */
#define SPARE_MAX   256
#define SPARE_BYTES 16384u /* most of them in one */

#define FACTS_MAX (256u << 10)

/* Looks at a send that goes on, within the time after which it counts as stalled. */
#define LOOKS 4

/* A tunnel (101) may be silent for so long. */
#define TUNNEL_MS (3600u * 1000)

void fl_exchange_set_state(struct fl_exchange *ex, enum fl_exchange_state state)
{
	static const unsigned char from[] = {
		[FL_EX_PICK] = 1 << FL_EX_CONNECT | 1 << FL_EX_REQUEST | 1 << FL_EX_PICK,
		[FL_EX_CONNECT] = 1 << FL_EX_PICK,
		[FL_EX_REQUEST] = 1 << FL_EX_PICK | 1 << FL_EX_CONNECT | 1 << FL_EX_INTERIM,
		[FL_EX_INTERIM] = 1 << FL_EX_REQUEST,
		[FL_EX_ANSWER] = 1 << FL_EX_REQUEST,
		[FL_EX_OVER] = 0xff,
	};

	FL_ASSERT(from[state] & 1 << ex->state);
	ex->state = state;
}

/* ---- memory ---- */

static void on_timer(void *cookie);

struct fl_exchange *fl_exchange_new(struct fl_worker *w)
{
	struct fl_exchange *ex;

	if (!fl_list_empty(&w->spare)) {
		ex = fl_container_of(w->spare.next, struct fl_exchange, link);
		fl_list_remove(&ex->link);
		w->spare_count--;
		return ex;
	}
	ex = calloc(1, sizeof(*ex));
	if (!ex)
		return NULL;
	ex->worker = w;
	fl_list_init(&ex->link);
	fl_text_init(&ex->facts, FACTS_MAX);
	fl_text_init(&ex->head, FL_EXCHANGE_HEAD_MAX);
	fl_text_init(&ex->replay, 0);
	fl_text_init(&ex->again, 0);
	fl_text_init(&ex->answer_head, FL_EXCHANGE_HEAD_MAX);
	fl_inq_init(&ex->in);
	fl_timer_init(&ex->timer, on_timer, ex);
	return ex;
}

static void destroy(struct fl_exchange *ex)
{
	fl_timer_cancel(&ex->timer);
	fl_inq_fini(&ex->in);
	fl_text_fini(&ex->facts);
	fl_text_fini(&ex->head);
	fl_text_fini(&ex->replay);
	fl_text_fini(&ex->again);
	fl_text_fini(&ex->answer_head);
	free(ex);
}

/* Back to the state after exchange_new, but for the memory of some texts. */
static void reset(struct fl_exchange *ex)
{
	const size_t blank = offsetof(struct fl_exchange, session);

	fl_text_clear(&ex->facts);
	fl_text_clear(&ex->head);
	fl_text_clear(&ex->answer_head);
	fl_text_clear(&ex->replay);
	fl_text_fini(&ex->again);
	fl_inq_fini(&ex->in);
	fl_pipe_sent(&ex->request);
	fl_pipe_sent(&ex->answer);
	/* A record may be asked for these before a body has begun. */
	ex->request.bytes = 0;
	ex->answer.bytes = 0;
	memset((char *)ex + blank, 0, sizeof(*ex) - blank);
}

void fl_exchange_free(struct fl_exchange *ex)
{
	struct fl_worker *w = ex->worker;

	FL_ASSERT(!ex->conn && !ex->closing);
	fl_timer_disarm(&ex->timer);
	fl_wnode_unref(ex->node);
	fl_wpool_unref(ex->pool);
	reset(ex);
	if (w->no_spare || w->spare_count >= SPARE_MAX ||
		ex->facts.cap + ex->head.cap + ex->answer_head.cap + ex->replay.cap >
			SPARE_BYTES) {
		destroy(ex);
		return;
	}
	fl_list_push_front(&w->spare, &ex->link);
	w->spare_count++;
}

void fl_exchange_free_spare(struct fl_worker *w)
{
	w->no_spare = true;
	while (!fl_list_empty(&w->spare)) {
		struct fl_exchange *ex =
			fl_container_of(w->spare.next, struct fl_exchange, link);
		fl_list_remove(&ex->link);
		w->spare_count--;
		destroy(ex);
	}
}

bool fl_exchange_idle(const struct fl_exchange *ex)
{
	return !ex->conn && !ex->closing;
}

/* ---- the attempt's connection ---- */

static void on_conn_closed(void *cookie)
{
	struct fl_exchange *ex = cookie;

	ex->closing = false;
	ex->request_sending = false;
	fl_pipe_sent(&ex->request);
	if (ex->state == FL_EX_PICK)
		fl_exchange_attempt(ex);
	else if (!ex->session)
		fl_exchange_free(ex);
	else
		fl_session_release(ex->session);
}

/* Ends the attempt's connection; bytes that are being sent stay until on_conn_closed. */
void fl_exchange_drop_conn(struct fl_exchange *ex, bool reset_it)
{
	struct fl_conn *conn = ex->conn;

	if (!conn)
		return;
	ex->conn = NULL;
	ex->closing = true;
	fl_conn_close(conn, reset_it, ex, on_conn_closed);
}

/* The attempt is over, however it went. */
void fl_exchange_leave_node(struct fl_exchange *ex)
{
	if (!ex->node)
		return;
	fl_stat_add(&ex->node->stats->active, (uint64_t)-1);
	fl_wnode_unref(ex->node);
	ex->node = NULL;
}

/* ---- the end ---- */

/* Takes the exchange off its session; it is freed now, or when the loop lets go of it. */
static struct fl_session *detach(struct fl_exchange *ex)
{
	struct fl_session *s = ex->session;

	fl_exchange_set_state(ex, FL_EX_OVER);
	fl_timer_disarm(&ex->timer);
	ex->session = NULL;
	s->exchange = NULL;
	s->client_closes &= ex->request.body.done;
	if (fl_exchange_idle(ex))
		fl_exchange_free(ex);
	return s;
}

void fl_exchange_finish(struct fl_exchange *ex)
{
	bool body_done = ex->request.body.done;
	bool keep = ex->keep_alive && !ex->client_close && body_done && !ex->tunnel &&
	            !ex->worker->draining;

	fl_record_exchange(ex, NULL);
	ex->node->fails = 0;
	fl_exchange_leave_node(ex);
	if (ex->answer_keeps && ex->request_sent && !ex->upstream_eof &&
		fl_inq_empty(&ex->in)) {
		fl_conn_keep(ex->conn);
		ex->conn = NULL;
	} else {
		fl_exchange_drop_conn(ex, false);
	}
	fl_session_next(detach(ex), keep);
}

void fl_exchange_reply(struct fl_exchange *ex, int status, const char *why)
{
	bool head_only = ex->method == FL_METHOD_HEAD;
	/* HTTP/1.0 would have to be told that the connection stays. */
	bool close = !ex->keep_alive || ex->minor == 0 || !ex->request.body.done;

	ex->status = status;
	fl_record_exchange(ex, why);
	fl_exchange_leave_node(ex);
	fl_exchange_drop_conn(ex, true);
	fl_session_reply(detach(ex), status, why, head_only, close);
}

void fl_exchange_give_up(struct fl_exchange *ex, int status, const char *why)
{
	if (!ex->answer_begun) {
		fl_exchange_reply(ex, status, why);
		return;
	}
	ex->truncated = true;
	fl_exchange_abort(ex, why);
	fl_session_close(ex->session, true);
}

void fl_exchange_abort(struct fl_exchange *ex, const char *why)
{
	if (ex->state == FL_EX_OVER)
		return;
	fl_record_exchange(ex, why);
	fl_exchange_set_state(ex, FL_EX_OVER);
	fl_timer_disarm(&ex->timer);
	fl_exchange_leave_node(ex);
	fl_exchange_drop_conn(ex, true);
}

/* ---- the clocks ---- */

/* How long the node may keep us waiting now. */
static uint64_t patience(const struct fl_exchange *ex)
{
	const struct fl_forward_conf *forward = ex->pool->forward;

	if (ex->state == FL_EX_CONNECT)
		return forward->connect_ms;
	if (ex->request_sending)
		return forward->stall_ms;
	if (ex->tunnel && !ex->answer_sent)
		return TUNNEL_MS;
	return ex->state == FL_EX_ANSWER ? forward->stall_ms : forward->response_ms;
}

/* To whom a send is under way that the clock which runs is about; NULL: it is about none. */
static const struct fl_stream *watched(const struct fl_exchange *ex)
{
	if (ex->answer_sending)
		return ex->session->stream;
	return ex->request_sending && ex->conn ? ex->conn->stream : NULL;
}

/* A send is looked at several times in the time that it has: nothing is asked of the kernel before
 * that, as nearly every send is over at once. */
static uint64_t waiting(const struct fl_exchange *ex, uint64_t ms)
{
	return watched(ex) ? ms / LOOKS + 1 : ms;
}

void fl_exchange_clocks(struct fl_exchange *ex)
{
	bool starved = ex->state != FL_EX_CONNECT && !ex->request_sending &&
	               !ex->request_sent && !ex->request_lost;

	ex->looks = 0;
	if (ex->answer_sending || (starved && !ex->tunnel)) {
		fl_timer_disarm(&ex->timer);
		fl_session_clock(ex->session, waiting(ex, ex->worker->conf->client.stall_ms));
	} else {
		fl_session_clock_stop(ex->session);
		fl_timer_set(ex->worker->loop, &ex->timer, waiting(ex, patience(ex)));
	}
}

/* A clock has run out in the midst of a send. It goes on unless nothing more of it was taken for as
 * long as all looks but the first have taken. */
static bool goes_on(struct fl_exchange *ex)
{
	const struct fl_stream *stream = watched(ex);
	unsigned looks = ex->looks;

	if (!stream)
		return false;
	uint64_t progress = fl_stream_progress(stream);
	bool stuck = looks && progress == ex->progress;
	if (stuck && looks == LOOKS)
		return false;
	fl_exchange_clocks(ex);
	ex->looks = stuck ? looks + 1 : 1;
	ex->progress = progress;
	return true;
}

void fl_exchange_stalled(struct fl_exchange *ex)
{
	if (goes_on(ex))
		return;
	if (ex->answer_begun)
		fl_session_close(ex->session, true);
	else
		fl_exchange_reply(ex, 408, "the request body did not come in time");
}

static void on_timer(void *cookie)
{
	struct fl_exchange *ex = cookie;

	if (goes_on(ex))
		return;
	switch (ex->state) {
	case FL_EX_CONNECT:
		fl_exchange_failed(ex, "the node did not accept the connection in time");
		break;
	case FL_EX_REQUEST:
		fl_exchange_blame(ex);
		fl_exchange_reply(ex, 504, "the node did not answer in time");
		break;
	case FL_EX_INTERIM:
	case FL_EX_ANSWER:
		fl_exchange_cut(ex, "the node stalled in the midst of its answer");
		break;
	case FL_EX_PICK:
	case FL_EX_OVER:
		break;
	}
}
