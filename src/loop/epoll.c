/* The epoll backend: readiness in, completions out.
 *
 * Each descriptor is registered once, for everything, edge-triggered, and never modified: no
 * epoll_ctl on the request path. The edges only set bits (fl_sock.events) that stay until the
 * socket says "would block", so nothing is lost while nobody receives; and the bits are what
 * makes an idle connection's state known without a system call.
 *
 * After a read that did not fill the buffer the socket is empty, and what comes later makes a
 * new edge; so such a read is the last of its turn. A hang-up may share its edge with the last
 * bytes, so once one was seen we read until the end shows. A stream reads at most RECV_BURST
 * buffers a turn, or a large one; with more to come it goes to the end of the ready list. */
#include "loop/loop_priv.h"
#include "loop/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS     256
#define RECV_BURST 4

struct impl {
	int fd;
	int count; /* of events in hand */
	struct epoll_event events[EVENTS];
};

static void epoll_close(struct fl_loop *loop)
{
	struct impl *impl = loop->impl;
	(void)close(impl->fd);
	free(impl);
}

static int epoll_open(struct fl_loop *loop, const struct fl_loop_options *options)
{
	(void)options;
	struct impl *impl = malloc(sizeof(*impl));
	if (!impl)
		return -ENOMEM;
	impl->count = 0;
	impl->fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event wake = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
	if (impl->fd < 0 || epoll_ctl(impl->fd, EPOLL_CTL_ADD, loop->wake_fd, &wake) != 0) {
		int rc = -errno;
		if (impl->fd >= 0)
			(void)close(impl->fd);
		free(impl);
		return rc;
	}
	loop->impl = impl;
	return 0;
}

static void note_event(struct fl_sock *sock, uint32_t e)
{
	unsigned bits = 0;
	if (e & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		bits |= FL_EV_IN;
	if (e & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		bits |= FL_EV_HUP;
	if (e & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		bits |= FL_EV_OUT;
	sock->events |= (uint8_t)bits;
	if (!sock->closed)
		sock->kind->note(sock);
}

static int epoll_wait_events(struct fl_loop *loop, int timeout_ms)
{
	struct impl *impl = loop->impl;
	impl->count = fl_sys_epoll_wait(impl->fd, impl->events, EVENTS, timeout_ms);
	if (impl->count >= 0)
		return 0;
	impl->count = 0;
	return errno == EINTR ? 0 : -errno;
}

static void epoll_dispatch(struct fl_loop *loop)
{
	struct impl *impl = loop->impl;
	for (int i = 0; i < impl->count; i++)
		if (impl->events[i].data.ptr)
			note_event(impl->events[i].data.ptr, impl->events[i].events);
	impl->count = 0;
}

static int epoll_attach(struct fl_sock *sock)
{
	struct impl *impl = sock->loop->impl;
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = sock,
	};
	return epoll_ctl(impl->fd, EPOLL_CTL_ADD, sock->fd, &event) == 0 ? 0 : -errno;
}

/* Closing a descriptor ends its registration, unless there is a duplicate of it. Of a listener there
 * may be one, handed down or held by another worker; of a connection there is none, as nothing
 * duplicates those and what forks does so before it has any. */
static bool epoll_detach(struct fl_sock *sock)
{
	struct impl *impl = sock->loop->impl;
	if (sock->kind->shared && sock->fd >= 0)
		(void)epoll_ctl(impl->fd, EPOLL_CTL_DEL, sock->fd, NULL);
	return true;
}

static void push(struct fl_stream *s)
{
	while (s->send) {
		ssize_t n =
			fl_sys_sendmsg(s->sock.fd, &s->send->msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			if (fl_send_advance(s->send, (size_t)n)) {
				fl_stream_sent(s, 0);
				return;
			}
		} else if (errno == EAGAIN) {
			s->sock.events &= (uint8_t)~FL_EV_OUT;
			return;
		} else if (errno != EINTR) {
			fl_stream_sent(s, -errno);
			return;
		}
	}
}

/* Returns what of a turn's burst that was. */
static int read_once(struct fl_stream *s)
{
	struct fl_rbuf *buf = fl_rbuf_take(s->sock.loop, s->bulk > 0);
	if (!buf) {
		fl_stream_deliver(s, NULL, -ENOMEM);
		return 1;
	}
	const size_t room = buf->home->size;
	const int part = room > s->sock.loop->rbufs.size ? RECV_BURST : 1;
	ssize_t n = fl_sys_recv(s->sock.fd, buf->data, room, MSG_DONTWAIT);
	if (n < 0)
		n = -errno;
	if (n == -EINTR) {
		fl_rbuf_unref(buf);
		return part;
	}
	fl_stream_note_read(s, n, room);
	if (n == -EAGAIN)
		fl_rbuf_unref(buf);
	else
		fl_stream_deliver(s, buf, (int)n);
	return part;
}

static bool can_read(const struct fl_stream *s)
{
	return fl_stream_wants(s) && (s->sock.events & (FL_EV_IN | FL_EV_MAYBE));
}

/* A paused stream whose last read was full: is there more, or is it a clean idle one? */
static void settle(struct fl_stream *s)
{
	char byte;
	ssize_t n = recv(s->sock.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	s->sock.events &= (uint8_t)~FL_EV_MAYBE;
	if (n >= 0 || errno != EAGAIN)
		s->sock.events |= FL_EV_IN;
}

static void epoll_step(struct fl_stream *s)
{
	if (s->send && (s->sock.events & FL_EV_OUT))
		push(s);
	for (int i = 0; i < RECV_BURST && can_read(s);)
		i += read_once(s);
	if (can_read(s))
		fl_sock_ready(&s->sock);
	else if (!s->sock.closed && !s->recv_done && (s->sock.events & FL_EV_MAYBE))
		settle(s);
}

static void epoll_recv(struct fl_stream *s)
{
	if (can_read(s))
		fl_sock_ready(&s->sock);
}

static void epoll_listener_idle(struct fl_sock *sock)
{
	(void)sock;
}

static bool epoll_stale(struct fl_stream *s)
{
	(void)s;
	return false; /* the bits have said it all */
}

const struct fl_backend fl_backend_epoll = {
	.open = epoll_open,
	.close = epoll_close,
	.wait = epoll_wait_events,
	.dispatch = epoll_dispatch,
	.attach = epoll_attach,
	.detach = epoll_detach,
	.stream_step = epoll_step,
	.stream_recv = epoll_recv,
	.listener_idle = epoll_listener_idle,
	.stream_stale = epoll_stale,
};
