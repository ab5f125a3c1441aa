#include "proxy/inq.h"

#include "base/assert.h"

/* More than any head may have: the row of `limits.head` ends there. */
#define PARTIAL_MAX (128u << 10)

void fl_inq_init(struct fl_inq *q)
{
	*q = (struct fl_inq){.count = 0};
	fl_text_init(&q->partial, PARTIAL_MAX);
}

void fl_inq_fini(struct fl_inq *q)
{
	while (q->count)
		fl_inq_consume(q, fl_inq_front(q).n);
	fl_text_fini(&q->partial);
}

void fl_inq_push(struct fl_inq *q, struct fl_rbuf *buf)
{
	FL_ASSERT(q->count < FL_INQ_BUFFERS && buf->len > 0);
	q->buf[q->count++] = fl_rbuf_ref(buf);
}

struct fl_slice fl_inq_front(const struct fl_inq *q)
{
	if (!q->count)
		return (struct fl_slice){"", 0};
	return (struct fl_slice){q->buf[0]->data + q->offset, q->buf[0]->len - q->offset};
}

void fl_inq_consume(struct fl_inq *q, size_t n)
{
	if (!n)
		return;
	FL_ASSERT(q->count && n <= q->buf[0]->len - q->offset);
	q->offset += (uint32_t)n;
	if (q->offset < q->buf[0]->len)
		return;
	fl_rbuf_unref(q->buf[0]);
	q->offset = 0;
	q->count--;
	for (unsigned i = 0; i < q->count; i++)
		q->buf[i] = q->buf[i + 1];
}

/* How much more a head may have; never nothing, so that one that is too large is refused. */
static size_t missing(const struct fl_inq *q, const struct fl_http1_limits *limits)
{
	return q->partial.n < limits->head ? limits->head - q->partial.n : 1;
}

/* A head in several pieces is put together in `partial`. What a piece holds beyond the end of
 * the head stays in the queue. */
static long gather(struct fl_inq *q, const struct fl_http1_limits *limits,
	struct fl_slice *head, struct fl_http1_error *err)
{
	while (q->count) {
		struct fl_slice piece = fl_inq_front(q);
		if (piece.n > missing(q, limits))
			piece.n = missing(q, limits);
		fl_text_slice(&q->partial, piece);
		if (q->partial.failed) {
			*err = (struct fl_http1_error){503, "no memory for the head"};
			return -1;
		}
		long end =
			fl_http1_head_end(q->partial.p, q->partial.n, &q->scanned, limits, err);
		if (end < 0)
			return -1;
		if (end > 0) {
			size_t beyond = q->partial.n - (size_t)end;
			FL_ASSERT(beyond < piece.n);
			fl_inq_consume(q, piece.n - beyond);
			*head = (struct fl_slice){q->partial.p, (size_t)end};
			return end;
		}
		fl_inq_consume(q, piece.n);
	}
	return 0;
}

long fl_inq_head(struct fl_inq *q, const struct fl_http1_limits *limits, struct fl_slice *head,
	struct fl_http1_error *err)
{
	if (!q->partial.n && q->count) {
		struct fl_slice front = fl_inq_front(q);
		q->scanned = 0;
		long end = fl_http1_head_end(front.p, front.n, &q->scanned, limits, err);
		if (end < 0)
			return -1;
		if (end > 0) {
			q->head_in_place = (size_t)end;
			*head = (struct fl_slice){front.p, (size_t)end};
			return end;
		}
		/* gather() scans the same bytes once more, which is still linear. */
		q->scanned = 0;
	}
	return gather(q, limits, head, err);
}

void fl_inq_head_done(struct fl_inq *q)
{
	fl_inq_consume(q, q->head_in_place);
	q->head_in_place = 0;
	q->scanned = 0;
	if (q->partial.cap)
		fl_text_fini(&q->partial);
}
