/* The ring: how it is set up, and the one system call of a turn.
 *
 * Where the kernel can (Linux 6.1), completions are worked out only inside of our own call and for
 * the one thread that runs the loop (SINGLE_ISSUER, DEFER_TASKRUN): no interruptions, no locks,
 * and user memory is touched at no other time. The ring is made disabled, as the thread that
 * makes a loop need not be the one that runs it, and belongs to the thread that first waits.
 * Else (Linux 5.19) completions are worked out whenever that thread enters the kernel.
 *
 * A loop is freed on any thread. A ring of the first kind answers its own thread only; when that
 * one has left operations behind, nobody can ask for their end. But they are at rest as well:
 * nothing goes on in such a ring while its thread is outside. So it is closed, which cancels them. */
#include "loop/uring_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES   1024
#define CQ_FACTOR 4

#define ALWAYS  (IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL)
#define BEST    (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED)
#define MINIMAL IORING_SETUP_COOP_TASKRUN

/* ---- life ---- */

static int set_up(struct io_uring *ring, unsigned entries, unsigned flags)
{
	const unsigned needed =
		IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_EXT_ARG;
	struct io_uring_params params = {
		.flags = ALWAYS | flags,
		.cq_entries = entries * CQ_FACTOR,
	};
	int rc = io_uring_queue_init_params(entries, ring, &params);
	if (rc == 0 && (params.features & needed) != needed) {
		io_uring_queue_exit(ring);
		return -ENOSYS;
	}
	/* Flags that it does not know: it is too old. */
	return rc == -EINVAL ? -ENOSYS : rc;
}

int fl_uring_open(struct fl_loop *loop, const struct fl_loop_options *options)
{
	unsigned entries = options->ring_entries ? options->ring_entries : ENTRIES;
	struct fl_uring *u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	fl_list_init(&u->leaving);
	int rc = options->ring_minimal ? -ENOSYS : set_up(&u->ring, entries, BEST);
	if (rc == -ENOSYS) {
		rc = set_up(&u->ring, entries, MINIMAL);
		u->enabled = true;
	}
	if (rc == 0) {
		rc = fl_bufring_open(&u->bufs, &u->ring, loop, loop->rbufs.limit);
		if (rc != 0)
			io_uring_queue_exit(&u->ring);
	}
	if (rc != 0) {
		free(u);
		return rc;
	}
	u->multishot = !options->ring_minimal;
	loop->impl = u;
	return 0;
}

static int enable(struct fl_uring *u)
{
	/* Not liburing's function for it: version 2.3 does not export that. */
	if (syscall(SYS_io_uring_register, u->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL,
		    0) != 0)
		return -errno;
	u->enabled = true;
	return 0;
}

static void exit_ring(struct fl_uring *u)
{
	if (!u->lost)
		io_uring_queue_exit(&u->ring);
	u->lost = true;
}

bool fl_uring_lost(struct fl_loop *loop)
{
	struct fl_uring *u = fl_uring_of(loop);
	if (!u->lost && !loop->running && io_uring_get_events(&u->ring) == -EEXIST)
		exit_ring(u);
	return u->lost;
}

void fl_uring_close(struct fl_loop *loop)
{
	struct fl_uring *u = fl_uring_of(loop);
	exit_ring(u);
	fl_bufring_close(&u->bufs);
	free(u);
}

/* ---- into the kernel ---- */

struct io_uring_sqe *fl_uring_sqe(struct fl_loop *loop)
{
	struct io_uring *ring = &fl_uring_of(loop)->ring;
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	if (sqe)
		return sqe;
	/* The queue is full, unless the kernel takes some now. */
	(void)io_uring_submit(ring);
	return io_uring_get_sqe(ring);
}

static void arm_wake(struct fl_loop *loop)
{
	struct fl_uring *u = fl_uring_of(loop);
	struct io_uring_sqe *sqe = u->wake_armed ? NULL : fl_uring_sqe(loop);
	if (!sqe)
		return;
	io_uring_prep_poll_add(sqe, loop->wake_fd, POLLIN);
	io_uring_sqe_set_data64(sqe, FL_UD_WAKE);
	u->wake_armed = true;
}

void fl_uring_woken(struct fl_loop *loop, int res)
{
	uint64_t count;
	fl_uring_of(loop)->wake_armed = false;
	if (res > 0)
		(void)!read(loop->wake_fd, &count, sizeof(count));
}

static int submit_and_wait(struct fl_uring *u, int timeout_ms)
{
	if (timeout_ms == 0 || !u->wake_armed)
		return io_uring_submit_and_get_events(&u->ring);
	if (timeout_ms < 0)
		return io_uring_submit_and_wait(&u->ring, 1);
	struct io_uring_cqe *cqe;
	struct __kernel_timespec ts = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = (long long)(timeout_ms % 1000) * 1000000,
	};
	return io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1, &ts, NULL);
}

int fl_uring_wait(struct fl_loop *loop, int timeout_ms)
{
	struct fl_uring *u = fl_uring_of(loop);
	if (!loop->running && fl_uring_lost(loop)) {
		while (!fl_list_empty(&u->leaving))
			fl_sock_closing(fl_container_of(u->leaving.next, struct fl_sock, link));
		return 0;
	}
	int rc = u->enabled ? 0 : enable(u);
	if (rc != 0)
		return rc;
	arm_wake(loop);
	u->arms = u->bufs.entries;
	rc = submit_and_wait(u, timeout_ms);
	/* Busy and again: too many completions wait to be taken, which comes next. */
	if (rc >= 0 || rc == -ETIME || rc == -EINTR || rc == -EBUSY || rc == -EAGAIN)
		return 0;
	return rc;
}
