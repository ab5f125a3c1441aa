/* Active checks against servers that behave, misbehave and change their minds, all on one loop.
 * What decides is the number of probes that a server saw, never a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "health/health.h"

#define HOUR 3600000u

/* ---- servers ---- */

enum mood {
	SAY_OK,     /* 200 */
	SAY_BAD,    /* 503 */
	SAY_STATUS, /* server->status */
	SAY_LATER,  /* 100, 103, then 204 */
	SAY_NOTHING,
	SAY_GARBAGE,
	SAY_PART, /* half a head, then the end */
	SAY_MUCH, /* a head without end */
	HANG_UP,
	RESET,
};

struct world;

struct server {
	struct world *world;
	struct fl_listener *listener;
	int port;
	char address[32];
	enum mood mood;
	const enum mood *script; /* one for each probe, then `mood` */
	size_t script_left;
	int status;
	unsigned seen; /* probes that were accepted */
	unsigned open, open_most;
	char request[512]; /* of the last one that was read */
};

struct peer {
	struct fl_link link;
	struct server *server;
	struct fl_stream *stream;
	enum mood mood;
	char out[256];
	bool closed;
};

struct event {
	char node[16];
	enum fl_health_state from, to;
	char why[160];
	unsigned seen; /* by the server of that number at that time */
};

struct world {
	struct fl_loop *loop;
	struct fl_pool *pool;
	struct fl_health *health;
	struct fl_health_conf conf;
	struct server servers[4];
	struct fl_link peers;
	struct fl_timer tick;
	struct event events[64];
	size_t event_count;
	bool address_known;
	unsigned asked;
};

static void peer_closed(void *cookie)
{
	struct peer *p = cookie;
	fl_list_remove(&p->link);
	p->server->open--;
	free(p);
}

static void peer_end(struct peer *p, bool reset)
{
	if (!p->closed)
		fl_stream_close(p->stream, reset, peer_closed);
	p->closed = true;
}

static void peer_sent(void *cookie, int result)
{
	struct peer *p = cookie;
	if (result < 0)
		peer_end(p, false);
}

static void peer_drained(void *cookie, struct fl_rbuf *buf, int result)
{
	(void)buf;
	if (result <= 0)
		peer_end(cookie, false);
}

static void peer_say(struct peer *p, const char *text)
{
	snprintf(p->out, sizeof(p->out), "%s", text);
	struct iovec iov = {p->out, strlen(p->out)};
	if (fl_stream_send(p->stream, &iov, 1, peer_sent) < 0)
		peer_end(p, false);
	else
		assert_int_equal(fl_stream_recv(p->stream, peer_drained), 0);
}

static void peer_much(void *cookie, int result)
{
	struct peer *p = cookie;
	static char line[] = "HTTP/1.1 200 OK\r\nX-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct iovec iov = {line, sizeof(line) - 1};
	int rc = result < 0 ? result : fl_stream_send(p->stream, &iov, 1, peer_much);
	for (int i = 0; i < 2000 && rc == 1; i++) {
		iov = (struct iovec){line + 17, sizeof(line) - 18};
		rc = fl_stream_send(p->stream, &iov, 1, peer_much);
	}
	if (rc < 0)
		peer_end(p, false);
	else if (rc == 1)
		assert_int_equal(fl_stream_recv(p->stream, peer_drained), 0);
}

static void peer_recv(void *cookie, struct fl_rbuf *buf, int result)
{
	struct peer *p = cookie;
	char status[64];

	if (result <= 0) {
		peer_end(p, false);
		return;
	}
	snprintf(p->server->request, sizeof(p->server->request), "%.*s", result, buf->data);
	switch (p->mood) {
	case SAY_OK:
		peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\npart of a body");
		break;
	case SAY_BAD:
		peer_say(p, "HTTP/1.1 503 Sorry\r\nContent-Length: 0\r\n\r\n");
		break;
	case SAY_STATUS:
		snprintf(status, sizeof(status), "HTTP/1.0 %d\r\n\r\n", p->server->status);
		peer_say(p, status);
		break;
	case SAY_LATER:
		peer_say(p, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\n"
			    "HTTP/1.1 204 None\r\n\r\n");
		break;
	case SAY_GARBAGE:
		peer_say(p, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
		break;
	case SAY_PART:
		peer_say(p, "HTTP/1.1 200 OK\r\nContent-");
		fl_stream_shutdown(p->stream);
		break;
	case SAY_MUCH:
		peer_much(p, 0);
		break;
	default:
		break;
	}
}

static void on_accept(void *cookie, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct server *s = cookie;
	struct peer *p = calloc(1, sizeof(*p));

	(void)addr;
	(void)len;
	assert_true(fd >= 0);
	s->seen++;
	if (++s->open > s->open_most)
		s->open_most = s->open;
	p->server = s;
	p->mood = s->mood;
	if (s->script_left) {
		p->mood = *s->script++;
		s->script_left--;
	}
	assert_int_equal(fl_stream_new(&p->stream, s->world->loop, fd, p), 0);
	fl_list_push_back(&s->world->peers, &p->link);
	if (p->mood == HANG_UP || p->mood == RESET)
		peer_end(p, p->mood == RESET);
	else
		assert_int_equal(fl_stream_recv(p->stream, peer_recv), 0);
}

static int listen_on(struct server *s)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)s->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1024), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	s->port = ntohs(addr.sin_port);
	return fd;
}

static void server_up(struct world *w, struct server *s)
{
	s->world = w;
	int fd = listen_on(s);
	assert_int_equal(fl_listener_new(&s->listener, w->loop, fd, on_accept, s), 0);
	snprintf(s->address, sizeof(s->address), "127.0.0.1:%d", s->port);
}

/* ---- the world ---- */

static void stop_loop(void *cookie)
{
	fl_loop_stop(((struct world *)cookie)->loop);
}

static void turn(struct world *w)
{
	fl_timer_set(w->loop, &w->tick, 1);
	assert_int_equal(fl_loop_run(w->loop), 0);
}

/* Turns the loop until `cond`; only a test that fails waits for the deadline. */
#define UNTIL(w, cond)                                                                         \
	do {                                                                                   \
		time_t until_ = time(NULL) + 30;                                               \
		while (!(cond)) {                                                              \
			if (time(NULL) > until_)                                               \
				fail_msg("never came true: %s", #cond);                        \
			turn(w);                                                               \
		}                                                                              \
	} while (0)

static void on_change(void *cookie, const char *pool, const char *node,
	enum fl_health_state from, enum fl_health_state to, const char *why)
{
	struct world *w = cookie;
	struct event *e = &w->events[w->event_count++];

	assert_true(w->event_count < 64);
	assert_string_equal(pool, "p");
	snprintf(e->node, sizeof(e->node), "%s", node);
	snprintf(e->why, sizeof(e->why), "%s", why);
	e->from = from;
	e->to = to;
	e->seen = w->servers[node[0] == 'n' ? node[1] - '0' : 0].seen;
}

static void expect_event(
	struct world *w, size_t i, const char *node, enum fl_health_state from, int to)
{
	assert_true(i < w->event_count);
	assert_string_equal(w->events[i].node, node);
	assert_int_equal(w->events[i].from, from);
	assert_int_equal(w->events[i].to, to);
	assert_true(w->events[i].why[0] != 0);
}

static void on_view(void *cookie, struct fl_pool *pool, const struct fl_pool_report *report)
{
	struct world *w = cookie;
	(void)pool;
	(void)report;
	if (w->health)
		fl_health_sync(w->health);
}

static void apply(struct world *w, const struct fl_node_conf *nodes, size_t count)
{
	struct fl_pool_conf conf = {
		.name = "p", .spec = "rendezvous", .nodes = nodes, .count = count};
	struct fl_error err;
	if (fl_pool_apply(w->pool, &conf, 1, &err) != FL_OK)
		fail_msg("%s", err.text);
}

static struct fl_node_conf node(const char *name, const struct server *s)
{
	return (struct fl_node_conf){
		.name = name, .address = s->address, .weight = 1, .slot = -1};
}

/* The pool has node i at server i. */
static struct world *world_new(void **state, size_t nodes)
{
	static const char *const names[] = {"n0", "n1", "n2", "n3"};
	struct fl_loop_options options = {.backend = *(enum fl_loop_backend *)*state};
	struct fl_node_conf confs[4];
	struct world *w = calloc(1, sizeof(*w));
	int rc = fl_loop_new(&w->loop, &options);

	if (rc == -ENOSYS || rc == -EPERM) {
		free(w);
		skip();
		abort(); /* skip does not come back, but the compiler cannot know */
	}
	assert_int_equal(rc, 0);
	fl_list_init(&w->peers);
	fl_timer_init(&w->tick, stop_loop, w);
	w->conf = (struct fl_health_conf){.kind = FL_HEALTH_HTTP,
		.interval_ms = 1,
		.timeout_ms = 20000,
		.rise = 2,
		.fall = 3,
		.http = {.path = "/ok", .expect = {200, 299}}};
	for (size_t i = 0; i < nodes; i++) {
		server_up(w, &w->servers[i]);
		confs[i] = node(names[i], &w->servers[i]);
	}
	assert_int_equal(fl_pool_new(&w->pool, "p", 1), 0);
	apply(w, confs, nodes);
	fl_pool_subscribe(w->pool, on_view, w);
	return w;
}

static int find_address(void *cookie, const struct fl_member *m, struct fl_addr *out)
{
	struct world *w = cookie;
	w->asked++;
	assert_string_equal(m->address, "app.internal:80");
	return w->address_known ? fl_addr_parse(out, w->servers[0].address, NULL) : -1;
}

static void check_with(struct world *w, uint64_t eject_ms, bool lookup)
{
	struct fl_health_hooks hooks = {
		.cookie = w, .on_change = on_change, .address = lookup ? find_address : NULL};
	assert_int_equal(
		fl_health_new(&w->health, w->loop, w->pool, &w->conf, eject_ms, &hooks), 0);
}

static void check(struct world *w)
{
	check_with(w, HOUR, false);
}

static void world_free(struct world *w)
{
	size_t events = w->event_count;

	fl_health_free(w->health);
	w->health = NULL;
	for (size_t i = 0; i < 4; i++)
		fl_listener_close(w->servers[i].listener);
	fl_list_each (it, &w->peers)
		peer_end(fl_container_of(it, struct peer, link), false);
	UNTIL(w, fl_list_empty(&w->peers));
	turn(w);
	assert_int_equal(events, w->event_count); /* nothing is told after the end */
	fl_pool_unref(w->pool);
	fl_loop_free(w->loop);
	free(w);
}

static enum fl_health_state state_of(struct world *w, const char *name)
{
	const struct fl_tier *tier = &fl_pool_view(w->pool)->tier[0];
	uint32_t slot = fl_placement_find(tier->placement, name);
	assert_true(slot != FL_NONE);
	return tier->health[slot];
}

/* ---- tests ---- */

static void good_nodes_are_probed_and_stay_up(void **state)
{
	struct world *w = world_new(state, 3);
	char host[64];

	check(w);
	UNTIL(w, w->servers[0].seen > 5 && w->servers[1].seen > 5 && w->servers[2].seen > 5);
	assert_int_equal(w->event_count, 0);
	snprintf(host, sizeof(host), "\r\nHost: %s\r\n", w->servers[0].address);
	assert_memory_equal(w->servers[0].request, "GET /ok HTTP/1.1\r\n", 18);
	assert_non_null(strstr(w->servers[0].request, host));
	assert_non_null(strstr(w->servers[0].request, "\r\nConnection: close\r\n"));
	assert_true(w->servers[0].open_most <= 2); /* one probe at a time, and one that ends */
	world_free(w);
}

static void fall_and_rise_count_probes(void **state)
{
	struct world *w = world_new(state, 2);

	w->servers[0].mood = SAY_BAD;
	check(w);
	UNTIL(w, w->event_count == 1);
	expect_event(w, 0, "n0", FL_HEALTH_UP, FL_HEALTH_DOWN);
	assert_int_equal(w->events[0].seen, 3);
	assert_string_equal(w->events[0].why, "answered with status 503");
	assert_int_equal(state_of(w, "n0"), FL_HEALTH_DOWN);
	assert_int_equal(state_of(w, "n1"), FL_HEALTH_UP);
	UNTIL(w, w->servers[0].seen >= 8); /* no second event */
	assert_int_equal(w->event_count, 1);
	w->servers[0].mood = SAY_OK;
	unsigned bad = w->servers[0].seen;
	UNTIL(w, w->event_count == 2);
	expect_event(w, 1, "n0", FL_HEALTH_DOWN, FL_HEALTH_UP);
	assert_int_equal(w->events[1].seen, bad + 2);
	assert_int_equal(state_of(w, "n0"), FL_HEALTH_UP);
	world_free(w);
}

static void only_rows_of_failures_count(void **state)
{
	static const enum mood script[] = {SAY_BAD, SAY_BAD, SAY_OK, SAY_BAD, SAY_BAD, SAY_OK,
		SAY_BAD, SAY_BAD, SAY_OK, SAY_BAD, SAY_BAD, SAY_BAD, /* down at the 12th */
		SAY_OK, SAY_BAD, SAY_OK, SAY_BAD, SAY_OK, SAY_OK};   /* up at the 18th */
	struct world *w = world_new(state, 1);

	w->servers[0].script = script;
	w->servers[0].script_left = sizeof(script) / sizeof(*script);
	check(w);
	UNTIL(w, w->event_count == 2);
	assert_int_equal(w->events[0].seen, 12);
	assert_int_equal(w->events[1].seen, 18);
	world_free(w);
}

static void every_misbehaviour_is_a_failure(void **state)
{
	static const struct {
		enum mood mood;
		const char *why;
	} bad[] = {
		{SAY_GARBAGE, "answered something that is not HTTP"},
		{SAY_PART, "the connection ended without an answer"},
		{SAY_MUCH, "answered something that is not HTTP"},
		{HANG_UP, "the connection "},
		{RESET, ""}, /* may be seen as early as in connect */
		{SAY_BAD, "answered with status 503"},
		{SAY_STATUS, "answered with status 300"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct world *w = world_new(state, 1);
		w->conf.fall = 2;
		w->servers[0].mood = bad[i].mood;
		w->servers[0].status = 300;
		check(w);
		UNTIL(w, w->event_count == 1);
		expect_event(w, 0, "n0", FL_HEALTH_UP, FL_HEALTH_DOWN);
		assert_int_equal(w->events[0].seen, 2);
		assert_memory_equal(w->events[0].why, bad[i].why, strlen(bad[i].why));
		world_free(w);
	}
}

static void silence_and_refusal_are_failures(void **state)
{
	struct world *w = world_new(state, 2);

	w->conf.timeout_ms = 30;
	w->servers[0].mood = SAY_NOTHING;
	w->servers[1].mood = SAY_OK;
	fl_listener_close(w->servers[1].listener); /* refuses */
	w->servers[1].listener = NULL;
	check(w);
	UNTIL(w, w->event_count == 2);
	for (size_t i = 0; i < 2; i++) {
		const struct event *e = &w->events[i];
		assert_int_equal(e->to, FL_HEALTH_DOWN);
		assert_string_equal(e->why, strcmp(e->node, "n0") == 0
						    ? "no answer in time"
						    : "cannot connect: Connection refused");
	}
	assert_int_equal(state_of(w, "n0"), FL_HEALTH_DOWN);
	assert_int_equal(state_of(w, "n1"), FL_HEALTH_DOWN);
	server_up(w, &w->servers[1]); /* the same port */
	UNTIL(w, w->event_count == 3);
	expect_event(w, 2, "n1", FL_HEALTH_DOWN, FL_HEALTH_UP);
	assert_int_equal(w->events[2].seen, 2);
	world_free(w);
}

static void interim_answers_are_passed_over(void **state)
{
	struct world *w = world_new(state, 1);

	w->servers[0].mood = SAY_BAD;
	w->conf.http.expect = (struct fl_health_expect){204, 204};
	w->conf.http.host = "app.example.com";
	check(w);
	UNTIL(w, w->event_count == 1);
	w->servers[0].mood = SAY_LATER;
	UNTIL(w, w->event_count == 2);
	expect_event(w, 1, "n0", FL_HEALTH_DOWN, FL_HEALTH_UP);
	assert_non_null(strstr(w->servers[0].request, "\r\nHost: app.example.com\r\n"));
	world_free(w);
}

static void tcp_checks_only_connect(void **state)
{
	static const enum mood moods[] = {HANG_UP, SAY_NOTHING, SAY_GARBAGE};

	for (size_t i = 0; i < 3; i++) {
		struct world *w = world_new(state, 1);
		w->conf.kind = FL_HEALTH_TCP;
		w->servers[0].mood = moods[i];
		check(w);
		UNTIL(w, w->servers[0].seen > 5);
		assert_int_equal(w->event_count, 0);
		fl_listener_close(w->servers[0].listener);
		w->servers[0].listener = NULL;
		UNTIL(w, w->event_count == 1);
		expect_event(w, 0, "n0", FL_HEALTH_UP, FL_HEALTH_DOWN);
		server_up(w, &w->servers[0]);
		UNTIL(w, w->event_count == 2);
		expect_event(w, 1, "n0", FL_HEALTH_DOWN, FL_HEALTH_UP);
		assert_int_equal(w->servers[0].request[0], 0);
		world_free(w);
	}
}

static void without_checks_an_ejected_node_comes_back(void **state)
{
	struct world *w = world_new(state, 2);

	w->conf.kind = FL_HEALTH_NONE;
	check_with(w, HOUR, false);
	assert_int_equal(fl_pool_eject(w->pool, "n0", 1), 0);
	for (int i = 0; i < 5; i++)
		turn(w);
	assert_int_equal(state_of(w, "n0"), FL_HEALTH_EJECTED); /* its time is not over */
	assert_int_equal(fl_health_reconfigure(w->health, &w->conf, 5), 0);
	assert_int_equal(fl_pool_eject(w->pool, "n1", 1), FL_ENOTSUP);
	assert_int_equal(fl_pool_set_health(w->pool, "n1", FL_HEALTH_EJECTED, 1), 0);
	UNTIL(w, w->event_count == 1);
	expect_event(w, 0, "n1", FL_HEALTH_EJECTED, FL_HEALTH_UP);
	assert_int_equal(state_of(w, "n0"), FL_HEALTH_EJECTED);
	/* Pardoned by somebody else and ejected again: the clock begins anew. */
	assert_int_equal(fl_pool_set_health(w->pool, "n0", FL_HEALTH_UP, 1), 0);
	turn(w);
	turn(w);
	assert_int_equal(fl_pool_set_health(w->pool, "n0", FL_HEALTH_EJECTED, 1), 0);
	UNTIL(w, w->event_count == 2);
	expect_event(w, 1, "n0", FL_HEALTH_EJECTED, FL_HEALTH_UP);
	assert_int_equal(w->servers[0].seen + w->servers[1].seen, 0);
	world_free(w);
}

/* The interval is an hour: that there is a probe at all says that it came at once. */
static void with_checks_an_ejected_node_is_probed_at_once(void **state)
{
	struct world *w = world_new(state, 2);

	w->conf.interval_ms = HOUR;
	w->conf.rise = 1;
	w->conf.fall = 1;
	check_with(w, 1, false);
	for (int i = 0; i < 5; i++)
		turn(w);
	assert_int_equal(w->servers[0].seen, 0);
	assert_int_equal(fl_pool_eject(w->pool, "n0", 1), 0);
	UNTIL(w, w->event_count == 1);
	expect_event(w, 0, "n0", FL_HEALTH_EJECTED, FL_HEALTH_UP);
	assert_int_equal(w->servers[0].seen, 1);
	assert_int_equal(w->servers[1].seen, 0);
	w->servers[0].mood = SAY_BAD;
	assert_int_equal(fl_pool_eject(w->pool, "n0", 1), 0);
	UNTIL(w, w->event_count == 2);
	expect_event(w, 1, "n0", FL_HEALTH_EJECTED, FL_HEALTH_DOWN);
	assert_int_equal(w->servers[0].seen, 2);
	world_free(w);
}

static void counts_outlive_a_change_of_membership(void **state)
{
	struct world *w = world_new(state, 1);

	server_up(w, &w->servers[1]);
	w->servers[0].mood = SAY_BAD;
	w->conf.fall = 20;
	check(w);
	/* A change for every probe: the 20th failure in a row must still be the 20th. */
	for (unsigned i = 1; i < 20; i++) {
		struct fl_node_conf nodes[] = {
			node("n0", &w->servers[0]), node("n1", &w->servers[1])};
		UNTIL(w, w->servers[0].seen >= i);
		assert_int_equal(w->event_count, 0);
		apply(w, nodes, i % 2 ? 2 : 1);
	}
	UNTIL(w, w->event_count == 1);
	expect_event(w, 0, "n0", FL_HEALTH_UP, FL_HEALTH_DOWN);
	assert_int_equal(w->events[0].seen, 20);
	struct fl_node_conf nodes[] = {node("n0", &w->servers[0]), node("n1", &w->servers[1])};
	apply(w, nodes, 2);
	turn(w);
	turn(w);
	assert_int_equal(state_of(w, "n0"), FL_HEALTH_DOWN);
	assert_int_equal(w->event_count, 1);
	world_free(w);
}

static void nodes_that_go_are_left_alone_and_new_ones_probed(void **state)
{
	struct world *w = world_new(state, 2);
	struct fl_node_conf nodes[] = {node("n1", &w->servers[1]), node("n2", &w->servers[2])};

	server_up(w, &w->servers[2]);
	nodes[1].address = w->servers[2].address;
	w->servers[0].mood = SAY_NOTHING; /* a probe is under way for good */
	w->conf.timeout_ms = HOUR;
	check(w);
	UNTIL(w, w->servers[0].seen == 1 && w->servers[1].seen > 2);
	apply(w, nodes, 2);
	UNTIL(w, w->servers[1].seen > 10 && w->servers[2].seen > 10);
	assert_int_equal(w->servers[0].seen, 1);
	assert_int_equal(w->servers[0].open, 0); /* the probe was cancelled */
	assert_int_equal(w->event_count, 0);
	world_free(w);
}

static void a_new_address_begins_anew(void **state)
{
	struct world *w = world_new(state, 1);

	server_up(w, &w->servers[1]);
	w->servers[0].mood = SAY_NOTHING;
	w->conf.timeout_ms = HOUR;
	check(w);
	UNTIL(w, w->servers[0].seen == 1);
	struct fl_node_conf moved = node("n0", &w->servers[1]);
	apply(w, &moved, 1);
	UNTIL(w, w->servers[1].seen > 5);
	assert_int_equal(w->servers[0].seen, 1);
	assert_int_equal(w->event_count, 0);
	world_free(w);
}

static void draining_nodes_are_probed_and_disabled_ones_not(void **state)
{
	struct world *w = world_new(state, 3);

	w->servers[0].mood = w->servers[1].mood = SAY_BAD;
	assert_int_equal(fl_pool_set_admin(w->pool, "n0", FL_ADMIN_DRAIN, 1), 0);
	assert_int_equal(fl_pool_set_admin(w->pool, "n1", FL_ADMIN_DISABLED, 1), 0);
	check(w);
	UNTIL(w, w->event_count == 1 && w->servers[2].seen > 5);
	expect_event(w, 0, "n0", FL_HEALTH_UP, FL_HEALTH_DOWN);
	assert_int_equal(w->servers[1].seen, 0);
	w->servers[0].mood = SAY_OK;
	UNTIL(w, w->event_count == 2);
	const struct fl_tier *tier = &fl_pool_view(w->pool)->tier[0];
	assert_int_equal(tier->admin[fl_placement_find(tier->placement, "n0")], FL_ADMIN_DRAIN);
	assert_int_equal(fl_pool_set_admin(w->pool, "n1", FL_ADMIN_ENABLED, 1), 0);
	UNTIL(w, w->event_count == 3);
	expect_event(w, 2, "n1", FL_HEALTH_UP, FL_HEALTH_DOWN);
	world_free(w);
}

static void reconfiguring_keeps_what_is_the_same(void **state)
{
	struct world *w = world_new(state, 1);

	w->servers[0].mood = SAY_BAD;
	w->conf.fall = 20;
	check(w);
	for (unsigned i = 1; i < 20; i++) {
		char path[] = "/ok"; /* equal by content, not by address */
		w->conf.http.path = path;
		UNTIL(w, w->servers[0].seen >= i);
		assert_int_equal(fl_health_reconfigure(w->health, &w->conf, HOUR), 0);
		memset(path, '?', 3);
	}
	UNTIL(w, w->event_count == 1);
	assert_int_equal(w->events[0].seen, 20);
	assert_memory_equal(w->servers[0].request, "GET /ok ", 8);
	w->conf.http.path = "/other";
	w->servers[0].mood = SAY_OK;
	assert_int_equal(fl_health_reconfigure(w->health, &w->conf, HOUR), 0);
	assert_int_equal(state_of(w, "n0"), FL_HEALTH_DOWN); /* the state stays */
	UNTIL(w, w->event_count == 2);
	expect_event(w, 1, "n0", FL_HEALTH_DOWN, FL_HEALTH_UP);
	assert_memory_equal(w->servers[0].request, "GET /other ", 11);
	world_free(w);
}

static void switching_checks_off_brings_nodes_up(void **state)
{
	struct world *w = world_new(state, 2);

	w->servers[0].mood = SAY_BAD;
	check(w);
	UNTIL(w, w->event_count == 1);
	w->conf.kind = FL_HEALTH_NONE;
	assert_int_equal(fl_health_reconfigure(w->health, &w->conf, HOUR), 0);
	assert_int_equal(w->event_count, 2);
	expect_event(w, 1, "n0", FL_HEALTH_DOWN, FL_HEALTH_UP);
	assert_int_equal(state_of(w, "n0"), FL_HEALTH_UP);
	unsigned seen = w->servers[0].seen + w->servers[1].seen;
	for (int i = 0; i < 10; i++)
		turn(w);
	assert_true(w->servers[0].seen + w->servers[1].seen <= seen + 2); /* in the queue */
	w->conf.kind = FL_HEALTH_HTTP;
	assert_int_equal(fl_health_reconfigure(w->health, &w->conf, HOUR), 0);
	UNTIL(w, w->event_count == 3);
	expect_event(w, 2, "n0", FL_HEALTH_UP, FL_HEALTH_DOWN);
	world_free(w);
}

static void addresses_come_from_the_owner(void **state)
{
	struct world *w = world_new(state, 1);
	struct fl_node_conf named = node("n0", &w->servers[0]);

	named.address = "app.internal:80";
	apply(w, &named, 1);
	check_with(w, HOUR, true);
	UNTIL(w, w->event_count == 1);
	expect_event(w, 0, "n0", FL_HEALTH_UP, FL_HEALTH_DOWN);
	assert_int_equal(w->asked, 3);
	w->address_known = true;
	UNTIL(w, w->event_count == 2);
	expect_event(w, 1, "n0", FL_HEALTH_DOWN, FL_HEALTH_UP);
	assert_non_null(strstr(w->servers[0].request, "\r\nHost: app.internal:80\r\n"));
	world_free(w);
}

static void apply_crowd(struct world *w, size_t count)
{
	struct fl_node_conf *nodes = calloc(count, sizeof(*nodes));
	char(*names)[24] = calloc(count, sizeof(*names));

	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "c%zu", i);
		nodes[i] = node(names[i], &w->servers[0]);
	}
	apply(w, nodes, count);
	free(nodes);
	free(names);
}

static void probes_are_bounded_in_number(void **state)
{
	struct world *w = world_new(state, 1);

	w->servers[0].mood = SAY_NOTHING;
	w->conf.timeout_ms = HOUR;
	apply_crowd(w, 600);
	check(w);
	UNTIL(w, w->servers[0].seen == 256);
	for (int i = 0; i < 10; i++)
		turn(w);
	assert_int_equal(w->servers[0].seen, 256);
	apply_crowd(w, 1); /* c0 is among them, or its turn comes now */
	UNTIL(w, w->servers[0].open <= 1);
	world_free(w);
}

/* Five hundred nodes and an interval of an hour: a start, a reload or another interval must not
 * have many of them probed at once. */
static void probes_do_not_thunder(void **state)
{
	struct world *w = world_new(state, 1);

	w->conf.interval_ms = HOUR;
	apply_crowd(w, 400);
	check(w);
	for (int i = 0; i < 5; i++)
		turn(w);
	apply_crowd(w, 500);
	for (int i = 0; i < 5; i++)
		turn(w);
	w->conf.interval_ms = HOUR - 1;
	assert_int_equal(fl_health_reconfigure(w->health, &w->conf, HOUR), 0);
	for (int i = 0; i < 5; i++)
		turn(w);
	assert_int_equal(w->servers[0].seen, 0);
	world_free(w);
}

static void ends_in_the_midst_of_everything(void **state)
{
	static const enum mood moods[] = {SAY_NOTHING, SAY_MUCH, SAY_OK, HANG_UP};

	for (size_t i = 0; i < 4; i++) {
		struct world *w = world_new(state, 4);
		for (size_t k = 0; k < 4; k++)
			w->servers[k].mood = moods[(i + k) % 4];
		check(w);
		UNTIL(w, w->servers[i].seen > 0);
		world_free(w);
	}
	struct world *w = world_new(state, 1);
	check(w);
	world_free(w); /* before the first sync */
}

int main(void)
{
	static enum fl_loop_backend epoll = FL_LOOP_EPOLL, uring = FL_LOOP_URING;
#define BOTH(f)                                                                                \
	{#f " (epoll)", f, NULL, NULL, &epoll},                                                \
	{                                                                                      \
#f " (io_uring)", f, NULL, NULL, &uring                                        \
	}
	const struct CMUnitTest tests[] = {
		BOTH(good_nodes_are_probed_and_stay_up),
		BOTH(fall_and_rise_count_probes),
		BOTH(only_rows_of_failures_count),
		BOTH(every_misbehaviour_is_a_failure),
		BOTH(silence_and_refusal_are_failures),
		BOTH(interim_answers_are_passed_over),
		BOTH(tcp_checks_only_connect),
		BOTH(without_checks_an_ejected_node_comes_back),
		BOTH(with_checks_an_ejected_node_is_probed_at_once),
		BOTH(counts_outlive_a_change_of_membership),
		BOTH(nodes_that_go_are_left_alone_and_new_ones_probed),
		BOTH(a_new_address_begins_anew),
		BOTH(draining_nodes_are_probed_and_disabled_ones_not),
		BOTH(reconfiguring_keeps_what_is_the_same),
		BOTH(switching_checks_off_brings_nodes_up),
		BOTH(addresses_come_from_the_owner),
		BOTH(probes_are_bounded_in_number),
		BOTH(probes_do_not_thunder),
		BOTH(ends_in_the_midst_of_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
