// link: uring
/* The floor once more, as io_uring can have it: the relay of relay.c without a call a message.
 *
 *   relay_uring LISTEN-PORT NODE-PORT...        (all on 127.0.0.1)
 *
 * Each client connection is paired with one connection to a node, in turn, and bytes are copied
 * both ways by one thread that understands none of them.
 *
 * Tuned as far as the kernel of Debian 12 and its liburing go: one multishot accept, which gives
 * descriptors of the ring; one multishot receive a socket for its whole life, which takes its
 * memory from a ring of provided buffers only when bytes are there; what was received is sent
 * from that same memory, which then goes back; all that one turn asks for is submitted by the one
 * call that waits for the next (SINGLE_ISSUER and DEFER_TASKRUN: completions are run there, too,
 * and interrupt nothing). One send a direction is under way at a time, because two could overtake
 * each other. When all buffers are in use, receives end and begin again when some are back: that
 * bounds memory. */
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_NODES    1024
#define ENTRIES      1024
#define CQ_ENTRIES   8192
#define CLIENTS      16384
#define BUFFERS      512 /* a power of two */
#define BUFFER_BYTES 32768
/* Not a power of two: else all messages lay in the same few sets of the cache. */
#define BUFFER_STRIDE (BUFFER_BYTES + 320)
#define NO_BUFFER     (-1)
#define GROUP         0

enum op {
	OP_RECV,
	OP_SEND,
	OP_OTHER, /* nobody waits for it */
	OP_MASK = 3,
};

struct pair;

struct side {
	struct pair *pair;
	int fd;               /* of the ring for clients, of the process for nodes */
	int first, last;      /* buffers to be sent to it, the first of them under way */
	bool receiving;       /* a receive is under way */
	bool ended;           /* no more comes from it */
	struct side *starved; /* the next one that waits for buffers */
};

struct pair {
	struct side client, node;
	bool over;
};

static struct {
	struct io_uring ring;
	struct io_uring_buf_ring *buffers;
	char *bytes;
	int sizes[BUFFERS], next[BUFFERS];
	int returned; /* buffers that the ring has yet to be told of */
	struct side *starved;
	int listener;
	int ports[MAX_NODES], count, turn;
} relay;

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static void check(int rc, const char *what)
{
	if (rc < 0) {
		errno = -rc;
		die(what);
	}
}

static struct sockaddr_in address(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

/* ---- submitting ---- */

static struct io_uring_sqe *get_sqe(void)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&relay.ring)))
		check(io_uring_submit(&relay.ring), "io_uring_submit");
	return sqe;
}

static bool is_client(const struct side *s)
{
	return s == &s->pair->client;
}

static void tag(struct io_uring_sqe *sqe, struct side *s, enum op op)
{
	if (is_client(s) && op != OP_OTHER)
		sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data64(sqe, (uint64_t)(uintptr_t)s | op);
}

static void submit_accept(void)
{
	struct io_uring_sqe *sqe = get_sqe();

	io_uring_prep_multishot_accept_direct(sqe, relay.listener, NULL, NULL, 0);
	io_uring_sqe_set_data64(sqe, 0);
}

static void submit_recv(struct side *s)
{
	struct io_uring_sqe *sqe = get_sqe();

	io_uring_prep_recv_multishot(sqe, s->fd, NULL, 0, 0);
	tag(sqe, s, OP_RECV);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	s->receiving = true;
}

/* All of it is sent, or there was an error. */
static void submit_send(struct side *s)
{
	struct io_uring_sqe *sqe = get_sqe();

	io_uring_prep_send(sqe, s->fd, relay.bytes + (size_t)s->first * BUFFER_STRIDE,
		(size_t)relay.sizes[s->first], MSG_WAITALL | MSG_NOSIGNAL);
	tag(sqe, s, OP_SEND);
}

static void submit_cancel(struct side *s, enum op op)
{
	struct io_uring_sqe *sqe = get_sqe();

	io_uring_prep_cancel64(sqe, (uint64_t)(uintptr_t)s | op, 0);
	tag(sqe, s, OP_OTHER);
}

static void submit_close(struct side *s)
{
	struct io_uring_sqe *sqe = get_sqe();

	if (is_client(s))
		io_uring_prep_close_direct(sqe, (unsigned)s->fd);
	else
		io_uring_prep_close(sqe, s->fd);
	tag(sqe, s, OP_OTHER);
}

/* ---- buffers ---- */

static void give_back(int buffer)
{
	io_uring_buf_ring_add(relay.buffers, relay.bytes + (size_t)buffer * BUFFER_STRIDE,
		BUFFER_BYTES, (unsigned short)buffer, BUFFERS - 1, relay.returned++);
}

static void publish_buffers(void)
{
	if (relay.returned == 0)
		return;
	io_uring_buf_ring_advance(relay.buffers, relay.returned);
	relay.returned = 0;
	while (relay.starved) {
		struct side *s = relay.starved;

		relay.starved = s->starved;
		if (!s->pair->over)
			submit_recv(s);
	}
}

/* ---- pairs ---- */

/* Nothing of it is under way any more: nobody holds its memory or its descriptors. */
static bool is_quiet(const struct side *s)
{
	return !s->receiving && s->first == NO_BUFFER;
}

static void drop_if_quiet(struct pair *p)
{
	if (!p->over || !is_quiet(&p->client) || !is_quiet(&p->node))
		return;
	for (struct side **at = &relay.starved; *at;) {
		if ((*at)->pair == p)
			*at = (*at)->starved;
		else
			at = &(*at)->starved;
	}
	submit_close(&p->client);
	submit_close(&p->node);
	free(p);
}

/* What is under way ends soon, and what waits behind it is not sent. */
static void pair_end(struct pair *p)
{
	if (p->over)
		return;
	p->over = true;
	/* A descriptor of the ring has no shutdown but one that takes a thread. */
	if (p->client.receiving)
		submit_cancel(&p->client, OP_RECV);
	if (p->client.first != NO_BUFFER)
		submit_cancel(&p->client, OP_SEND);
	if (!is_quiet(&p->node))
		shutdown(p->node.fd, SHUT_RDWR);
}

static struct side *other(struct side *s)
{
	return is_client(s) ? &s->pair->node : &s->pair->client;
}

/* A side has ended and all that came from it was sent on. A client may end first and still wait
 * for its answer; a node that ends has no more to do. */
static void pass_end(struct side *from)
{
	if (is_client(from))
		shutdown(from->pair->node.fd, SHUT_WR);
	else
		pair_end(from->pair);
}

static void pair_new(int client)
{
	struct sockaddr_in to = address(relay.ports[relay.turn++ % relay.count]);
	struct pair *p = calloc(1, sizeof(*p));
	int one = 1;

	if (!p)
		die("calloc");
	p->client =
		(struct side){.pair = p, .fd = client, .first = NO_BUFFER, .last = NO_BUFFER};
	p->node = (struct side){.pair = p,
		.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
		.first = NO_BUFFER,
		.last = NO_BUFFER};
	if (p->node.fd < 0)
		die("socket");
	setsockopt(p->node.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* Over loopback it is there at once; else the ring waits before it sends. */
	if (connect(p->node.fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		die("connect");
	submit_recv(&p->client);
	submit_recv(&p->node);
}

/* ---- completions ---- */

static void accepted(const struct io_uring_cqe *cqe)
{
	if (cqe->res >= 0)
		pair_new(cqe->res);
	else if (cqe->res != -ECONNABORTED)
		check(cqe->res, "accept");
	if (!(cqe->flags & IORING_CQE_F_MORE))
		submit_accept();
}

static void received(struct side *from, const struct io_uring_cqe *cqe)
{
	struct side *to = other(from);
	int buffer = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);

	if (!(cqe->flags & IORING_CQE_F_MORE))
		from->receiving = false;
	if (cqe->res > 0 && from->pair->over) {
		give_back(buffer);
	} else if (cqe->res > 0) {
		relay.sizes[buffer] = cqe->res;
		relay.next[buffer] = NO_BUFFER;
		if (to->first == NO_BUFFER) {
			to->first = buffer;
			submit_send(to);
		} else {
			relay.next[to->last] = buffer;
		}
		to->last = buffer;
		if (!from->receiving)
			submit_recv(from);
	} else if (cqe->res == -ENOBUFS && !from->pair->over) {
		from->starved = relay.starved;
		relay.starved = from;
	} else if (cqe->res == 0) {
		from->ended = true;
		if (!from->pair->over && to->first == NO_BUFFER)
			pass_end(from);
	} else {
		pair_end(from->pair);
	}
}

static void sent(struct side *to, int res)
{
	int buffer = to->first;

	to->first = relay.next[buffer];
	if (res != relay.sizes[buffer])
		pair_end(to->pair);
	give_back(buffer);
	if (to->pair->over) {
		while (to->first != NO_BUFFER) {
			buffer = to->first;
			to->first = relay.next[buffer];
			give_back(buffer);
		}
	} else if (to->first != NO_BUFFER) {
		submit_send(to);
	} else if (other(to)->ended) {
		pass_end(other(to));
	}
}

static void complete(const struct io_uring_cqe *cqe)
{
	struct side *s = (struct side *)(uintptr_t)(cqe->user_data & ~(uint64_t)OP_MASK);
	enum op op = (enum op)(cqe->user_data & OP_MASK);

	if (!s) {
		accepted(cqe);
		return;
	}
	if (op == OP_OTHER)
		return; /* it may be gone */
	if (op == OP_RECV)
		received(s, cqe);
	else
		sent(s, cqe->res);
	drop_if_quiet(s->pair);
}

/* ---- the program ---- */

static void start_ring(void)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
	                 IORING_SETUP_CQSIZE,
		.cq_entries = CQ_ENTRIES,
	};
	struct io_uring_buf_reg reg = {.ring_entries = BUFFERS, .bgid = GROUP};
	size_t ring_bytes = BUFFERS * sizeof(struct io_uring_buf);
	void *memory;

	check(io_uring_queue_init_params(ENTRIES, &relay.ring, &params), "io_uring");
	check(io_uring_register_ring_fd(&relay.ring), "io_uring_register_ring_fd");
	check(io_uring_register_files_sparse(&relay.ring, CLIENTS), "io_uring_register_files");
	memory = mmap(NULL, ring_bytes + (size_t)BUFFERS * BUFFER_STRIDE,
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	relay.buffers = memory;
	relay.bytes = (char *)memory + ring_bytes;
	reg.ring_addr = (uint64_t)(uintptr_t)memory;
	check(io_uring_register_buf_ring(&relay.ring, &reg, 0), "io_uring_register_buf_ring");
	io_uring_buf_ring_init(relay.buffers);
	for (int i = 0; i < BUFFERS; i++)
		give_back(i);
	publish_buffers();
}

static void start_listener(int port)
{
	struct sockaddr_in a = address(port);
	int one = 1;

	relay.listener = socket(AF_INET, SOCK_STREAM, 0);
	if (relay.listener < 0)
		die("socket");
	setsockopt(relay.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* What is accepted inherits it. */
	setsockopt(relay.listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(relay.listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		listen(relay.listener, 1024) < 0)
		die("listen");
	submit_accept();
}

int main(int argc, char **argv)
{
	for (int i = 2; i < argc && relay.count < MAX_NODES; i++)
		relay.ports[relay.count++] = (int)strtol(argv[i], NULL, 10);
	if (relay.count == 0) {
		fprintf(stderr, "usage: relay_uring LISTEN-PORT NODE-PORT...\n");
		return 2;
	}
	start_ring();
	start_listener((int)strtol(argv[1], NULL, 10));
	for (;;) {
		struct io_uring_cqe *cqe;
		unsigned head, n = 0;
		int rc = io_uring_submit_and_wait(&relay.ring, 1);

		if (rc < 0 && rc != -EINTR && rc != -EBUSY)
			check(rc, "io_uring_submit_and_wait");
		io_uring_for_each_cqe(&relay.ring, head, cqe)
		{
			complete(cqe);
			n++;
		}
		io_uring_cq_advance(&relay.ring, n);
		publish_buffers();
	}
}
