/* The event loop: one per thread, completion style, with two backends (epoll, io_uring).
 *
 * You say what you want done; a callback tells when it is done. Callbacks get (cookie, result),
 * run on the loop's own thread, and may call any function here, closing their own stream
 * included. No callback ever runs inside a call that you make, with one exception that saves a
 * trip through the kernel: fl_stream_send may say "all sent" at once (see there).
 *
 * Everything here is called on the loop's thread, except fl_loop_post and fl_loop_stop.
 * Every function that can fail returns 0 or a negative errno. */
#ifndef FL_LOOP_LOOP_H
#define FL_LOOP_LOOP_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct fl_loop;

enum fl_loop_backend {
	FL_LOOP_EPOLL,
	FL_LOOP_URING,
};

struct fl_loop_options {
	enum fl_loop_backend backend;
	size_t buffer_size;    /* bytes of a receive buffer; 0: 16 KiB */
	size_t buffer_cache;   /* free buffers kept for reuse, and with io_uring as many again
	                          that the kernel may fill; 0: 64 */
	size_t bulk_size;      /* bytes of a large one, more than of a usual one; 0: 256 KiB */
	size_t bulk_max;       /* large ones lent at once, to all streams together; 0: 64 */
	unsigned ring_entries; /* io_uring: submissions in one batch; 0: 1024 */
	bool ring_minimal;     /* io_uring: nothing that Linux 5.19 does not have; for tests */
};

/* -ENOSYS or -EPERM when the kernel or a sandbox has no io_uring, or one older than Linux 5.19. */
int fl_loop_new(struct fl_loop **out, const struct fl_loop_options *options);

/* The backend that costs least a request on this kernel, by what was measured: io_uring from Linux
 * 6.17 on, where a receive stays armed up to a number of bytes; else epoll. Whether io_uring is
 * allowed here fl_loop_new says. */
enum fl_loop_backend fl_loop_backend_preferred(void);

/* Every stream and listener must be closed before, and every receive buffer given back; an
 * on_closed that is still owed runs in here. Timers and tasks that have not run are forgotten.
 * Any thread may do it once the loop does not run, and close what is left just before; with
 * io_uring the kernel may then need some more milliseconds to let go of descriptors that were
 * closed. No other thread may be inside fl_loop_post or fl_loop_stop. NULL is fine. */
void fl_loop_free(struct fl_loop *loop);

/* Runs until fl_loop_stop; may be called again then, on the same thread. That need not be the one
 * that made the loop; up to the first call any thread may act for it. A negative errno when the
 * kernel refuses to wait (a broken loop, nothing to go on with). */
int fl_loop_run(struct fl_loop *loop);

/* Makes fl_loop_run return after the callbacks of the current turn; when the loop does not run,
 * the next fl_loop_run returns after one turn without sleeping. Any thread, and signal handlers. */
void fl_loop_stop(struct fl_loop *loop);

/* Monotonic time in milliseconds, read once a turn; fl_loop_now_us: the same moment in
 * microseconds. */
uint64_t fl_loop_now(const struct fl_loop *loop);
uint64_t fl_loop_now_us(const struct fl_loop *loop);

/* ---- work from other threads ---- */

/* Storage is the caller's and must stay until `run` was called; `run` is the last use. */
struct fl_task {
	struct fl_task *next;
	void (*run)(struct fl_task *task);
};

/* Has `task->run` called on the loop's thread, in the order of posting. Any thread, never
 * blocks, never fails, no allocation. A task may be posted again once it runs; what is posted
 * by a task runs in the next turn. */
void fl_loop_post(struct fl_loop *loop, struct fl_task *task);

/* ---- timers ---- */

/* Caller's storage. A timer is idle or set; init once with fl_timer_init. */
struct fl_timer {
	struct fl_link link; /* the wheel's: until it fires, is cancelled, or later */
	uint64_t due;        /* ms on the fl_loop_now clock; FL_TIMER_NEVER: idle */
	uint64_t tick;       /* the wheel's: where it stands */
	void (*fire)(void *cookie);
	void *cookie;
};

#define FL_TIMER_NEVER UINT64_MAX

void fl_timer_init(struct fl_timer *timer, void (*fire)(void *cookie), void *cookie);

/* Fires once, `delay_ms` from now and at most one wheel tick (8 ms) late, never early.
 * Timers of different ticks fire in order, those of one tick in any. A turn that is long makes what
 * follows late by as much. Sets it anew when it is set
 * already; to a later time that is one store. O(1). */
void fl_timer_set(struct fl_loop *loop, struct fl_timer *timer, uint64_t delay_ms);

/* Idle afterwards; fine on an idle timer. O(1). The storage may go. */
void fl_timer_cancel(struct fl_timer *timer);

/* The same for a timer that will soon be set again: one store, but the wheel may still know it, so
 * fl_timer_cancel must come before its storage goes. */
static inline void fl_timer_disarm(struct fl_timer *timer)
{
	timer->due = FL_TIMER_NEVER;
}

bool fl_timer_is_set(const struct fl_timer *timer);

/* ---- listening ---- */

struct fl_listener;

/* `fd` is a listening, non-blocking socket that the listener owns from now on, also when this
 * fails.
 * on_accept gets a connected, non-blocking, close-on-exec descriptor (the callee's from then
 * on) and the peer's address (valid during the call), or fd = a negative errno (EMFILE and the
 * like; the listener then pauses for 100 ms by itself). At most 64 accepts a turn. */
int fl_listener_new(struct fl_listener **out, struct fl_loop *loop, int fd,
	void (*on_accept)(void *cookie, int fd, const struct sockaddr *peer, socklen_t len),
	void *cookie);

/* No callback comes any more once this returns. The descriptor is closed, with io_uring on a
 * later turn. NULL is fine. */
void fl_listener_close(struct fl_listener *listener);

/* ---- received bytes ---- */

/* A reference-counted buffer that the loop lends. It is valid during on_recv, and for as long
 * as somebody holds a reference. References belong to the loop's thread. A stream that fills its
 * buffers gets large ones, as long as no more than bulk_max of those are held. */
struct fl_rbuf {
	uint32_t refs;
	uint32_t len; /* bytes received */
	char *data;
	struct fl_rbuf_cache *home; /* the loop's own, as is `next` */
	struct fl_rbuf *next;
};

struct fl_rbuf *fl_rbuf_ref(struct fl_rbuf *buf);
void fl_rbuf_unref(struct fl_rbuf *buf);

/* ---- streams: a connected (or connecting) socket ---- */

struct fl_stream;

/* Wraps a connected, non-blocking socket; the stream owns the descriptor from now on,
 * also when this fails. Nothing is received until fl_stream_recv. Costs no buffer while idle.
 * `cookie` goes to every callback of the stream. */
int fl_stream_new(struct fl_stream **out, struct fl_loop *loop, int fd, void *cookie);

/* Starts to connect; on_connect gets 0 or a negative errno, once, unless the stream is closed
 * before. After a failure the stream must still be closed. */
int fl_stream_connect(struct fl_stream **out, struct fl_loop *loop, const struct sockaddr *addr,
	socklen_t len, void *cookie, void (*on_connect)(void *cookie, int result));

void fl_stream_set_cookie(struct fl_stream *stream, void *cookie);
int fl_stream_fd(const struct fl_stream *stream);

/* Receives from now on until paused, closed, or at an end. Each call of on_recv brings
 *   result > 0: that many bytes in buf->data (keep them with fl_rbuf_ref),
 *   result = 0: the peer will send no more (buf is NULL, nothing further comes),
 *   result < 0: a negative errno (likewise).
 * A second call replaces the callback; after a pause it resumes. Data that came in before a
 * resume is delivered on a later turn, never inside this call. May be called while connecting.
 * A stream delivers a bounded number of buffers a turn. -ENOTCONN when connecting has failed;
 * 0 when the end was delivered already (nothing further comes). */
int fl_stream_recv(struct fl_stream *stream,
	void (*on_recv)(void *cookie, struct fl_rbuf *buf, int result));

/* Stops receiving. What was under way already may still be delivered: at most one buffer. */
void fl_stream_recv_pause(struct fl_stream *stream);

#define FL_SEND_IOV 16

/* Sends all the bytes of iov[0..count), count <= FL_SEND_IOV. One send at a time on a stream.
 *   returns 1: all sent already, on_sent is not called;
 *   returns 0: under way; on_sent gets 0 or a negative errno once, unless closed before.
 *              The bytes (not the iov array) must stay until then, or until on_closed;
 *   returns < 0: failed, on_sent is not called; -ENOTCONN: not connected (yet).
 * A peer that closed gives -EPIPE or -ECONNRESET, never a signal. */
int fl_stream_send(struct fl_stream *stream, const struct iovec *iov, int count,
	void (*on_sent)(void *cookie, int result));

/* Changes as the peer takes bytes of a send under way, and only then: a large one is not stuck as
 * long as this does. One system call, for who asks when a clock has run out. */
uint64_t fl_stream_progress(const struct fl_stream *stream);

/* Tells the peer that no more will be sent (FIN), after a send under way is done. */
void fl_stream_shutdown(struct fl_stream *stream);

/* Closes: cancels what is pending, and when nothing uses the descriptor or the caller's bytes
 * any more, closes it and calls on_closed (may be NULL) on a later turn. No other callback of
 * this stream runs after this call. `reset` sends RST instead of FIN, so that the peer cannot
 * mistake it for a clean end. The stream is freed by the loop. */
void fl_stream_close(struct fl_stream *stream, bool reset, void (*on_closed)(void *cookie));

/* True when the peer has closed, failed, or sent bytes that nobody asked for: an idle
 * connection in that state must not be used again. Right after a buffer was filled to the brim
 * this may say true for the rest of the turn although nothing follows. It knows what the kernel
 * had reported when the turn began, without a system call; with io_uring that takes a stream
 * that receives, and any other one costs a call. */
bool fl_stream_stale(struct fl_stream *stream);

#endif
