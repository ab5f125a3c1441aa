/* One loop, a handful of connections, one request under way on each. A timer earns credit at the
 * wanted rate and wakes idle connections; credit is capped, so that a machine that was busy
 * elsewhere is not flooded afterwards.
 *
 * The thread is the only writer of every count; others read them as relaxed atomics. What a pass
 * has seen is published by `seen`, stored with release after the owner of the key. */
#include "cli/demo_traffic.h"

#include "base/assert.h"
#include "cli/demo_answer.h"
#include "loop/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNS = 6,
	EARN_MS = 10,
	BURST_MS = 100,     /* credit is earned for so long at most */
	ANSWER_MS = 10000,  /* an answer that takes longer is a failure */
	RECONNECT_MS = 200, /* after a connection was lost */
};

enum state {
	OFF,        /* has no stream */
	CONNECTING, /* waits for the handshake */
	IDLE,       /* could send */
	BUSY,       /* waits for an answer */
	CLOSING,    /* the loop still holds the stream */
};

struct conn {
	struct fl_demo_traffic *traffic;
	struct fl_stream *stream;
	struct fl_timer timer; /* BUSY, CONNECTING: the deadline; OFF: until the next try */
	enum state state;
	size_t key;
	uint64_t pass; /* in which the request was sent; 0: in none */
	bool first;    /* it is the first of its key in its pass */
	struct fl_demo_key text;
	char request[160];
	struct fl_demo_answer answer;
};

struct fl_demo_traffic {
	struct fl_demo_traffic_options options;
	struct fl_loop *loop;
	pthread_t thread;
	struct fl_timer earn;
	uint64_t earned_at, credit; /* in thousandths of a request */
	_Atomic unsigned rate;
	bool stopping;
	uint64_t pass, passes; /* pass: 0 between passes */
	size_t next;           /* key to ask for */
	bool first_round;      /* of the keys in this pass */
	struct conn conn[CONNS];
	_Atomic uint64_t requests[FL_DEMO_NODES], answered, failed, strays;
	_Atomic size_t seen;
	_Atomic uint8_t *owner; /* [keys] */
	uint64_t *owner_pass;   /* [keys]: in which pass the owner was seen */
	pthread_mutex_t why_lock;
	char why[160];
};

const char *fl_demo_key(struct fl_demo_key *buf, size_t i)
{
	(void)snprintf(buf->text, sizeof(buf->text), "user-%05zu", i);
	return buf->text;
}

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* ---- what was seen ---- */

/* Notes the node that answered; FL_DEMO_NOBODY: the request has failed. */
static void note(struct conn *c, uint8_t node)
{
	struct fl_demo_traffic *t = c->traffic;

	if (c->pass == 0 || c->pass != t->pass)
		return;
	uint8_t before = atomic_load_explicit(&t->owner[c->key], memory_order_relaxed);
	if (t->owner_pass[c->key] == t->pass && before != node)
		count(&t->strays);
	t->owner_pass[c->key] = t->pass;
	atomic_store_explicit(&t->owner[c->key], node, memory_order_relaxed);
	if (node != FL_DEMO_NOBODY)
		count(&t->requests[node]);
	if (c->first)
		atomic_fetch_add_explicit(&t->seen, 1, memory_order_release);
}

/* ---- connections ---- */

static void on_closed(void *cookie)
{
	struct conn *c = cookie;
	struct fl_demo_traffic *t = c->traffic;

	c->state = OFF;
	c->stream = NULL;
	if (!t->stopping) {
		fl_timer_set(t->loop, &c->timer, RECONNECT_MS);
		return;
	}
	for (size_t i = 0; i < CONNS; i++)
		if (t->conn[i].state != OFF)
			return;
	fl_loop_stop(t->loop);
}

static void drop(struct conn *c)
{
	fl_timer_cancel(&c->timer);
	if (c->state == OFF || c->state == CLOSING)
		return;
	c->state = CLOSING;
	fl_stream_close(c->stream, false, on_closed);
}

/* The request (or the attempt to connect) under way has failed. */
static void fail(struct conn *c, const char *why, int error)
{
	struct fl_demo_traffic *t = c->traffic;

	count(&t->failed);
	FL_MUST(pthread_mutex_lock(&t->why_lock));
	if (!t->why[0])
		(void)snprintf(t->why, sizeof(t->why), "%s%s%s%s%s", why, error ? ": " : "",
			error ? strerror(-error) : "", c->state == BUSY ? ", for " : "",
			c->state == BUSY ? c->text.text : "");
	FL_MUST(pthread_mutex_unlock(&t->why_lock));
	if (c->state == BUSY)
		note(c, FL_DEMO_NOBODY);
	drop(c);
}

static void on_sent(void *cookie, int result)
{
	struct conn *c = cookie;
	if (result < 0 && c->state == BUSY)
		fail(c, "a request could not be sent", result);
}

/* Sends the next key's request if there is credit for it. */
static void ask(struct conn *c)
{
	struct fl_demo_traffic *t = c->traffic;

	if (c->state != IDLE || t->passes == 0 || t->credit < 1000)
		return;
	t->credit -= 1000;
	c->key = t->next;
	c->pass = t->pass;
	c->first = t->first_round;
	if (++t->next == t->options.keys) {
		t->next = 0;
		t->first_round = false;
	}
	int n = snprintf(c->request, sizeof(c->request),
		"GET /%s HTTP/1.1\r\nHost: demo\r\n" FL_DEMO_KEY_HEADER ": %s\r\n\r\n",
		fl_demo_key(&c->text, c->key), c->text.text);
	struct iovec iov = {c->request, (size_t)n};
	fl_demo_answer_start(&c->answer, c->text.text);
	c->state = BUSY;
	fl_timer_set(t->loop, &c->timer, ANSWER_MS);
	int rc = fl_stream_send(c->stream, &iov, 1, on_sent);
	if (rc < 0)
		fail(c, "a request could not be sent", rc);
}

static void take_answer(struct conn *c, const char *bytes, size_t n)
{
	int rc = fl_demo_answer_feed(&c->answer, bytes, n);

	if (rc < 0)
		fail(c, c->answer.why, 0);
	if (rc <= 0)
		return;
	fl_timer_cancel(&c->timer);
	count(&c->traffic->answered);
	note(c, c->answer.node);
	c->state = IDLE;
	if (c->answer.keep_alive)
		ask(c);
	else
		drop(c);
}

static void on_recv(void *cookie, struct fl_rbuf *buf, int result)
{
	struct conn *c = cookie;

	if (c->state == BUSY && result > 0)
		take_answer(c, buf->data, buf->len);
	else if (c->state == BUSY)
		fail(c, "a connection was cut", result);
	else if (result > 0)
		fail(c, "bytes that nobody asked for", 0);
	else
		drop(c); /* closed between two requests: nothing is lost */
}

static void on_connect(void *cookie, int result)
{
	struct conn *c = cookie;
	int on = 1;

	fl_timer_cancel(&c->timer);
	if (result == 0)
		result = fl_stream_recv(c->stream, on_recv);
	if (result < 0) {
		fail(c, "no connection", result);
		return;
	}
	(void)setsockopt(fl_stream_fd(c->stream), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->state = IDLE;
	ask(c);
}

static void connect_now(struct conn *c)
{
	struct fl_demo_traffic *t = c->traffic;
	struct sockaddr_in addr = {.sin_family = AF_INET,
		.sin_port = htons(t->options.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int rc = fl_stream_connect(
		&c->stream, t->loop, (struct sockaddr *)&addr, sizeof(addr), c, on_connect);

	if (rc < 0) {
		fail(c, "no connection", rc);
		fl_timer_set(t->loop, &c->timer, RECONNECT_MS);
		return;
	}
	c->state = CONNECTING;
	fl_timer_set(t->loop, &c->timer, ANSWER_MS);
}

static void on_timer(void *cookie)
{
	struct conn *c = cookie;

	if (c->state == OFF)
		connect_now(c);
	else
		fail(c, c->state == BUSY ? "no answer in 10 s" : "no connection in 10 s", 0);
}

/* ---- the thread ---- */

static void earn(void *cookie)
{
	struct fl_demo_traffic *t = cookie;
	uint64_t now = fl_loop_now(t->loop);
	uint64_t ms = now - t->earned_at > BURST_MS ? BURST_MS : now - t->earned_at;
	uint64_t rate = atomic_load_explicit(&t->rate, memory_order_relaxed);
	uint64_t most = rate * BURST_MS + 1000;

	t->earned_at = now;
	t->credit += rate * ms;
	if (t->credit > most)
		t->credit = most;
	fl_timer_set(t->loop, &t->earn, EARN_MS);
	for (size_t i = 0; i < CONNS; i++)
		ask(&t->conn[i]);
}

static void *run(void *cookie)
{
	struct fl_demo_traffic *t = cookie;

	(void)fl_loop_run(t->loop);
	return NULL;
}

/* A message to the thread, and the wait for its having heard. */
struct message {
	struct fl_task task;
	struct fl_demo_traffic *traffic;
	void (*what)(struct fl_demo_traffic *t);
	sem_t heard;
};

static void hear(struct fl_task *task)
{
	struct message *m = fl_container_of(task, struct message, task);

	m->what(m->traffic);
	FL_MUST(sem_post(&m->heard));
}

static void tell(struct fl_demo_traffic *t, void (*what)(struct fl_demo_traffic *t))
{
	struct message m = {.task.run = hear, .traffic = t, .what = what};

	FL_MUST(sem_init(&m.heard, 0, 0));
	fl_loop_post(t->loop, &m.task);
	while (sem_wait(&m.heard) < 0)
		FL_ASSERT(errno == EINTR);
	FL_MUST(sem_destroy(&m.heard));
}

static void begin(struct fl_demo_traffic *t)
{
	t->pass = ++t->passes;
	t->next = 0;
	t->first_round = true;
	atomic_store_explicit(&t->seen, 0, memory_order_relaxed);
	for (size_t i = 0; i < FL_DEMO_NODES; i++)
		atomic_store_explicit(&t->requests[i], 0, memory_order_relaxed);
}

static void end(struct fl_demo_traffic *t)
{
	t->pass = 0;
}

static void stop(struct fl_demo_traffic *t)
{
	bool open = false;

	t->stopping = true;
	fl_timer_cancel(&t->earn);
	for (size_t i = 0; i < CONNS; i++) {
		drop(&t->conn[i]);
		open = open || t->conn[i].state != OFF;
	}
	if (!open)
		fl_loop_stop(t->loop);
}

void fl_demo_traffic_begin(struct fl_demo_traffic *t)
{
	tell(t, begin);
}

void fl_demo_traffic_end(struct fl_demo_traffic *t)
{
	tell(t, end);
}

void fl_demo_traffic_rate(struct fl_demo_traffic *t, unsigned rate)
{
	atomic_store_explicit(&t->rate, rate, memory_order_relaxed);
}

void fl_demo_traffic_counts(const struct fl_demo_traffic *t, struct fl_demo_counts *out)
{
	out->seen = atomic_load_explicit(&t->seen, memory_order_acquire);
	for (size_t i = 0; i < FL_DEMO_NODES; i++)
		out->requests[i] = atomic_load_explicit(&t->requests[i], memory_order_relaxed);
	out->answered = atomic_load_explicit(&t->answered, memory_order_relaxed);
	out->failed = atomic_load_explicit(&t->failed, memory_order_relaxed);
	out->strays = atomic_load_explicit(&t->strays, memory_order_relaxed);
}

uint8_t fl_demo_traffic_owner(const struct fl_demo_traffic *t, size_t i)
{
	return atomic_load_explicit(&t->owner[i], memory_order_relaxed);
}

void fl_demo_traffic_why(struct fl_demo_traffic *t, char *buf, size_t n)
{
	FL_MUST(pthread_mutex_lock(&t->why_lock));
	(void)snprintf(buf, n, "%s", t->why);
	FL_MUST(pthread_mutex_unlock(&t->why_lock));
}

static void release(struct fl_demo_traffic *t)
{
	fl_loop_free(t->loop);
	(void)pthread_mutex_destroy(&t->why_lock);
	free(t->owner);
	free(t->owner_pass);
	free(t);
}

int fl_demo_traffic_new(
	struct fl_demo_traffic **out, const struct fl_demo_traffic_options *options)
{
	struct fl_loop_options loop = {.backend = FL_LOOP_EPOLL};
	struct fl_demo_traffic *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->options = *options;
	atomic_init(&t->rate, options->rate);
	FL_MUST(pthread_mutex_init(&t->why_lock, NULL));
	t->owner = malloc(options->keys);
	t->owner_pass = calloc(options->keys, sizeof(*t->owner_pass));
	int rc = t->owner && t->owner_pass ? fl_loop_new(&t->loop, &loop) : -ENOMEM;
	if (rc < 0) {
		release(t);
		return rc;
	}
	for (size_t i = 0; i < options->keys; i++)
		atomic_init(&t->owner[i], FL_DEMO_NOBODY);
	for (size_t i = 0; i < CONNS; i++) {
		t->conn[i].traffic = t;
		fl_timer_init(&t->conn[i].timer, on_timer, &t->conn[i]);
		fl_timer_set(t->loop, &t->conn[i].timer, 0);
	}
	fl_timer_init(&t->earn, earn, t);
	fl_timer_set(t->loop, &t->earn, EARN_MS);
	rc = -pthread_create(&t->thread, NULL, run, t);
	if (rc < 0) {
		release(t);
		return rc;
	}
	*out = t;
	return 0;
}

void fl_demo_traffic_free(struct fl_demo_traffic *t)
{
	if (!t)
		return;
	tell(t, stop);
	(void)pthread_join(t->thread, NULL);
	release(t);
}
