/* The load generator of the proxy bench: one thread that sends requests over many connections and
 * sees whether what comes back is whole.
 *
 *   load --port PORT [--connections N] [--seconds S] [--depth N | --rate N] [--fresh]
 *        [--upload BYTES] [--expect BYTES] [--key header|query] [--keys N]
 *        [--idle | --held] [--gate]
 *
 * Closed loop: each connection sends `depth` requests at once, and the next ones when all are
 * answered. With a rate it is an open loop: requests are due at fixed times, whatever became of
 * those before, and a latency counts from the time when its request was due; so a balancer that
 * stalls is charged for every request that it has kept waiting. With --fresh each request has a
 * connection of its own. --expect is the length that the bodies of answers must have.
 *
 * All connections are made first and have had one answer each; that is not measured. --idle ends
 * there and holds them; --held does not even wait for the answers. With --gate, "ready" is printed
 * at that point, and each line from standard input starts one round of measuring, over the same
 * connections; so what another program measures meanwhile is only requests.
 *
 * Prints one line of JSON a round. `requests` were answered within the time, `late` by those that were
 * under way at its end, which are waited for (2 s at most); `warmup` before it began; `took` is
 * how long all of it was. Errors:
 * "connect"; "broken": the connection ended before the answer did; "unclear": not HTTP; "status":
 * not 200; "length": not --expect; "unanswered": there was no answer in time, or, with a rate, no
 * connection free to send it on. A connection that fails is made anew 10 ms later. */
#include "load/framing.h"
#include "load/histogram.h"
#include "load/options.h"
#include "load/requests.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES 65536
#define SKIP_BYTES (1 << 20)
#define SKIP_LEAST 4096 /* less is as cheap to copy */
#define OPENING    64   /* connections that are being made at a time */
#define RETRY_NS   10000000
#define DRAIN_NS   UINT64_C(2000000000)
#define SETUP_NS   UINT64_C(30000000000)
#define SOURCES    16 /* addresses that fresh connections come from */
#define NEVER      UINT64_MAX
#define NS         1000000000.0

enum phase {
	SETUP, /* connections are made */
	RUN,
	DRAIN, /* nothing new begins */
};

enum mistake {
	CONNECT,
	BROKEN,
	UNCLEAR,
	STATUS,
	LENGTH,
	UNANSWERED,
	MISTAKES,
};

static const char *const mistake_names[] = {
	"connect", "broken", "unclear", "status", "length", "unanswered"};

struct conn {
	int fd;         /* -1: none */
	unsigned owed;  /* answers to come */
	bool set_up;    /* has had its first answer */
	uint64_t began; /* when the requests were sent, or were due */
	struct framing framing;
	const char *head; /* what is still to be sent */
	size_t head_left, body_left;
};

static struct load_options options;

static struct {
	int epoll;
	enum phase phase;
	struct conn *conns;
	struct requests *requests;
	int opened, ready;              /* during set-up: begun, and done */
	int *free, free_at, free_count; /* connections without a request, a queue */
	int *failed, failed_count;      /* to be made anew at retry_at */
	uint64_t retry_at;
	uint64_t start, end; /* of RUN */
	uint64_t over;       /* the end of DRAIN */
	uint64_t due;        /* requests of the open loop that were begun, or counted */
	uint64_t owed;       /* answers to come, of all */
	uint64_t answered, late, warmup, bytes, reconnects;
	uint64_t mistakes[MISTAKES];
	unsigned source;
	struct histogram latency;
} load;

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- connections ---- */

static void conn_close(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	load.owed -= c->owed;
	c->owed = 0;
	c->head_left = c->body_left = 0;
	framing_reset(&c->framing);
}

static void push_free(struct conn *c)
{
	load.free[(load.free_at + load.free_count++) % options.connections] =
		(int)(c - load.conns);
}

static void retry_later(struct conn *c)
{
	if (load.failed_count == 0)
		load.retry_at = now() + RETRY_NS;
	load.failed[load.failed_count++] = (int)(c - load.conns);
}

static void conn_failed(struct conn *c, enum mistake mistake)
{
	load.mistakes[mistake] += c->owed > 0 ? c->owed : 1;
	conn_close(c);
	retry_later(c);
}

/* False, and it is counted, if there can be no connection. */
static bool conn_open(struct conn *c)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)options.requests.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event e = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		die("socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (options.requests.fresh) {
		/* One address would soon have no more ports that are not in TIME_WAIT. */
		struct sockaddr_in from = {.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK + load.source++ % SOURCES)};

		setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		if (bind(c->fd, (struct sockaddr *)&from, sizeof(from)) < 0)
			die("bind");
	}
	/* Over loopback it is there at once, though the call says that it is not. */
	if ((connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) ||
		epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
		return false;
	return true;
}

/* ---- sending ---- */

static bool conn_send(struct conn *c)
{
	size_t upload = options.requests.upload;

	while (c->head_left + c->body_left > 0) {
		struct iovec parts[2] = {
			{.iov_base = (char *)(uintptr_t)c->head, .iov_len = c->head_left},
			{.iov_len = c->body_left}};
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = c->body_left ? 2 : 1};
		ssize_t n;
		size_t of_head;

		if (c->body_left)
			parts[1].iov_base = (char *)(uintptr_t)requests_body(load.requests) +
			                    upload - c->body_left;
		n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN;
		of_head = (size_t)n < c->head_left ? (size_t)n : c->head_left;
		c->head += of_head;
		c->head_left -= of_head;
		c->body_left -= (size_t)n - of_head;
	}
	if (options.held && !c->set_up) {
		c->set_up = true;
		load.ready++;
	}
	return true;
}

/* The next requests of a connection that owes no answer. */
static void conn_begin(struct conn *c, uint64_t time)
{
	c->began = time;
	c->owed = (unsigned)options.requests.depth;
	load.owed += c->owed;
	if (c->fd < 0 && !conn_open(c)) {
		conn_failed(c, CONNECT);
		return;
	}
	c->head = requests_next(load.requests, &c->head_left);
	c->body_left = options.requests.upload;
	if (!conn_send(c))
		conn_failed(c, BROKEN);
}

/* When the open loop's next request is due. */
static uint64_t next_due(void)
{
	uint64_t at = load.start + (uint64_t)((double)load.due * NS / options.rate);

	return at < load.end ? at : NEVER;
}

/* Begins what is due, as long as a connection is free. */
static void begin_due(uint64_t time)
{
	uint64_t due;

	while (load.free_count > 0 && (due = next_due()) <= time) {
		struct conn *c = &load.conns[load.free[load.free_at]];

		load.free_at = (load.free_at + 1) % options.connections;
		load.free_count--;
		load.due++;
		conn_begin(c, due);
	}
}

/* A connection that owes nothing: what it does next. */
static void conn_next(struct conn *c, uint64_t time)
{
	if (load.phase == SETUP && !c->set_up) {
		c->set_up = true;
		load.ready++;
	}
	if (options.requests.fresh)
		conn_close(c);
	if (load.phase == RUN && options.rate == 0)
		conn_begin(c, time);
	else
		push_free(c);
}

/* ---- answers ---- */

/* False: nobody asked for it. */
static bool count_answer(struct conn *c, uint64_t time)
{
	const struct framing *f = &c->framing;

	if (c->owed == 0)
		return false;
	if (f->status != 200) {
		load.mistakes[STATUS]++;
	} else if (options.expect >= 0 && f->body != (uint64_t)options.expect) {
		load.mistakes[LENGTH]++;
	} else if (load.phase == SETUP) {
		load.warmup++;
	} else {
		histogram_add(&load.latency, time - c->began);
		load.bytes += f->body;
		load.answered += load.phase == RUN;
		load.late += load.phase == DRAIN;
	}
	c->owed--;
	load.owed--;
	return true;
}

static bool conn_feed(struct conn *c, const char *bytes, size_t n)
{
	uint64_t time = 0;

	while (n > 0) {
		bool done;
		ptrdiff_t taken = framing_feed(&c->framing, bytes, n, &done);

		if (taken < 0)
			return false;
		bytes += taken;
		n -= (size_t)taken;
		if (done && time == 0)
			time = now();
		if (done && !count_answer(c, time))
			return false;
	}
	return true;
}

enum got {
	GOT_ALL, /* as much as was asked for: there may be more */
	GOT_SOME,
	GOT_NOTHING,
	GOT_END,
	GOT_NONSENSE,
};

static enum got got_of(ssize_t n, size_t asked)
{
	if (n < 0)
		return errno == EAGAIN ? GOT_NOTHING : GOT_END;
	if (n == 0)
		return GOT_END;
	return (size_t)n == asked ? GOT_ALL : GOT_SOME;
}

/* Long bodies are thrown away in the kernel: their bytes were looked at before measuring began. */
static enum got conn_skip(struct conn *c, uint64_t plain)
{
	size_t most = plain < SKIP_BYTES ? plain : SKIP_BYTES;
	ssize_t n = recv(c->fd, NULL, most, MSG_TRUNC);

	if (n > 0 && framing_skip(&c->framing, (uint64_t)n) && !count_answer(c, now()))
		return GOT_NONSENSE;
	return got_of(n, most);
}

static enum got conn_receive(struct conn *c)
{
	static char bytes[READ_BYTES];
	uint64_t plain = framing_plain(&c->framing);
	ssize_t n;

	if (plain >= SKIP_LEAST)
		return conn_skip(c, plain);
	n = recv(c->fd, bytes, sizeof(bytes), 0);
	if (n > 0 && !conn_feed(c, bytes, (size_t)n))
		return GOT_NONSENSE;
	return got_of(n, sizeof(bytes));
}

/* Everything there is. False: the connection has failed. */
static bool conn_read(struct conn *c, bool end_seen)
{
	enum got got;

	do
		got = conn_receive(c);
	while (got == GOT_ALL || (got == GOT_SOME && end_seen));
	if (got == GOT_NONSENSE || (got == GOT_END && c->owed > 0)) {
		conn_failed(c, got == GOT_END ? BROKEN : UNCLEAR);
		return false;
	}
	if (got == GOT_END) {
		/* Between two requests it may; the next one makes it anew. */
		load.reconnects += !options.requests.fresh;
		conn_close(c);
	}
	return true;
}

static void conn_event(struct conn *c, uint32_t events)
{
	bool asked = c->owed > 0;

	if (c->fd < 0)
		return;
	if ((events & EPOLLOUT) && !conn_send(c)) {
		conn_failed(c, BROKEN);
		return;
	}
	if (!(events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
		return;
	if (conn_read(c, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && asked && c->owed == 0)
		conn_next(c, now());
}

/* ---- phases ---- */

static void retry_failed(uint64_t time)
{
	int n = load.failed_count;

	if (n == 0 || time < load.retry_at)
		return;
	load.failed_count = 0; /* those that fail again are written to the front */
	for (int i = 0; i < n; i++) {
		struct conn *c = &load.conns[load.failed[i]];

		if (load.phase == SETUP || (load.phase == RUN && options.rate == 0))
			conn_begin(c, time);
		else
			push_free(c);
	}
}

static void open_more(uint64_t time)
{
	while (load.opened < options.connections && load.opened - load.ready < OPENING)
		conn_begin(&load.conns[load.opened++], time);
}

/* Waits for events, to the time `until` at the latest, and handles them. Gives how many. */
static int turn(uint64_t until)
{
	struct epoll_event events[256];
	uint64_t time = now(), left = until > time ? until - time : 0;
	struct timespec wait;
	int n;

	if (load.failed_count > 0 && left > RETRY_NS)
		left = RETRY_NS;
	wait = (struct timespec){
		.tv_sec = (time_t)(left / 1000000000), .tv_nsec = (long)(left % 1000000000)};
	n = epoll_pwait2(load.epoll, events, 256, &wait, NULL);
	if (n < 0 && errno != EINTR)
		die("epoll_pwait2");
	for (int i = 0; i < n; i++)
		conn_event(events[i].data.ptr, events[i].events);
	return n;
}

static void set_up(void)
{
	uint64_t time = now(), limit = time + SETUP_NS;

	while (open_more(time), load.ready < options.connections) {
		if (time > limit) {
			fprintf(stderr, "load: %d of %d connections could be made\n",
				load.ready, options.connections);
			exit(1);
		}
		turn(limit);
		time = now();
		retry_failed(time);
	}
}

static void measure(void)
{
	uint64_t time;

	/* What came while nobody looked: ends of connections. */
	while (turn(0) > 0)
		;
	load.phase = RUN;
	load.start = time = now();
	load.end = load.start + (uint64_t)(options.seconds * NS);
	for (int n = options.rate == 0 ? load.free_count : 0; n > 0; n--) {
		struct conn *c = &load.conns[load.free[load.free_at]];

		load.free_at = (load.free_at + 1) % options.connections;
		load.free_count--;
		conn_begin(c, time);
	}
	while (time < load.end) {
		uint64_t until = load.end;

		if (options.rate > 0) {
			begin_due(time);
			if (load.free_count > 0 && next_due() < until)
				until = next_due();
		}
		turn(until);
		time = now();
		retry_failed(time);
	}
}

static bool is_over(void)
{
	return load.owed == 0 && (options.rate == 0 || next_due() == NEVER);
}

/* What never came is as slow as it is now: left out, the slowest would be missing. */
static void give_up(uint64_t time)
{
	load.mistakes[UNANSWERED] += load.owed;
	for (int i = 0; i < options.connections; i++) {
		struct conn *c = &load.conns[i];

		for (unsigned n = c->owed; n > 0; n--)
			histogram_add(&load.latency, time - c->began);
		if (c->owed > 0) {
			conn_close(c);
			push_free(c);
		}
	}
	while (options.rate > 0 && next_due() != NEVER) {
		histogram_add(&load.latency, time - next_due());
		load.mistakes[UNANSWERED]++;
		load.due++;
	}
}

static void drain(void)
{
	uint64_t time = now(), limit = load.end + DRAIN_NS;

	load.phase = DRAIN;
	while (!is_over() && time < limit) {
		if (options.rate > 0)
			begin_due(time);
		turn(limit);
		time = now();
		retry_failed(time);
	}
	give_up(time);
	load.over = time;
}

/* ---- the program ---- */

/* True: one more round; false: whoever holds the gate has gone. */
static bool gate(void)
{
	char line[64];

	printf("ready\n");
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) != NULL;
}

static int still_open(void)
{
	int open = 0;

	for (int i = 0; i < options.connections; i++) {
		char byte;

		open += load.conns[i].fd >= 0 &&
		        recv(load.conns[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
		        errno == EAGAIN;
	}
	return open;
}

static void report(void)
{
	const struct histogram *h = &load.latency;

	printf("{\"requests\": %llu, \"late\": %llu, \"warmup\": %llu, \"seconds\": %.6f, "
	       "\"took\": %.6f, \"bytes\": %llu, \"open\": %d, \"reconnects\": %llu, "
	       "\"errors\": {",
		(unsigned long long)load.answered, (unsigned long long)load.late,
		(unsigned long long)load.warmup, (double)(load.end - load.start) / NS,
		(double)(load.over - load.start) / NS, (unsigned long long)load.bytes,
		still_open(), (unsigned long long)load.reconnects);
	for (int i = 0; i < MISTAKES; i++)
		printf("%s\"%s\": %llu", i ? ", " : "", mistake_names[i],
			(unsigned long long)load.mistakes[i]);
	printf("}, \"us\": {\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}}\n",
		(double)histogram_at(h, 0.5) / 1000, (double)histogram_at(h, 0.99) / 1000,
		(double)histogram_at(h, 0.999) / 1000, (double)h->max / 1000);
	fflush(stdout);
}

static void *must(void *p)
{
	if (!p)
		die("load");
	return p;
}

static void start(void)
{
	struct rlimit files;
	size_t n = (size_t)options.connections;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	(void)prctl(
		PR_SET_TIMERSLACK, 1UL); /* the default of 50 us would be seen in latencies */
	load.epoll = epoll_create1(0);
	if (load.epoll < 0)
		die("epoll_create1");
	load.conns = must(calloc(n, sizeof(*load.conns)));
	load.free = must(malloc(n * sizeof(*load.free)));
	load.failed = must(malloc(n * sizeof(*load.failed)));
	load.requests = requests_new(&options.requests);
	for (int i = 0; i < options.connections; i++)
		load.conns[i].fd = -1;
}

static void stop(void)
{
	for (int i = 0; i < options.connections; i++)
		conn_close(&load.conns[i]);
	requests_free(load.requests);
	free(load.conns);
	free(load.free);
	free(load.failed);
	close(load.epoll);
}

static void one_round(void)
{
	if (!options.idle) {
		measure();
		drain();
	}
	report();
	load.answered = load.late = load.warmup = load.bytes = load.reconnects = load.due = 0;
	memset(load.mistakes, 0, sizeof(load.mistakes));
	memset(&load.latency, 0, sizeof(load.latency));
}

int main(int argc, char **argv)
{
	options = read_options(argc, argv);
	start();
	set_up();
	if (!options.gate)
		one_round();
	while (options.gate && gate())
		one_round();
	stop();
	return 0;
}
