#include "proxy/session.h"

#include "base/assert.h"
#include "proxy/exchange.h"
#include "proxy/head.h"

#include <stdlib.h>
#include <unistd.h>

/* After the last answer a client may still be sending; what it sends is read and dropped for so
 * long, because closing on unread bytes would reset the connection and could destroy the answer
 * on its way. */
#define LINGER_MS    2000
#define LINGER_BYTES (256u << 10)

static void run(struct fl_session *s);
static void refuse(struct fl_session *s, const struct fl_http1_error *err);
static void on_recv(void *cookie, struct fl_rbuf *buf, int result);

/* ---- the clock ---- */

void fl_session_clock(struct fl_session *s, uint64_t ms)
{
	fl_timer_set(s->worker->loop, &s->timer, ms);
}

void fl_session_clock_stop(struct fl_session *s)
{
	fl_timer_disarm(&s->timer);
}

static void on_clock(void *cookie)
{
	static const struct fl_http1_error late = {
		408, "the request head did not come in time"};
	struct fl_session *s = cookie;

	switch (s->state) {
	case FL_SESSION_HEAD:
		if (fl_inq_begun(&s->in))
			refuse(s, &late);
		else
			fl_session_close(s, false);
		break;
	case FL_SESSION_EXCHANGE:
		fl_exchange_stalled(s->exchange);
		break;
	case FL_SESSION_REPLY:
		fl_session_close(s, true);
		break;
	case FL_SESSION_LINGER:
		fl_session_close(s, false);
		break;
	case FL_SESSION_CLOSED:
		break;
	}
}

/* ---- receiving ---- */

static void resume(struct fl_session *s)
{
	if (!s->paused || s->peer_eof)
		return;
	s->paused = false;
	if (fl_stream_recv(s->stream, on_recv))
		fl_session_close(s, true);
}

void fl_session_want(struct fl_session *s)
{
	resume(s);
}

/* Keeps what came for later. */
static void enqueue(struct fl_session *s, struct fl_rbuf *buf)
{
	fl_inq_push(&s->in, buf);
	if (fl_inq_full(&s->in) && !s->paused) {
		fl_stream_recv_pause(s->stream);
		s->paused = true;
	}
}

static void on_end(struct fl_session *s, int result)
{
	s->peer_eof = true;
	if (result < 0 || s->state == FL_SESSION_LINGER) {
		fl_session_close(s, false);
		return;
	}
	/* A client may close its sending side and still wait for its answers. */
	if (s->state == FL_SESSION_HEAD)
		fl_session_close(s, false);
	else if (s->state == FL_SESSION_EXCHANGE)
		fl_exchange_input(s->exchange);
}

static void on_recv(void *cookie, struct fl_rbuf *buf, int result)
{
	struct fl_session *s = cookie;

	if (result <= 0) {
		on_end(s, result);
		return;
	}
	switch (s->state) {
	case FL_SESSION_HEAD:
		enqueue(s, buf);
		run(s);
		break;
	case FL_SESSION_EXCHANGE:
		enqueue(s, buf);
		fl_exchange_input(s->exchange);
		break;
	case FL_SESSION_REPLY:
		enqueue(s, buf);
		break;
	case FL_SESSION_LINGER:
		s->lingered += (uint64_t)result;
		if (s->lingered > LINGER_BYTES)
			fl_session_close(s, false);
		break;
	case FL_SESSION_CLOSED:
		break;
	}
}

/* ---- requests, one after another ---- */

static void refuse(struct fl_session *s, const struct fl_http1_error *err)
{
	fl_count(s->worker->counters, FL_COUNTER_BAD_REQUESTS, 1);
	fl_record_own(s, NULL, err->status, err->why);
	fl_session_reply(s, err->status, err->why, false, true);
}

/* Parses the head at the front of what came into worker->head: its length; 0: more bytes are needed;
 * -1: refused. */
static long read_head(struct fl_session *s, struct fl_http1_error *err)
{
	struct fl_worker *w = s->worker;
	struct fl_slice head;

	if (fl_inq_is_fresh(&s->in)) {
		head = fl_inq_front(&s->in);
		long end = fl_http1_request_front(head.p, head.n, &w->limits, &w->head);
		if (end > 0) {
			fl_inq_head_found(&s->in, (size_t)end);
			return end;
		}
	}
	long end = fl_inq_head(&s->in, &w->limits, &head, err);
	if (end > 0 && fl_http1_request(head.p, head.n, &w->limits, &w->head, err))
		return -1;
	return end;
}

/* Begins the next request when its head is whole. False: more bytes are needed. */
static bool step(struct fl_session *s)
{
	struct fl_http1_error err;
	long end = read_head(s, &err);

	if (end == 0)
		return false;
	if (end < 0) {
		refuse(s, &err);
		return true;
	}
	fl_session_clock_stop(s);
	s->head_clock = false;
	s->head_bytes = (uint32_t)end;
	s->used = true;
	s->state = FL_SESSION_EXCHANGE;
	fl_exchange_begin(s);
	return true;
}

/* Nothing more can be done with what is there: waits for the client, but not for ever. The clock
 * for a head runs from its first byte on; more bytes do not wind it up again. */
static void wait_for_head(struct fl_session *s)
{
	const struct fl_client_conf *client = &s->worker->conf->client;

	if (s->peer_eof || (s->worker->draining && !fl_inq_begun(&s->in))) {
		fl_session_close(s, false);
		return;
	}
	if (!fl_inq_begun(&s->in) && s->used) {
		fl_session_clock(s, client->idle_ms);
	} else if (!s->head_clock) {
		fl_session_clock(s, client->head_ms);
		s->head_clock = true;
	}
	resume(s);
}

static void run(struct fl_session *s)
{
	/* An answer that is sent at once leads back here; the outer call then goes on. */
	if (s->running)
		return;
	s->running = true;
	while (s->state == FL_SESSION_HEAD && step(s))
		;
	s->running = false;
	if (s->state == FL_SESSION_HEAD)
		wait_for_head(s);
}

/* ---- the end of a request, or of the session ---- */

static void linger(struct fl_session *s)
{
	fl_inq_fini(&s->in);
	if (s->peer_eof) {
		fl_session_close(s, false);
		return;
	}
	s->state = FL_SESSION_LINGER;
	fl_stream_shutdown(s->stream);
	fl_session_clock(s, LINGER_MS);
	resume(s);
}

void fl_session_next(struct fl_session *s, bool keep)
{
	fl_session_clock_stop(s);
	s->exchange = NULL;
	if (!keep && s->client_closes && fl_inq_empty(&s->in)) {
		fl_session_close(s, false);
	} else if (!keep) {
		linger(s);
	} else {
		s->state = FL_SESSION_HEAD;
		run(s);
	}
}

static void reply_sent(void *cookie, int result)
{
	struct fl_session *s = cookie;

	fl_text_fini(&s->reply);
	if (result < 0)
		fl_session_close(s, false);
	else
		fl_session_next(s, !s->close_after_reply);
}

void fl_session_reply(
	struct fl_session *s, int status, const char *why, bool head_only, bool close)
{
	close = close || s->worker->draining;
	s->exchange = NULL;
	s->state = FL_SESSION_REPLY;
	s->close_after_reply = close;
	fl_head_own(&s->reply, status, why, head_only, close);
	if (s->reply.failed) {
		fl_session_close(s, true);
		return;
	}
	struct iovec iov = {s->reply.p, s->reply.n};
	int sent = fl_stream_send(s->stream, &iov, 1, reply_sent);
	if (sent == 0)
		fl_session_clock(s, s->worker->conf->client.stall_ms);
	else
		reply_sent(s, sent < 0 ? sent : 0);
}

void fl_session_release(struct fl_session *s)
{
	if (s->state != FL_SESSION_CLOSED || s->stream)
		return;
	if (s->exchange) {
		if (!fl_exchange_idle(s->exchange))
			return;
		fl_exchange_free(s->exchange);
	}
	struct fl_worker *w = s->worker;
	fl_inq_fini(&s->in);
	fl_text_fini(&s->reply);
	fl_list_remove(&s->link);
	w->session_count--;
	fl_stat_add(&w->open, (uint64_t)-1);
	fl_wlistener_unref(s->listener);
	free(s);
	fl_worker_session_ended(w);
}

static void on_closed(void *cookie)
{
	struct fl_session *s = cookie;

	s->stream = NULL;
	fl_session_release(s);
}

void fl_session_close(struct fl_session *s, bool reset)
{
	if (s->state == FL_SESSION_CLOSED)
		return;
	s->state = FL_SESSION_CLOSED;
	fl_timer_cancel(&s->timer);
	if (s->exchange)
		fl_exchange_abort(s->exchange, "the client's connection ended");
	fl_stream_close(s->stream, reset, on_closed);
}

void fl_session_drain(struct fl_session *s)
{
	if (s->state == FL_SESSION_HEAD && !fl_inq_begun(&s->in))
		fl_session_close(s, false);
}

void fl_session_open(struct fl_worker *w, struct fl_wlistener *listener, int fd,
	const struct sockaddr *peer, socklen_t len)
{
	struct fl_session *s = calloc(1, sizeof(*s));

	if (!s) {
		(void)close(fd);
		return;
	}
	if (fl_stream_new(&s->stream, w->loop, fd, s)) {
		free(s);
		return;
	}
	s->worker = w;
	s->listener = listener;
	listener->refs++;
	fl_addr_set(&s->peer, peer, len);
	s->client_n =
		(uint8_t)fl_addr_client_text(&s->peer, 32, 128, s->client, sizeof(s->client));
	fl_inq_init(&s->in);
	fl_text_init(&s->reply, 4096);
	fl_timer_init(&s->timer, on_clock, s);
	fl_list_push_back(&w->sessions, &s->link);
	w->session_count++;
	fl_stat_add(&w->open, 1);
	fl_count(w->counters, FL_COUNTER_CONNECTIONS, 1);
	s->paused = true;
	wait_for_head(s);
}
