/* Streams: what arrives is what was sent, ends and errors are told once, and pausing holds. */
#include "unit/loop/util.h"

#include <poll.h>
#include <sys/un.h>

struct server {
	struct fl_listener *listener;
	struct end end;
	bool accepted;
	uint16_t peer_port;
};

static void accept_first(void *cookie, int fd, const struct sockaddr *peer, socklen_t len)
{
	struct server *server = cookie;
	assert_true(fd >= 0);
	assert_false(server->accepted);
	assert_int_equal(len, sizeof(struct sockaddr_in));
	assert_int_equal(peer->sa_family, AF_INET);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	server->peer_port = ((const struct sockaddr_in *)peer)->sin_port;
	server->accepted = true;
	end_wrap(&server->end, server->end.loop, fd);
	fl_loop_stop(server->end.loop);
}

static void connect_accept_and_echo(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct server server = {0};
	server.end.loop = loop;
	struct sockaddr_in addr;
	int fd = tcp_listen(&addr, 8);
	assert_int_equal(fl_listener_new(&server.listener, loop, fd, accept_first, &server), 0);
	struct end client;
	end_init(&client, loop);
	assert_int_equal(fl_stream_connect(&client.s, loop, (struct sockaddr *)&addr,
				 sizeof(addr), &client, on_connect),
		0);
	assert_int_equal(client.connect_calls, 0);
	UNTIL(loop, client.connect_calls == 1 && server.accepted);
	assert_int_equal(client.connected, 0);
	struct sockaddr_in self = {0};
	socklen_t len = sizeof(self);
	assert_int_equal(
		getsockname(fl_stream_fd(client.s), (struct sockaddr *)&self, &len), 0);
	assert_int_equal(self.sin_port, server.peer_port);

	end_recv(&server.end);
	end_recv(&client);
	for (int round = 1; round <= 20; round++) {
		assert_int_equal(end_send(&client, "ping", 4), 1);
		UNTIL(loop, server.end.got_len == (size_t)round * 4);
		assert_int_equal(end_send(&server.end, "pong!", 5), 1);
		UNTIL(loop, client.got_len == (size_t)round * 5);
	}
	assert_memory_equal(server.end.got, "pingping", 8);
	assert_memory_equal(client.got, "pong!pong!", 10);
	assert_int_equal(client.sent_calls, 0);
	end_close(&client);
	UNTIL(loop, server.end.end != NOTHING);
	assert_int_equal(server.end.end, 0);
	end_close(&server.end);
	fl_listener_close(server.listener);
}

/* Asked for while connecting; the bytes may come with the connection. */
static void recv_while_connecting(void **state)
{
	struct fl_loop *loop = loop_of(state);
	for (int late = 0; late < 2; late++) {
		struct sockaddr_in addr;
		int listener = tcp_listen(&addr, 8);
		struct end e;
		end_init(&e, loop);
		assert_int_equal(fl_stream_connect(&e.s, loop, (struct sockaddr *)&addr,
					 sizeof(addr), &e, on_connect),
			0);
		end_recv(&e);
		if (late)
			UNTIL(loop, e.connect_calls == 1);
		struct pollfd ready = {.fd = listener, .events = POLLIN};
		assert_int_equal(poll(&ready, 1, -1), 1);
		int raw = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		assert_true(raw >= 0);
		raw_write(raw, "hello", 5);
		UNTIL(loop, e.got_len == 5);
		assert_int_equal(e.connected, 0);
		close(raw);
		close(listener);
		end_close(&e);
	}
}

static void connect_refused(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct sockaddr_in addr;
	close(tcp_listen(&addr, 1));
	struct end e;
	end_init(&e, loop);
	assert_int_equal(fl_stream_connect(&e.s, loop, (struct sockaddr *)&addr, sizeof(addr),
				 &e, on_connect),
		0);
	UNTIL(loop, e.connect_calls == 1);
	assert_int_equal(e.connected, -ECONNREFUSED);
	assert_true(fl_stream_stale(e.s));
	assert_int_equal(end_send(&e, "x", 1), -ENOTCONN);
	assert_int_equal(fl_stream_recv(e.s, on_recv), -ENOTCONN);
	turns(loop, 5);
	assert_int_equal(e.connect_calls, 1);
	end_close(&e);

	/* An error that connect() itself returns comes the same way. */
	struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/x"};
	end_init(&e, loop);
	assert_int_equal(fl_stream_connect(&e.s, loop, (struct sockaddr *)&nowhere,
				 sizeof(nowhere), &e, on_connect),
		0);
	UNTIL(loop, e.connect_calls == 1);
	assert_int_equal(e.connected, -ENOENT);
	end_close(&e);
}

/* Connections beyond the backlog stay half-open. */
static void connect_cancelled_by_close(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct sockaddr_in addr;
	int listener = tcp_listen(&addr, 0);
	int filler[4];
	for (int i = 0; i < 4; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(filler[i], (struct sockaddr *)&addr, sizeof(addr));
	}
	struct end e;
	for (int wait = 0; wait < 10; wait += 5) {
		end_init(&e, loop);
		assert_int_equal(fl_stream_connect(&e.s, loop, (struct sockaddr *)&addr,
					 sizeof(addr), &e, on_connect),
			0);
		turns(loop, wait);
		assert_int_equal(e.connect_calls, 0);
		end_close(&e);
		assert_int_equal(e.connect_calls, 0);
	}
	for (int i = 0; i < 4; i++)
		close(filler[i]);
	close(listener);
}

static void two_streams(struct end *a, struct end *b, struct fl_loop *loop, bool tcp)
{
	if (!tcp) {
		int fd[2];
		raw_pair(fd);
		end_wrap(a, loop, fd[0]);
		end_wrap(b, loop, fd[1]);
		return;
	}
	int raw = tcp_with_raw(a, loop);
	assert_int_equal(fcntl(raw, F_SETFL, O_NONBLOCK), 0);
	end_wrap(b, loop, raw);
}

static void large_transfer(struct fl_loop *loop, bool tcp)
{
	enum {
		PART = 97 * 1024,
		TOTAL = PART * FL_SEND_IOV
	};
	struct end a, b;
	two_streams(&a, &b, loop, tcp);
	char *data = pattern_new(7, 0, TOTAL);
	struct iovec iov[FL_SEND_IOV];
	for (int i = 0; i < FL_SEND_IOV; i++)
		iov[i] = (struct iovec){data + (size_t)i * PART, PART};
	int small = 16 * 1024;
	assert_int_equal(
		setsockopt(fl_stream_fd(a.s), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	assert_int_equal(fl_stream_send(a.s, iov, FL_SEND_IOV, on_sent), 0);
	memset(iov, 0, sizeof(iov)); /* the array need not stay, the bytes must */
	turns(loop, 20);
	assert_int_equal(a.sent_calls, 0);
	b.pause_each = true;
	while (b.got_len < TOTAL) {
		size_t before = b.got_len;
		end_recv(&b);
		UNTIL(loop, b.got_len > before);
		if (b.got_len > TOTAL / 2)
			b.pause_each = false;
	}
	UNTIL(loop, a.sent_calls == 1);
	assert_int_equal(a.sent, 0);
	assert_int_equal(b.got_len, TOTAL);
	assert_memory_equal(b.got, data, TOTAL);
	end_close(&a);
	end_close(&b);
	free(data);
}

static void large_transfer_to_a_slow_reader(void **state)
{
	large_transfer(loop_of(state), false);
	large_transfer(loop_of(state), true);
}

static void pause_delivers_one_more_at_most(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct end e;
	int raw = pair_with_raw(&e, loop);
	char *data = pattern_new(1, 0, 10 * BUFFER);
	raw_write(raw, data, 10 * BUFFER);
	end_recv(&e);
	UNTIL(loop, e.got_len > 0);
	/* Paused from outside of a callback, in the midst of a burst. */
	fl_stream_recv_pause(e.s);
	int calls = e.recv_calls;
	turns(loop, 10);
	assert_in_range(e.recv_calls, calls, calls + 1);
	/* Paused in the callback. */
	e.pause_each = true;
	while (e.got_len < (size_t)10 * BUFFER) {
		calls = e.recv_calls;
		end_recv(&e);
		assert_int_equal(e.recv_calls, calls);
		turns(loop, 5);
		assert_in_range(e.recv_calls, calls + 1, calls + 2);
	}
	assert_int_equal(e.got_len, 10 * BUFFER);
	assert_memory_equal(e.got, data, 10 * BUFFER);
	close(raw);
	turns(loop, 5);
	assert_int_equal(e.end, NOTHING);
	end_recv(&e);
	UNTIL(loop, e.end != NOTHING);
	assert_int_equal(e.end, 0);
	end_close(&e);
	free(data);
}

/* Bytes that were there before anybody asked. */
static void input_before_recv_is_kept(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct end e;
	int raw = pair_with_raw(&e, loop);
	raw_write(raw, "early", 5);
	turns(loop, 5);
	close(raw);
	turns(loop, 5);
	assert_int_equal(e.recv_calls, 0);
	end_recv(&e);
	UNTIL(loop, e.end != NOTHING);
	assert_int_equal(e.end, 0);
	assert_int_equal(e.got_len, 5);
	assert_memory_equal(e.got, "early", 5);
	end_close(&e);
}

/* The last bytes and the end in one event; sizes around the buffer's. */
static void the_end_right_after_the_bytes(void **state)
{
	struct fl_loop *loop = loop_of(state);
	static const size_t sizes[] = {1, BUFFER - 1, BUFFER, BUFFER + 1, 5 * BUFFER};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * 2; i++) {
		struct end e;
		int raw = i & 1 ? tcp_with_raw(&e, loop) : pair_with_raw(&e, loop);
		char *data = pattern_new(i, 0, sizes[i / 2]);
		end_recv(&e);
		turns(loop, 2);
		raw_write(raw, data, sizes[i / 2]);
		close(raw);
		UNTIL(loop, e.end != NOTHING);
		assert_int_equal(e.end, 0);
		assert_int_equal(e.got_len, sizes[i / 2]);
		assert_memory_equal(e.got, data, sizes[i / 2]);
		free(data);
		end_close(&e);
	}
}

static void half_close(void **state)
{
	struct fl_loop *loop = loop_of(state);
	for (int tcp = 0; tcp < 2; tcp++) {
		struct end a, b;
		two_streams(&a, &b, loop, tcp);
		end_recv(&a);
		end_recv(&b);
		fl_stream_shutdown(a.s);
		UNTIL(loop, b.end != NOTHING);
		assert_int_equal(b.end, 0);
		assert_int_equal(end_send(&b, "still here", 10), 1);
		UNTIL(loop, a.got_len == 10);
		assert_int_equal(a.end, NOTHING);
		fl_stream_shutdown(b.s);
		UNTIL(loop, a.end != NOTHING);
		assert_int_equal(a.end, 0);
		end_close(&a);
		end_close(&b);
	}
}

static void shutdown_waits_for_the_send(void **state)
{
	enum {
		TOTAL = 1 << 20
	};
	struct fl_loop *loop = loop_of(state);
	struct end a, b;
	two_streams(&a, &b, loop, false);
	char *data = pattern_new(3, 0, TOTAL);
	assert_int_equal(end_send(&a, data, TOTAL), 0);
	fl_stream_shutdown(a.s);
	end_recv(&b);
	UNTIL(loop, b.end != NOTHING);
	assert_int_equal(b.end, 0);
	assert_int_equal(b.got_len, TOTAL);
	assert_memory_equal(b.got, data, TOTAL);
	assert_int_equal(a.sent_calls, 1);
	assert_int_equal(a.sent, 0);
	end_close(&a);
	end_close(&b);
	free(data);
}

static void reset_by_the_peer(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct end e;
	int raw = tcp_with_raw(&e, loop);
	end_recv(&e);
	raw_reset(raw);
	UNTIL(loop, e.end != NOTHING);
	assert_int_equal(e.end, -ECONNRESET);
	assert_true(fl_stream_stale(e.s));
	assert_int_equal(end_send(&e, "x", 1), -EPIPE);
	turns(loop, 5);
	assert_int_equal(e.recv_calls, 1);
	end_close(&e);

	/* In the midst of a send. */
	raw = tcp_with_raw(&e, loop);
	size_t size = 8 << 20;
	char *data = calloc(1, size);
	assert_int_equal(end_send(&e, data, size), 0);
	raw_reset(raw);
	UNTIL(loop, e.sent_calls == 1);
	assert_true(e.sent == -ECONNRESET || e.sent == -EPIPE);
	end_close(&e);
	free(data);
}

static void close_with_reset_is_seen_by_the_peer(void **state)
{
	struct fl_loop *loop = loop_of(state);
	for (int reset = 0; reset < 2; reset++) {
		struct end e;
		int raw = tcp_with_raw(&e, loop);
		fl_stream_close(e.s, reset, on_closed);
		UNTIL(loop, e.closed_calls == 1);
		char byte;
		ssize_t n = recv(raw, &byte, 1, 0);
		if (reset) {
			assert_int_equal(n, -1);
			assert_int_equal(errno, ECONNRESET);
		} else {
			assert_int_equal(n, 0);
		}
		close(raw);
	}
}

static void empty_sends(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct end e;
	int raw = pair_with_raw(&e, loop);
	char two[] = "ab";
	struct iovec iov[3] = {{two, 0}, {two, 2}, {two, 0}};
	assert_int_equal(fl_stream_send(e.s, iov, 0, on_sent), 1);
	assert_int_equal(fl_stream_send(e.s, iov, 1, on_sent), 1);
	assert_int_equal(fl_stream_send(e.s, iov, 3, on_sent), 1);
	char got[4];
	assert_int_equal(recv(raw, got, sizeof(got), 0), 2);
	close(raw);
	end_close(&e);
}

static struct fl_rbuf *kept[3];

static void keep(void *cookie, struct fl_rbuf *buf, int result)
{
	struct end *e = cookie;
	if (result > 0 && e->recv_calls < 3)
		kept[e->recv_calls] = fl_rbuf_ref(buf);
	e->recv_calls++;
	e->got_len += result > 0 ? (size_t)result : 0;
	fl_loop_stop(e->loop);
}

static void references_keep_the_bytes(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct end e;
	int raw = pair_with_raw(&e, loop);
	char *data = pattern_new(9, 0, 8 * BUFFER);
	assert_int_equal(fl_stream_recv(e.s, keep), 0);
	for (size_t at = 0; at < (size_t)8 * BUFFER; at += BUFFER) {
		raw_write(raw, data + at, BUFFER);
		UNTIL(loop, e.got_len == at + BUFFER);
	}
	close(raw);
	end_close(&e);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(kept[i]->refs, 1);
		assert_int_equal(kept[i]->len, BUFFER);
		assert_memory_equal(kept[i]->data, data + i * BUFFER, BUFFER);
		fl_rbuf_unref(fl_rbuf_ref(kept[i]));
		fl_rbuf_unref(kept[i]);
	}
	free(data);
}

/* ---- large buffers ---- */

/* A stream whose receives are measured; with `hold`, large buffers are kept. */
struct sized {
	struct end e;
	int raw;
	uint64_t at;           /* bytes received in all */
	size_t first, largest; /* receives */
	size_t turn;           /* the most that came in one turn */
	bool hold;
	struct fl_rbuf *held[64];
	size_t held_count;
};

static void on_sized(void *cookie, struct fl_rbuf *buf, int result)
{
	struct sized *s = cookie;
	assert_true(result > 0);
	size_t n = (size_t)result;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf->data[i], pattern(5, s->at + i));
	s->at += n;
	if (s->e.recv_calls++ == 0)
		s->first = n;
	s->largest = n > s->largest ? n : s->largest;
	if (s->hold && n > BUFFER)
		s->held[s->held_count++] = fl_rbuf_ref(buf);
	fl_loop_stop(s->e.loop);
}

static void sized_open(struct sized *s, struct fl_loop *loop)
{
	*s = (struct sized){0};
	s->raw = pair_with_raw(&s->e, loop);
	fl_stream_set_cookie(s->e.s, s);
	assert_int_equal(fl_stream_recv(s->e.s, on_sized), 0);
}

static void sized_close(struct sized *s)
{
	while (s->held_count)
		fl_rbuf_unref(s->held[--s->held_count]);
	close(s->raw);
	fl_stream_set_cookie(s->e.s, &s->e);
	end_close(&s->e);
}

/* Writes n bytes; how large the first and the largest of the receives were that brought them. */
static void sized_write(struct sized *s, size_t n)
{
	char *data = pattern_new(5, s->at, n);
	uint64_t end = s->at + n;
	s->e.recv_calls = 0;
	s->first = s->largest = s->turn = 0;
	raw_write(s->raw, data, n);
	while (s->at < end) {
		uint64_t before = s->at;
		assert_int_equal(fl_loop_run(s->e.loop), 0);
		s->turn = s->at - before > s->turn ? s->at - before : s->turn;
	}
	free(data);
}

static void who_fills_buffers_gets_large_ones(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct fixture *fx = *state;
	bool chooses = fx->backend->id == FL_LOOP_EPOLL;
	struct sized s;
	sized_open(&s, loop);
	sized_write(&s, BUFFER - 1);
	for (int round = 0; round < 2; round++) {
		sized_write(&s, (size_t)64 * BUFFER);
		assert_int_equal(s.first, BUFFER);
		assert_true(s.largest > (size_t)16 * BUFFER);
		/* A pause in the stream of bytes is no end of it. */
		sized_write(&s, 1);
		sized_write(&s, (size_t)64 * BUFFER);
		/* (With io_uring it is the kernel that picks the first buffers.) */
		if (chooses)
			assert_true(s.first > BUFFER);
		assert_true(s.largest > (size_t)16 * BUFFER);
		for (int i = 0; i < 10; i++)
			sized_write(&s, 10);
	}
	sized_close(&s);
}

/* However many streams want them, only so many are lent; the others go on with usual ones. */
static void large_buffers_are_bounded(void **state)
{
	enum {
		STREAMS = 6,
		MAX = 3
	};
	struct fixture *fx = *state;
	(void)loop_of(state);
	struct fl_loop_options options = {.backend = fx->backend->id,
		.buffer_size = BUFFER,
		.bulk_size = (size_t)8 * BUFFER,
		.bulk_max = MAX};
	struct fl_loop *loop;
	struct sized *s = calloc(STREAMS, sizeof(*s));
	assert_int_equal(fl_loop_new(&loop, &options), 0);
	for (int i = 0; i < STREAMS; i++)
		sized_open(&s[i], loop);
	for (int round = 0; round < 3; round++) {
		size_t held = 0;
		for (int i = 0; i < STREAMS; i++) {
			s[i].hold = true;
			sized_write(&s[i], (size_t)100 * BUFFER);
			assert_true(s[i].largest <= (size_t)8 * BUFFER);
			/* One large buffer a turn, perhaps after usual ones. */
			assert_true(s[i].turn <= (size_t)12 * BUFFER);
			held += s[i].held_count;
		}
		assert_int_equal(held, MAX);
		for (int i = 0; i < STREAMS; i++)
			while (s[i].held_count)
				fl_rbuf_unref(s[i].held[--s[i].held_count]);
	}
	for (int i = 0; i < STREAMS; i++)
		sized_close(&s[i]);
	fl_loop_free(loop);
	free(s);
}

static void replaced(void *cookie, struct fl_rbuf *buf, int result)
{
	(void)buf;
	struct end *e = cookie;
	e->sent_calls += result > 0;
	fl_loop_stop(e->loop);
}

static void recv_again_replaces_the_callback(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct end e, other;
	int raw = pair_with_raw(&e, loop);
	end_init(&other, loop);
	end_recv(&e);
	assert_int_equal(fl_stream_recv(e.s, replaced), 0);
	fl_stream_set_cookie(e.s, &other);
	raw_write(raw, "x", 1);
	UNTIL(loop, other.sent_calls == 1);
	assert_int_equal(e.recv_calls, 0);
	fl_stream_set_cookie(e.s, &e);
	close(raw);
	end_close(&e);
}

int main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		ON_BOTH(connect_accept_and_echo),
		ON_BOTH(recv_while_connecting),
		ON_BOTH(connect_refused),
		ON_BOTH(connect_cancelled_by_close),
		ON_BOTH(large_transfer_to_a_slow_reader),
		ON_BOTH(pause_delivers_one_more_at_most),
		ON_BOTH(input_before_recv_is_kept),
		ON_BOTH(the_end_right_after_the_bytes),
		ON_BOTH(half_close),
		ON_BOTH(shutdown_waits_for_the_send),
		ON_BOTH(reset_by_the_peer),
		ON_BOTH(close_with_reset_is_seen_by_the_peer),
		ON_BOTH(empty_sends),
		ON_BOTH(references_keep_the_bytes),
		ON_BOTH(who_fills_buffers_gets_large_ones),
		ON_BOTH(large_buffers_are_bounded),
		ON_BOTH(recv_again_replaces_the_callback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
