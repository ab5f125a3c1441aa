/* What is left of a request when it is over: a record in the access log, and the counters. */
#include "proxy/exchange.h"
#include "proxy/worker.h"

static void count_status(struct fl_worker *w, int status)
{
	if (status >= 100 && status < 600)
		fl_count(w->counters,
			FL_COUNTER_STATUS_1XX + (enum fl_counter)(status / 100 - 1), 1);
}

/* The fields that every record has. */
static struct fl_access_record common(const struct fl_session *s, int status, const char *error)
{
	struct fl_access_record r = {.status = (unsigned)status, .error = fl_slice_of(error)};
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	r.time_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	r.client = fl_session_client(s);
	r.listener = fl_slice_of(s->listener->name);
	return r;
}

static void add_exchange(struct fl_access_record *r, const struct fl_exchange *ex)
{
	struct timespec ts;

	/* The loop's clock is that of the turn's beginning: what it began with is right, but not the
	 * end. */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	uint64_t now = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	r->duration_us = now - ex->began_us;
	r->time_ms -= r->duration_us / 1000;
	if (ex->node) {
		r->upstream_us = now - ex->asked_us;
		r->node = fl_slice_of(ex->node->member->name);
	}
	r->method = ex->method_text;
	r->host = ex->host;
	r->target = ex->target;
	r->key = ex->key_label;
	r->pool = fl_slice_of(fl_pool_name(ex->pool->pool));
	r->attempt = ex->attempts;
	r->retry = ex->attempts > 1 ? fl_slice_of(ex->failure) : (struct fl_slice){NULL, 0};
	r->bytes_in = ex->head_bytes + ex->request.bytes;
	r->bytes_out = ex->answer_begun ? ex->answer_head_bytes + ex->answer.bytes : 0;
	r->truncated = ex->truncated;
}

void fl_record_exchange(struct fl_exchange *ex, const char *error)
{
	struct fl_worker *w = ex->worker;

	count_status(w, ex->status);
	fl_count(w->counters, FL_COUNTER_FAILED, ex->status >= 502 && error);
	fl_count(w->counters, FL_COUNTER_TRUNCATED, ex->truncated);
	fl_count(w->counters, FL_COUNTER_BYTES_IN, ex->head_bytes + ex->request.bytes);
	fl_count(w->counters, FL_COUNTER_BYTES_OUT, ex->answer.bytes);
	if (!w->access)
		return;
	struct fl_access_record r = common(ex->session, ex->status, error);
	add_exchange(&r, ex);
	fl_access_log(w->access, &r);
}

void fl_record_own(
	struct fl_session *s, const struct fl_http1_head *head, int status, const char *error)
{
	struct fl_worker *w = s->worker;

	count_status(w, status);
	if (!w->access)
		return;
	struct fl_access_record r = common(s, status, error);
	if (head) {
		r.method = head->method_text;
		r.host = head->host;
		r.target = head->target;
	}
	fl_access_log(w->access, &r);
}
