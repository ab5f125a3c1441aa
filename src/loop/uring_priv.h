/* The insides of the io_uring backend. Files: uring.c (what sockets ask for and what comes of it),
 * uring_ring.c (the ring's life, and the trip into the kernel). */
#ifndef FL_LOOP_URING_PRIV_H
#define FL_LOOP_URING_PRIV_H

#include "loop/loop_priv.h"

#include <liburing.h>

/* What a submission is named by when it is no socket's operation. */
#define FL_UD_IGNORE UINT64_C(0) /* the answer to a cancel */
#define FL_UD_WAKE   UINT64_C(1) /* the eventfd */

struct fl_uring {
	struct io_uring ring;
	bool enabled; /* and has its thread, where it may have but one */
	bool lost;    /* that thread has left it: closed before the loop is */
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

#endif
