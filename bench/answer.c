/* The cheapest origin there is, so that a bench measures what stands before it: each head that
 * ends is answered with the same bytes, and nothing else of a request is looked at.
 *
 *   answer BYTES PORT...      (on 127.0.0.1; BYTES is the whole answer, head and body)
 *
 * The answer names the port in X-Node, for checking that keys are spread. Requests with bodies
 * are not for it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_NODES  64
#define MAX_ANSWER (1 << 20)
#define READ_BYTES 16384

struct node {
	int fd;
	char *answer;
};

struct conn {
	int fd;
	const struct node *node;
	unsigned matched; /* bytes of CRLFCRLF seen at the end */
	size_t owed;      /* bytes of answers not yet sent; a whole answer less what is sent */
};

static struct node nodes[MAX_NODES];
static int node_count, epoll;
static size_t answer_size;

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

/* An answer of exactly answer_size bytes. */
static char *make_answer(int port)
{
	char *p = malloc(answer_size + 1);
	size_t body = answer_size;
	int head = 0;

	if (!p)
		die("malloc");
	/* The body's length is part of the head: two rounds settle its digits. */
	for (int round = 0; round < 3; round++) {
		head = snprintf(p, answer_size + 1,
			"HTTP/1.1 200 OK\r\nX-Node: %d\r\nContent-Length: %zu\r\n\r\n", port,
			body);
		if ((size_t)head > answer_size) {
			fprintf(stderr, "answer: %zu bytes are too few\n", answer_size);
			exit(2);
		}
		body = answer_size - (size_t)head;
	}
	memset(p + head, 'x', body);
	return p;
}

/* How many heads end in these bytes. */
static size_t heads_in(struct conn *c, const char *p, size_t n)
{
	size_t heads = 0;

	if (c->matched == 0 && n >= 4 && memcmp(p + n - 4, "\r\n\r\n", 4) == 0 &&
		memmem(p, n - 1, "\r\n\r\n", 4) == NULL)
		return 1; /* nearly always: one whole request */
	for (size_t i = 0; i < n; i++) {
		if (p[i] == "\r\n\r\n"[c->matched])
			c->matched++;
		else
			c->matched = p[i] == '\r';
		if (c->matched == 4) {
			heads++;
			c->matched = 0;
		}
	}
	return heads;
}

static int send_owed(struct conn *c)
{
	while (c->owed > 0) {
		size_t left = c->owed % answer_size ? c->owed % answer_size : answer_size;
		ssize_t n =
			send(c->fd, c->node->answer + answer_size - left, left, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		c->owed -= (size_t)n;
	}
	return 0;
}

static void conn_event(struct conn *c, uint32_t events)
{
	static char bytes[READ_BYTES];
	ssize_t n;

	if ((events & EPOLLOUT) && c->owed > 0 && send_owed(c) < 0)
		goto gone;
	do {
		n = recv(c->fd, bytes, sizeof(bytes), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			goto gone;
		if (n > 0)
			c->owed += answer_size * heads_in(c, bytes, (size_t)n);
		if (c->owed > 0 && send_owed(c) < 0)
			goto gone;
	} while (n == READ_BYTES);
	return;
gone:
	close(c->fd);
	free(c);
}

static void accept_all(const struct node *node)
{
	int fd, one = 1;

	while ((fd = accept4(node->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct conn *c = calloc(1, sizeof(*c));
		struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};

		if (!c)
			die("calloc");
		c->fd = fd;
		c->node = node;
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): epoll holds it */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
			die("epoll_ctl");
	}
}

static void node_start(struct node *node, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = node};
	int one = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	node->answer = make_answer(port);
	node->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (node->fd < 0)
		die("socket");
	setsockopt(node->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(node->fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(node->fd, 1024) < 0)
		die("listen");
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, node->fd, &e) < 0)
		die("epoll_ctl");
}

int main(int argc, char **argv)
{
	struct epoll_event events[256];

	answer_size = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (answer_size == 0 || answer_size > MAX_ANSWER || argc - 2 > MAX_NODES) {
		fprintf(stderr, "usage: answer BYTES PORT...\n");
		return 2;
	}
	epoll = epoll_create1(0);
	if (epoll < 0)
		die("epoll_create1");
	for (int i = 2; i < argc; i++)
		node_start(&nodes[node_count++], (int)strtol(argv[i], NULL, 10));
	for (;;) {
		int n = epoll_wait(epoll, events, 256, -1);

		for (int i = 0; i < n; i++) {
			char *p = events[i].data.ptr;

			if (p >= (char *)nodes && p < (char *)(nodes + MAX_NODES))
				accept_all((struct node *)p);
			else
				conn_event((struct conn *)p, events[i].events);
		}
	}
}
