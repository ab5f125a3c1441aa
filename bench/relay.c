/* The floor under every proxy: a relay that copies bytes and understands none of them.
 *
 *   relay LISTEN-PORT NODE-PORT...        (all on 127.0.0.1)
 *
 * Each client connection is paired with one connection to a node, in turn, and bytes are
 * copied both ways by one thread. What a proxy costs above this is what it thinks.
 *
 * Tuned as far as plain sockets go: edge-triggered epoll, one registration a socket for its
 * whole life, one shared buffer (so it stays in the cache), a read and a write a message and
 * no further calls. What a socket does not take at once waits in a buffer of that direction,
 * and its source is not read until it is gone: that bounds memory by one read a direction. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536
#define MAX_NODES  1024

struct pair;

struct side {
	struct pair *pair;
	int fd;
	char *rest; /* what this side has yet to take; NULL: nothing */
	size_t at, n;
	bool ending; /* its end is there, perhaps behind more bytes */
	bool ended;  /* no more comes from it */
};

struct pair {
	struct side client, node;
	struct pair *dead; /* list of those to be freed after this turn */
	bool over;
};

static struct {
	int epoll, listener;
	int ports[MAX_NODES], count, turn;
	struct pair *dead;
} relay;

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in address(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

/* Events for these sockets may still be in this turn's batch, so the memory stays until its
 * end. */
static void pair_end(struct pair *p)
{
	if (p->over)
		return;
	p->over = true;
	close(p->client.fd);
	close(p->node.fd);
	p->dead = relay.dead;
	relay.dead = p;
}

static void free_dead(void)
{
	while (relay.dead) {
		struct pair *p = relay.dead;

		relay.dead = p->dead;
		free(p->client.rest);
		free(p->node.rest);
		free(p);
	}
}

/* Keeps what `to` did not take. */
static bool keep_rest(struct side *to, const char *bytes, size_t n)
{
	to->rest = malloc(n);
	if (!to->rest)
		return false;
	memcpy(to->rest, bytes, n);
	to->at = 0;
	to->n = n;
	return true;
}

/* False on an error of the socket. */
static bool write_rest(struct side *to)
{
	ssize_t n = send(to->fd, to->rest + to->at, to->n - to->at, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN;
	to->at += (size_t)n;
	if (to->at == to->n) {
		free(to->rest);
		to->rest = NULL;
	}
	return true;
}

/* Copies from one side to the other until there is no more, or the other takes no more. A
 * short read means the socket is empty: edge-triggered epoll tells when that changes, unless the
 * end was there already. */
static bool copy(struct side *from, struct side *to)
{
	static char bytes[READ_BYTES];

	while (!to->rest && !from->ended) {
		ssize_t n = recv(from->fd, bytes, sizeof(bytes), 0), sent;

		if (n < 0)
			return errno == EAGAIN;
		if (n == 0) {
			from->ended = true;
			shutdown(to->fd, SHUT_WR);
			break;
		}
		sent = send(to->fd, bytes, (size_t)n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			return false;
		if (sent < 0)
			sent = 0;
		if (sent < n && !keep_rest(to, bytes + sent, (size_t)(n - sent)))
			return false;
		if (n < READ_BYTES && !from->ending)
			break;
	}
	return !(from->ended && to->ended);
}

static void side_event(struct side *s, uint32_t events)
{
	struct pair *p = s->pair;
	struct side *other = s == &p->client ? &p->node : &p->client;

	if (p->over)
		return;
	if ((events & EPOLLOUT) && s->rest) {
		/* Room again: send the rest, then what its source has had to hold back. */
		if (!write_rest(s) || (!s->rest && !copy(other, s))) {
			pair_end(p);
			return;
		}
	}
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		s->ending = true;
	if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && !copy(s, other))
		pair_end(p);
}

static bool watch(struct side *s)
{
	struct epoll_event e = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = s};
	int one = 1;

	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return epoll_ctl(relay.epoll, EPOLL_CTL_ADD, s->fd, &e) == 0;
}

static void pair_new(int client)
{
	struct sockaddr_in to = address(relay.ports[relay.turn++ % relay.count]);
	struct pair *p = calloc(1, sizeof(*p));

	if (!p)
		die("calloc");
	p->client = (struct side){.pair = p, .fd = client};
	p->node =
		(struct side){.pair = p, .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
	if (p->node.fd < 0)
		die("socket");
	/* Until it is made, sends give EAGAIN and the bytes wait as a rest. */
	if (connect(p->node.fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		die("connect");
	if (!watch(&p->node) || !watch(&p->client))
		die("epoll_ctl");
}

static void accept_all(void)
{
	int fd;

	while ((fd = accept4(relay.listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		pair_new(fd);
	if (errno != EAGAIN && errno != ECONNABORTED)
		die("accept");
}

static void start(int port)
{
	struct sockaddr_in a = address(port);
	struct epoll_event e = {.events = EPOLLIN};
	int one = 1;

	relay.epoll = epoll_create1(0);
	relay.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (relay.epoll < 0 || relay.listener < 0)
		die("socket");
	setsockopt(relay.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(relay.listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		listen(relay.listener, 1024) < 0)
		die("listen");
	if (epoll_ctl(relay.epoll, EPOLL_CTL_ADD, relay.listener, &e) < 0)
		die("epoll_ctl");
}

int main(int argc, char **argv)
{
	struct epoll_event events[256];

	for (int i = 2; i < argc && relay.count < MAX_NODES; i++)
		relay.ports[relay.count++] = (int)strtol(argv[i], NULL, 10);
	if (relay.count == 0) {
		fprintf(stderr, "usage: relay LISTEN-PORT NODE-PORT...\n");
		return 2;
	}
	start((int)strtol(argv[1], NULL, 10));
	for (;;) {
		int n = epoll_wait(relay.epoll, events, 256, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				side_event(events[i].data.ptr, events[i].events);
			else
				accept_all();
		}
		free_dead();
	}
}
