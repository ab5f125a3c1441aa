/* The insides of the io_uring backend. Files: uring.c (what sockets ask for and what comes of it),
 * uring_recv.c (receiving), uring_bufs.c (what is received into), uring_ring.c (the ring's life,
 * and the trip into the kernel). */
#ifndef FL_LOOP_URING_PRIV_H
#define FL_LOOP_URING_PRIV_H

#include "loop/loop_priv.h"

#include <liburing.h>

/* The operations that a socket may have under way, at most one of each: bits of fl_sock.pending. */
enum fl_uring_op {
	FL_URING_POLL_IN,
	FL_URING_POLL_OUT,
	FL_URING_RECV,
	FL_URING_SEND,
	FL_URING_OPS,
};

#define FL_URING_BIT(op) (1U << (op))

/* A submission is named by its socket and its operation, in the pointer's low bits; or: */
#define FL_UD_MASK   UINT64_C(7)
#define FL_UD_IGNORE UINT64_C(0) /* the answer to a cancel */
#define FL_UD_WAKE   UINT64_C(1) /* the eventfd */

/* A ring of buffers that the kernel chooses from. */
struct fl_bufring {
	struct io_uring_buf_ring *ring;
	struct fl_rbuf **slot; /* by buffer id; NULL: vacant, for want of memory */
	unsigned entries;      /* a power of two */
	unsigned vacant;
};

struct fl_uring {
	struct io_uring ring;
	struct fl_bufring bufs;
	unsigned arms;  /* receives that may still be submitted in this turn */
	bool multishot; /* the kernel knows receives that go on, up to a number of bytes */
	bool enabled;   /* and has its thread, where it may have but one */
	bool lost;      /* that thread has left it: closed before the loop is */
	bool wake_armed;
	struct fl_link leaving; /* closed sockets that operations still use */
};

static inline struct fl_uring *fl_uring_of(struct fl_loop *loop)
{
	return loop->impl;
}

/* ---- uring_ring.c ---- */

int fl_uring_open(struct fl_loop *loop, const struct fl_loop_options *options);
void fl_uring_close(struct fl_loop *loop);

/* Submits what is queued and waits as fl_backend.wait does: one trip into the kernel. */
int fl_uring_wait(struct fl_loop *loop, int timeout_ms);

/* A place in the submission queue; NULL: it is full, try again in the next turn. */
struct io_uring_sqe *fl_uring_sqe(struct fl_loop *loop);

/* The eventfd was written to. */
void fl_uring_woken(struct fl_loop *loop, int res);

/* True when the ring can no longer be asked, as the thread that it belongs to has left it to this
 * one. Then it is closed, and nothing that was under way in it will be done any more. */
bool fl_uring_lost(struct fl_loop *loop);

/* ---- uring.c ---- */

/* A place for an operation, which counts as under way from now on; NULL: the socket is on the
 * ready list, to be tried again. */
struct io_uring_sqe *fl_uring_begin(struct fl_sock *sock, enum fl_uring_op op);

/* Names a submission that is otherwise complete. */
void fl_uring_name(struct io_uring_sqe *sqe, struct fl_sock *sock, enum fl_uring_op op);

/* A one-shot poll: FL_URING_POLL_IN or _OUT. */
void fl_uring_poll(struct fl_sock *sock, enum fl_uring_op op);

/* Asks for the end of what is under way, unless that was done; false: not now. */
bool fl_uring_cancel(struct fl_sock *sock, enum fl_uring_op op);

/* ---- uring_recv.c ---- */

/* Does what the stream wants and can: delivers what is held, receives, or stops. */
void fl_uring_recv_step(struct fl_stream *s);
void fl_uring_recv_done(struct fl_stream *s, int res, unsigned flags);
void fl_uring_recv(struct fl_stream *s);
bool fl_uring_stale(struct fl_stream *s);

/* ---- uring_bufs.c ---- */

/* Registers a ring of at least `wanted` buffers, as far as the kernel allows, and fills it. */
int fl_bufring_open(
	struct fl_bufring *bufs, struct io_uring *ring, struct fl_loop *loop, size_t wanted);
void fl_bufring_close(struct fl_bufring *bufs);

/* Fills vacant places; false: there is not one buffer in the ring, nor memory for one. */
bool fl_bufring_fill(struct fl_bufring *bufs, struct fl_loop *loop);

/* Lets a receive take its buffer from the ring. */
void fl_bufring_select(const struct fl_bufring *bufs, struct io_uring_sqe *sqe);

/* The buffer that a completion says it has used, with a reference, or NULL; another one takes its
 * place. */
struct fl_rbuf *fl_bufring_take(
	struct fl_bufring *bufs, struct fl_loop *loop, unsigned cqe_flags);

#endif
