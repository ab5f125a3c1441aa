/* The turn of the loop, and what comes from other threads.
 *
 * Posting pushes onto an atomic stack; the loop takes the whole stack with one exchange and
 * turns it round, which gives the order of posting without a lock. The wake-up is a store-load
 * handshake, all of it sequentially consistent: the loop says "sleeping", then looks at the
 * stack; a poster pushes, then looks at "sleeping". At least one of them sees the other, so no
 * task waits for a sleeping loop, and a busy loop costs a poster no system call.
 *
 * Work in a turn is bounded: the tasks, timers and ready sockets that there were when it began;
 * what they add waits for the next turn. */
#include "loop/loop_priv.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_SIZE  (16 * 1024)
#define BUFFER_CACHE 64
#define BULK_SIZE    (256 * 1024)
#define BULK_MAX     64
#define BULK_CACHE   16

/* A timer that is nearer than this is worth a second look at the clock before sleeping; one that
 * is farther may be late by the length of a turn. */
#define NEAR_MS 1000

static void read_clock(struct fl_loop *loop)
{
	struct timespec ts;
	FL_MUST(clock_gettime(CLOCK_MONOTONIC, &ts));
	loop->now_us = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	loop->now = loop->now_us / 1000;
}

/* ---- sockets ---- */

static void sock_move(struct fl_sock *sock, struct fl_link *list)
{
	fl_list_remove(&sock->link);
	fl_list_push_back(list, &sock->link);
}

void fl_sock_ready(struct fl_sock *sock)
{
	if (!sock->closed && fl_list_empty(&sock->link))
		fl_list_push_back(&sock->loop->ready, &sock->link);
}

void fl_sock_closing(struct fl_sock *sock)
{
	FL_DEBUG_ASSERT(sock->closed);
	sock_move(sock, &sock->loop->closing);
}

int fl_sock_open(
	struct fl_sock *sock, struct fl_loop *loop, int fd, const struct fl_sock_kind *kind)
{
	sock->loop = loop;
	sock->kind = kind;
	sock->fd = fd;
	sock->events = 0;
	sock->pending = 0;
	sock->cancelled = 0;
	sock->closed = false;
	fl_list_init(&sock->link);
	int rc = loop->backend->attach(sock);
	if (rc == 0)
		loop->open++;
	return rc;
}

void fl_sock_close(struct fl_sock *sock)
{
	FL_ASSERT(!sock->closed);
	sock->closed = true;
	sock->loop->open--;
	sock->loop->leaving++;
	fl_sock_closing(sock);
}

static void finish_closed(struct fl_loop *loop)
{
	struct fl_link *last = loop->closing.prev;
	for (bool more = !fl_list_empty(&loop->closing); more;) {
		struct fl_sock *sock =
			fl_container_of(loop->closing.next, struct fl_sock, link);
		more = &sock->link != last;
		fl_list_remove(&sock->link);
		if (loop->backend->detach(sock)) {
			loop->leaving--;
			sock->kind->finish(sock);
		}
	}
}

static void step_ready(struct fl_loop *loop)
{
	struct fl_link batch;
	if (fl_list_empty(&loop->ready))
		return;
	batch = loop->ready;
	batch.next->prev = &batch;
	batch.prev->next = &batch;
	fl_list_init(&loop->ready);
	while (!fl_list_empty(&batch)) {
		struct fl_sock *sock = fl_container_of(batch.next, struct fl_sock, link);
		fl_list_remove(&sock->link);
		sock->kind->step(sock);
	}
}

/* ---- other threads ---- */

static void wake(struct fl_loop *loop)
{
	if (!atomic_load(&loop->sleeping) || !atomic_exchange(&loop->sleeping, false))
		return;
	uint64_t one = 1;
	ssize_t n = write(loop->wake_fd, &one, sizeof(one));
	FL_ASSERT(n == (ssize_t)sizeof(one));
}

void fl_loop_post(struct fl_loop *loop, struct fl_task *task)
{
	struct fl_task *head = atomic_load_explicit(&loop->posted, memory_order_relaxed);
	do
		task->next = head;
	while (!atomic_compare_exchange_weak(&loop->posted, &head, task));
	wake(loop);
}

void fl_loop_stop(struct fl_loop *loop)
{
	atomic_store(&loop->stop, true);
	wake(loop);
}

static void run_posted(struct fl_loop *loop)
{
	if (!atomic_load_explicit(&loop->posted, memory_order_relaxed))
		return;
	struct fl_task *newest = atomic_exchange(&loop->posted, NULL);
	struct fl_task *oldest = NULL;
	while (newest) {
		struct fl_task *next = newest->next;
		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	while (oldest) {
		struct fl_task *task = oldest;
		oldest = task->next; /* it may be posted again, or gone, once it runs */
		task->run(task);
	}
}

/* ---- timers ---- */

void fl_timer_init(struct fl_timer *timer, void (*fire)(void *cookie), void *cookie)
{
	*timer = (struct fl_timer){.due = FL_TIMER_NEVER, .fire = fire, .cookie = cookie};
	fl_list_init(&timer->link);
}

void fl_timer_set(struct fl_loop *loop, struct fl_timer *timer, uint64_t delay_ms)
{
	/* Outside of a turn nobody else keeps the clock fresh. */
	if (!loop->running)
		read_clock(loop);
	if (__builtin_add_overflow(loop->now, delay_ms, &timer->due) ||
		timer->due == FL_TIMER_NEVER)
		timer->due = FL_TIMER_NEVER - 1;
	fl_wheel_add(&loop->wheel, timer);
}

void fl_timer_cancel(struct fl_timer *timer)
{
	fl_list_remove(&timer->link);
	timer->due = FL_TIMER_NEVER;
}

bool fl_timer_is_set(const struct fl_timer *timer)
{
	return timer->due != FL_TIMER_NEVER && !fl_list_empty(&timer->link);
}

static void fire_timers(struct fl_loop *loop)
{
	fl_wheel_advance(&loop->wheel, loop->now);
	struct fl_timer *timer;
	while ((timer = fl_wheel_pop(&loop->wheel)))
		timer->fire(timer->cookie);
}

/* ---- the loop ---- */

uint64_t fl_loop_now(const struct fl_loop *loop)
{
	return loop->now;
}

uint64_t fl_loop_now_us(const struct fl_loop *loop)
{
	return loop->now_us;
}

enum fl_loop_backend fl_loop_backend_preferred(void)
{
	struct utsname system;
	char *end;
	if (uname(&system) != 0)
		return FL_LOOP_EPOLL;
	long major = strtol(system.release, &end, 10);
	long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
	return major > 6 || (major == 6 && minor >= 17) ? FL_LOOP_URING : FL_LOOP_EPOLL;
}

int fl_loop_new(struct fl_loop **out, const struct fl_loop_options *options)
{
	struct fl_loop *loop = malloc(sizeof(*loop));
	if (!loop)
		return -ENOMEM;
	*loop = (struct fl_loop){
		.backend = options->backend == FL_LOOP_URING ? &fl_backend_uring
	                                                     : &fl_backend_epoll,
		.wake_fd = eventfd(0, EFD_CLOEXEC),
	};
	int rc = loop->wake_fd < 0 ? -errno : 0;
	fl_list_init(&loop->ready);
	fl_list_init(&loop->closing);
	read_clock(loop);
	fl_wheel_init(&loop->wheel, loop->now);
	if (rc == 0)
		rc = fl_rbuf_cache_init(&loop->rbufs,
			options->buffer_size ? options->buffer_size : BUFFER_SIZE,
			options->buffer_cache ? options->buffer_cache : BUFFER_CACHE, SIZE_MAX);
	if (rc == 0)
		rc = fl_rbuf_cache_init(&loop->bulk,
			options->bulk_size ? options->bulk_size : BULK_SIZE, BULK_CACHE,
			options->bulk_max ? options->bulk_max : BULK_MAX);
	if (rc == 0)
		rc = loop->backend->open(loop, options);
	if (rc == 0) {
		*out = loop;
		return 0;
	}
	fl_rbuf_cache_fini(&loop->rbufs);
	fl_rbuf_cache_fini(&loop->bulk);
	if (loop->wake_fd >= 0)
		(void)close(loop->wake_fd);
	free(loop);
	return rc;
}

void fl_loop_free(struct fl_loop *loop)
{
	if (!loop)
		return;
	FL_ASSERT(loop->open == 0 && !loop->running);
	/* Those that were closed last: their on_closed is still owed. */
	while (loop->leaving > 0) {
		finish_closed(loop);
		if (loop->leaving > 0)
			FL_MUST(loop->backend->wait(loop, 1));
		loop->backend->dispatch(loop);
	}
	loop->backend->close(loop);
	fl_rbuf_cache_fini(&loop->rbufs);
	fl_rbuf_cache_fini(&loop->bulk);
	fl_sends_free(loop);
	(void)close(loop->wake_fd);
	free(loop);
}

static int timeout_ms(struct fl_loop *loop)
{
	if (!fl_list_empty(&loop->ready) || !fl_list_empty(&loop->closing))
		return 0;
	uint64_t next = fl_wheel_next(&loop->wheel);
	if (next == UINT64_MAX)
		return -1;
	if (next <= loop->now)
		return 0;
	return next - loop->now < INT_MAX ? (int)(next - loop->now) : INT_MAX;
}

static int wait_for_events(struct fl_loop *loop)
{
	int timeout = timeout_ms(loop);
	if (timeout > 0 && timeout < NEAR_MS) {
		read_clock(loop);
		timeout = timeout_ms(loop);
	}
	if (timeout != 0) {
		atomic_store(&loop->sleeping, true);
		if (atomic_load(&loop->posted) || atomic_load(&loop->stop))
			timeout = 0;
	}
	int rc = loop->backend->wait(loop, timeout);
	atomic_store_explicit(&loop->sleeping, false, memory_order_relaxed);
	return rc;
}

/* Whether to stop, and forgets it; a look is cheaper than an exchange. */
static bool take_stop(struct fl_loop *loop)
{
	return atomic_load_explicit(&loop->stop, memory_order_relaxed) &&
	       atomic_exchange(&loop->stop, false);
}

int fl_loop_run(struct fl_loop *loop)
{
	int rc = 0;
	loop->running = true;
	read_clock(loop);
	do {
		finish_closed(loop);
		run_posted(loop);
		fire_timers(loop);
		rc = wait_for_events(loop);
		read_clock(loop);
		loop->backend->dispatch(loop);
		step_ready(loop);
	} while (rc == 0 && !take_stop(loop));
	loop->running = false;
	return rc;
}
