/* One loop, as many connections as requests may be under way. A timer earns credit at the wanted
 * rate and wakes connections that have nothing to do; credit is capped, so that a pause (a slow
 * balancer, a stopped program) is not made up for by a flood.
 *
 * A server may close a kept connection just when the next request is on its way. Such a request got
 * no answer through no fault of the balancer, and is asked once more on a new connection. */
#include "cli/verify_client.h"

#include "cli/verify_request.h"
#include "loop/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	EARN_MS = 10,
	BURST_MS = 50, /* credit is earned for so long at most */
};

enum state {
	OFF,        /* has no stream */
	CONNECTING, /* waits for the handshake */
	IDLE,       /* could send */
	BUSY,       /* waits for an answer */
	CLOSING,    /* the loop still holds the stream */
};

struct conn {
	struct client *client;
	struct fl_stream *stream;
	struct fl_timer timer; /* the deadline of what it waits for */
	enum state state;
	bool asking;  /* it has a request that is not done */
	bool sending; /* the loop still reads `request` */
	bool reused;  /* the stream carried an answer before */
	size_t number;
	struct fl_text request;
	struct fl_verify_answer answer;
};

struct client {
	const struct fl_verify_client_options *options;
	struct fl_loop *loop;
	struct fl_timer earn;
	uint64_t earned_at, credit; /* in thousandths of a request */
	bool dry;                   /* there are no more requests, or no more are wanted */
	struct conn *conns;
};

static void step(struct conn *c);

/* ---- ends ---- */

/* Stops the loop once nothing is left to do. */
static void settle(struct client *client)
{
	bool open = false;

	for (unsigned i = 0; i < client->options->conns; i++)
		open |= client->conns[i].asking || client->conns[i].state != OFF;
	if (client->dry && !open)
		fl_loop_stop(client->loop);
}

static void on_closed(void *cookie)
{
	struct conn *c = cookie;

	c->state = OFF;
	c->stream = NULL;
	c->sending = false;
	step(c);
}

static void drop(struct conn *c)
{
	fl_timer_cancel(&c->timer);
	if (c->state == OFF || c->state == CLOSING)
		return;
	c->state = CLOSING;
	fl_stream_close(c->stream, false, on_closed);
}

/* Nothing more is asked, and what is under way does not matter any more. */
static void stop(struct client *client)
{
	client->dry = true;
	for (unsigned i = 0; i < client->options->conns; i++) {
		client->conns[i].asking = false;
		drop(&client->conns[i]);
	}
}

static void finish(struct conn *c, const char *node, const char *why)
{
	const struct fl_verify_client_options *o = c->client->options;

	c->asking = false;
	if (!o->done(o->cookie, c->number, node, why))
		stop(c->client);
}

static void fail(struct conn *c, const char *why, int error)
{
	char text[160];

	(void)snprintf(text, sizeof(text), "%s%s%s", why, error ? ": " : "",
		error ? strerror(-error) : "");
	finish(c, NULL, text);
	drop(c);
}

/* ---- one request ---- */

static void on_sent(void *cookie, int result)
{
	struct conn *c = cookie;

	c->sending = false;
	/* A failure shows at the receiving end, too; there an early answer may still stand. */
	(void)result;
}

static void on_timer(void *cookie)
{
	struct conn *c = cookie;

	fail(c, c->state == BUSY ? "no answer in time" : "no connection in time", 0);
}

static void send_request(struct conn *c)
{
	struct iovec iov = {c->request.p, c->request.n};
	int rc;

	fl_verify_answer_start(&c->answer);
	c->state = BUSY;
	fl_timer_set(c->client->loop, &c->timer, c->client->options->timeout_ms);
	rc = fl_stream_send(c->stream, &iov, 1, on_sent);
	c->sending = rc == 0;
	if (rc < 0 && c->reused)
		drop(c); /* and once more */
	else if (rc < 0)
		fail(c, "the request could not be sent", rc);
}

static void end_request(struct conn *c, int verdict)
{
	fl_timer_cancel(&c->timer);
	c->state = IDLE;
	c->reused = true;
	finish(c, verdict > 0 ? c->answer.node : NULL, c->answer.why);
	if (verdict < 0 || !c->answer.keep_alive || c->sending)
		drop(c);
	else
		step(c);
}

static void on_recv(void *cookie, struct fl_rbuf *buf, int result)
{
	struct conn *c = cookie;
	int verdict;

	if (c->state != BUSY) {
		drop(c); /* closed between two requests, or bytes that belong to none */
		return;
	}
	if (result <= 0 && c->reused && !c->answer.begun) {
		drop(c); /* and once more */
		return;
	}
	if (result < 0) {
		fail(c, "the connection broke", result);
		return;
	}
	verdict = result > 0 ? fl_verify_answer_feed(&c->answer, buf->data, buf->len)
	                     : fl_verify_answer_end(&c->answer);
	if (verdict != 0)
		end_request(c, verdict);
}

/* ---- connections ---- */

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
	step(c);
}

static void connect_now(struct conn *c)
{
	const struct fl_verify_client_options *o = c->client->options;
	int rc = fl_stream_connect(&c->stream, c->client->loop,
		(const struct sockaddr *)&o->addr, o->len, c, on_connect);

	if (rc < 0) {
		fail(c, "no connection", rc);
		return;
	}
	c->state = CONNECTING;
	c->reused = false;
	fl_timer_set(c->client->loop, &c->timer, o->timeout_ms);
}

/* Takes the next request if the rate allows it. */
static void take_request(struct conn *c)
{
	struct client *client = c->client;

	if (client->dry || client->credit < 1000)
		return;
	if (!client->options->next(client->options->cookie, &c->number, &c->request)) {
		client->dry = true;
		return;
	}
	client->credit -= 1000;
	c->asking = true;
}

static void step(struct conn *c)
{
	if (!c->asking && (c->state == OFF || c->state == IDLE))
		take_request(c);
	if (c->asking && c->state == IDLE)
		send_request(c);
	else if (c->asking && c->state == OFF)
		connect_now(c);
	else if (c->client->dry && c->state == IDLE)
		drop(c);
	settle(c->client);
}

/* ---- the loop ---- */

static void earn(void *cookie)
{
	struct client *client = cookie;
	uint64_t now = fl_loop_now(client->loop);
	uint64_t ms = now - client->earned_at;
	uint64_t rate = client->options->rate, most = rate * BURST_MS + 1000;

	client->earned_at = now;
	client->credit += rate * (ms > BURST_MS ? BURST_MS : ms);
	if (client->credit > most)
		client->credit = most;
	fl_timer_set(client->loop, &client->earn, EARN_MS);
	for (unsigned i = 0; i < client->options->conns; i++)
		step(&client->conns[i]);
}

static int run(struct client *client)
{
	int rc;

	for (unsigned i = 0; i < client->options->conns; i++) {
		struct conn *c = &client->conns[i];

		c->client = client;
		fl_timer_init(&c->timer, on_timer, c);
		fl_text_init(&c->request, FL_VERIFY_REQUEST_MOST);
		fl_verify_answer_init(&c->answer, client->options->finder);
	}
	client->credit = 1000;
	client->earned_at = fl_loop_now(client->loop);
	fl_timer_init(&client->earn, earn, client);
	fl_timer_set(client->loop, &client->earn, 0);
	rc = fl_loop_run(client->loop);
	for (unsigned i = 0; i < client->options->conns; i++) {
		fl_text_fini(&client->conns[i].request);
		fl_verify_answer_fini(&client->conns[i].answer);
	}
	return rc;
}

int fl_verify_client_run(const struct fl_verify_client_options *options)
{
	struct fl_loop_options loop = {.backend = FL_LOOP_EPOLL};
	struct client client = {.options = options};
	int rc;

	client.conns = calloc(options->conns, sizeof(*client.conns));
	if (!client.conns)
		return -ENOMEM;
	rc = fl_loop_new(&client.loop, &loop);
	if (rc == 0)
		rc = run(&client);
	fl_loop_free(client.loop);
	free(client.conns);
	return rc;
}
