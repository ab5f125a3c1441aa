/* The resolver: questions go in through a queue and an eventfd, answers leave as posted tasks.
 *
 * A query has two owners in turn: the resolver's thread until it is answered, then the asking
 * loop. The change is one atomic step, PENDING to POSTED; cancelling is the other one, PENDING
 * to CANCELLED. Whoever comes second sees it and does the freeing, so neither side waits for the
 * other. c-ares keeps a `struct asked` of its own, since it may call back long after a deadline
 * has answered the query.
 *
 * Bounds: MAX_OPEN questions, of which MAX_ASKED are with c-ares; each of these is over by its
 * deadline; all deadlines are equally long, so the list of open questions is in order of
 * deadline. */
#include "net/resolve.h"

#include "base/assert.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_OPEN    4096
#define MAX_SOCKETS 64
#define TIMEOUT_MS  2000
#define TRIES       2
#define DEADLINE_MS 10000
#define CHANNEL_MS  60000 /* after which resolv.conf is read anew */
#define MAX_ASKED   64    /* at a time: a burst would only overflow the socket's buffer */
#define LOCAL_TTL   60    /* of what came from a file */
#define TTL_MIN     1
#define TTL_MAX     3600

enum query_state {
	PENDING,
	POSTED,
	CANCELLED,
};

struct asked;

struct fl_query {
	struct fl_task task;
	struct fl_loop *loop;
	void (*done)(void *cookie, const struct fl_resolved *result, const char *error);
	void *cookie;
	atomic_int state;
	bool cancelled; /* after it was posted; the loop's thread only */

	/* The resolver's thread. */
	struct fl_link link; /* inbox (under the lock) or open */
	struct asked *asked;
	uint64_t deadline;
	uint16_t port;
	char host[FL_HOST_TEXT];

	struct fl_resolved result; /* count 0: an error */
	char error[128];
};

/* What c-ares holds. */
struct asked {
	struct fl_resolver *resolver;
	struct fl_query *query; /* NULL: answered by the deadline */
};

struct fl_resolver {
	pthread_t thread;
	int wake_fd;
	char *servers;
	unsigned timeout_ms, tries, deadline_ms;
	atomic_uint count; /* questions open */

	pthread_mutex_t lock;
	struct fl_link inbox;
	bool stop;

	/* The resolver's thread. */
	struct fl_link open; /* in order of deadline */
	ares_channel channel;
	bool has_channel;
	uint64_t channel_until;
	size_t with_ares; /* struct asked out */
	bool starting;    /* inside ares_getaddrinfo */
	struct pollfd socket[MAX_SOCKETS];
	size_t sockets;
};

static uint64_t clock_ms(void)
{
	struct timespec ts;
	FL_MUST(clock_gettime(CLOCK_MONOTONIC, &ts));
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- answers ---- */

static void tell(struct fl_task *task)
{
	struct fl_query *q = fl_container_of(task, struct fl_query, task);
	bool good = q->result.count > 0;
	if (!q->cancelled)
		q->done(q->cookie, good ? &q->result : NULL, good ? NULL : q->error);
	free(q);
}

/* The query leaves the resolver, with its result or error filled in. */
static void leave(struct fl_resolver *r, struct fl_query *q)
{
	int expected = PENDING;
	if (q->asked)
		q->asked->query = NULL;
	fl_list_remove(&q->link);
	atomic_fetch_sub(&r->count, 1);
	if (atomic_compare_exchange_strong(&q->state, &expected, POSTED))
		fl_loop_post(q->loop, &q->task);
	else
		free(q);
}

static void leave_with_error(struct fl_resolver *r, struct fl_query *q, const char *what)
{
	q->result.count = 0;
	(void)snprintf(
		q->error, sizeof(q->error), "cannot resolve \"%.60s\": %s", q->host, what);
	leave(r, q);
}

static int compare(const struct fl_addr *a, const struct fl_addr *b)
{
	if (a->ss.ss_family != b->ss.ss_family)
		return a->ss.ss_family == AF_INET ? -1 : 1;
	if (a->ss.ss_family == AF_INET)
		return memcmp(&((const struct sockaddr_in *)&a->ss)->sin_addr,
			&((const struct sockaddr_in *)&b->ss)->sin_addr, 4);
	return memcmp(&((const struct sockaddr_in6 *)&a->ss)->sin6_addr,
		&((const struct sockaddr_in6 *)&b->ss)->sin6_addr, 16);
}

/* Inserts in order, each once, and keeps the first FL_RESOLVED_MAX. */
static void insert(struct fl_resolved *list, const struct fl_addr *addr)
{
	size_t at = 0;
	while (at < list->count && compare(&list->addr[at], addr) < 0)
		at++;
	if (at == FL_RESOLVED_MAX || (at < list->count && fl_addr_equal(&list->addr[at], addr)))
		return;
	if (list->count < FL_RESOLVED_MAX)
		list->count++;
	memmove(&list->addr[at + 1], &list->addr[at],
		(list->count - 1 - at) * sizeof(list->addr[0]));
	list->addr[at] = *addr;
}

/* `local`: from a file or the text itself, so that c-ares has no time to live for it. */
static void fill(struct fl_query *q, const struct ares_addrinfo *info, bool local)
{
	int ttl = TTL_MAX;
	for (const struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next) {
		struct fl_addr addr;
		if (n->ai_family != AF_INET && n->ai_family != AF_INET6)
			continue;
		fl_addr_set(&addr, n->ai_addr, n->ai_addrlen);
		fl_addr_set_port(&addr, q->port);
		insert(&q->result, &addr);
		ttl = n->ai_ttl < ttl ? n->ai_ttl : ttl;
	}
	for (const struct ares_addrinfo_cname *c = info->cnames; c; c = c->next)
		ttl = c->ttl < ttl ? c->ttl : ttl;
	if (local)
		ttl = LOCAL_TTL;
	q->result.ttl = (unsigned)(ttl < TTL_MIN ? TTL_MIN : ttl);
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct asked *asked = arg;
	struct fl_resolver *r = asked->resolver;
	struct fl_query *q = asked->query;
	(void)timeouts;
	r->with_ares--;
	free(asked);
	if (q) {
		q->asked = NULL;
		if (status == ARES_SUCCESS)
			fill(q, info, r->starting);
		if (status != ARES_SUCCESS)
			leave_with_error(r, q, ares_strerror(status));
		else if (q->result.count == 0)
			leave_with_error(r, q, "no address");
		else
			leave(r, q);
	}
	ares_freeaddrinfo(info);
}

/* ---- the channel ---- */

static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct fl_resolver *r = arg;
	size_t i = 0;
	while (i < r->sockets && r->socket[i].fd != fd)
		i++;
	if (!readable && !writable) {
		if (i < r->sockets)
			r->socket[i] = r->socket[--r->sockets];
		return;
	}
	if (i == MAX_SOCKETS)
		return; /* never seen; its questions end by their timeouts */
	if (i == r->sockets)
		r->sockets++;
	r->socket[i].fd = fd;
	r->socket[i].events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
}

static int open_channel(struct fl_resolver *r)
{
	struct ares_options options = {
		.timeout = (int)r->timeout_ms,
		.tries = (int)r->tries,
		.sock_state_cb = on_socket,
		.sock_state_cb_data = r,
	};
	int rc = ares_init_options(&r->channel, &options,
		ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
	if (rc != ARES_SUCCESS)
		return rc;
	if (r->servers)
		rc = ares_set_servers_ports_csv(r->channel, r->servers);
	if (rc != ARES_SUCCESS) {
		ares_destroy(r->channel);
		return rc;
	}
	r->has_channel = true;
	r->channel_until = clock_ms() + CHANNEL_MS;
	return ARES_SUCCESS;
}

static void close_channel(struct fl_resolver *r)
{
	if (r->has_channel)
		ares_destroy(r->channel);
	r->has_channel = false;
	r->sockets = 0;
}

/* ---- the thread ---- */

/* "localhost" and what ends in ".localhost" is this machine, whatever a server thinks (RFC 6761). */
static bool is_local(const char *host)
{
	static const char local[] = "localhost";
	const size_t size = sizeof(local) - 1;
	size_t n = strlen(host);
	if (n > 0 && host[n - 1] == '.')
		n--;
	if (n < size || strncasecmp(host + n - size, local, size) != 0)
		return false;
	return n == size || host[n - size - 1] == '.';
}

static void leave_with_loopback(struct fl_resolver *r, struct fl_query *q)
{
	static const char *const loopback[] = {"127.0.0.1:0", "[::1]:0"};
	for (size_t i = 0; i < 2; i++) {
		FL_MUST(fl_addr_parse(&q->result.addr[i], loopback[i], NULL));
		fl_addr_set_port(&q->result.addr[i], q->port);
	}
	q->result.count = 2;
	q->result.ttl = LOCAL_TTL;
	leave(r, q);
}

static void start(struct fl_resolver *r, struct fl_query *q)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = ARES_AI_NOSORT | ARES_AI_ENVHOSTS,
	};
	fl_list_push_back(&r->open, &q->link);
	q->deadline = clock_ms() + r->deadline_ms;
	if (!r->with_ares && r->has_channel && clock_ms() >= r->channel_until)
		close_channel(r);
	int rc = r->has_channel ? ARES_SUCCESS : open_channel(r);
	struct asked *asked = rc == ARES_SUCCESS ? malloc(sizeof(*asked)) : NULL;
	if (!asked) {
		leave_with_error(r, q, ares_strerror(rc ? rc : ARES_ENOMEM));
		return;
	}
	*asked = (struct asked){.resolver = r, .query = q};
	q->asked = asked;
	r->with_ares++;
	r->starting = true;
	ares_getaddrinfo(r->channel, q->host, NULL, &hints, on_answer, asked);
	r->starting = false;
}

/* Takes what came in; false: stop. */
static bool take_inbox(struct fl_resolver *r)
{
	for (;;) {
		struct fl_query *q = NULL;
		FL_MUST(pthread_mutex_lock(&r->lock));
		bool stop = r->stop;
		if (!stop && r->with_ares < MAX_ASKED && !fl_list_empty(&r->inbox)) {
			q = fl_container_of(r->inbox.next, struct fl_query, link);
			fl_list_remove(&q->link);
		}
		FL_MUST(pthread_mutex_unlock(&r->lock));
		if (!q)
			return !stop;
		if (atomic_load(&q->state) == CANCELLED)
			leave(r, q);
		else if (is_local(q->host))
			leave_with_loopback(r, q);
		else
			start(r, q);
	}
}

static int timeout_ms(struct fl_resolver *r)
{
	struct timeval tv;
	int64_t ms = -1;
	if (!fl_list_empty(&r->open)) {
		struct fl_query *q = fl_container_of(r->open.next, struct fl_query, link);
		uint64_t now = clock_ms();
		ms = q->deadline > now ? (int64_t)(q->deadline - now) : 0;
	}
	if (r->has_channel && ares_timeout(r->channel, NULL, &tv)) {
		int64_t next = (int64_t)tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;
		ms = ms < 0 || next < ms ? next : ms;
	}
	return (int)ms;
}

static void process(struct fl_resolver *r, const struct pollfd *fds, size_t count)
{
	const short in = POLLIN | POLLHUP | POLLERR, out = POLLOUT | POLLERR;
	bool any = false;
	for (size_t i = 0; i < count && r->has_channel; i++) {
		if (!fds[i].revents)
			continue;
		any = true;
		ares_process_fd(r->channel, fds[i].revents & in ? fds[i].fd : ARES_SOCKET_BAD,
			fds[i].revents & out ? fds[i].fd : ARES_SOCKET_BAD);
	}
	if (!any && r->has_channel)
		ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void expire(struct fl_resolver *r)
{
	uint64_t now = clock_ms();
	while (!fl_list_empty(&r->open)) {
		struct fl_query *q = fl_container_of(r->open.next, struct fl_query, link);
		if (q->deadline > now)
			return;
		leave_with_error(r, q, "no answer in time");
	}
}

/* Sleeps for an answer, a timeout or a question. */
static void wait_and_process(struct fl_resolver *r)
{
	struct pollfd fds[MAX_SOCKETS + 1];
	size_t count = r->sockets;
	memcpy(fds, r->socket, count * sizeof(fds[0]));
	fds[count] = (struct pollfd){.fd = r->wake_fd, .events = POLLIN};
	int n = poll(fds, count + 1, timeout_ms(r));
	FL_ASSERT(n >= 0 || errno == EINTR || errno == ENOMEM);
	if (n < 0)
		return;
	uint64_t woken;
	if (fds[count].revents)
		(void)!read(r->wake_fd, &woken, sizeof(woken));
	process(r, fds, count);
	expire(r);
}

static void *run(void *arg)
{
	struct fl_resolver *r = arg;
	while (take_inbox(r))
		wait_and_process(r);
	close_channel(r); /* c-ares answers all that it has */
	while (!fl_list_empty(&r->inbox)) {
		struct fl_query *q = fl_container_of(r->inbox.next, struct fl_query, link);
		leave_with_error(r, q, "the resolver has stopped");
	}
	FL_ASSERT(fl_list_empty(&r->open) && r->with_ares == 0);
	return NULL;
}

/* ---- the face ---- */

static void wake(struct fl_resolver *r)
{
	uint64_t one = 1;
	ssize_t n = write(r->wake_fd, &one, sizeof(one));
	FL_ASSERT(n == (ssize_t)sizeof(one));
}

/* Signals are for other threads. */
static int start_thread(struct fl_resolver *r)
{
	sigset_t all, before;
	(void)sigfillset(&all);
	FL_MUST(pthread_sigmask(SIG_SETMASK, &all, &before));
	int rc = pthread_create(&r->thread, NULL, run, r);
	FL_MUST(pthread_sigmask(SIG_SETMASK, &before, NULL));
	return rc == 0 ? FL_OK : FL_ELIMIT;
}

static void destroy(struct fl_resolver *r)
{
	if (r->wake_fd >= 0)
		(void)close(r->wake_fd);
	(void)pthread_mutex_destroy(&r->lock);
	free(r->servers);
	free(r);
}

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_status;

static void library_init(void)
{
	library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

static int check_servers(struct fl_resolver *r)
{
	int rc = open_channel(r);
	close_channel(r);
	if (rc == ARES_SUCCESS)
		return FL_OK;
	return rc == ARES_ENOMEM ? FL_ENOMEM : FL_EINVAL;
}

int fl_resolver_new(struct fl_resolver **out, const struct fl_resolver_options *options)
{
	static const struct fl_resolver_options none;
	const struct fl_resolver_options *o = options ? options : &none;
	FL_MUST(pthread_once(&library_once, library_init));
	struct fl_resolver *r = calloc(1, sizeof(*r));
	if (library_status != ARES_SUCCESS || !r) {
		free(r);
		return FL_ENOMEM;
	}
	r->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
	r->tries = o->tries ? o->tries : TRIES;
	r->deadline_ms = o->deadline_ms ? o->deadline_ms : DEADLINE_MS;
	r->servers = o->servers ? strdup(o->servers) : NULL;
	r->wake_fd = eventfd(0, EFD_CLOEXEC);
	FL_MUST(pthread_mutex_init(&r->lock, NULL));
	fl_list_init(&r->inbox);
	fl_list_init(&r->open);
	int rc = r->wake_fd < 0 ? FL_ELIMIT : FL_OK;
	if (rc == FL_OK && o->servers)
		rc = r->servers ? check_servers(r) : FL_ENOMEM;
	if (rc == FL_OK)
		rc = start_thread(r);
	if (rc != FL_OK) {
		destroy(r);
		return rc;
	}
	*out = r;
	return FL_OK;
}

void fl_resolver_free(struct fl_resolver *r)
{
	if (!r)
		return;
	FL_MUST(pthread_mutex_lock(&r->lock));
	r->stop = true;
	FL_MUST(pthread_mutex_unlock(&r->lock));
	wake(r);
	FL_MUST(pthread_join(r->thread, NULL));
	destroy(r);
}

static bool reserve(struct fl_resolver *r)
{
	if (atomic_fetch_add(&r->count, 1) < MAX_OPEN)
		return true;
	atomic_fetch_sub(&r->count, 1);
	return false;
}

int fl_resolver_ask(struct fl_query **out, struct fl_resolver *r, struct fl_loop *loop,
	const char *host, uint16_t port, void *cookie,
	void (*done)(void *cookie, const struct fl_resolved *result, const char *error))
{
	size_t n = strlen(host);
	if (n == 0 || n >= FL_HOST_TEXT)
		return FL_EINVAL;
	if (!reserve(r))
		return FL_ELIMIT;
	struct fl_query *q = calloc(1, sizeof(*q));
	if (!q) {
		atomic_fetch_sub(&r->count, 1);
		return FL_ENOMEM;
	}
	q->task.run = tell;
	q->loop = loop;
	q->done = done;
	q->cookie = cookie;
	q->port = port;
	memcpy(q->host, host, n + 1);
	FL_MUST(pthread_mutex_lock(&r->lock));
	fl_list_push_back(&r->inbox, &q->link);
	FL_MUST(pthread_mutex_unlock(&r->lock));
	wake(r);
	if (out)
		*out = q;
	return FL_OK;
}

void fl_query_cancel(struct fl_query *q)
{
	int expected = PENDING;
	if (q && !atomic_compare_exchange_strong(&q->state, &expected, CANCELLED))
		q->cancelled = true;
}
