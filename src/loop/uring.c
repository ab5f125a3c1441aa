/* The io_uring backend.
 *
 * What a stream wants (connect, send, receive) and what is under way for it (`pending`) are
 * compared in one place, uring_step, which submits the difference; whatever changes either only
 * puts the stream on the ready list. So a full submission queue is nothing special: the stream
 * stays on the list and is stepped again.
 *
 * Waiting is a one-shot poll, and a receive is submitted once there is something to receive:
 * an idle stream holds no buffer. Descriptors are non-blocking, hence an operation never waits
 * in the kernel, only a poll does. While anything is pending the descriptor stays open and the
 * memory stays valid: closing cancels, and the last completion lets go. A completion queue that
 * overflows is kept by the kernel (FEAT_NODROP) and comes with the next batches. */
#include "loop/uring_priv.h"

#include <errno.h>
#include <poll.h>

#define BATCH      64
#define MAX_ROUNDS 64 /* batches a turn */

/* An operation is named by its socket and its number, in the pointer's low bits. */
enum op {
	OP_POLL_IN,
	OP_POLL_OUT,
	OP_RECV,
	OP_SEND,
	OP_COUNT,
};

#define OP_MASK UINT64_C(7)
#define BIT(op) (1U << (op))

/* ---- submitting ---- */

/* A place for an operation, or NULL and the socket is tried again. */
static struct io_uring_sqe *begin(struct fl_sock *sock, enum op op)
{
	FL_DEBUG_ASSERT(!(sock->pending & BIT(op)));
	struct io_uring_sqe *sqe = fl_uring_sqe(sock->loop);
	if (sqe)
		sock->pending |= (uint8_t)BIT(op);
	else
		fl_sock_ready(sock);
	return sqe;
}

static uint64_t user_data(struct fl_sock *sock, enum op op)
{
	return (uint64_t)(uintptr_t)sock | op;
}

static void submit_poll(struct fl_sock *sock, enum op op)
{
	struct io_uring_sqe *sqe = begin(sock, op);
	if (!sqe)
		return;
	io_uring_prep_poll_add(sqe, sock->fd, op == OP_POLL_IN ? POLLIN | POLLRDHUP : POLLOUT);
	io_uring_sqe_set_data64(sqe, user_data(sock, op));
}

static void submit_recv(struct fl_stream *s)
{
	struct fl_rbuf *buf = fl_rbuf_take(s->sock.loop, s->bulk > 0);
	if (!buf) {
		fl_stream_deliver(s, NULL, -ENOMEM);
		return;
	}
	struct io_uring_sqe *sqe = begin(&s->sock, OP_RECV);
	if (!sqe) {
		fl_rbuf_unref(buf);
		return;
	}
	s->rbuf = buf;
	io_uring_prep_recv(sqe, s->sock.fd, buf->data, buf->home->size, MSG_DONTWAIT);
	io_uring_sqe_set_data64(sqe, user_data(&s->sock, OP_RECV));
}

static void submit_send(struct fl_stream *s)
{
	struct io_uring_sqe *sqe = begin(&s->sock, OP_SEND);
	if (!sqe)
		return;
	io_uring_prep_sendmsg(sqe, s->sock.fd, &s->send->msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	io_uring_sqe_set_data64(sqe, user_data(&s->sock, OP_SEND));
}

/* False: not now. */
static bool cancel(struct fl_sock *sock, enum op op)
{
	struct io_uring_sqe *sqe = fl_uring_sqe(sock->loop);
	if (!sqe)
		return false;
	io_uring_prep_cancel64(sqe, user_data(sock, op), 0);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	io_uring_sqe_set_data64(sqe, FL_UD_IGNORE);
	sock->cancelled |= (uint8_t)BIT(op);
	return true;
}

static void uring_step(struct fl_stream *s)
{
	struct fl_sock *sock = &s->sock;
	bool wants_out = s->send || s->state == FL_STREAM_CONNECTING;
	if (wants_out && !(sock->pending & (BIT(OP_SEND) | BIT(OP_POLL_OUT)))) {
		if (s->send && (sock->events & FL_EV_OUT))
			submit_send(s);
		else
			submit_poll(sock, OP_POLL_OUT);
	}
	if (!fl_stream_wants(s)) {
		/* fl_stream_stale looks for itself. */
		sock->events &= (uint8_t)~FL_EV_MAYBE;
	} else if (!(sock->pending & (BIT(OP_RECV) | BIT(OP_POLL_IN)))) {
		if (sock->events & (FL_EV_IN | FL_EV_MAYBE))
			submit_recv(s);
		else
			submit_poll(sock, OP_POLL_IN);
	}
}

static void uring_recv(struct fl_stream *s)
{
	if (!(s->sock.pending & (BIT(OP_RECV) | BIT(OP_POLL_IN))))
		fl_sock_ready(&s->sock);
}

static void uring_listener_idle(struct fl_sock *sock)
{
	if (!(sock->pending & BIT(OP_POLL_IN)))
		submit_poll(sock, OP_POLL_IN);
}

/* ---- completions ---- */

static void poll_done(struct fl_sock *sock, enum op op, int res)
{
	if (sock->closed)
		return;
	if (res < 0)
		res = POLLERR; /* the operation on it will say what is wrong */
	if (op == OP_POLL_OUT) {
		sock->events |= FL_EV_OUT;
	} else {
		sock->events |= FL_EV_IN;
		if (res & (POLLRDHUP | POLLHUP | POLLERR))
			sock->events |= FL_EV_HUP;
	}
	sock->kind->note(sock);
}

static void recv_done(struct fl_stream *s, int res)
{
	struct fl_rbuf *buf = s->rbuf;
	s->rbuf = NULL;
	fl_stream_note_read(s, res, buf->home->size);
	if (res == -EAGAIN || res == -EINTR)
		fl_rbuf_unref(buf);
	else
		fl_stream_deliver(s, buf, res);
	fl_sock_ready(&s->sock);
}

static void send_done(struct fl_stream *s, int res)
{
	if (s->sock.closed)
		return;
	if (res == -EAGAIN)
		s->sock.events &= (uint8_t)~FL_EV_OUT;
	else if (res < 0 && res != -EINTR)
		fl_stream_sent(s, res);
	else if (res >= 0 && fl_send_advance(s->send, (size_t)res))
		fl_stream_sent(s, 0);
	fl_sock_ready(&s->sock);
}

static void complete(struct fl_sock *sock, enum op op, int res)
{
	FL_ASSERT(sock->pending & BIT(op));
	sock->pending &= (uint8_t)~BIT(op);
	if (op == OP_RECV)
		recv_done((struct fl_stream *)sock, res);
	else if (op == OP_SEND)
		send_done((struct fl_stream *)sock, res);
	else
		poll_done(sock, op, res);
	if (sock->closed && !sock->pending)
		fl_sock_closing(sock);
}

static void handle(struct fl_loop *loop, uint64_t data, int res)
{
	if (data == FL_UD_IGNORE)
		return;
	if (data == FL_UD_WAKE) {
		fl_uring_woken(loop, res);
		return;
	}
	struct fl_sock *sock = (struct fl_sock *)(uintptr_t)(data & ~OP_MASK);
	complete(sock, (enum op)(data & OP_MASK), res);
}

/* Takes a batch out of the queue before anything of it is handled: handling may submit, and
 * thereby move the queue. */
static unsigned reap(struct fl_loop *loop)
{
	struct io_uring_cqe *cqes[BATCH];
	struct {
		uint64_t data;
		int res;
	} done[BATCH];
	struct io_uring *ring = &fl_uring_of(loop)->ring;
	unsigned n = io_uring_peek_batch_cqe(ring, cqes, BATCH);
	for (unsigned i = 0; i < n; i++) {
		done[i].data = cqes[i]->user_data;
		done[i].res = cqes[i]->res;
	}
	io_uring_cq_advance(ring, n);
	for (unsigned i = 0; i < n; i++)
		handle(loop, done[i].data, done[i].res);
	return n;
}

static void uring_dispatch(struct fl_loop *loop)
{
	for (int i = 0; i < MAX_ROUNDS && !fl_uring_of(loop)->lost && reap(loop) > 0; i++)
		;
}

/* ---- the backend ---- */

static int uring_attach(struct fl_sock *sock)
{
	(void)sock;
	return 0;
}

static bool uring_detach(struct fl_sock *sock)
{
	if (!sock->pending)
		return true;
	if (fl_uring_lost(sock->loop)) {
		sock->pending = 0;
		return true;
	}
	for (enum op op = 0; op < OP_COUNT; op++) {
		if (!(sock->pending & ~sock->cancelled & BIT(op)))
			continue;
		if (!cancel(sock, op)) {
			fl_sock_closing(sock);
			return false;
		}
	}
	fl_list_remove(&sock->link);
	fl_list_push_back(&fl_uring_of(sock->loop)->leaving, &sock->link);
	return false;
}

static bool uring_stale(struct fl_stream *s)
{
	char byte;
	if (s->sock.pending & BIT(OP_RECV))
		return true;
	if (recv(s->sock.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
		return false;
	/* An error may have been taken by this look; so it is remembered. */
	s->sock.events |= FL_EV_IN | FL_EV_HUP;
	return true;
}

const struct fl_backend fl_backend_uring = {
	.open = fl_uring_open,
	.close = fl_uring_close,
	.wait = fl_uring_wait,
	.dispatch = uring_dispatch,
	.attach = uring_attach,
	.detach = uring_detach,
	.stream_step = uring_step,
	.stream_recv = uring_recv,
	.listener_idle = uring_listener_idle,
	.stream_stale = uring_stale,
};
