/* The io_uring backend.
 *
 * What a stream wants (connect, send, receive) and what is under way for it (`pending`) are
 * compared in one place, uring_step, which submits the difference; whatever changes either only
 * puts the stream on the ready list. So a full submission queue is nothing special: the stream
 * stays on the list and is stepped again.
 *
 * For receiving see uring_recv.c. A connect or a send that has to wait does so in a one-shot poll,
 * and its next try never waits (the descriptors are non-blocking). While anything is pending the
 * descriptor stays open and the memory stays valid: closing cancels, and the last completion
 * lets go. A completion queue that overflows is kept by the kernel (FEAT_NODROP) and comes with
 * the next batches. */
#include "loop/uring_priv.h"

#include <errno.h>
#include <poll.h>

#define BATCH      128
#define MAX_ROUNDS 64 /* batches a turn */

/* ---- submitting ---- */

struct io_uring_sqe *fl_uring_begin(struct fl_sock *sock, enum fl_uring_op op)
{
	FL_DEBUG_ASSERT(!(sock->pending & FL_URING_BIT(op)));
	struct io_uring_sqe *sqe = fl_uring_sqe(sock->loop);
	if (sqe)
		sock->pending |= (uint8_t)FL_URING_BIT(op);
	else
		fl_sock_ready(sock);
	return sqe;
}

static uint64_t user_data(struct fl_sock *sock, enum fl_uring_op op)
{
	return (uint64_t)(uintptr_t)sock | op;
}

void fl_uring_name(struct io_uring_sqe *sqe, struct fl_sock *sock, enum fl_uring_op op)
{
	io_uring_sqe_set_data64(sqe, user_data(sock, op));
}

void fl_uring_poll(struct fl_sock *sock, enum fl_uring_op op)
{
	struct io_uring_sqe *sqe = fl_uring_begin(sock, op);
	if (!sqe)
		return;
	io_uring_prep_poll_add(sqe, sock->fd, op == FL_URING_POLL_IN ? POLLIN : POLLOUT);
	fl_uring_name(sqe, sock, op);
}

static void submit_send(struct fl_stream *s)
{
	struct io_uring_sqe *sqe = fl_uring_begin(&s->sock, FL_URING_SEND);
	if (!sqe)
		return;
	io_uring_prep_sendmsg(sqe, s->sock.fd, &s->send->msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	fl_uring_name(sqe, &s->sock, FL_URING_SEND);
}

bool fl_uring_cancel(struct fl_sock *sock, enum fl_uring_op op)
{
	if (!(sock->pending & ~sock->cancelled & FL_URING_BIT(op)))
		return true;
	struct io_uring_sqe *sqe = fl_uring_sqe(sock->loop);
	if (!sqe)
		return false;
	io_uring_prep_cancel64(sqe, user_data(sock, op), 0);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	io_uring_sqe_set_data64(sqe, FL_UD_IGNORE);
	sock->cancelled |= (uint8_t)FL_URING_BIT(op);
	return true;
}

static void uring_step(struct fl_stream *s)
{
	struct fl_sock *sock = &s->sock;
	const unsigned out = FL_URING_BIT(FL_URING_SEND) | FL_URING_BIT(FL_URING_POLL_OUT);
	bool wants_out = s->send || s->state == FL_STREAM_CONNECTING;
	if (wants_out && !(sock->pending & out)) {
		if (s->send && (sock->events & FL_EV_OUT))
			submit_send(s);
		else
			fl_uring_poll(sock, FL_URING_POLL_OUT);
	}
	fl_uring_recv_step(s);
}

static void uring_listener_idle(struct fl_sock *sock)
{
	if (!(sock->pending & FL_URING_BIT(FL_URING_POLL_IN)))
		fl_uring_poll(sock, FL_URING_POLL_IN);
}

/* ---- completions ---- */

/* Whatever the poll says, the operation that waited for it will say what is wrong. */
static void poll_done(struct fl_sock *sock, enum fl_uring_op op)
{
	if (sock->closed)
		return;
	sock->events |= op == FL_URING_POLL_OUT ? FL_EV_OUT : FL_EV_IN;
	sock->kind->note(sock);
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

struct done {
	uint64_t data;
	int res;
	unsigned flags;
};

static struct fl_sock *sock_of(const struct done *done)
{
	return (struct fl_sock *)(uintptr_t)(done->data & ~FL_UD_MASK);
}

static void complete(const struct done *done)
{
	struct fl_sock *sock = sock_of(done);
	enum fl_uring_op op = (enum fl_uring_op)(done->data & FL_UD_MASK);
	FL_ASSERT(sock->pending & FL_URING_BIT(op));
	if (!(done->flags & IORING_CQE_F_MORE)) {
		sock->pending &= (uint8_t)~FL_URING_BIT(op);
		sock->cancelled &= (uint8_t)~FL_URING_BIT(op);
	}
	if (op == FL_URING_RECV)
		fl_uring_recv_done((struct fl_stream *)sock, done->res, done->flags);
	else if (op == FL_URING_SEND)
		send_done((struct fl_stream *)sock, done->res);
	else
		poll_done(sock, op);
	if (sock->closed && !sock->pending)
		fl_sock_closing(sock);
}

/* Takes a completion out of the queue. That there is something to receive counts as known from
 * now on (fl_stream_stale), although others of the batch are handled first. */
static struct done take(const struct io_uring_cqe *cqe)
{
	struct done done = {cqe->user_data, cqe->res, cqe->flags};
	if (done.data > FL_UD_WAKE && (done.data & FL_UD_MASK) == FL_URING_RECV)
		((struct fl_stream *)sock_of(&done))->reported++;
	return done;
}

/* Takes a batch out of the queue before anything of it is handled: handling may submit, and
 * thereby move the queue. */
static unsigned reap(struct fl_loop *loop)
{
	struct io_uring *ring = &fl_uring_of(loop)->ring;
	struct io_uring_cqe *cqes[BATCH];
	struct done done[BATCH];
	unsigned n = io_uring_peek_batch_cqe(ring, cqes, BATCH);
	for (unsigned i = 0; i < n; i++)
		done[i] = take(cqes[i]);
	io_uring_cq_advance(ring, n);
	for (unsigned i = 0; i < n; i++) {
		if (done[i].data == FL_UD_WAKE)
			fl_uring_woken(loop, done[i].res);
		else if (done[i].data != FL_UD_IGNORE)
			complete(&done[i]);
	}
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
	if (sock->pending && fl_uring_lost(sock->loop))
		sock->pending = 0;
	if (!sock->pending)
		return true;
	for (enum fl_uring_op op = 0; op < FL_URING_OPS; op++) {
		if (!fl_uring_cancel(sock, op)) {
			fl_sock_closing(sock);
			return false;
		}
	}
	fl_list_remove(&sock->link);
	fl_list_push_back(&fl_uring_of(sock->loop)->leaving, &sock->link);
	return false;
}

const struct fl_backend fl_backend_uring = {
	.open = fl_uring_open,
	.close = fl_uring_close,
	.wait = fl_uring_wait,
	.dispatch = uring_dispatch,
	.attach = uring_attach,
	.detach = uring_detach,
	.stream_step = uring_step,
	.stream_recv = fl_uring_recv,
	.listener_idle = uring_listener_idle,
	.stream_stale = fl_uring_stale,
};
