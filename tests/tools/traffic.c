/* A load and traffic driver for HTTP/1.1 that checks every byte of what comes back.
 *
 *   traffic --target 127.0.0.1:PORT --requests N [--connections C] [--seed S]
 *           [--mix full|get] [--keys K] [--rate R] [--host NAME] [--no-post]
 *           [--idempotency-key] [--timeout S] [--map FILE] [--json]
 *           [--allow-truncated] [--allow-refused]
 *
 * One thread, C slots. A slot opens a connection, sends batches of 1..8 pipelined requests over
 * it (only such as may be repeated are pipelined), some of them in small pieces with pauses,
 * and closes it after a number of requests that the seed decides. See traffic/ask.c for what
 * is asked and traffic/answer.c for what is checked.
 *
 * Each request ends in exactly one of: ok; failed (wrong or no answer); truncated (the answer
 * had begun and was cut). Apart from that are counted: refused (connections that could not be
 * made; the requests wait and go out later) and reopened (requests sent again, once, because a
 * connection that had answered before was closed without a byte of answer to them: what HTTP
 * allows a server to do between requests).
 *
 * Exit 0: every request ok. 1: not so (--allow-* forgive those classes). 2: usage. */
#include "traffic/answer.h"
#include "traffic/ask.h"
#include "traffic/tally.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX   8
#define SLOTS_MAX   4096
#define READ_BYTES  65536
#define ANSWER_US   20000000 /* a request without its answer after this has failed */
#define CONTINUE_US 300000   /* a body is sent after this without 100 */
#define REFUSED_US  10000    /* pause after a refused connection */
#define REFUSED_MAX 500      /* in a row, then the run is given up */
#define TICK_US     5000

struct slot {
	int fd; /* -1: none */
	bool connecting, writable, send_broken, slow, holds_body;
	bool announced; /* the last answer said that the connection closes */
	unsigned budget, served;
	struct ask asks[DEPTH_MAX];
	unsigned count, answered; /* of asks: sent or being sent; done */
	struct answer *answer;
	struct buf out;
	uint64_t started, wake; /* microseconds; wake 0: no pause */
	uint32_t events;
	struct rng rng;
};

static struct {
	struct ask_options ask;
	struct sockaddr_in target;
	unsigned long requests, next;
	unsigned slots_count, refused_in_row;
	double rate, timeout;
	const char *map;
	bool json, allow_truncated, allow_refused;
	struct slot slots[SLOTS_MAX];
	struct ask *again; /* to be sent once more */
	size_t again_count, again_cap;
	unsigned long settled; /* requests with an outcome */
	struct tally tally;
	int epoll;
	uint64_t start, now;
} run = {
	.ask = {.mix = MIX_FULL, .keys = 1000, .host = "test.example"},
	.requests = 1000,
	.slots_count = 8,
	.timeout = 120,
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(2);
}

static void settle(
	const struct ask *ask, unsigned long *counter, const char *outcome, const char *seen)
{
	++*counter;
	run.settled++;
	tally_example(&run.tally, outcome, ask, seen);
}

static void ask_again(const struct ask *ask)
{
	if (run.again_count == run.again_cap) {
		run.again_cap = run.again_cap ? 2 * run.again_cap : 64;
		run.again = realloc(run.again, run.again_cap * sizeof(*run.again));
		if (!run.again)
			abort();
	}
	run.again[run.again_count] = *ask;
	run.again[run.again_count++].retries++;
	run.tally.reopened++;
}

/* The connection is over and `ask` has got nothing. `fair`: HTTP allows it, because an answer
 * before it was complete (or the answer before it is what broke, and is counted as that). */
static void unanswered(const struct ask *ask, bool fair, bool announced)
{
	if (fair && (announced || ask->retries == 0))
		ask_again(ask);
	else
		settle(ask, &run.tally.failed, "failed",
			ask->retries ? "closed twice without an answer"
				     : "closed without an answer");
}

static void slot_close(struct slot *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->out.at = s->out.n = 0;
	s->count = s->answered = 0;
	s->wake = 0;
	s->connecting = s->holds_body = false;
}

/* The connection ended, or is given up after something wrong: every request on it that has no
 * outcome yet gets one. */
static void slot_end(struct slot *s, bool after_wrong)
{
	bool fair = s->served > 0 || after_wrong, announced = s->announced;
	unsigned at = s->answered;

	if (at < s->count && s->answer->begun && !after_wrong) {
		const struct ask *ask = &s->asks[at++];

		if (answer_eof(s->answer) == ANSWER_DONE) {
			run.settled++;
			tally_ok(&run.tally, ask, s->answer->node, run.now - s->started);
		} else if (s->answer->to_eof || s->answer->status == 0 ||
			   s->answer->status == 200) {
			settle(ask, &run.tally.truncated, "truncated", s->answer->wrong);
		} else {
			settle(ask, &run.tally.failed, "failed", s->answer->wrong);
		}
		fair = true;
	}
	for (; at < s->count; at++)
		unanswered(&s->asks[at], fair, announced);
	slot_close(s);
}

static void slot_wrong(struct slot *s, const char *seen)
{
	settle(&s->asks[s->answered], &run.tally.failed, "failed", seen);
	s->answered++;
	slot_end(s, true);
}

static void slot_watch(struct slot *s, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = s};

	if (s->events == events)
		return;
	s->events = events;
	if (epoll_ctl(run.epoll, EPOLL_CTL_MOD, s->fd, &e) < 0)
		die("epoll_ctl");
}

static bool work_left(void)
{
	return run.again_count > 0 || run.next < run.requests;
}

/* At --rate, request n may not go out before start + n / rate. */
static bool too_early(void)
{
	return run.rate > 0 && run.again_count == 0 &&
	       (double)(run.now - run.start) < (double)run.next * 1e6 / run.rate;
}

static struct ask take_ask(void)
{
	if (run.again_count > 0)
		return run.again[--run.again_count];
	return ask_make(&run.ask, run.next++);
}

static struct ask peek_ask(void)
{
	if (run.again_count > 0)
		return run.again[run.again_count - 1];
	return ask_make(&run.ask, run.next);
}

static void slot_open(struct slot *s)
{
	struct epoll_event e = {.events = EPOLLOUT, .data.ptr = s};
	int one = 1;

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		die("socket");
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s->connecting = true;
	s->events = EPOLLOUT;
	s->send_broken = s->announced = false;
	s->served = 0;
	s->started = run.now;
	s->budget = run.ask.mix == MIX_GET ? 1000 : 1 + (unsigned)rng_below(&s->rng, 30);
	s->slow = run.ask.mix == MIX_FULL && rng_below(&s->rng, 16) == 0;
	if (connect(s->fd, (struct sockaddr *)&run.target, sizeof(run.target)) < 0 &&
		errno != EINPROGRESS) {
		slot_close(s);
		s->wake = run.now + REFUSED_US;
		run.tally.refused++;
		run.refused_in_row++;
		return;
	}
	if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, s->fd, &e) < 0)
		die("epoll_ctl");
}

/* Fills the batch and its bytes. */
static void slot_batch(struct slot *s)
{
	unsigned depth = 1;
	bool http10 = run.ask.mix == MIX_FULL && s->served == 0 && rng_below(&s->rng, 24) == 0;
	struct ask first = peek_ask();

	/* Proxies may refuse, as a smuggling risk, a body with a method that defines none. */
	if (first.body_len > 0 && strcmp(first.method, "DELETE") == 0)
		http10 = false;
	if (run.ask.mix == MIX_FULL && !http10 && rng_below(&s->rng, 2))
		depth = 1 + (unsigned)rng_below(&s->rng, DEPTH_MAX);
	s->count = s->answered = 0;
	s->started = run.now;
	while (s->count < depth && s->budget > 0 && work_left() && !too_early()) {
		struct ask *ask = &s->asks[s->count], next = peek_ask();

		if (s->count > 0 && (!ask_pipelines(&next) || !ask_pipelines(&ask[-1])))
			break;
		*ask = take_ask();
		s->budget--;
		s->count++;
		ask->http10 = http10;
		ask->expects = ask->expects && !http10;
		ask->close = s->budget == 0 && rng_below(&s->rng, 2);
		ask_write_head(ask, &run.ask, &s->out);
		s->holds_body = ask->expects;
		if (!s->holds_body)
			ask_write_body(ask, &s->out);
		if (ask->close || http10)
			s->budget = 0;
	}
	if (s->count > 0)
		answer_start(s->answer, &s->asks[0]);
	if (s->holds_body)
		s->wake = run.now + CONTINUE_US;
}

static void release_body(struct slot *s)
{
	if (!s->holds_body)
		return;
	s->holds_body = false;
	s->wake = 0;
	ask_write_body(&s->asks[0], &s->out);
}

/* Sends what waits: all that goes, or one small piece and then a pause. A send that fails is
 * no outcome: an answer may still be there to be read. */
static void slot_send(struct slot *s)
{
	while (buf_left(&s->out) > 0 && !s->send_broken) {
		size_t want = buf_left(&s->out);
		ssize_t n;

		if (s->slow)
			want = 1 + rng_below(&s->rng, want < 64 ? want : want / 4);
		n = send(s->fd, s->out.p + s->out.at, want, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			s->send_broken = true;
			break;
		}
		s->out.at += (size_t)n;
		if (s->slow && buf_left(&s->out) > 0) {
			s->wake = run.now + 500 + rng_below(&s->rng, 8000);
			break;
		}
	}
}

/* After an answer: the next one of the batch, the next batch, or the end of the connection. */
static void slot_answered(struct slot *s)
{
	const struct ask *ask = &s->asks[s->answered];

	run.settled++;
	tally_ok(&run.tally, ask, s->answer->node, run.now - s->started);
	s->announced = s->answer->close;
	s->served++;
	s->answered++;
	if (s->announced)
		s->budget = 0;
	if (s->answered < s->count)
		answer_start(s->answer, &s->asks[s->answered]);
}

/* One answer at most is taken from the bytes at `p`. False when the slot was closed. */
static bool slot_take(struct slot *s, const char *p, size_t n, size_t *used)
{
	enum answer_event event;

	*used = n;
	if (s->answered == s->count) {
		if (s->count > 0) {
			s->answered--; /* the last one gets the blame: nobody asked for more */
			run.tally.ok--;
			run.settled--;
			slot_wrong(s, "bytes after the answer that nobody asked for");
			return false;
		}
		slot_end(s, true);
		return false;
	}
	event = answer_feed(s->answer, p, n, used);
	if (event == ANSWER_CONTINUE)
		release_body(s);
	if (event == ANSWER_WRONG) {
		slot_wrong(s, s->answer->wrong);
		return false;
	}
	if (event == ANSWER_DONE)
		slot_answered(s);
	return true;
}

/* Reads until there is no more. False when the slot was closed. */
static bool slot_recv(struct slot *s)
{
	static char bytes[READ_BYTES];

	for (;;) {
		ssize_t n = recv(s->fd, bytes, sizeof(bytes), 0);

		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			slot_end(s, false);
			return false;
		}
		for (size_t at = 0, used; at < (size_t)n; at += used)
			if (!slot_take(s, bytes + at, (size_t)n - at, &used))
				return false;
		if ((size_t)n < sizeof(bytes))
			return true;
	}
}

/* Whatever a slot can do now that it is not waiting for an event. */
static void slot_go(struct slot *s)
{
	if (s->fd < 0) {
		if (work_left() && !too_early() && s->wake <= run.now)
			slot_open(s);
		return;
	}
	if (s->connecting)
		return;
	if (s->answered == s->count) {
		/* An answer that came before its request was sent whole ends the connection. */
		if (s->count > 0 && (s->announced || buf_left(&s->out) > 0 || s->budget == 0)) {
			slot_end(s, false);
			return;
		}
		if (!work_left()) {
			slot_close(s);
			return;
		}
		slot_batch(s);
	}
	if (s->count == 0)
		return;
	if (s->wake && s->wake <= run.now) {
		s->wake = 0;
		release_body(s);
	}
	if (!s->wake || s->holds_body)
		slot_send(s);
	slot_watch(s, EPOLLIN | (buf_left(&s->out) > 0 && !s->wake && !s->send_broken ? EPOLLOUT
										      : 0));
}

static void slot_connected(struct slot *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	s->connecting = false;
	if (!error) {
		run.tally.connections++;
		run.refused_in_row = 0;
		return;
	}
	run.tally.refused++;
	run.refused_in_row++;
	slot_close(s);
	s->wake = run.now + REFUSED_US;
}

static void slot_event(struct slot *s, uint32_t events)
{
	if (s->fd < 0)
		return;
	if (s->connecting)
		slot_connected(s);
	else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !slot_recv(s))
		return;
	slot_go(s);
}

/* Pauses that are over, answers that are overdue, slots that have nothing to wait for. */
static void tick(void)
{
	for (unsigned i = 0; i < run.slots_count; i++) {
		struct slot *s = &run.slots[i];

		if (s->fd >= 0 && s->count > s->answered && run.now - s->started > ANSWER_US)
			slot_wrong(s, "no complete answer in time");
		if (s->fd < 0 || s->wake || s->count == s->answered)
			slot_go(s);
	}
}

static void loop(void)
{
	struct epoll_event events[256];
	uint64_t next_tick = 0;

	run.start = run.now = now_us();
	while (run.settled < run.requests && run.refused_in_row < REFUSED_MAX) {
		int n;

		if ((double)(run.now - run.start) > run.timeout * 1e6)
			return;
		if (run.now >= next_tick) {
			tick();
			next_tick = run.now + (run.ask.mix == MIX_FULL ? 1000 : TICK_US);
		}
		n = epoll_wait(run.epoll, events, 256, 1);
		run.now = now_us();
		for (int i = 0; i < n; i++)
			slot_event(events[i].data.ptr, events[i].events);
	}
}

static void set_up(void)
{
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (run.epoll < 0)
		die("set up");
	for (unsigned i = 0; i < run.slots_count; i++) {
		run.slots[i].fd = -1;
		run.slots[i].rng.s = run.ask.seed * 7919 + i;
		run.slots[i].answer = calloc(1, sizeof(*run.slots[i].answer));
		if (!run.slots[i].answer)
			die("calloc");
	}
	tally_init(&run.tally, run.ask.keys);
}

static int finish(void)
{
	unsigned long lost = run.requests - run.settled;
	int code = 0;

	tally_print(&run.tally, run.json, (double)(now_us() - run.start) / 1e6);
	if (lost) {
		fprintf(stderr, "traffic: %lu requests without an outcome: %s\n", lost,
			run.refused_in_row >= REFUSED_MAX ? "connections refused"
							  : "time is up");
		code = 1;
	}
	if (run.tally.failed || (run.tally.truncated && !run.allow_truncated) ||
		(run.tally.refused && !run.allow_refused))
		code = 1;
	if (run.map && tally_map(&run.tally, run.map) < 0) {
		perror(run.map);
		code = 2;
	}
	for (unsigned i = 0; i < run.slots_count; i++) {
		slot_close(&run.slots[i]);
		buf_fini(&run.slots[i].out);
		free(run.slots[i].answer);
	}
	free(run.again);
	tally_fini(&run.tally);
	return code;
}

static bool set_target(char *text)
{
	char *colon = strrchr(text, ':');
	long port = colon ? strtol(colon + 1, NULL, 10) : 0;

	if (!colon || port < 1 || port > 65535)
		return false;
	*colon = '\0';
	run.target.sin_family = AF_INET;
	run.target.sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, text, &run.target.sin_addr) == 1;
}

static bool set_option(int option, char *value)
{
	switch (option) {
	case 't':
		return set_target(value);
	case 'n':
		run.requests = strtoul(value, NULL, 10);
		return run.requests > 0;
	case 'c':
		run.slots_count = (unsigned)strtoul(value, NULL, 10);
		return run.slots_count > 0 && run.slots_count <= SLOTS_MAX;
	case 's':
		run.ask.seed = strtoull(value, NULL, 10);
		return true;
	case 'x':
		run.ask.mix = strcmp(value, "get") == 0 ? MIX_GET : MIX_FULL;
		return strcmp(value, "get") == 0 || strcmp(value, "full") == 0;
	case 'k':
		run.ask.keys = strtoull(value, NULL, 10);
		return run.ask.keys > 0 && run.ask.keys <= 100000000;
	case 'r':
		run.rate = strtod(value, NULL);
		return run.rate >= 0;
	case 'w':
		run.timeout = strtod(value, NULL);
		return run.timeout > 0;
	case 'h':
		run.ask.host = value;
		return strlen(value) < 256;
	case 'm':
		run.map = value;
		return true;
	default:
		return option == 0; /* a flag, already set */
	}
}

int main(int argc, char **argv)
{
	static int json, no_post, key, truncated, refused;
	static const struct option options[] = {
		{"target", required_argument, NULL, 't'},
		{"requests", required_argument, NULL, 'n'},
		{"connections", required_argument, NULL, 'c'},
		{"seed", required_argument, NULL, 's'},
		{"mix", required_argument, NULL, 'x'},
		{"keys", required_argument, NULL, 'k'},
		{"rate", required_argument, NULL, 'r'},
		{"timeout", required_argument, NULL, 'w'},
		{"host", required_argument, NULL, 'h'},
		{"map", required_argument, NULL, 'm'},
		{"json", no_argument, &json, 1},
		{"no-post", no_argument, &no_post, 1},
		{"idempotency-key", no_argument, &key, 1},
		{"allow-truncated", no_argument, &truncated, 1},
		{"allow-refused", no_argument, &refused, 1},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!set_option(option, optarg))
			return fprintf(stderr, "traffic: bad option; see traffic.c\n"), 2;
	if (!run.target.sin_port || optind != argc)
		return fprintf(stderr,
			       "usage: traffic --target ADDRESS:PORT --requests N ...\n"),
		       2;
	run.json = json;
	run.ask.no_post = no_post;
	run.ask.idempotency_key = key;
	run.allow_truncated = truncated;
	run.allow_refused = refused;
	set_up();
	loop();
	return finish();
}
