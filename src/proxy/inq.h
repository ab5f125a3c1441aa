/* An input queue: received buffers in order, read from the front, with a message head found at
 * the front of it. Holds references to buffers the loop lent; bounded to FL_INQ_BUFFERS, because
 * its owner pauses the stream when it is full (a pause lets at most one more through). */
#ifndef FL_PROXY_INQ_H
#define FL_PROXY_INQ_H

#include "base/slice.h"
#include "base/text.h"
#include "loop/loop.h"
#include "proto/http1.h"

enum {
	FL_INQ_BUFFERS = 4,
	FL_INQ_BYTES = 64 << 10, /* one buffer with so much is enough */
};

struct fl_inq {
	struct fl_rbuf *buf[FL_INQ_BUFFERS];
	unsigned count;
	uint32_t offset;        /* of the first unread byte in buf[0] */
	struct fl_text partial; /* a head that did not come in one piece */
	size_t scanned;
	size_t head_in_place; /* bytes of a found head that still stand in buf[0] */
};

void fl_inq_init(struct fl_inq *q);
void fl_inq_fini(struct fl_inq *q);

/* Takes a reference of its own. */
void fl_inq_push(struct fl_inq *q, struct fl_rbuf *buf);

static inline bool fl_inq_empty(const struct fl_inq *q)
{
	return q->count == 0;
}

/* No more should be received for now. */
static inline bool fl_inq_full(const struct fl_inq *q)
{
	return q->count >= 2 || (q->count && q->buf[0]->len >= FL_INQ_BYTES);
}

/* Some part of a head, or anything else, was received and not yet read. */
static inline bool fl_inq_begun(const struct fl_inq *q)
{
	return q->count || q->partial.n;
}

/* The unread bytes of the first buffer; empty only when the queue is. */
struct fl_slice fl_inq_front(const struct fl_inq *q);

/* Marks `n` bytes of the front as read; buffers that are read to the end are given back. */
void fl_inq_consume(struct fl_inq *q, size_t n);

/* Looks for a whole head at the front: > 0 found, *head borrows it until fl_inq_head_done;
 * 0 more is needed; < 0 refused, as fl_http1_head_end. */
long fl_inq_head(struct fl_inq *q, const struct fl_http1_limits *limits, struct fl_slice *head,
	struct fl_http1_error *err);

/* A head of `n` bytes was found at the front of the first buffer, without fl_inq_head, which must not
 * have been asked since the last head was done. */
static inline void fl_inq_head_found(struct fl_inq *q, size_t n)
{
	q->head_in_place = n;
}

/* The first buffer may begin with a head: no part of one was put aside. */
static inline bool fl_inq_is_fresh(const struct fl_inq *q)
{
	return q->count && !q->partial.n;
}

/* The head that was found stands in the first buffer, and not in a copy. */
static inline bool fl_inq_head_is_in_place(const struct fl_inq *q)
{
	return q->head_in_place != 0;
}

/* The head was dealt with: forgets it, and what follows is at the front. */
void fl_inq_head_done(struct fl_inq *q);

#endif
