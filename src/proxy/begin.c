/* The beginning of an exchange: route, key, what outlives the bytes of the request's head, and
 * the head for the node. */
#include "proxy/exchange_priv.h"
#include "proxy/head.h"
#include "key/key.h"
#include "proxy/route.h"

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

/* What the access log will say. */
static void take_log_facts(
	struct fl_exchange *ex, const struct fl_http1_head *head, const char *label)
{
	struct fl_text *facts = &ex->facts;
	size_t at = facts->n;

	fl_text_string(facts, label);
	fl_text_slice(facts, head->method_text);
	fl_text_slice(facts, head->target);
	fl_text_slice(facts, head->host);
	/* The key stands in the same text, which may have moved. */
	ex->key_label = fact(ex, at, at + strlen(label));
	ex->method_text.p = ex->key_label.p + ex->key_label.n;
	ex->method_text.n = head->method_text.n;
	ex->target = (struct fl_slice){ex->method_text.p + ex->method_text.n, head->target.n};
	ex->host = (struct fl_slice){ex->target.p + ex->target.n, head->host.n};
}

/* Copies what outlives the request's bytes. False: the request has no key and must have one, or
 * `facts` failed, being too small for a key with many parts. */
static bool take_facts(struct fl_exchange *ex, const struct fl_http1_head *head)
{
	struct fl_text *facts = &ex->facts;
	struct fl_key_request request = {head, &ex->session->peer};
	const char *label = make_key(ex, &request);

	if (!label || facts->failed)
		return false;
	size_t key = facts->n;
	if (ex->worker->access)
		take_log_facts(ex, head, label);
	ex->key = fact(ex, 0, key);
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
	struct fl_slice who = fl_session_client(ex->session);

	if (!who.n)
		who = FL_SLICE("unknown");

	ex->upgrade = may_upgrade(head);
	fl_head_request(
		&ex->head, head, who, fl_slice_of(fl_pool_name(ex->pool->pool)), ex->upgrade);
	fl_pipe_init(&ex->request, &ex->session->in, head,
		(struct fl_slice){ex->head.p, ex->head.n}, head->framing == FL_BODY_CHUNKED);
	ex->may_repeat = may_repeat(head);
	if (ex->may_repeat)
		ex->request.copy = &ex->replay;
	/* Memory from an earlier use may be more than this pool allows. */
	if (ex->replay.cap > ex->pool->forward->replay)
		fl_text_fini(&ex->replay);
	ex->replay.max = ex->pool->forward->replay;
	ex->again.max = FL_EXCHANGE_HEAD_MAX + ex->replay.max + 64;
}

/* The request needs no node to be answered: an error, with its head still unread. */
static void turn_down(struct fl_session *s, int status, const char *why)
{
	const struct fl_http1_head *head = &s->worker->head;
	bool has_body = head->framing != FL_BODY_NONE &&
	                (head->framing != FL_BODY_LENGTH || head->length);
	bool head_only = head->method == FL_METHOD_HEAD;
	bool close = !head->keep_alive || head->minor == 0 || has_body;

	s->client_closes &= !has_body;
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
	struct fl_exchange *ex = fl_exchange_new(w);
	if (!ex) {
		turn_down(s, 503, "no memory");
		return;
	}
	ex->began_us = fl_loop_now_us(w->loop);
	ex->session = s;
	ex->head_bytes = s->head_bytes;
	ex->pool = fl_wpool_ref(w->pools[pool]);
	bool keyed = take_facts(ex, head);
	if (keyed)
		make_head(ex, head);
	if (ex->facts.failed || ex->head.failed) {
		fl_exchange_free(ex);
		turn_down(s, 431, "the request head is too large to be passed on");
		return;
	}
	if (!keyed) {
		fl_exchange_free(ex);
		fl_count(w->counters, FL_COUNTER_NO_KEY, 1);
		turn_down(s, 400, "the request has none of the keys this pool needs");
		return;
	}
	s->exchange = ex;
	fl_inq_head_done(&s->in);
	ex->request.eof = s->peer_eof;
	fl_exchange_attempt(ex);
}
