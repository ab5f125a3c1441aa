/* The request's side of an exchange: beginning, choosing nodes, sending, retrying, ending.
 * The answer's side is in answer.c. */
#include "proxy/exchange.h"

#include "base/assert.h"
#include "base/clock.h"
#include "proxy/answer.h"
#include "proxy/head.h"
#include "proxy/key.h"
#include "proxy/route.h"

#include <errno.h>
#include <stdlib.h>

/* Exchanges a worker keeps for reuse, with their buffers. */
#define SPARE_MAX 256

/* Request heads grow by what the proxy adds: Via, X-Forwarded-*, the joined lists. */
#define HEAD_MAX  (96u << 10)
#define FACTS_MAX (256u << 10)

static void attempt(struct fl_exchange *ex);
static void start_request(struct fl_exchange *ex);

static void set_state(struct fl_exchange *ex, enum fl_exchange_state state)
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

void fl_exchange_set_state(struct fl_exchange *ex, enum fl_exchange_state state)
{
	set_state(ex, state);
}

/* ---- memory ---- */

static void on_timer(void *cookie);

static struct fl_exchange *exchange_new(struct fl_worker *w)
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
	fl_text_init(&ex->head, HEAD_MAX);
	fl_text_init(&ex->replay, 0);
	fl_text_init(&ex->again, 0);
	fl_text_init(&ex->answer_head, HEAD_MAX);
	fl_inq_init(&ex->in);
	fl_timer_init(&ex->timer, on_timer, ex);
	return ex;
}

static void destroy(struct fl_exchange *ex)
{
	fl_text_fini(&ex->facts);
	fl_text_fini(&ex->head);
	fl_text_fini(&ex->replay);
	fl_text_fini(&ex->again);
	fl_text_fini(&ex->answer_head);
	free(ex);
}

/* Back to the state after exchange_new, but for the memory of `facts`, `head`, `answer_head`. */
static void reset(struct fl_exchange *ex)
{
	struct fl_exchange kept = {
		.worker = ex->worker,
		.facts = ex->facts,
		.head = ex->head,
		.answer_head = ex->answer_head,
	};

	fl_text_fini(&ex->replay);
	fl_text_fini(&ex->again);
	fl_inq_fini(&ex->in);
	*ex = kept;
	fl_text_clear(&ex->facts);
	fl_text_clear(&ex->head);
	fl_text_clear(&ex->answer_head);
	fl_inq_init(&ex->in);
	fl_list_init(&ex->link);
	fl_timer_init(&ex->timer, on_timer, ex);
}

void fl_exchange_free(struct fl_exchange *ex)
{
	struct fl_worker *w = ex->worker;

	FL_ASSERT(!ex->conn && !ex->closing);
	fl_timer_cancel(&ex->timer);
	fl_pipe_sent(&ex->request);
	fl_pipe_sent(&ex->answer);
	fl_wnode_unref(ex->node);
	fl_wpool_unref(ex->pool);
	if (w->spare_count >= SPARE_MAX ||
		ex->facts.cap + ex->head.cap + ex->answer_head.cap > 16384) {
		fl_inq_fini(&ex->in);
		destroy(ex);
		return;
	}
	reset(ex);
	fl_list_push_front(&w->spare, &ex->link);
	w->spare_count++;
}

void fl_exchange_free_spare(struct fl_worker *w)
{
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
		attempt(ex);
	else if (!ex->session)
		fl_exchange_free(ex);
	else
		fl_session_release(ex->session);
}

/* Ends the attempt's connection; bytes that are being sent stay until on_conn_closed. */
static void drop_conn(struct fl_exchange *ex, bool reset_it)
{
	struct fl_conn *conn = ex->conn;

	if (!conn)
		return;
	ex->conn = NULL;
	ex->closing = true;
	fl_conn_close(conn, reset_it, ex, on_conn_closed);
}

/* The attempt is over, however it went. */
static void leave_node(struct fl_exchange *ex)
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

	set_state(ex, FL_EX_OVER);
	fl_timer_cancel(&ex->timer);
	ex->session = NULL;
	s->exchange = NULL;
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
	leave_node(ex);
	if (ex->answer_keeps && ex->request_sent && fl_inq_empty(&ex->in)) {
		fl_conn_keep(ex->conn);
		ex->conn = NULL;
	} else {
		drop_conn(ex, false);
	}
	fl_session_next(detach(ex), keep);
}

void fl_exchange_reply(struct fl_exchange *ex, int status, const char *why)
{
	bool head_only = ex->method == FL_METHOD_HEAD;
	bool close = !ex->keep_alive || !ex->request.body.done;

	ex->status = status;
	fl_record_exchange(ex, why);
	leave_node(ex);
	drop_conn(ex, true);
	fl_session_reply(detach(ex), status, why, head_only, close);
}

void fl_exchange_abort(struct fl_exchange *ex, const char *why)
{
	if (ex->state == FL_EX_OVER)
		return;
	fl_record_exchange(ex, why);
	set_state(ex, FL_EX_OVER);
	fl_timer_cancel(&ex->timer);
	leave_node(ex);
	drop_conn(ex, true);
}

/* ---- failures and retries ---- */

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

static bool may_try_again(const struct fl_exchange *ex)
{
	if (ex->answered)
		return false;
	/* Before the connection stood, nothing was sent. */
	return !ex->begun || (ex->may_repeat && !ex->replay.failed);
}

void fl_exchange_failed(struct fl_exchange *ex, const char *why)
{
	/* A kept connection that ends without an answer says only that the node closed it while
	 * the request was on its way. */
	bool stale = ex->conn && ex->conn->reused && !ex->answered;
	bool again = may_try_again(ex);

	fl_timer_cancel(&ex->timer);
	ex->failure = why;
	if (stale) {
		ex->fresh = true;
		if (again)
			ex->attempts--;
	} else {
		fl_count(ex->worker->counters, FL_COUNTER_UPSTREAM_ERRORS, 1);
		fl_stat_add(&ex->node->stats->failures, 1);
		fl_wnode_failed(ex->pool, ex->node, why);
	}
	if (!again) {
		fl_exchange_reply(ex, 502, why);
		return;
	}
	leave_node(ex);
	set_state(ex, FL_EX_PICK);
	if (!stale)
		fl_count(ex->worker->counters, FL_COUNTER_RETRIES, 1);
	if (ex->conn)
		drop_conn(ex, true); /* the next attempt begins in on_conn_closed */
	else
		attempt(ex);
}

static void on_timer(void *cookie)
{
	struct fl_exchange *ex = cookie;

	switch (ex->state) {
	case FL_EX_CONNECT:
		fl_exchange_failed(ex, "the node did not accept the connection in time");
		break;
	case FL_EX_REQUEST:
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

/* ---- choosing a node and connecting ---- */

static bool was_tried(const struct fl_exchange *ex, uint64_t id)
{
	for (unsigned i = 0; i < ex->attempts; i++)
		if (ex->tried[i] == id)
			return true;
	return false;
}

/* The key's owner, or after failures its next owner that was not tried. */
static struct fl_member *choose(struct fl_exchange *ex)
{
	const struct fl_view *view = fl_wpool_view(ex->pool);
	struct fl_key key = fl_key_bytes(ex->key.p, ex->key.n);
	struct fl_member *owners[FL_ATTEMPTS_MAX + 1] = {NULL};

	if (!ex->attempts) {
		bool warming = view->tier[0].warming || view->tier[1].warming;
		if (fl_view_pick(view, &key, warming ? fl_wall_ms() : 0, &owners[0]))
			return NULL;
		return owners[0];
	}
	int count = fl_view_owners(view, &key, owners, ex->attempts + 1);
	for (int i = 0; i < count; i++)
		if (!was_tried(ex, owners[i]->id))
			return owners[i];
	return NULL;
}

static void on_connect(void *cookie, int result)
{
	struct fl_exchange *ex = cookie;

	fl_timer_cancel(&ex->timer);
	if (result < 0)
		fl_exchange_failed(ex, result == -ECONNREFUSED
					       ? "the node refused the connection"
					       : "the node could not be connected to");
	else
		start_request(ex);
}

static void connect_node(struct fl_exchange *ex)
{
	int error;

	if (!ex->node->origin) {
		fl_exchange_failed(ex, "the node's address is not known");
		return;
	}
	if (!ex->fresh)
		ex->conn = fl_origin_take(ex->node->origin, ex);
	if (ex->conn) {
		fl_count(ex->worker->counters, FL_COUNTER_UPSTREAM_REUSES, 1);
		start_request(ex);
		return;
	}
	fl_count(ex->worker->counters, FL_COUNTER_UPSTREAM_CONNECTS, 1);
	set_state(ex, FL_EX_CONNECT);
	ex->conn = fl_origin_connect(ex->node->origin, ex, on_connect, &error);
	if (!ex->conn)
		fl_exchange_failed(ex, error == -ECONNREFUSED
					       ? "the node refused the connection"
					       : "no connection could be made");
	else
		fl_timer_set(ex->worker->loop, &ex->timer, ex->pool->forward->connect_ms);
}

static void attempt(struct fl_exchange *ex)
{
	struct fl_member *member = NULL;

	if (ex->attempts < (unsigned)ex->pool->forward->attempts)
		member = choose(ex);
	struct fl_wnode *node = member ? fl_wpool_node(ex->pool, member) : NULL;
	if (!node) {
		if (ex->failure) {
			fl_exchange_reply(ex, 502, ex->failure);
		} else {
			fl_count(ex->worker->counters, FL_COUNTER_NO_OWNER, 1);
			fl_exchange_reply(ex, 503, "no node is there for this key");
		}
		return;
	}
	fl_wnode_ref(node);
	ex->node = node;
	ex->tried[ex->attempts++] = member->id;
	if (ex->worker->access)
		(void)clock_gettime(CLOCK_MONOTONIC, &ex->asked);
	fl_stat_add(&node->stats->requests, 1);
	fl_stat_add(&node->stats->active, 1);
	connect_node(ex);
}

/* ---- sending the request ---- */

static void on_request_sent(void *cookie, int result);

static void all_sent(struct fl_exchange *ex)
{
	const struct fl_forward_conf *forward = ex->pool->forward;

	if (ex->tunnel) {
		fl_stream_shutdown(ex->conn->stream);
		ex->request_sent = true;
		return;
	}
	if (ex->request_sent)
		return;
	ex->request_sent = true;
	if (!ex->answer_sending)
		fl_session_clock_stop(ex->session);
	if (ex->state == FL_EX_REQUEST)
		fl_timer_set(ex->worker->loop, &ex->timer, forward->response_ms);
}

/* What the client sent cannot be passed on. */
static void bad_request(struct fl_exchange *ex, int status, const char *why)
{
	if (ex->answer_begun)
		fl_exchange_cut(ex, why);
	else
		fl_exchange_reply(ex, status, why);
}

/* Sends as much of the request as there is. */
static void run_request(struct fl_exchange *ex)
{
	struct iovec iov[FL_SEND_IOV];
	int count;

	while (!ex->request_sending && ex->conn && ex->state != FL_EX_CONNECT) {
		switch (fl_pipe_gather(&ex->request, iov, &count)) {
		case FL_PIPE_SEND:
			break;
		case FL_PIPE_STARVED:
			/* It is the client who keeps us waiting: its clock runs, not the node's. */
			if (ex->state == FL_EX_REQUEST)
				fl_timer_cancel(&ex->timer);
			fl_session_want(ex->session);
			return;
		case FL_PIPE_DONE:
			all_sent(ex);
			return;
		case FL_PIPE_MALFORMED:
			bad_request(ex, 400, "the request body breaks its framing");
			return;
		case FL_PIPE_TRUNCATED:
			fl_session_close(ex->session, true);
			return;
		}
		if (ex->request.bytes > ex->worker->conf->client.body && !ex->tunnel) {
			bad_request(ex, 413, "the request body is too large");
			return;
		}
		int sent = fl_stream_send(ex->conn->stream, iov, count, on_request_sent);
		if (sent == 0) {
			ex->request_sending = true;
			fl_timer_set(ex->worker->loop, &ex->timer, ex->pool->forward->stall_ms);
			return;
		}
		fl_pipe_sent(&ex->request);
		/* A node may answer before it has read everything and then close; what it said,
		 * or the reset, is about to be received. */
		if (sent < 0)
			return;
	}
}

static void on_request_sent(void *cookie, int result)
{
	struct fl_exchange *ex = cookie;

	ex->request_sending = false;
	fl_pipe_sent(&ex->request);
	if (result == 0)
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
static void start_request(struct fl_exchange *ex)
{
	set_state(ex, FL_EX_REQUEST);
	if (ex->begun) {
		if (!make_again(ex)) {
			fl_exchange_reply(ex, 503, "no memory");
			return;
		}
		fl_pipe_again(&ex->request, (struct fl_slice){ex->again.p, ex->again.n});
	}
	ex->begun = true;
	ex->request_sent = false;
	ex->upstream_paused = false;
	ex->upstream_eof = false;
	if (fl_stream_recv(ex->conn->stream, fl_answer_recv)) {
		fl_exchange_failed(ex, "the connection failed");
		return;
	}
	fl_timer_set(ex->worker->loop, &ex->timer, ex->pool->forward->response_ms);
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

/* ---- the beginning ---- */

static struct fl_slice fact(struct fl_exchange *ex, size_t from, size_t to)
{
	return (struct fl_slice){ex->facts.p + from, to - from};
}

static uint64_t random_number(struct fl_worker *w)
{
	/* splitmix64: the next state, mixed */
	uint64_t x = w->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Appends the key to `facts`; its label, or NULL when the request must be rejected. */
static const char *make_key(struct fl_exchange *ex, const struct fl_key_request *request)
{
	static const struct fl_key_source whole_ip = {
		.kind = FL_KEY_CLIENT_IP, .v4 = 32, .v6 = 128, .label = "client_ip"};
	static const struct fl_key_sources by_ip = {(struct fl_key_source *)&whole_ip, 1};
	const struct fl_forward_conf *forward = ex->pool->forward;
	const struct fl_key_source *source = fl_key_make(&forward->key, request, &ex->facts);

	if (source)
		return source->label;
	if (forward->no_key == FL_NO_KEY_REJECT)
		return NULL;
	if (forward->no_key == FL_NO_KEY_CLIENT_IP) {
		source = fl_key_make(&by_ip, request, &ex->facts);
		if (source)
			return source->label;
	}
	uint64_t random = random_number(ex->worker);
	fl_text_add(&ex->facts, (const char *)&random, sizeof(random));
	return "random";
}

/* Copies what outlives the request's bytes. False: the request has no key and must have one. */
static bool take_facts(struct fl_exchange *ex, const struct fl_http1_head *head)
{
	struct fl_text *facts = &ex->facts;
	struct fl_key_request request = {head, &ex->session->peer};

	fl_text_slice(facts, head->method_text);
	size_t target = facts->n;
	fl_text_slice(facts, head->target);
	size_t host = facts->n;
	fl_text_slice(facts, head->host);
	size_t key = facts->n;
	const char *label = make_key(ex, &request);
	if (!label || facts->failed)
		return false;
	size_t label_at = facts->n;
	fl_text_string(facts, label);
	ex->method_text = fact(ex, 0, target);
	ex->target = fact(ex, target, host);
	ex->host = fact(ex, host, key);
	ex->key = fact(ex, key, label_at);
	ex->key_label = fact(ex, label_at, facts->n);
	ex->method = head->method;
	ex->minor = head->minor;
	ex->keep_alive = head->keep_alive;
	return !facts->failed;
}

static bool may_repeat(const struct fl_http1_head *head)
{
	if (fl_http1_idempotent(head->method))
		return true;
	for (size_t i = 0; i < head->header_count; i++)
		if (head->headers[i].id == FL_HDR_IDEMPOTENCY_KEY && head->headers[i].value.n)
			return true;
	return false;
}

/* Switching to another version of HTTP (h2c) would hide requests from us: that field stays behind,
 * and the request goes on as HTTP/1.1. */
static bool may_upgrade(const struct fl_http1_head *head)
{
	if (!head->upgrade || head->framing != FL_BODY_NONE || head->method != FL_METHOD_GET)
		return false;
	for (size_t i = 0; i < head->header_count; i++) {
		struct fl_slice value = head->headers[i].value;
		if (head->headers[i].id == FL_HDR_UPGRADE &&
			(memmem(value.p, value.n, "h2", 2) ||
				memmem(value.p, value.n, "HTTP", 4) ||
				memmem(value.p, value.n, "H2", 2)))
			return false;
	}
	return true;
}

static void make_head(struct fl_exchange *ex, const struct fl_http1_head *head)
{
	char client[FL_ADDR_TEXT];
	size_t n = fl_addr_client_text(&ex->session->peer, 32, 128, client, sizeof(client));

	struct fl_slice who = n ? (struct fl_slice){client, n} : FL_SLICE("unknown");

	ex->upgrade = may_upgrade(head);
	fl_head_request(
		&ex->head, head, who, fl_slice_of(fl_pool_name(ex->pool->pool)), ex->upgrade);
	fl_pipe_init(&ex->request, &ex->session->in, head,
		(struct fl_slice){ex->head.p, ex->head.n}, head->framing == FL_BODY_CHUNKED);
	ex->may_repeat = may_repeat(head);
	if (ex->may_repeat)
		ex->request.copy = &ex->replay;
	ex->replay.max = ex->pool->forward->replay;
	ex->again.max = HEAD_MAX + ex->replay.max + 64;
}

/* The request needs no node to be answered: an error, with its head still unread. */
static void turn_down(struct fl_session *s, int status, const char *why)
{
	const struct fl_http1_head *head = &s->worker->head;
	bool has_body = head->framing != FL_BODY_NONE &&
	                (head->framing != FL_BODY_LENGTH || head->length);
	bool head_only = head->method == FL_METHOD_HEAD;
	bool close = !head->keep_alive || has_body;

	fl_record_own(s, head, status, why);
	fl_inq_head_done(&s->in);
	fl_session_reply(s, status, why, head_only, close);
}

void fl_exchange_begin(struct fl_session *s)
{
	struct fl_worker *w = s->worker;
	const struct fl_http1_head *head = &w->head;
	int pool = fl_routes_find(w->conf->routes, s->listener->index, head->host, head->path);

	s->client_closes = !head->keep_alive;
	fl_count(w->counters, FL_COUNTER_REQUESTS, 1);
	if (pool < 0) {
		fl_count(w->counters, FL_COUNTER_NO_ROUTE, 1);
		turn_down(s, 404, "no route leads there");
		return;
	}
	if (head->framing == FL_BODY_LENGTH && head->length > w->conf->client.body) {
		turn_down(s, 413, "the request body is too large");
		return;
	}
	struct fl_exchange *ex = exchange_new(w);
	if (!ex) {
		turn_down(s, 503, "no memory");
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &ex->began);
	ex->session = s;
	ex->head_bytes = s->head_bytes;
	ex->pool = fl_wpool_ref(w->pools[pool]);
	if (!take_facts(ex, head)) {
		fl_exchange_free(ex);
		fl_count(w->counters, FL_COUNTER_NO_KEY, 1);
		turn_down(s, 400, "the request has none of the keys this pool needs");
		return;
	}
	make_head(ex, head);
	if (ex->head.failed) {
		fl_exchange_free(ex);
		turn_down(s, 431, "the request head is too large to be passed on");
		return;
	}
	s->exchange = ex;
	fl_inq_head_done(&s->in);
	ex->request.eof = s->peer_eof;
	attempt(ex);
}
