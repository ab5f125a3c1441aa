/* An HTTP/1.1 origin for tests: one thread, any number of named nodes, each on a port of its
 * own, strict about what it is sent.
 *
 *   backend --node a=127.0.0.1:8001 --node b=127.0.0.1:0 [--fault KIND] [--fault-every N]
 *
 * Prints "node NAME ADDRESS" for each node (a port 0 chosen), then "ready". What an answer
 * holds: see backend/reply.c; the query of the target asks for it: size=N seed=S echo=1
 * chunked=1 delay=MS close=1. /health answers 200, or 503 after an odd number of SIGUSR1.
 * Malformed input is counted, told on stderr, and answered 400. SIGTERM and SIGINT end it with
 * one JSON line of counts a node. */
#include "backend/reply.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_NODES  1024
#define READ_BYTES 65536
#define OUT_ENOUGH 262144 /* no further request is read while so much waits to be sent */
#define DRAIN_MS   2000   /* how long the rest of malformed input is swallowed */

struct node {
	char name[64];
	struct sockaddr_in address;
	int fd;
	unsigned long requests, malformed, connections;
};

struct conn {
	struct conn *prev, *next;   /* of `timed`, when `due` */
	struct conn *older, *newer; /* of all */
	struct node *node;
	int fd;
	struct request rq;
	struct buf in, out, held; /* `held`: the answer that FAULT_SWAP keeps back */
	bool closing;             /* closes when `out` is sent */
	bool draining;            /* answered 400; swallows what still comes */
	uint64_t due;             /* ms when a delayed answer is to be given, or a drain ends */
	uint32_t events;
};

static struct {
	struct node nodes[MAX_NODES];
	int count, epoll, signals;
	bool sick;
	enum fault fault;
	unsigned long fault_every, answered;
	struct conn timed; /* head of the list */
	struct conn *newest;
} backend = {.fault_every = 7};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void unset_timer(struct conn *c)
{
	if (!c->due)
		return;
	c->prev->next = c->next;
	c->next->prev = c->prev;
	c->due = 0;
}

static void set_timer(struct conn *c, uint64_t ms)
{
	unset_timer(c);
	c->due = now_ms() + ms;
	c->prev = backend.timed.prev;
	c->next = &backend.timed;
	c->prev->next = c;
	backend.timed.prev = c;
}

static void conn_free(struct conn *c)
{
	unset_timer(c);
	if (c->older)
		c->older->newer = c->newer;
	if (c->newer)
		c->newer->older = c->older;
	else
		backend.newest = c->older;
	close(c->fd);
	buf_fini(&c->in);
	buf_fini(&c->out);
	buf_fini(&c->held);
	free(c);
}

static void conn_watch(struct conn *c, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = c};

	if (c->events == events)
		return;
	if (epoll_ctl(backend.epoll, EPOLL_CTL_MOD, c->fd, &e) < 0)
		die("epoll_ctl");
	c->events = events;
}

static void refuse(struct conn *c)
{
	static const char answer[] =
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

	c->node->malformed++;
	fprintf(stderr, "%s: malformed request: %s\n", c->node->name, c->rq.wrong);
	buf_text(&c->out, answer);
	c->closing = c->draining = true;
	c->in.at = c->in.n;
	set_timer(c, DRAIN_MS);
}

/* The complete request in c->rq gets its answer; when two are to be swapped, the first waits
 * for the second if that has already begun to arrive. */
static void answer(struct conn *c)
{
	struct reply reply = reply_of(&c->rq);
	enum fault fault = FAULT_NONE;
	struct buf *out = &c->out;

	backend.answered++;
	if (backend.fault && backend.answered % backend.fault_every == 0)
		fault = backend.fault;
	if (fault == FAULT_SWAP && buf_left(&c->in) > 0 && !c->held.n)
		out = &c->held;
	c->closing = reply_write(&reply, &c->rq, c->node->name, !backend.sick, fault, out);
	c->node->requests++;
	if (out != &c->held && c->held.n) {
		buf_add(&c->out, c->held.p, c->held.n);
		c->held.n = 0;
	}
	request_reset(&c->rq);
}

/* Takes requests from what has been read, as far as they are complete and may be answered. */
static void take_requests(struct conn *c)
{
	while (buf_left(&c->in) > 0 && !c->closing && !c->due &&
		buf_left(&c->out) < OUT_ENOUGH) {
		size_t used;
		enum request_event event =
			request_feed(&c->rq, c->in.p + c->in.at, buf_left(&c->in), &used);
		uint64_t delay;

		c->in.at += used;
		if (event == REQUEST_BAD) {
			refuse(c);
		} else if (event == REQUEST_EXPECTS && buf_left(&c->in) == 0) {
			buf_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
		} else if (event == REQUEST_DONE) {
			delay = reply_of(&c->rq).delay_ms;
			if (delay)
				set_timer(c, delay);
			else
				answer(c);
		}
	}
}

/* Sends what waits. False when the connection is gone. */
static bool flush(struct conn *c)
{
	while (buf_left(&c->out) > 0) {
		ssize_t n = send(c->fd, c->out.p + c->out.at, buf_left(&c->out), MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN;
		c->out.at += (size_t)n;
	}
	if (!c->closing)
		return true;
	if (!c->draining)
		return false;
	shutdown(c->fd, SHUT_WR);
	return true;
}

/* False when the other end has closed. */
static bool fill(struct conn *c)
{
	ssize_t n = recv(c->fd, buf_room(&c->in, READ_BYTES), READ_BYTES, 0);

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	if (!c->draining)
		c->in.n += (size_t)n;
	return true;
}

/* Goes on with a connection after anything happened to it; frees it when it is over. */
static void conn_go(struct conn *c, bool readable)
{
	bool full;

	if (readable && !fill(c)) {
		conn_free(c);
		return;
	}
	do {
		take_requests(c);
		if (!flush(c)) {
			conn_free(c);
			return;
		}
		full = buf_left(&c->out) > 0;
	} while (!full && !c->due && !c->closing && buf_left(&c->in) > 0);
	if (full)
		conn_watch(c, EPOLLOUT);
	else if (c->due && !c->draining)
		conn_watch(c, 0);
	else
		conn_watch(c, EPOLLIN);
}

static void conn_due(struct conn *c)
{
	unset_timer(c);
	if (c->draining) {
		conn_free(c);
		return;
	}
	answer(c);
	conn_go(c, false);
}

/* Milliseconds to the next timer, -1 without one; runs those that are due. */
static int run_timers(void)
{
	uint64_t now, next = UINT64_MAX;
	struct conn *c, *after;

	if (backend.timed.next == &backend.timed)
		return -1;
	now = now_ms();
	for (c = backend.timed.next; c != &backend.timed; c = after) {
		after = c->next;
		if (c->due <= now)
			conn_due(c);
	}
	for (c = backend.timed.next; c != &backend.timed; c = c->next)
		if (c->due < next)
			next = c->due;
	if (next == UINT64_MAX)
		return -1;
	return next > now ? (int)(next - now) : 0;
}

static void accept_all(struct node *node)
{
	int fd, one = 1;

	while ((fd = accept4(node->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct conn *c = calloc(1, sizeof(*c));
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};

		if (!c)
			die("calloc");
		c->fd = fd;
		c->node = node;
		c->events = EPOLLIN;
		c->older = backend.newest;
		if (c->older)
			c->older->newer = c;
		backend.newest = c;
		request_reset(&c->rq);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (epoll_ctl(backend.epoll, EPOLL_CTL_ADD, fd, &e) < 0)
			die("epoll_ctl");
		node->connections++;
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		die("accept");
}

static void print_counts(void)
{
	printf("{\"nodes\": {");
	for (int i = 0; i < backend.count; i++) {
		const struct node *n = &backend.nodes[i];

		printf("%s\"%s\": {\"requests\": %lu, \"malformed\": %lu, \"connections\": "
		       "%lu}",
			i ? ", " : "", n->name, n->requests, n->malformed, n->connections);
	}
	printf("}}\n");
}

/* False when it is time to end. */
static bool take_signal(void)
{
	struct signalfd_siginfo info;

	if (read(backend.signals, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo != SIGUSR1)
		return false;
	backend.sick = !backend.sick;
	return true;
}

static void node_listen(struct node *node)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = node};
	socklen_t len = sizeof(node->address);
	int one = 1;

	node->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (node->fd < 0)
		die("socket");
	setsockopt(node->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(node->fd, (struct sockaddr *)&node->address, len) < 0 ||
		listen(node->fd, 1024) < 0)
		die(node->name);
	getsockname(node->fd, (struct sockaddr *)&node->address, &len);
	if (epoll_ctl(backend.epoll, EPOLL_CTL_ADD, node->fd, &e) < 0)
		die("epoll_ctl");
	printf("node %s %s:%d\n", node->name, inet_ntoa(node->address.sin_addr),
		ntohs(node->address.sin_port));
}

static void set_up(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	backend.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	backend.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (backend.signals < 0 || backend.epoll < 0)
		die("set up");
	if (epoll_ctl(backend.epoll, EPOLL_CTL_ADD, backend.signals, &e) < 0)
		die("epoll_ctl");
	backend.timed.prev = backend.timed.next = &backend.timed;
	for (int i = 0; i < backend.count; i++)
		node_listen(&backend.nodes[i]);
	printf("ready\n");
	fflush(stdout);
}

static void run(void)
{
	struct epoll_event events[256];

	for (;;) {
		int n = epoll_wait(backend.epoll, events, 256, run_timers());

		for (int i = 0; i < n; i++) {
			void *p = events[i].data.ptr;

			if (!p) {
				if (!take_signal())
					return;
			} else if (p >= (void *)backend.nodes &&
				   p < (void *)(backend.nodes + MAX_NODES)) {
				accept_all(p);
			} else {
				conn_go(p, events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR));
			}
		}
	}
}

/* NAME=ADDRESS:PORT */
static void add_node(char *text)
{
	struct node *n = &backend.nodes[backend.count];
	char *equals = strchr(text, '='), *colon = equals ? strrchr(equals, ':') : NULL;
	long port = colon ? strtol(colon + 1, NULL, 10) : -1;

	if (!colon || port < 0 || port > 65535 || backend.count == MAX_NODES ||
		(size_t)(equals - text) >= sizeof(n->name)) {
		fprintf(stderr, "backend: bad --node %s, want NAME=ADDRESS:PORT\n", text);
		exit(2);
	}
	*equals = *colon = '\0';
	memcpy(n->name, text, strlen(text) + 1);
	n->address.sin_family = AF_INET;
	n->address.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, equals + 1, &n->address.sin_addr) != 1)
		die(equals + 1);
	backend.count++;
}

static enum fault fault_named(const char *name)
{
	static const char *const names[] = {
		"none", "body", "length", "swap", "truncate", "status", "id", "silent"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum fault)i;
	fprintf(stderr, "backend: no such fault: %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--node") == 0)
			add_node(argv[i + 1]);
		else if (strcmp(argv[i], "--fault") == 0)
			backend.fault = fault_named(argv[i + 1]);
		else if (strcmp(argv[i], "--fault-every") == 0)
			backend.fault_every = strtoul(argv[i + 1], NULL, 10);
		else
			argc = 0;
	}
	if (argc % 2 == 0 || backend.count == 0 || backend.fault_every == 0) {
		fprintf(stderr, "usage: backend --node NAME=ADDRESS:PORT ... [--fault KIND] "
				"[--fault-every N]\n");
		return 2;
	}
	set_up();
	run();
	print_counts();
	while (backend.newest)
		conn_free(backend.newest);
	return 0;
}
