/* Receiving with io_uring.
 *
 * A receive stays armed over many messages (multishot) and takes a buffer only once bytes are there:
 * an idle stream holds none, and a request costs no submission. It ends by itself after RECV_BYTES,
 * so that what one stream may bring in a turn is bounded; then it is armed anew, if still wanted.
 * Kernels before 6.17 cannot limit it so. There a receive ends with each message.
 *
 * A pause is not told to the kernel: what is armed stays armed, as most pauses are short. What it
 * brings meanwhile is held, in order, and delivered after the resume; only a stream that holds
 * more than HELD_MAX buffers is disarmed. So a paused stream holds at most RECV_BYTES, in HELD_MAX
 * buffers and those that came in the same trip through the kernel, of which there are no more
 * than the ring has.
 *
 * A stream that fills its buffers is read into large ones, by calls (step_bulk).
 *
 * A receive that finds the ring of buffers dry ends; the bytes stay in the socket. Since no turn
 * arms more receives than the ring has buffers, those that are armed anew find some. */
#include "loop/sys.h"
#include "loop/uring_priv.h"

#include <errno.h>

#define BURST    4 /* buffers a turn and stream */
#define HELD_MAX BURST

/* ---- what came for a paused stream ---- */

static void hold(struct fl_stream *s, struct fl_rbuf *buf, int n)
{
	buf->len = (uint32_t)n;
	buf->next = NULL;
	if (s->held)
		s->held_last->next = buf;
	else
		s->held = buf;
	s->held_last = buf;
	s->held_count++;
	s->sock.events |= FL_EV_IN;
}

static struct fl_rbuf *unhold(struct fl_stream *s)
{
	struct fl_rbuf *buf = s->held;
	s->held = buf->next;
	s->held_count--;
	if (!s->held && !s->held_ended)
		s->sock.events &= (uint8_t)~FL_EV_IN;
	return buf;
}

static void deliver_held(struct fl_stream *s)
{
	for (int i = 0; i < BURST && s->held && fl_stream_wants(s); i++) {
		struct fl_rbuf *buf = unhold(s);
		fl_stream_deliver(s, buf, (int)buf->len);
	}
	if (!s->held && s->held_ended && fl_stream_wants(s))
		fl_stream_deliver(s, NULL, s->held_end);
}

/* ---- receiving ---- */

static void prepare_multishot(struct io_uring_sqe *sqe, const struct fl_stream *s)
{
	io_uring_prep_recv_multishot(sqe, s->sock.fd, NULL, 0, 0);
	/* The limit in bytes; its field has no name of its own in liburing 2.3. */
	sqe->file_index = (uint32_t)(BURST * s->sock.loop->rbufs.size);
}

static void prepare_single(struct io_uring_sqe *sqe, const struct fl_stream *s)
{
	io_uring_prep_recv(sqe, s->sock.fd, NULL, 0, 0);
	/* Most likely nothing is there yet: spares the kernel an attempt. */
	if (!(s->sock.events & FL_EV_MAYBE))
		sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
}

static void read_bulk(struct fl_stream *s)
{
	struct fl_rbuf *buf = fl_rbuf_take(s->sock.loop, true);
	if (!buf) {
		fl_stream_deliver(s, NULL, -ENOMEM);
		return;
	}
	size_t room = buf->home->size;
	ssize_t n = fl_sys_recv(s->sock.fd, buf->data, room, MSG_DONTWAIT);
	if (n < 0)
		n = -errno;
	if (n != -EINTR)
		fl_stream_note_read(s, n, room);
	if (n == -EAGAIN || n == -EINTR)
		fl_rbuf_unref(buf);
	else
		fl_stream_deliver(s, buf, (int)n);
	fl_sock_ready(&s->sock);
}

/* A stream that fills its buffers: waits with a poll, and then reads into a large one by a call. A
 * trip for so many bytes is cheap, and one that waits holds no buffer. */
static void step_bulk(struct fl_stream *s)
{
	if (s->sock.events & (FL_EV_IN | FL_EV_MAYBE))
		read_bulk(s);
	else if (!(s->sock.pending & FL_URING_BIT(FL_URING_POLL_IN)))
		fl_uring_poll(&s->sock, FL_URING_POLL_IN);
}

static void submit(struct fl_stream *s)
{
	if (s->bulk > 0 || (s->sock.pending & FL_URING_BIT(FL_URING_POLL_IN))) {
		step_bulk(s);
		return;
	}
	struct fl_uring *u = fl_uring_of(s->sock.loop);
	if (!fl_bufring_fill(&u->bufs, s->sock.loop)) {
		fl_stream_deliver(s, NULL, -ENOMEM);
		return;
	}
	if (u->arms == 0) {
		fl_sock_ready(&s->sock);
		return;
	}
	struct io_uring_sqe *sqe = fl_uring_begin(&s->sock, FL_URING_RECV);
	if (!sqe)
		return;
	u->arms--;
	s->multishot = u->multishot;
	if (s->multishot)
		prepare_multishot(sqe, s);
	else
		prepare_single(sqe, s);
	fl_bufring_select(&u->bufs, sqe);
	fl_uring_name(sqe, &s->sock, FL_URING_RECV);
}

void fl_uring_recv_step(struct fl_stream *s)
{
	if (s->held || s->held_ended)
		deliver_held(s);
	bool wants = fl_stream_wants(s);
	if (s->held && wants)
		fl_sock_ready(&s->sock);
	else if (s->held_count > HELD_MAX)
		(void)fl_uring_cancel(&s->sock, FL_URING_RECV);
	else if (wants && !(s->sock.pending & FL_URING_BIT(FL_URING_RECV)))
		submit(s);
}

void fl_uring_recv(struct fl_stream *s)
{
	if (s->held || s->held_ended || !(s->sock.pending & FL_URING_BIT(FL_URING_RECV)))
		fl_sock_ready(&s->sock);
}

/* Bytes, or with n <= 0 the end. */
static void came(struct fl_stream *s, struct fl_rbuf *buf, int n)
{
	fl_stream_note_size(s, n);
	if (!s->held && fl_stream_wants(s)) {
		fl_stream_deliver(s, buf, n);
	} else if (n > 0) {
		hold(s, buf, n);
		fl_sock_ready(&s->sock);
	} else {
		fl_rbuf_unref(buf);
		s->held_end = n;
		s->held_ended = true;
		s->sock.events |= FL_EV_IN | FL_EV_HUP;
	}
}

/* The kernel gave up, but the stream has not ended: it is armed anew. */
static bool is_passing(struct fl_stream *s, int res)
{
	if (res == -EINVAL && s->multishot) {
		/* An older kernel, as the limit is all that may be wrong. */
		fl_uring_of(s->sock.loop)->multishot = false;
		return true;
	}
	return res == -ENOBUFS || res == -ECANCELED || res == -EAGAIN || res == -EINTR;
}

void fl_uring_recv_done(struct fl_stream *s, int res, unsigned flags)
{
	struct fl_loop *loop = s->sock.loop;
	struct fl_rbuf *buf = fl_bufring_take(&fl_uring_of(loop)->bufs, loop, flags);
	s->reported--;
	if (flags & IORING_CQE_F_SOCK_NONEMPTY)
		s->sock.events |= FL_EV_MAYBE;
	else
		s->sock.events &= (uint8_t)~FL_EV_MAYBE;
	if (s->sock.closed || is_passing(s, res))
		fl_rbuf_unref(buf);
	else
		came(s, buf, res);
	if (!(flags & IORING_CQE_F_MORE))
		fl_sock_ready(&s->sock);
}

/* What the last trip brought is known, if not yet handled; and an armed receive that has brought
 * nothing says that there was nothing. */
bool fl_uring_stale(struct fl_stream *s)
{
	char byte;
	if (s->reported > 0)
		return true;
	if (s->sock.pending & ~s->sock.cancelled & FL_URING_BIT(FL_URING_RECV))
		return false;
	if (recv(s->sock.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
		return false;
	/* An error may have been taken by this look; so it is remembered. */
	s->sock.events |= FL_EV_IN | FL_EV_HUP;
	return true;
}
