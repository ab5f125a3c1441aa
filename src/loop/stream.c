/* Streams: what is the same with every backend. States: loop_priv.h.
 *
 * A send is tried at once, because the socket nearly always has room and the answer "all sent"
 * saves the caller a turn; only a rest costs a struct fl_send, so an idle stream holds neither
 * a send nor a buffer. */
#include "loop/loop_priv.h"
#include "loop/sys.h"

#include <errno.h>
#include <linux/tcp.h> /* libc's has not all of struct tcp_info */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SENDS_CACHED 64

/* What fills a buffer has more to come, and a trip through the kernel, with the waking of whoever
 * waits for the bytes, costs as much as copying many KiB. So such a stream receives into large
 * buffers, until so many receives in a row would have fitted a usual one. */
#define BULK_READS 8

static void set_state(struct fl_stream *s, enum fl_stream_state to)
{
	static const uint8_t from[] = {
		[FL_STREAM_CONNECTING] = 0,
		[FL_STREAM_OPEN] = 1 << FL_STREAM_CONNECTING,
		[FL_STREAM_FAILED] = 1 << FL_STREAM_CONNECTING,
		[FL_STREAM_CLOSED] =
			1 << FL_STREAM_CONNECTING | 1 << FL_STREAM_OPEN | 1 << FL_STREAM_FAILED,
	};
	FL_ASSERT(from[to] & (1 << s->state));
	s->state = (uint8_t)to;
}

/* ---- sending ---- */

static struct fl_send *send_take(struct fl_loop *loop)
{
	struct fl_send *op = loop->sends;
	if (!op)
		return malloc(sizeof(*op));
	loop->sends = op->next;
	loop->sends_cached--;
	return op;
}

static void send_give(struct fl_loop *loop, struct fl_send *op)
{
	if (!op)
		return;
	if (loop->sends_cached == SENDS_CACHED) {
		free(op);
		return;
	}
	op->next = loop->sends;
	loop->sends = op;
	loop->sends_cached++;
}

void fl_sends_free(struct fl_loop *loop)
{
	while (loop->sends) {
		struct fl_send *op = loop->sends;
		loop->sends = op->next;
		free(op);
	}
	loop->sends_cached = 0;
}

bool fl_send_advance(struct fl_send *op, size_t n)
{
	struct msghdr *msg = &op->msg;
	op->gone += n;
	while (msg->msg_iovlen > 0 && n >= msg->msg_iov->iov_len) {
		n -= msg->msg_iov->iov_len;
		msg->msg_iov++;
		msg->msg_iovlen--;
	}
	if (msg->msg_iovlen == 0) {
		FL_ASSERT(n == 0);
		return true;
	}
	msg->msg_iov->iov_base = (char *)msg->msg_iov->iov_base + n;
	msg->msg_iov->iov_len -= n;
	return false;
}

void fl_stream_sent(struct fl_stream *s, int result)
{
	send_give(s->sock.loop, s->send);
	s->send = NULL;
	if (s->sock.closed)
		return;
	if (s->shut)
		(void)shutdown(s->sock.fd, SHUT_WR);
	s->on_sent(s->cookie, result);
}

/* Keeps what is left of the iov after `sent` bytes (or a negative errno) for later. */
static int send_later(struct fl_stream *s, const struct iovec *iov, int count, ssize_t sent)
{
	struct fl_send *op = send_take(s->sock.loop);
	if (!op)
		return -ENOMEM;
	memcpy(op->iov, iov, (size_t)count * sizeof(*iov));
	op->msg = (struct msghdr){.msg_iov = op->iov, .msg_iovlen = (size_t)count};
	op->gone = 0;
	if (sent > 0)
		(void)fl_send_advance(op, (size_t)sent);
	/* Only "would block" promises that the kernel will report room. */
	if (sent == -EAGAIN)
		s->sock.events &= (uint8_t)~FL_EV_OUT;
	else
		s->sock.events |= FL_EV_OUT;
	s->send = op;
	fl_sock_ready(&s->sock);
	return 0;
}

/* One call; a single slice costs the kernel less without a header around it. */
static ssize_t send_now(int fd, const struct iovec *iov, int count)
{
	const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
	ssize_t n;
	if (count == 1) {
		n = fl_sys_send(fd, iov->iov_base, iov->iov_len, flags);
	} else {
		/* The kernel only reads through msg_iov. */
		struct msghdr msg = {
			.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
		n = fl_sys_sendmsg(fd, &msg, flags);
	}
	return n < 0 ? -errno : n;
}

int fl_stream_send(struct fl_stream *s, const struct iovec *iov, int count,
	void (*on_sent)(void *cookie, int result))
{
	FL_ASSERT(count >= 0 && count <= FL_SEND_IOV && !s->send && !s->shut);
	if (s->state != FL_STREAM_OPEN)
		return -ENOTCONN;
	size_t total = 0;
	for (int i = 0; i < count; i++)
		total += iov[i].iov_len;
	if (total == 0)
		return 1;
	ssize_t n = send_now(s->sock.fd, iov, count);
	if (n < 0 && n != -EAGAIN && n != -EINTR)
		return (int)n;
	if (n == (ssize_t)total)
		return 1;
	s->on_sent = on_sent;
	return send_later(s, iov, count, n);
}

/* The kernel takes bytes of a send in large portions, megabytes apart when the peer is slow. So it is
 * asked, too, what the peer has acknowledged, where the protocol knows that. */
uint64_t fl_stream_progress(const struct fl_stream *s)
{
	struct tcp_info info = {.tcpi_bytes_acked = 0};
	socklen_t len = sizeof(info);
	if (getsockopt(s->sock.fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		info.tcpi_bytes_acked = 0;
	return info.tcpi_bytes_acked + (s->send ? s->send->gone : 0);
}

void fl_stream_shutdown(struct fl_stream *s)
{
	if (s->state != FL_STREAM_OPEN || s->shut)
		return;
	s->shut = true;
	if (!s->send)
		(void)shutdown(s->sock.fd, SHUT_WR);
}

/* ---- receiving ---- */

int fl_stream_recv(
	struct fl_stream *s, void (*on_recv)(void *cookie, struct fl_rbuf *buf, int result))
{
	FL_ASSERT(s->state != FL_STREAM_CLOSED);
	if (s->state == FL_STREAM_FAILED)
		return -ENOTCONN;
	s->on_recv = on_recv;
	s->recv_on = true;
	s->sock.loop->backend->stream_recv(s);
	return 0;
}

void fl_stream_recv_pause(struct fl_stream *s)
{
	s->recv_on = false;
}

void fl_stream_note_read(struct fl_stream *s, ssize_t n, size_t room)
{
	unsigned events = s->sock.events & ~(unsigned)(FL_EV_IN | FL_EV_MAYBE);
	if (n > 0 && (events & FL_EV_HUP))
		events |= FL_EV_IN;
	else if (n == (ssize_t)room)
		events |= FL_EV_MAYBE;
	s->sock.events = (uint8_t)events;
	fl_stream_note_size(s, n);
}

void fl_stream_note_size(struct fl_stream *s, ssize_t n)
{
	if (n >= (ssize_t)s->sock.loop->rbufs.size)
		s->bulk = BULK_READS;
	else if (s->bulk > 0)
		s->bulk--;
}

void fl_stream_deliver(struct fl_stream *s, struct fl_rbuf *buf, int n)
{
	if (s->sock.closed) {
		fl_rbuf_unref(buf);
		return;
	}
	if (n > 0) {
		buf->len = (uint32_t)n;
		s->on_recv(s->cookie, buf, n);
		fl_rbuf_unref(buf);
		return;
	}
	fl_rbuf_unref(buf);
	s->recv_done = true;
	s->on_recv(s->cookie, NULL, n);
}

bool fl_stream_stale(struct fl_stream *s)
{
	if (s->state != FL_STREAM_OPEN || s->recv_done)
		return true;
	if (s->sock.events & (FL_EV_IN | FL_EV_MAYBE | FL_EV_HUP))
		return true;
	return s->sock.loop->backend->stream_stale(s);
}

/* ---- connecting, and the work of a turn ---- */

static void connect_done(struct fl_stream *s)
{
	int error = s->connect_error;
	socklen_t len = sizeof(error);
	if (error == 0 && getsockopt(s->sock.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	set_state(s, error ? FL_STREAM_FAILED : FL_STREAM_OPEN);
	if (fl_stream_wants(s))
		fl_sock_ready(&s->sock);
	s->on_connect(s->cookie, -error);
}

static void stream_step(struct fl_sock *sock)
{
	struct fl_stream *s = (struct fl_stream *)sock;
	if (s->state == FL_STREAM_CONNECTING) {
		if (s->connect_error || (sock->events & FL_EV_OUT))
			connect_done(s);
		else
			sock->loop->backend->stream_step(s);
		return;
	}
	if (s->state == FL_STREAM_OPEN)
		sock->loop->backend->stream_step(s);
}

/* Events that nobody waits for only leave their bits. */
static void stream_note(struct fl_sock *sock)
{
	struct fl_stream *s = (struct fl_stream *)sock;
	bool in = (sock->events & FL_EV_IN) && fl_stream_wants(s);
	bool out = (sock->events & FL_EV_OUT) && (s->send || s->state == FL_STREAM_CONNECTING);
	if (in || out)
		fl_sock_ready(sock);
}

static void stream_finish(struct fl_sock *sock)
{
	struct fl_stream *s = (struct fl_stream *)sock;
	if (s->reset) {
		struct linger now = {.l_onoff = 1, .l_linger = 0};
		(void)setsockopt(sock->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	}
	(void)close(sock->fd);
	send_give(sock->loop, s->send);
	fl_rbuf_unref_list(s->held);
	if (s->on_closed)
		s->on_closed(s->cookie);
	free(s);
}

static const struct fl_sock_kind stream_kind = {
	.step = stream_step,
	.note = stream_note,
	.finish = stream_finish,
};

static int stream_make(struct fl_stream **out, struct fl_loop *loop, int fd, void *cookie,
	enum fl_stream_state state)
{
	struct fl_stream *s = calloc(1, sizeof(*s));
	int rc = s ? fl_sock_open(&s->sock, loop, fd, &stream_kind) : -ENOMEM;
	if (rc != 0) {
		free(s);
		(void)close(fd);
		return rc;
	}
	s->cookie = cookie;
	s->state = (uint8_t)state;
	*out = s;
	return 0;
}

int fl_stream_new(struct fl_stream **out, struct fl_loop *loop, int fd, void *cookie)
{
	return stream_make(out, loop, fd, cookie, FL_STREAM_OPEN);
}

int fl_stream_connect(struct fl_stream **out, struct fl_loop *loop, const struct sockaddr *addr,
	socklen_t len, void *cookie, void (*on_connect)(void *cookie, int result))
{
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Before the backend sees the descriptor: an unconnected socket reports a hang-up. */
	int error = connect(fd, addr, len) == 0 || errno == EINPROGRESS ? 0 : errno;
	struct fl_stream *s;
	int rc = stream_make(&s, loop, fd, cookie, FL_STREAM_CONNECTING);
	if (rc != 0)
		return rc;
	s->on_connect = on_connect;
	s->connect_error = error;
	fl_sock_ready(&s->sock);
	*out = s;
	return 0;
}

void fl_stream_set_cookie(struct fl_stream *s, void *cookie)
{
	s->cookie = cookie;
}

int fl_stream_fd(const struct fl_stream *s)
{
	return s->sock.fd;
}

void fl_stream_close(struct fl_stream *s, bool reset, void (*on_closed)(void *cookie))
{
	set_state(s, FL_STREAM_CLOSED);
	s->recv_on = false;
	s->reset = reset;
	s->on_closed = on_closed;
	fl_sock_close(&s->sock);
}
