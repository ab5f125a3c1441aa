/* Listeners: the backend says that somebody knocks, the accepting is the same with each.
 *
 * Out of descriptors is not an error of the connection but of the process: it is told, and the
 * listener sleeps instead of spinning on a queue that it cannot empty. */
#include "loop/loop_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define ACCEPT_BURST 64
#define PAUSE_MS     100

struct fl_listener {
	struct fl_sock sock;
	struct fl_timer pause;
	void (*on_accept)(void *cookie, int fd, const struct sockaddr *peer, socklen_t len);
	void *cookie;
};

/* The connection died in the queue, or its network did: the next one may be fine. */
static bool is_passing(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case ETIMEDOUT:
	case EPERM: /* a firewall rule */
		return true;
	default:
		return false;
	}
}

/* Accepts one; false: stop for this turn. */
static bool accept_one(struct fl_listener *l)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(
		l->sock.fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		l->on_accept(l->cookie, fd, (struct sockaddr *)&peer, len);
		return !l->sock.closed;
	}
	int error = errno;
	if (error == EAGAIN) {
		l->sock.events &= (uint8_t)~FL_EV_IN;
		l->sock.loop->backend->listener_idle(&l->sock);
		return false;
	}
	if (is_passing(error))
		return true;
	fl_timer_set(l->sock.loop, &l->pause, PAUSE_MS);
	l->on_accept(l->cookie, -error, NULL, 0);
	return false;
}

static void listener_step(struct fl_sock *sock)
{
	struct fl_listener *l = (struct fl_listener *)sock;
	if (fl_timer_is_set(&l->pause))
		return;
	for (int i = 0; i < ACCEPT_BURST; i++)
		if (!accept_one(l))
			return;
	fl_sock_ready(sock);
}

static void listener_note(struct fl_sock *sock)
{
	fl_sock_ready(sock);
}

static void pause_over(void *cookie)
{
	struct fl_listener *l = cookie;
	fl_sock_ready(&l->sock);
}

static void listener_finish(struct fl_sock *sock)
{
	if (sock->fd >= 0)
		(void)close(sock->fd);
	free(sock);
}

static const struct fl_sock_kind listener_kind = {
	.step = listener_step,
	.note = listener_note,
	.finish = listener_finish,
	.shared = true,
};

int fl_listener_new(struct fl_listener **out, struct fl_loop *loop, int fd,
	void (*on_accept)(void *cookie, int fd, const struct sockaddr *peer, socklen_t len),
	void *cookie)
{
	struct fl_listener *l = calloc(1, sizeof(*l));
	int rc = l ? fl_sock_open(&l->sock, loop, fd, &listener_kind) : -ENOMEM;
	if (rc != 0) {
		free(l);
		(void)close(fd);
		return rc;
	}
	fl_timer_init(&l->pause, pause_over, l);
	l->on_accept = on_accept;
	l->cookie = cookie;
	fl_sock_ready(&l->sock);
	*out = l;
	return 0;
}

void fl_listener_close(struct fl_listener *l)
{
	if (!l)
		return;
	fl_timer_cancel(&l->pause);
	fl_sock_close(&l->sock);
	/* Now, not later: clients must not land in a queue that nobody empties. */
	if (l->sock.loop->backend->detach(&l->sock)) {
		(void)close(l->sock.fd);
		l->sock.fd = -1;
	}
}
