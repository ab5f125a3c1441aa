/* A stage for tests of the whole request path: a real proxy with one worker on its own thread,
 * while the test itself plays the clients and the nodes with plain blocking sockets on loopback.
 * So the test decides the order of events, and each of its steps waits for what the proxy does.
 *
 * A wait that never ends is cut by alarm() and SO_RCVTIMEO; no clock decides anything else. */
#ifndef FL_TEST_PROXY_STAGE_H
#define FL_TEST_PROXY_STAGE_H

#include "loop/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include "net/listen.h"
#include "pool/pool.h"
#include "proxy/proxy.h"
#include "proxy/route.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NODES      3
#define WAIT_S     20
#define LONG_MS    (3600 * 1000) /* the proxy's patience is longer than the test's */
#define HEARD_ROOM (1u << 20)
#define UNUSED     __attribute__((unused)) /* not every test needs all of it */

struct stage {
	enum fl_loop_backend backend;
	const char *backend_name;
	struct fl_loop *control;
	struct fl_pool *pool;
	struct fl_proxy *proxy;
	struct fl_addr front;
	int node[NODES]; /* listening sockets; -1: closed */
	int fds;         /* open before */
	int failing;     /* calls of on_failing */
	int drained;     /* and of on_drained */
	char *heard;     /* what the last hear gave, NUL-terminated */
	size_t heard_n;
	/* what the proxy goes by; a test may change it before stage_open */
	struct fl_forward_conf forward;
	struct fl_client_conf client;
	const char *path; /* of the only route; NULL: every path */
	bool unix_front;  /* clients come by a unix socket, whose buffer is small */
};

static const char *const node_names[NODES] = {"a", "b", "c"};
static struct stage stages[] = {
	{.backend = FL_LOOP_EPOLL, .backend_name = "epoll"},
	{.backend = FL_LOOP_URING, .backend_name = "io_uring"},
};

static int count_fds(void)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void patient(int fd)
{
	struct timeval wait = {.tv_sec = WAIT_S};
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)), 0);
}

/* A listening socket, and where it is when the kernel chose the port. */
static int listen_on(const char *where, struct fl_addr *addr)
{
	static const struct fl_listen_options options = {.backlog = 64};
	struct fl_addr any;
	assert_int_equal(fl_addr_parse(&any, where, NULL), FL_OK);
	int fd = fl_listen(&any, &options, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(fl_listen_addr(addr, fd), FL_OK);
	return fd;
}

/* ---- setting it up ---- */

static void on_failing(void *cookie, struct fl_pool *pool, const char *node, const char *why)
{
	struct stage *st = cookie;
	assert_ptr_equal(pool, st->pool);
	assert_non_null(node);
	assert_non_null(why);
	st->failing++;
}

static void on_drained(void *cookie)
{
	struct stage *st = cookie;
	st->drained++;
	fl_loop_stop(st->control);
}

static const struct fl_key_source by_header = {
	.kind = FL_KEY_HEADER, .name = "x-key", .label = "header:x-key"};

static int stage_setup(void **state)
{
	struct stage *st = *state;
	st->fds = count_fds();
	st->failing = st->drained = 0;
	st->path = NULL;
	st->unix_front = false;
	st->heard = malloc(HEARD_ROOM + 1);
	st->proxy = NULL;
	st->pool = NULL;
	st->control = NULL;
	st->forward = (struct fl_forward_conf){
		.key = {(struct fl_key_source *)&by_header, 1},
		.no_key = FL_NO_KEY_CLIENT_IP,
		.attempts = 3,
		.replay = 64 << 10,
		.connect_ms = LONG_MS,
		.response_ms = LONG_MS,
		.stall_ms = LONG_MS,
		.keepalive_ms = LONG_MS,
		.keepalive = 16,
		.eject_fails = 1,
		.eject_ms = 1000,
	};
	st->client = (struct fl_client_conf){
		.head_ms = LONG_MS,
		.idle_ms = LONG_MS,
		.stall_ms = LONG_MS,
		.drain_ms = LONG_MS,
		.line = 8192,
		.head = 32768,
		.headers = 100,
		.body = 64 << 20,
		.connections = 1000,
	};
	(void)alarm(4 * WAIT_S);
	return 0;
}

static void open_nodes(struct stage *st)
{
	char text[NODES][FL_ADDR_TEXT];
	struct fl_node_conf nodes[NODES];
	for (int i = 0; i < NODES; i++) {
		struct fl_addr addr;
		st->node[i] = listen_on("127.0.0.1:0", &addr);
		assert_int_equal(fcntl(st->node[i], F_SETFL, 0), 0);
		patient(st->node[i]);
		assert_true(fl_addr_format(&addr, text[i], sizeof(text[i])) > 0);
		nodes[i] = (struct fl_node_conf){
			.name = node_names[i], .address = text[i], .weight = 1, .slot = -1};
	}
	struct fl_pool_conf conf = {.name = "p", .nodes = nodes, .count = NODES};
	assert_int_equal(fl_pool_new(&st->pool, "p", 1), FL_OK);
	assert_int_equal(fl_pool_apply(st->pool, &conf, 1000, NULL), FL_OK);
}

static struct fl_proxy_conf *make_conf(struct stage *st, bool with_socket)
{
	static const char *const pools[] = {"p"};
	struct fl_route_conf route = {.path = st->path, .pool = "p"};
	char where[64] = "127.0.0.1:0";
	struct fl_proxy_conf *conf = calloc(1, sizeof(*conf));
	if (st->unix_front)
		snprintf(where, sizeof(where), "unix:@fairlead-test-%d", (int)getpid());
	conf->refs = 1;
	conf->client = st->client;
	conf->routes = fl_routes_new(&route, 1, pools, 1, NULL, 0);
	conf->listeners = calloc(1, sizeof(*conf->listeners));
	conf->listener_count = 1;
	conf->listeners[0].name = "web";
	conf->listeners[0].bind = "127.0.0.1:0";
	if (with_socket) {
		conf->listeners[0].fds = calloc(1, sizeof(int));
		conf->listeners[0].fds[0] = listen_on(where, &st->front);
	}
	conf->pools = calloc(1, sizeof(*conf->pools));
	conf->pool_count = 1;
	conf->pools[0].pool = fl_pool_ref(st->pool);
	conf->pools[0].forward = st->forward;
	return conf;
}

/* Opens the nodes and starts the proxy; skips the test where the kernel has no such backend. */
static struct stage *stage_open(void **state)
{
	struct stage *st = *state;
	struct fl_loop_options options = {.backend = st->backend};
	int rc = fl_loop_new(&st->control, &options);
	if (rc == -ENOSYS || rc == -EPERM) {
		print_message("SKIP: no %s here\n", st->backend_name);
		skip();
	}
	assert_int_equal(rc, 0);
	open_nodes(st);
	struct fl_proxy_conf *conf = make_conf(st, true);
	struct fl_proxy_options proxy = {
		.workers = 1,
		.backend = st->backend,
		.control = st->control,
		.cookie = st,
		.on_failing = on_failing,
		.on_drained = on_drained,
	};
	assert_int_equal(fl_proxy_new(&st->proxy, &proxy, conf, NULL), FL_OK);
	fl_proxy_conf_unref(conf);
	return st;
}

/* ---- what the pool's statistics say ---- */

static struct fl_node_stats *stats_of(struct stage *st, int node)
{
	for (size_t i = 0; i < fl_pool_count(st->pool); i++) {
		struct fl_member *m = fl_pool_node(st->pool, i).member;
		if (strcmp(m->name, node_names[node]) == 0)
			return m->stats;
	}
	fail_msg("no node %d", node);
	return NULL;
}

/* Waits for something that the worker will make true in its own time. */
#define EVENTUALLY(cond)                                                                       \
	do {                                                                                   \
		while (!(cond))                                                                \
			(void)poll(NULL, 0, 1);                                                \
	} while (0)

/* Every attempt was ended; without it a node would look busy for ever. */
static void none_active(struct stage *st)
{
	for (int i = 0; i < NODES; i++)
		EVENTUALLY(stats_of(st, i)->active == 0);
}

static int stage_teardown(void **state)
{
	struct stage *st = *state;
	int bad = 0;
	if (st->proxy) {
		none_active(st);
		fl_proxy_free(st->proxy);
		for (int i = 0; i < NODES; i++)
			bad |= stats_of(st, i)->connections != 0;
		if (bad)
			print_error("connections to nodes are counted for ever\n");
	}
	if (st->pool) {
		for (int i = 0; i < NODES; i++)
			if (st->node[i] >= 0)
				(void)close(st->node[i]);
		/* What workers still had to tell, and nobody wants to hear any more. */
		int failing = st->failing;
		fl_loop_stop(st->control);
		bad |= fl_loop_run(st->control);
		if (st->proxy && st->failing != failing) {
			print_error("a callback came after the proxy's end\n");
			bad = 1;
		}
		fl_pool_unref(st->pool);
	}
	fl_loop_free(st->control);
	free(st->heard);
	int leaked = count_fds() - st->fds;
	if (leaked != 0)
		print_error("%d descriptors leaked\n", leaked);
	(void)alarm(0);
	return bad || leaked;
}

#define ON_BOTH(test)                                                                          \
	{#test " (epoll)", test, stage_setup, stage_teardown, &stages[0]},                     \
	{                                                                                      \
#test " (io_uring)", test, stage_setup, stage_teardown, &stages[1]             \
	}

/* ---- playing ---- */

static int connect_with(struct stage *st, int rcvbuf)
{
	int fd = socket(st->front.ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (rcvbuf)
		assert_int_equal(
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf)), 0);
	/* Only then a time limit: with one, connect gives up (EINTR) when the machine was stopped
	 * for a moment. */
	assert_int_equal(connect(fd, (struct sockaddr *)&st->front.ss, st->front.len), 0);
	patient(fd);
	return fd;
}

static int client(struct stage *st)
{
	return connect_with(st, 0);
}

/* The next connection that node `i` gets. */
static int node(struct stage *st, int i)
{
	int fd;
	do
		fd = accept4(st->node[i], NULL, NULL, SOCK_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		fail_msg("node %s: nobody connects", node_names[i]);
	patient(fd);
	return fd;
}

/* A node that refuses connections. */
UNUSED static void node_down(struct stage *st, int i)
{
	assert_int_equal(close(st->node[i]), 0);
	st->node[i] = -1;
}

/* No connection came that was not accepted. */
static void no_more(struct stage *st, int i)
{
	struct pollfd p = {.fd = st->node[i], .events = POLLIN};
	assert_int_equal(poll(&p, 1, 0), 0);
}

/* A call with a time limit is not restarted after the process was stopped for a while. */
static ssize_t recv_some(int fd, void *p, size_t n)
{
	ssize_t got;
	do
		got = recv(fd, p, n, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

static void say_n(int fd, const void *p, size_t n)
{
	for (size_t sent = 0; sent < n;) {
		ssize_t got = send(fd, (const char *)p + sent, n - sent, MSG_NOSIGNAL);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			fail_msg("cannot send: %s", strerror(errno));
		sent += (size_t)got;
	}
}

__attribute__((format(printf, 2, 3))) static void say(int fd, const char *format, ...)
{
	char text[8192];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert_true(n >= 0 && (size_t)n < sizeof(text));
	say_n(fd, text, (size_t)n);
}

/* Exactly n bytes. */
UNUSED static const char *hear_n(struct stage *st, int fd, size_t n)
{
	st->heard_n = 0;
	assert_true(n <= HEARD_ROOM);
	while (st->heard_n < n) {
		ssize_t got = recv_some(fd, st->heard + st->heard_n, n - st->heard_n);
		if (got <= 0) {
			st->heard[st->heard_n] = 0;
			fail_msg("after \"%.200s\": %s", st->heard,
				got ? strerror(errno) : "the end");
		}
		st->heard_n += (size_t)got;
	}
	st->heard[n] = 0;
	return st->heard;
}

/* A head, blank line included, and not a byte more. */
static const char *hear_head(struct stage *st, int fd)
{
	size_t n = 0;
	do {
		assert_true(n < HEARD_ROOM);
		ssize_t got = recv_some(fd, st->heard + n, 1);
		if (got != 1) {
			st->heard[n] = 0;
			fail_msg("after \"%.200s\": %s", st->heard,
				got ? strerror(errno) : "the end");
		}
		n++;
	} while (n < 4 || memcmp(st->heard + n - 4, "\r\n\r\n", 4) != 0);
	st->heard[n] = 0;
	st->heard_n = n;
	return st->heard;
}

/* Everything until the end: 0, or ECONNRESET. */
static int hear_rest(struct stage *st, int fd)
{
	ssize_t got;
	st->heard_n = 0;
	do {
		assert_true(st->heard_n < HEARD_ROOM);
		got = recv_some(fd, st->heard + st->heard_n, HEARD_ROOM - st->heard_n);
		if (got > 0)
			st->heard_n += (size_t)got;
	} while (got > 0);
	st->heard[st->heard_n] = 0;
	int error = got < 0 ? errno : 0;
	assert_true(error == 0 || error == ECONNRESET);
	return error;
}

/* A clean end, and nothing before it. */
UNUSED static void hear_end(struct stage *st, int fd)
{
	if (hear_rest(st, fd) != 0 || st->heard_n)
		fail_msg("no clean end, but \"%.200s\"", st->heard);
}

UNUSED static bool has(struct stage *st, const char *what)
{
	return memmem(st->heard, st->heard_n, what, strlen(what));
}

#define HAS(st, what)                                                                          \
	do {                                                                                   \
		if (!has(st, what))                                                            \
			fail_msg("no \"%s\" in \"%.400s\"", what, (st)->heard);                \
	} while (0)
#define HAS_NOT(st, what)                                                                      \
	do {                                                                                   \
		if (has(st, what))                                                             \
			fail_msg("\"%s\" in \"%.400s\"", what, (st)->heard);                   \
	} while (0)

/* The end of a connection, for the other side to see: with RST. */
static void hang_up(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	assert_int_equal(close(fd), 0);
}

static void done_with(int fd)
{
	assert_int_equal(close(fd), 0);
}

/* A key whose owners are, in this order, nodes i and j. */
static const char *key_of(struct stage *st, int i, int j)
{
	static char text[16];
	for (int n = 0; n < 10000; n++) {
		struct fl_member *owners[2];
		snprintf(text, sizeof(text), "k%d", n);
		struct fl_key key = fl_key_bytes(text, strlen(text));
		assert_int_equal(fl_view_owners(fl_pool_view(st->pool), &key, owners, 2), 2);
		if (strcmp(owners[0]->name, node_names[i]) == 0 &&
			strcmp(owners[1]->name, node_names[j]) == 0)
			return text;
	}
	fail_msg("no key for %d, %d", i, j);
	return NULL;
}

static uint64_t counted(struct stage *st, enum fl_counter id)
{
	return fl_proxy_count(st->proxy, id);
}

#endif
