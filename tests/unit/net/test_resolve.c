/* The resolver against a small name server of our own on loopback: orders, bounds, errors, and
 * all the moments at which a question can be cancelled. */
#include "net/resolve.h"
#include "unit/loop/util.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>

/* ---- a name server ---- */

struct zone_row {
	const char *name;
	int count;         /* of A records, 10.0.0.count downwards */
	const char *six;   /* an AAAA record */
	const char *alias; /* a CNAME before them, TTL 5 */
	unsigned ttl;
	bool silent;
};

static const struct zone_row zone[] = {
	{"two.test", 2, NULL, NULL, 30, false},
	{"both.test", 1, "2001:db8::1", NULL, 60, false},
	{"many.test", 20, "2001:db8::1", NULL, 60, false},
	{"six.test", 0, "::ffff:10.0.0.9", NULL, 60, false},
	{"zero.test", 1, NULL, NULL, 0, false},
	{"long.test", 1, NULL, NULL, 1000000, false},
	{"alias.test", 1, NULL, "real.test", 300, false},
	{"empty.test", 0, NULL, NULL, 60, false},
	{"silent.test", 1, NULL, NULL, 60, true},
};

struct server {
	pthread_t thread;
	int fd;
	char address[32];
	atomic_int questions;
	atomic_bool stop;
};

static size_t put16(uint8_t *p, size_t at, unsigned value)
{
	p[at] = (uint8_t)(value >> 8);
	p[at + 1] = (uint8_t)value;
	return at + 2;
}

/* The head of a record for the question's name (or the alias, at `name`). */
static size_t put_record(
	uint8_t *p, size_t at, size_t name, unsigned type, unsigned ttl, size_t n)
{
	at = put16(p, at, 0xc000 | (unsigned)name);
	at = put16(p, at, type);
	at = put16(p, at, 1);
	at = put16(p, at, ttl >> 16);
	at = put16(p, at, ttl & 0xffff);
	return put16(p, at, (unsigned)n);
}

static size_t put_name(uint8_t *p, size_t at, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");
		p[at++] = (uint8_t)n;
		memcpy(p + at, name, n);
		at += n;
		name += n + (name[n] == '.');
	}
	p[at++] = 0;
	return at;
}

/* The question's name as text; returns where it ends. */
static size_t get_name(const uint8_t *p, char *out)
{
	size_t at = 12, n = 0;
	while (p[at]) {
		memcpy(out + n, p + at + 1, p[at]);
		n += p[at];
		out[n++] = '.';
		at += p[at] + 1U;
	}
	out[n ? n - 1 : 0] = '\0';
	return at + 1;
}

/* Turns the question in `p` into its answer; returns the length, 0 for none. */
static size_t answer(uint8_t *p)
{
	char name[256];
	size_t at = get_name(p, name), owner = 12;
	unsigned type = (unsigned)(p[at] << 8 | p[at + 1]), records = 0;
	const struct zone_row *row = NULL;
	for (size_t i = 0; i < sizeof(zone) / sizeof(zone[0]); i++)
		if (strcasecmp(zone[i].name, name) == 0)
			row = &zone[i];
	at += 4;
	if (row && row->silent)
		return 0;
	if (row && row->alias) {
		uint8_t alias[256];
		size_t n = put_name(alias, 0, row->alias);
		at = put_record(p, at, owner, 5, 5, n);
		owner = at;
		memcpy(p + at, alias, n);
		at += n;
		records++;
	}
	/* 10.0.0.1 comes twice. */
	for (int i = row && type == 1 && row->count ? row->count : -1; i >= 0; i--, records++) {
		at = put_record(p, at, owner, 1, row->ttl, 4);
		memcpy(p + at, (uint8_t[]){10, 0, 0, (uint8_t)(i ? i : 1)}, 4);
		at += 4;
	}
	if (row && type == 28 && row->six) {
		at = put_record(p, at, owner, 28, row->ttl, 16);
		assert_int_equal(inet_pton(AF_INET6, row->six, p + at), 1);
		at += 16;
		records++;
	}
	put16(p, 2, row ? 0x8180 : 0x8183);
	put16(p, 6, records);
	put16(p, 8, 0);
	put16(p, 10, 0);
	return at;
}

static void *serve(void *arg)
{
	struct server *server = arg;
	uint8_t packet[2048];
	struct sockaddr_in peer;
	while (!server->stop) {
		socklen_t len = sizeof(peer);
		ssize_t n =
			recvfrom(server->fd, packet, 512, 0, (struct sockaddr *)&peer, &len);
		if (n < 17)
			continue;
		server->questions++;
		size_t out = answer(packet);
		if (out > 0)
			(void)sendto(server->fd, packet, out, 0, (struct sockaddr *)&peer, len);
	}
	return NULL;
}

static struct server server;
static char hosts[32];

static int start_server(void **state)
{
	(void)state;
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof(addr);
	strcpy(hosts, "/tmp/fl-hosts-XXXXXX");
	int fd = mkstemp(hosts);
	static const char text[] = "10.9.9.9 in-hosts.test\n2001:db8::9 in-hosts.test\n";
	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
		return -1;
	close(fd);
	setenv("CARES_HOSTS", hosts, 1);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(server.fd, (struct sockaddr *)&addr, len) != 0)
		return -1;
	(void)getsockname(server.fd, (struct sockaddr *)&addr, &len);
	(void)snprintf(
		server.address, sizeof(server.address), "127.0.0.1:%u", ntohs(addr.sin_port));
	return pthread_create(&server.thread, NULL, serve, &server);
}

static int stop_server(void **state)
{
	(void)state;
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	server.stop = true;
	(void)getsockname(server.fd, (struct sockaddr *)&addr, &len);
	(void)sendto(server.fd, "", 1, 0, (struct sockaddr *)&addr, len);
	pthread_join(server.thread, NULL);
	close(server.fd);
	return unlink(hosts);
}

/* ---- asking ---- */

struct asker {
	struct fl_loop *loop;
	int calls;
	struct fl_resolved result; /* count 0: an error */
	char error[256];
};

static void done(void *cookie, const struct fl_resolved *result, const char *error)
{
	struct asker *a = cookie;
	a->calls++;
	a->result.count = 0;
	assert_true(!result == !!error);
	if (result)
		a->result = *result;
	else
		(void)snprintf(a->error, sizeof(a->error), "%s", error);
	fl_loop_stop(a->loop);
}

static struct fl_resolver *new_resolver(unsigned deadline_ms)
{
	struct fl_resolver *r;
	struct fl_resolver_options options = {
		.servers = server.address, .timeout_ms = 5000, .deadline_ms = deadline_ms};
	assert_int_equal(fl_resolver_new(&r, &options), FL_OK);
	return r;
}

static void ask(struct asker *a, struct fl_resolver *r, const char *host)
{
	int before = a->calls;
	assert_int_equal(fl_resolver_ask(NULL, r, a->loop, host, 80, a, done), FL_OK);
	assert_int_equal(a->calls, before);
	UNTIL(a->loop, a->calls > before);
	assert_int_equal(a->calls, before + 1);
}

/* All addresses, in order, with blanks between. */
static const char *all(const struct asker *a)
{
	static char text[FL_RESOLVED_MAX * FL_ADDR_TEXT];
	size_t at = 0;
	for (size_t i = 0; i < a->result.count; i++) {
		if (i > 0)
			text[at++] = ' ';
		at += fl_addr_format(&a->result.addr[i], text + at, sizeof(text) - at);
	}
	text[at] = '\0';
	return text;
}

static void addresses_in_order(void **state)
{
	struct asker a = {.loop = loop_of(state)};
	struct fl_resolver *r = new_resolver(0);
	ask(&a, r, "two.test");
	assert_string_equal(all(&a), "10.0.0.1:80 10.0.0.2:80");
	assert_int_equal(a.result.ttl, 30);
	ask(&a, r, "both.test");
	assert_string_equal(all(&a), "10.0.0.1:80 [2001:db8::1]:80");
	ask(&a, r, "six.test");
	assert_string_equal(all(&a), "10.0.0.9:80");
	ask(&a, r, "TWO.test.");
	assert_string_equal(all(&a), "10.0.0.1:80 10.0.0.2:80");
	ask(&a, r, "10.1.1.1");
	assert_string_equal(all(&a), "10.1.1.1:80");
	fl_resolver_free(r);
}

static void at_most_sixteen(void **state)
{
	struct asker a = {.loop = loop_of(state)};
	struct fl_resolver *r = new_resolver(0);
	ask(&a, r, "many.test");
	assert_int_equal(a.result.count, FL_RESOLVED_MAX);
	for (unsigned i = 0; i < FL_RESOLVED_MAX; i++) {
		char want[FL_ADDR_TEXT], text[FL_ADDR_TEXT];
		(void)snprintf(want, sizeof(want), "10.0.0.%u:80", i + 1);
		assert_true(fl_addr_format(&a.result.addr[i], text, sizeof(text)) > 0);
		assert_string_equal(text, want);
	}
	fl_resolver_free(r);
}

static void ttl_is_clamped(void **state)
{
	struct asker a = {.loop = loop_of(state)};
	struct fl_resolver *r = new_resolver(0);
	ask(&a, r, "zero.test");
	assert_int_equal(a.result.ttl, 1);
	ask(&a, r, "long.test");
	assert_int_equal(a.result.ttl, 3600);
	ask(&a, r, "alias.test"); /* the alias may change before what it names */
	assert_string_equal(all(&a), "10.0.0.1:80");
	assert_int_equal(a.result.ttl, 5);
	fl_resolver_free(r);
}

static void hosts_and_localhost_ask_nobody(void **state)
{
	struct asker a = {.loop = loop_of(state)};
	struct fl_resolver *r = new_resolver(0);
	int before = server.questions;
	ask(&a, r, "in-hosts.test");
	assert_string_equal(all(&a), "10.9.9.9:80 [2001:db8::9]:80");
	assert_int_equal(a.result.ttl, 60);
	ask(&a, r, "localhost");
	assert_string_equal(all(&a), "127.0.0.1:80 [::1]:80");
	ask(&a, r, "LocalHost.");
	assert_string_equal(all(&a), "127.0.0.1:80 [::1]:80");
	ask(&a, r, "deep.localhost");
	assert_string_equal(all(&a), "127.0.0.1:80 [::1]:80");
	assert_int_equal(server.questions, before);
	fl_resolver_free(r);
}

static void errors(void **state)
{
	struct asker a = {.loop = loop_of(state)};
	struct fl_resolver *r = new_resolver(50);
	ask(&a, r, "nosuch.test");
	assert_int_equal(a.result.count, 0);
	assert_non_null(strstr(a.error, "\"nosuch.test\""));
	ask(&a, r, "empty.test");
	assert_int_equal(a.result.count, 0);
	ask(&a, r, "silent.test");
	assert_int_equal(a.result.count, 0);
	assert_non_null(strstr(a.error, "in time"));
	/* It goes on as before. */
	ask(&a, r, "two.test");
	assert_int_equal(a.result.count, 2);
	char host[300];
	memset(host, 'a', sizeof(host));
	host[256] = '\0';
	assert_int_equal(fl_resolver_ask(NULL, r, a.loop, host, 80, &a, done), FL_EINVAL);
	assert_int_equal(fl_resolver_ask(NULL, r, a.loop, "", 80, &a, done), FL_EINVAL);
	host[255] = '\0';
	ask(&a, r, host);
	assert_int_equal(a.result.count, 0);
	fl_resolver_free(r);

	const struct fl_resolver_options bad = {.servers = "not a server"};
	assert_int_equal(fl_resolver_new(&r, &bad), FL_EINVAL);
	fl_resolver_free(NULL);
}

static void cancelled_before_the_answer(void **state)
{
	struct asker a = {.loop = loop_of(state)};
	struct fl_resolver *r = new_resolver(0);
	struct fl_query *q;
	assert_int_equal(fl_resolver_ask(&q, r, a.loop, "silent.test", 80, &a, done), FL_OK);
	fl_query_cancel(q);
	assert_int_equal(fl_resolver_ask(&q, r, a.loop, "two.test", 80, &a, done), FL_OK);
	fl_query_cancel(q);
	fl_query_cancel(NULL);
	ask(&a, r, "both.test");
	turns(a.loop, 3);
	assert_int_equal(a.calls, 1);
	fl_resolver_free(r);
}

/* Once the thread is gone all answers are on their way: cancelled there, or told. */
static void cancelled_after_the_answer(void **state)
{
	struct asker a = {.loop = loop_of(state)};
	for (int cancel = 0; cancel < 2; cancel++) {
		struct fl_resolver *r = new_resolver(0);
		struct fl_query *q[2];
		assert_int_equal(
			fl_resolver_ask(&q[0], r, a.loop, "silent.test", 80, &a, done), FL_OK);
		assert_int_equal(
			fl_resolver_ask(&q[1], r, a.loop, "localhost", 80, &a, done), FL_OK);
		fl_resolver_free(r);
		assert_int_equal(a.calls, 0);
		if (cancel) {
			fl_query_cancel(q[0]);
			fl_query_cancel(q[1]);
		}
		turns(a.loop, 2);
		assert_int_equal(a.calls, cancel ? 0 : 2);
		a.calls = 0;
	}
}

static void questions_are_bounded(void **state)
{
	enum {
		MAX = 4096
	};
	struct asker a = {.loop = loop_of(state)};
	struct fl_resolver *r = new_resolver(0);
	struct fl_query **q = calloc(MAX, sizeof(struct fl_query *));
	for (int i = 0; i < MAX; i++)
		assert_int_equal(
			fl_resolver_ask(&q[i], r, a.loop, "silent.test", 80, &a, done), FL_OK);
	assert_int_equal(fl_resolver_ask(NULL, r, a.loop, "two.test", 80, &a, done), FL_ELIMIT);
	for (int i = 0; i < MAX; i++)
		fl_query_cancel(q[i]);
	fl_resolver_free(r);
	turns(a.loop, 2);
	assert_int_equal(a.calls, 0);
	free(q);
}

/* The bound is on what is open, not on what ever was. */
static void answered_questions_do_not_count(void **state)
{
	enum {
		ROUND = 1500,
		ROUNDS = 4
	};
	struct asker a = {.loop = loop_of(state)};
	struct fl_resolver *r = new_resolver(0);
	for (int round = 1; round <= ROUNDS; round++) {
		for (int i = 0; i < ROUND; i++)
			assert_int_equal(
				fl_resolver_ask(NULL, r, a.loop, "localhost", 80, &a, done),
				FL_OK);
		UNTIL(a.loop, a.calls == round * ROUND);
	}
	fl_resolver_free(r);
}

/* ---- several loops ---- */

enum {
	EACH = 300
};

struct client {
	pthread_t thread;
	struct fl_resolver *resolver;
	struct fl_loop *loop;
	struct fl_query *q[EACH];
	int left, wrong;
	uint64_t seed;
};

struct question {
	struct client *client;
	int index;
};

static void told(void *cookie, const struct fl_resolved *result, const char *error)
{
	struct question *question = cookie;
	struct client *c = question->client;
	(void)error;
	if (!c->q[question->index] || !result || result->count != 2)
		c->wrong++;
	c->q[question->index] = NULL;
	/* And another one goes, answered or not. */
	int victim = (int)((c->seed = mix(c->seed)) % EACH);
	if (c->seed % 3 == 0 && c->q[victim]) {
		fl_query_cancel(c->q[victim]);
		c->q[victim] = NULL;
		c->left--;
	}
	if (--c->left == 0)
		fl_loop_stop(c->loop);
}

static void *ask_many(void *arg)
{
	struct client *c = arg;
	struct question question[EACH];
	for (int i = 0; i < EACH; i++) {
		question[i] = (struct question){c, i};
		const char *host = i % 8 == 0 ? "two.test" : "in-hosts.test";
		if (fl_resolver_ask(&c->q[i], c->resolver, c->loop, host, 80, &question[i],
			    told) != FL_OK)
			c->wrong++;
	}
	c->left = EACH;
	if (fl_loop_run(c->loop) != 0)
		c->wrong++;
	return NULL;
}

static void several_loops(void **state)
{
	enum {
		LOOPS = 3
	};
	(void)loop_of(state);
	struct fl_resolver *r = new_resolver(0);
	struct client *c = calloc(LOOPS, sizeof(*c));
	const struct fl_loop_options options = {.backend = FL_LOOP_EPOLL};
	for (int i = 0; i < LOOPS; i++) {
		c[i].resolver = r;
		c[i].seed = (uint64_t)i;
		assert_int_equal(fl_loop_new(&c[i].loop, &options), 0);
		assert_int_equal(pthread_create(&c[i].thread, NULL, ask_many, &c[i]), 0);
	}
	for (int i = 0; i < LOOPS; i++)
		pthread_join(c[i].thread, NULL);
	fl_resolver_free(r);
	for (int i = 0; i < LOOPS; i++) {
		turns(c[i].loop, 1); /* what was cancelled on its way */
		fl_loop_free(c[i].loop);
		assert_int_equal(c[i].wrong, 0);
		assert_int_equal(c[i].left, 0);
	}
	free(c);
}

int main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		ON_ONE(addresses_in_order, epoll),
		ON_ONE(at_most_sixteen, epoll),
		ON_ONE(ttl_is_clamped, epoll),
		ON_ONE(hosts_and_localhost_ask_nobody, epoll),
		ON_ONE(errors, epoll),
		ON_ONE(cancelled_before_the_answer, epoll),
		ON_ONE(cancelled_after_the_answer, epoll),
		ON_ONE(questions_are_bounded, epoll),
		ON_ONE(answered_questions_do_not_count, epoll),
		ON_ONE(several_loops, epoll),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
