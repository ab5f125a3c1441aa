/* The buffers that the kernel receives into: a ring of the loop's own.
 *
 * The kernel takes one off the ring's head when bytes are there, so a stream that waits holds none.
 * A buffer that it has filled is the user's from then on, for as long as there are references, and
 * another one takes its place under the same number. So the ring is full whenever the kernel is
 * entered, unless memory is short; in one trip it may run dry, which ends the receive
 * that found it dry, and loses nothing. */
#include "loop/uring_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GROUP 0
#define MOST  32768 /* that the kernel allows */
#define PAGE  4096  /* the ring must begin on one */

static unsigned power_of_two(size_t wanted)
{
	unsigned n = 1;
	while (n < wanted && n < MOST)
		n *= 2;
	return n;
}

static void put(struct fl_bufring *bufs, struct fl_loop *loop, unsigned id)
{
	struct fl_rbuf *buf = fl_rbuf_take(loop, false);
	bufs->slot[id] = buf;
	if (!buf) {
		bufs->vacant++;
		return;
	}
	io_uring_buf_ring_add(bufs->ring, buf->data, (unsigned)loop->rbufs.size,
		(unsigned short)id, io_uring_buf_ring_mask(bufs->entries), 0);
	io_uring_buf_ring_advance(bufs->ring, 1);
}

static int start(struct fl_bufring *bufs, struct io_uring *ring)
{
	struct io_uring_buf_reg reg = {
		.ring_addr = (uint64_t)(uintptr_t)bufs->ring,
		.ring_entries = bufs->entries,
		.bgid = GROUP,
	};
	int rc = io_uring_register_buf_ring(ring, &reg, 0);
	return rc == -EINVAL ? -ENOSYS : rc;
}

int fl_bufring_open(
	struct fl_bufring *bufs, struct io_uring *ring, struct fl_loop *loop, size_t wanted)
{
	unsigned entries = power_of_two(wanted);
	size_t bytes = entries * sizeof(struct io_uring_buf);
	bytes = (bytes + PAGE - 1) / PAGE * PAGE;
	*bufs = (struct fl_bufring){.entries = entries};
	bufs->slot = calloc(entries, sizeof(struct fl_rbuf *));
	bufs->ring = aligned_alloc(PAGE, bytes);
	int rc = -ENOMEM;
	if (bufs->slot && bufs->ring) {
		memset(bufs->ring, 0, bytes);
		rc = start(bufs, ring);
	}
	if (rc != 0) {
		fl_bufring_close(bufs);
		return rc;
	}
	for (unsigned id = 0; id < entries; id++)
		put(bufs, loop, id);
	return 0;
}

void fl_bufring_close(struct fl_bufring *bufs)
{
	for (unsigned id = 0; bufs->slot && id < bufs->entries; id++)
		fl_rbuf_unref(bufs->slot[id]);
	free(bufs->slot);
	free(bufs->ring);
	*bufs = (struct fl_bufring){0};
}

bool fl_bufring_fill(struct fl_bufring *bufs, struct fl_loop *loop)
{
	unsigned vacant = bufs->vacant;
	bufs->vacant = 0;
	for (unsigned id = 0; vacant > 0; id++) {
		if (bufs->slot[id])
			continue;
		vacant--;
		put(bufs, loop, id);
	}
	return bufs->vacant < bufs->entries;
}

void fl_bufring_select(const struct fl_bufring *bufs, struct io_uring_sqe *sqe)
{
	(void)bufs;
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
}

struct fl_rbuf *fl_bufring_take(
	struct fl_bufring *bufs, struct fl_loop *loop, unsigned cqe_flags)
{
	if (!(cqe_flags & IORING_CQE_F_BUFFER))
		return NULL;
	unsigned id = cqe_flags >> IORING_CQE_BUFFER_SHIFT;
	FL_ASSERT(id < bufs->entries && bufs->slot[id]);
	struct fl_rbuf *buf = bufs->slot[id];
	put(bufs, loop, id);
	return buf;
}
