/* What the files of src/loop share: the loop's insides and the face of a backend.
 *
 * A turn of the loop: finish what was closed; run posted tasks; fire timers; wait (the backend
 * notes what the kernel reports); step every socket on the ready list. A socket is on at most
 * one list: ready (has work), closing (closed, to be finished), or none.
 *
 * States of a stream, and what moves it:
 *
 *   fl_stream_connect -> CONNECTING --connect_done()--> OPEN or FAILED
 *   fl_stream_new     -> OPEN
 *   any of them       --fl_stream_close()--> CLOSED --finish()--> freed
 *
 *   OPEN has independent halves. Receiving: off -> on (fl_stream_recv), on -> off
 *   (fl_stream_recv_pause), either -> done (fl_stream_deliver, at an end or an error).
 *   Sending: idle -> under way (fl_stream_send), -> idle (fl_stream_sent), and, when that was
 *   asked for meanwhile, shut (fl_stream_shutdown).
 *
 * CLOSED is the promise that no callback but on_closed follows, so whatever delivers asks for
 * it first. The memory stays until the next turn at least, and with io_uring until the kernel
 * has answered every operation: an event that is still in hand finds a valid stream. */
#ifndef FL_LOOP_LOOP_PRIV_H
#define FL_LOOP_LOOP_PRIV_H

#include "base/assert.h"
#include "loop/loop.h"
#include "loop/wheel.h"

#include <stdatomic.h>

/* What is known about a socket (fl_sock.events). */
enum {
	FL_EV_IN = 1,    /* unread input, an end or an error, for certain */
	FL_EV_MAYBE = 2, /* a buffer was filled to the brim: there may be more */
	FL_EV_OUT = 4,   /* there may be room to send; also: connecting is over */
	FL_EV_HUP = 8,   /* the peer ended: read until the end shows */
};

struct fl_sock_kind;

/* What a stream and a listener have in common; their first member. */
struct fl_sock {
	struct fl_loop *loop;
	const struct fl_sock_kind *kind;
	struct fl_link link;
	int fd;
	uint8_t events;
	uint8_t pending;   /* io_uring: operations under way, one bit each */
	uint8_t cancelled; /* io_uring: those that were asked to end */
	bool closed;
};

struct fl_sock_kind {
	void (*step)(struct fl_sock *sock);   /* it was on the ready list */
	void (*note)(struct fl_sock *sock);   /* sock->events got more bits */
	void (*finish)(struct fl_sock *sock); /* nothing uses it any more: close and free */
	bool shared;                          /* there may be duplicates of its descriptor */
};

struct fl_send {
	struct fl_send *next; /* in the loop's cache */
	struct msghdr msg;    /* over what is left of iov */
	uint64_t gone;        /* bytes that the kernel took */
	struct iovec iov[FL_SEND_IOV];
};

enum fl_stream_state {
	FL_STREAM_CONNECTING,
	FL_STREAM_OPEN,
	FL_STREAM_FAILED,
	FL_STREAM_CLOSED,
};

struct fl_stream {
	struct fl_sock sock;
	void *cookie;
	void (*on_connect)(void *cookie, int result);
	void (*on_recv)(void *cookie, struct fl_rbuf *buf, int result);
	void (*on_sent)(void *cookie, int result);
	void (*on_closed)(void *cookie);
	struct fl_send *send; /* under way; NULL: none */
	int connect_error;    /* connect() failed at once */
	uint8_t bulk;         /* receives that are still to use a large buffer */
	uint8_t state;        /* enum fl_stream_state, by set_state() only */
	bool recv_on;
	bool recv_done;
	bool shut; /* FIN wanted or sent */
	bool reset;

	/* io_uring only: what came while nobody wanted it, in order, and then the end. */
	struct fl_rbuf *held, *held_last;
	uint16_t held_count;
	bool held_ended;
	int held_end;
	uint8_t reported; /* receives of the batch in hand that are not yet handled */
	bool multishot;   /* the one under way goes on by itself */
};

/* epoll.c; uring.c and its kin. */
struct fl_backend {
	int (*open)(struct fl_loop *loop, const struct fl_loop_options *options);
	void (*close)(struct fl_loop *loop);
	/* Sleeps until something happens, up to timeout_ms (-1: no limit). */
	int (*wait)(struct fl_loop *loop, int timeout_ms);
	/* Notes what happened, or tells it when it is complete. */
	void (*dispatch)(struct fl_loop *loop);
	int (*attach)(struct fl_sock *sock);
	/* A closed socket leaves. False: operations are under way still; the backend calls
	 * fl_sock_closing once it is worth asking again. */
	bool (*detach)(struct fl_sock *sock);
	/* An open or connecting stream was on the ready list: do what it wants and can. */
	void (*stream_step)(struct fl_stream *s);
	/* Receiving was switched on; put it on the ready list if there is anything to do. */
	void (*stream_recv)(struct fl_stream *s);
	/* A listener has accepted all there was. */
	void (*listener_idle)(struct fl_sock *sock);
	bool (*stream_stale)(struct fl_stream *s);
};

extern const struct fl_backend fl_backend_epoll;
extern const struct fl_backend fl_backend_uring;

struct fl_rbuf_cache {
	struct fl_rbuf **free; /* a stack of `limit` */
	size_t count, limit;
	size_t size;
	size_t out, max; /* lent at the moment; at most */
};

struct fl_loop {
	const struct fl_backend *backend;
	void *impl;           /* the backend's own */
	uint64_t now, now_us; /* when this turn's events were fetched */
	struct fl_link ready;
	struct fl_link closing;
	size_t open;    /* sockets that the user has not closed */
	size_t leaving; /* closed, not yet freed */
	struct fl_rbuf_cache rbufs, bulk;
	struct fl_send *sends; /* cache */
	size_t sends_cached;
	int wake_fd; /* eventfd, never read with epoll (edge-triggered) */
	bool running;
	struct fl_wheel wheel;

	/* What other threads write, off the lines that the loop works on. */
	char apart[64];
	_Atomic(struct fl_task *) posted; /* newest first */
	atomic_bool sleeping;             /* a poster must wake the loop */
	atomic_bool stop;
};

/* ---- loop.c ---- */

/* Puts a socket on the ready list: it is stepped in this turn or the next. */
void fl_sock_ready(struct fl_sock *sock);
void fl_sock_closing(struct fl_sock *sock);

/* Registers a new socket; on failure nothing is left to undo but the descriptor. */
int fl_sock_open(
	struct fl_sock *sock, struct fl_loop *loop, int fd, const struct fl_sock_kind *kind);

/* The user closed it. */
void fl_sock_close(struct fl_sock *sock);

/* ---- rbuf.c ---- */

int fl_rbuf_cache_init(struct fl_rbuf_cache *cache, size_t size, size_t limit, size_t max);
void fl_rbuf_cache_fini(struct fl_rbuf_cache *cache);

/* A buffer with one reference; NULL: no memory. Asked for a large one it gives a usual one when
 * `max` of those are lent. */
struct fl_rbuf *fl_rbuf_take(struct fl_loop *loop, bool bulk);

/* Gives back a reference to each of a list that is linked by `next`; NULL is fine. */
void fl_rbuf_unref_list(struct fl_rbuf *first);

/* ---- stream.c ---- */

/* True when bytes that come in are to be delivered. */
static inline bool fl_stream_wants(const struct fl_stream *s)
{
	return s->recv_on && !s->recv_done && s->state == FL_STREAM_OPEN;
}

/* Updates what is known about the stream after a read of n bytes (or a negative errno) into a
 * buffer with that much room. */
void fl_stream_note_read(struct fl_stream *s, ssize_t n, size_t room);

/* The part of it that says whether large buffers are worth while. */
void fl_stream_note_size(struct fl_stream *s, ssize_t n);

/* Gives `n` received bytes in `buf`, or with n <= 0 the end; takes over the reference. */
void fl_stream_deliver(struct fl_stream *s, struct fl_rbuf *buf, int n);

/* Takes n sent bytes off the front; true when nothing is left. */
bool fl_send_advance(struct fl_send *op, size_t n);

/* The send under way is over. */
void fl_stream_sent(struct fl_stream *s, int result);

void fl_sends_free(struct fl_loop *loop);

#endif
