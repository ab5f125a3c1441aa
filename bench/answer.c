/* The cheapest origin there is, so that a bench measures what stands before it: each request is
 * answered with the same bytes, and next to nothing of it is looked at.
 *
 *   answer [--chunked] BYTES PORT...      (on 127.0.0.1; BYTES of each answer's body)
 *
 * The answer names the port in X-Node, for checking that keys are spread; its body is the digits
 * and letters (payload_byte), of a length that is told, or in chunks of 16 KiB. The bodies of all
 * nodes are the same memory. Requests other than GET may have a body with a Content-Length, which
 * is counted and thrown away before the answer.
 *
 * Standard input takes orders, a line each: "counts" prints one line of JSON; "hold" leaves all
 * requests from now on without an answer, so that they stay under way. Where it ends, all ends. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_NODES   1024
#define MAX_BODY    (64 << 20)
#define CHUNK_BYTES 16384
#define READ_BYTES  65536
#define SKIP_BYTES  (1 << 20)
#define MAX_HEAD    16384
#define MAX_ANSWERS 16 /* sent by one call */

struct node {
	int fd;
	char head[128];
	size_t head_size;
};

struct conn {
	int fd;
	const struct node *node;
	char *kept; /* a head that came in pieces; malloced */
	size_t kept_size;
	size_t skip; /* bytes of a body still to come; then an answer is owed */
	size_t owed; /* bytes of answers not yet sent; a whole answer less what is sent */
};

static struct node nodes[MAX_NODES];
static int node_count, epoll;
static bool chunked, hold;
static char *payload; /* what follows each head */
static size_t body_size, payload_size;

static struct {
	unsigned long long connections, requests, body_bytes;
} counts;

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- what is answered ---- */

/* 62 divides no power of two: a piece of a body in another's place is seen. */
static char payload_byte(size_t i)
{
	return "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[i % 62];
}

static void make_payload(void)
{
	size_t chunks = body_size / CHUNK_BYTES + 1, at = 0;

	/* Enough for a size and two line ends a chunk, and for the last one. */
	payload = malloc(body_size + chunks * 16 + 16);
	if (!payload)
		die("malloc");
	for (size_t i = 0; i < body_size; i++) {
		size_t left = body_size - i;

		if (chunked && i % CHUNK_BYTES == 0)
			at += (size_t)sprintf(payload + at, "%s%zx\r\n", i ? "\r\n" : "",
				left < CHUNK_BYTES ? left : CHUNK_BYTES);
		payload[at++] = payload_byte(i);
	}
	if (chunked)
		at += (size_t)sprintf(payload + at, "%s0\r\n\r\n", body_size ? "\r\n" : "");
	payload_size = at;
}

static void make_head(struct node *node, int port)
{
	int n = snprintf(
		node->head, sizeof(node->head), "HTTP/1.1 200 OK\r\nX-Node: %d\r\n", port);

	if (chunked)
		n += snprintf(node->head + n, sizeof(node->head) - n,
			"Transfer-Encoding: chunked\r\n\r\n");
	else
		n += snprintf(node->head + n, sizeof(node->head) - n,
			"Content-Length: %zu\r\n\r\n", body_size);
	node->head_size = (size_t)n;
}

/* The next bytes owed, as many whole answers as one call may send. */
static int answer_parts(const struct conn *c, struct iovec *parts)
{
	const struct node *node = c->node;
	size_t whole = node->head_size + payload_size, left = c->owed;
	int n = 0;

	for (int i = 0; i < MAX_ANSWERS && left > 0; i++) {
		size_t this = left % whole ? left % whole : whole;
		size_t sent = whole - this;

		if (sent < node->head_size)
			parts[n++] = (struct iovec){
				(char *)(uintptr_t)node->head + sent, node->head_size - sent};
		sent = sent > node->head_size ? sent - node->head_size : 0;
		if (payload_size > sent)
			parts[n++] = (struct iovec){payload + sent, payload_size - sent};
		left -= this;
	}
	return n;
}

static bool send_owed(struct conn *c)
{
	while (c->owed > 0) {
		struct iovec parts[2 * MAX_ANSWERS];
		struct msghdr message = {.msg_iov = parts};
		ssize_t n;

		message.msg_iovlen = (size_t)answer_parts(c, parts);
		n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN;
		c->owed -= (size_t)n;
	}
	return true;
}

/* ---- requests ---- */

static void request_ended(struct conn *c)
{
	counts.requests++;
	if (!hold)
		c->owed += c->node->head_size + payload_size;
}

/* False: a body whose length is not told. */
static bool request_head(struct conn *c, const char *head, size_t n)
{
	static const char name[] = "\nContent-Length:";
	const char *line = head, *end = head + n;

	if (head[0] != 'G') {
		while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL) {
			if ((size_t)(end - line) > sizeof(name) &&
				strncasecmp(line, name, sizeof(name) - 1) == 0)
				break;
			line++;
		}
		if (!line)
			return false;
		c->skip = strtoul(line + sizeof(name) - 1, NULL, 10);
	}
	if (c->skip == 0)
		request_ended(c);
	return true;
}

static void skipped(struct conn *c, size_t n)
{
	counts.body_bytes += n;
	c->skip -= n;
	if (c->skip == 0)
		request_ended(c);
}

static bool keep(struct conn *c, const char *p, size_t n)
{
	if (c->kept_size + n > MAX_HEAD)
		return false;
	if (!c->kept && !(c->kept = malloc(MAX_HEAD)))
		die("malloc");
	memcpy(c->kept + c->kept_size, p, n);
	c->kept_size += n;
	return true;
}

/* Bytes that are not looked for in what was kept: takes all of them, or up to a head's end.
 * 0: this head is too long or makes no sense. */
static size_t take_head(struct conn *c, const char *p, size_t n)
{
	size_t before = c->kept_size, from = before > 3 ? before - 3 : 0;
	const char *end;

	if (before == 0) {
		end = memmem(p, n, "\r\n\r\n", 4);
		if (!end)
			return keep(c, p, n) ? n : 0;
		n = (size_t)(end + 4 - p);
		return request_head(c, p, n) ? n : 0;
	}
	if (n > MAX_HEAD - before)
		n = MAX_HEAD - before;
	if (n == 0 || !keep(c, p, n))
		return 0;
	end = memmem(c->kept + from, c->kept_size - from, "\r\n\r\n", 4);
	if (!end)
		return n;
	c->kept_size = 0;
	end += 4;
	return request_head(c, c->kept, (size_t)(end - c->kept))
	               ? (size_t)(end - c->kept) - before
	               : 0;
}

static bool take(struct conn *c, const char *p, size_t n)
{
	while (n > 0) {
		size_t taken = c->skip < n ? c->skip : n;

		if (c->skip > 0)
			skipped(c, taken);
		else
			taken = take_head(c, p, n);
		if (taken == 0)
			return false;
		p += taken;
		n -= taken;
	}
	return true;
}

/* ---- sockets ---- */

/* Bodies are thrown away in the kernel. Gives whether there may be more, as there is behind a short
 * receive if the connection's end was seen. */
static bool receive(struct conn *c, bool end_seen, bool *gone)
{
	static char bytes[READ_BYTES];
	size_t most = sizeof(bytes);
	ssize_t n;

	if (c->skip > 0) {
		most = c->skip < SKIP_BYTES ? c->skip : SKIP_BYTES;
		n = recv(c->fd, NULL, most, MSG_TRUNC);
		if (n > 0)
			skipped(c, (size_t)n);
	} else {
		n = recv(c->fd, bytes, sizeof(bytes), 0);
		if (n > 0 && !take(c, bytes, (size_t)n))
			*gone = true;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN))
		*gone = true;
	return n == (ssize_t)most || (n > 0 && end_seen);
}

static void conn_event(struct conn *c, uint32_t events)
{
	bool gone = false, more;
	bool end_seen = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);

	if ((events & EPOLLOUT) && c->owed > 0 && !send_owed(c))
		gone = true;
	do {
		more = !gone && receive(c, end_seen, &gone);
		if (!gone && c->owed > 0 && !send_owed(c))
			gone = true;
	} while (more && !gone);
	if (gone) {
		close(c->fd);
		free(c->kept);
		free(c);
	}
}

static void accept_all(const struct node *node)
{
	int fd, one = 1;

	while ((fd = accept4(node->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct conn *c = calloc(1, sizeof(*c));
		struct epoll_event e = {
			.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};

		if (!c)
			die("calloc");
		c->fd = fd;
		c->node = node;
		counts.connections++;
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): epoll holds it */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
			die("epoll_ctl");
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		die("accept");
}

static void order(const char *text)
{
	if (strcmp(text, "hold") == 0)
		hold = true;
	else if (strcmp(text, "counts") != 0)
		return;
	printf("{\"connections\": %llu, \"requests\": %llu, \"body_bytes\": %llu}\n",
		counts.connections, counts.requests, counts.body_bytes);
	fflush(stdout);
}

/* Orders come one at a time, as each is replied to. */
static void orders(void)
{
	char text[64];
	ssize_t n = read(STDIN_FILENO, text, sizeof(text) - 1);

	if (n <= 0)
		exit(0);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	order(text);
}

static void node_start(struct node *node, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = node};
	int one = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	make_head(node, port);
	node->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (node->fd < 0)
		die("socket");
	setsockopt(node->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(node->fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(node->fd, 4096) < 0)
		die("listen");
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, node->fd, &e) < 0)
		die("epoll_ctl");
}

static void start(int argc, char **argv)
{
	struct epoll_event e = {.events = EPOLLIN};
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	make_payload();
	epoll = epoll_create1(0);
	if (epoll < 0)
		die("epoll_create1");
	/* It cannot be watched where it is a file or nothing: then there are no orders. */
	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &e);
	for (int i = 0; i < argc; i++)
		node_start(&nodes[node_count++], (int)strtol(argv[i], NULL, 10));
}

int main(int argc, char **argv)
{
	struct epoll_event events[256];
	int first = 1;

	if (argc > 1 && strcmp(argv[1], "--chunked") == 0) {
		chunked = true;
		first++;
	}
	if (argc > first)
		body_size = strtoul(argv[first], NULL, 10);
	if (argc < first + 2 || body_size > MAX_BODY || argc - first - 1 > MAX_NODES) {
		fprintf(stderr, "usage: answer [--chunked] BYTES PORT...\n");
		return 2;
	}
	start(argc - first - 1, argv + first + 1);
	for (;;) {
		int n = epoll_wait(epoll, events, 256, -1);

		for (int i = 0; i < n; i++) {
			char *p = events[i].data.ptr;

			if (!p)
				orders();
			else if (p >= (char *)nodes && p < (char *)(nodes + MAX_NODES))
				accept_all((struct node *)p);
			else
				conn_event((struct conn *)p, events[i].events);
		}
	}
}
