/* Closing: from inside each kind of callback, with other streams at hand, and what is never
 * called afterwards. Also when a stream counts as stale. */
#include "unit/loop/util.h"

static void close_me(struct end *e)
{
	fl_stream_close(e->s, false, on_closed);
	fl_loop_stop(e->loop);
}

static void closing_recv(void *cookie, struct fl_rbuf *buf, int result)
{
	struct end *e = cookie;
	e->recv_calls++;
	e->end = result;
	if (buf)
		assert_int_equal(buf->data[0], 'x');
	close_me(e);
	if (buf)
		assert_int_equal(buf->data[0], 'x'); /* valid to the end of the call */
}

static void closing_result(void *cookie, int result)
{
	struct end *e = cookie;
	e->sent_calls++;
	e->sent = result;
	close_me(e);
}

static void wait_closed(struct end *e)
{
	UNTIL(e->loop, e->closed_calls == 1);
	turns(e->loop, 3);
	assert_int_equal(e->closed_calls, 1);
}

static void in_on_recv(void **state)
{
	struct fl_loop *loop = loop_of(state);
	char data[4 * BUFFER];
	memset(data, 'x', sizeof(data));
	/* With data, much more of it waiting; at an end; at an error. */
	for (int kind = 0; kind < 3; kind++) {
		struct end e;
		int raw = tcp_with_raw(&e, loop);
		assert_int_equal(fl_stream_recv(e.s, closing_recv), 0);
		if (kind == 0)
			raw_write(raw, data, sizeof(data));
		if (kind == 2)
			raw_reset(raw);
		else if (kind == 1)
			close(raw);
		wait_closed(&e);
		assert_int_equal(e.recv_calls, 1);
		if (kind == 0) {
			assert_in_range(e.end, 1, BUFFER);
			close(raw);
		} else {
			assert_int_equal(e.end, kind == 1 ? 0 : -ECONNRESET);
		}
	}
}

static void in_on_connect(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct sockaddr_in addr;
	int listener = tcp_listen(&addr, 8);
	for (int refused = 0; refused < 2; refused++) {
		struct end e;
		end_init(&e, loop);
		assert_int_equal(fl_stream_connect(&e.s, loop, (struct sockaddr *)&addr,
					 sizeof(addr), &e, closing_result),
			0);
		/* Asked for before there is a connection, and never told. */
		assert_int_equal(fl_stream_recv(e.s, on_recv), 0);
		wait_closed(&e);
		assert_int_equal(e.sent, refused ? -ECONNREFUSED : 0);
		assert_int_equal(e.recv_calls, 0);
		if (!refused)
			close(listener);
	}
}

static void in_on_sent(void **state)
{
	struct fl_loop *loop = loop_of(state);
	char *data = calloc(1, 4 << 20);
	for (int error = 0; error < 2; error++) {
		struct end e;
		int raw = tcp_with_raw(&e, loop);
		struct iovec iov = {data, 4 << 20};
		assert_int_equal(fl_stream_send(e.s, &iov, 1, closing_result), 0);
		struct end peer;
		if (error) {
			raw_reset(raw);
		} else {
			end_wrap(&peer, loop, raw);
			assert_int_equal(fcntl(raw, F_SETFL, O_NONBLOCK), 0);
			end_recv(&peer);
		}
		wait_closed(&e);
		assert_int_equal(e.sent_calls, 1);
		assert_true(error ? e.sent < 0 : e.sent == 0);
		if (!error) {
			UNTIL(loop, peer.end != NOTHING);
			assert_int_equal(peer.got_len, 4 << 20);
			end_close(&peer);
		}
	}
	free(data);
}

/* A send under way is dropped; its bytes may go once on_closed came. */
static void with_a_send_under_way(void **state)
{
	struct fl_loop *loop = loop_of(state);
	for (int settled = 0; settled < 2; settled++) {
		struct end e;
		int raw = pair_with_raw(&e, loop);
		char *data = calloc(1, 4 << 20);
		assert_int_equal(end_send(&e, data, 4 << 20), 0);
		turns(loop, settled * 5);
		fl_stream_close(e.s, settled, on_closed);
		UNTIL(loop, e.closed_calls == 1);
		free(data);
		assert_int_equal(e.sent_calls, 0);
		close(raw);
	}
}

struct killer {
	struct end *victims;
	int count, calls;
};

static void kill_all(void *cookie, struct fl_rbuf *buf, int result)
{
	struct killer *killer = cookie;
	(void)buf;
	(void)result;
	killer->calls++;
	for (int i = 0; i < killer->count; i++)
		fl_stream_close(killer->victims[i].s, false, on_closed);
	fl_loop_stop(killer->victims[0].loop);
}

/* All have something to tell in the same turn; the first one closes all of them. */
static void others_in_a_callback(void **state)
{
	enum {
		COUNT = 20
	};
	struct fl_loop *loop = loop_of(state);
	struct end e[COUNT];
	int raw[COUNT];
	struct killer killer = {e, COUNT, 0};
	for (int i = 0; i < COUNT; i++) {
		raw[i] = pair_with_raw(&e[i], loop);
		fl_stream_set_cookie(e[i].s, &killer);
		assert_int_equal(fl_stream_recv(e[i].s, kill_all), 0);
	}
	turns(loop, 3);
	for (int i = 0; i < COUNT; i++)
		raw_write(raw[i], "x", 1);
	UNTIL(loop, killer.calls > 0);
	for (int i = 0; i < COUNT; i++)
		fl_stream_set_cookie(e[i].s, &e[i]);
	for (int i = 0; i < COUNT; i++) {
		UNTIL(loop, e[i].closed_calls == 1);
		close(raw[i]);
	}
	assert_int_equal(killer.calls, 1);
}

static void on_closed_comes_later(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct end e;
	int raw = pair_with_raw(&e, loop);
	fl_stream_close(e.s, false, on_closed);
	assert_int_equal(e.closed_calls, 0);
	UNTIL(loop, e.closed_calls == 1);
	close(raw);
	/* on_closed may be NULL, and what is owed is paid by fl_loop_free (in the teardown). */
	raw = pair_with_raw(&e, loop);
	end_recv(&e);
	turns(loop, 2);
	fl_stream_close(e.s, false, NULL);
	close(raw);
}

static void stale_by_bytes_or_end(void **state)
{
	struct fl_loop *loop = loop_of(state);
	/* Never received, receiving, paused. */
	for (int mode = 0; mode < 3; mode++) {
		for (int kind = 0; kind < 3; kind++) {
			struct end e;
			int raw = tcp_with_raw(&e, loop);
			if (mode > 0)
				end_recv(&e);
			turns(loop, 3);
			raw_write(raw, "answer", mode > 0 ? 6 : 0);
			if (mode > 0)
				UNTIL(loop, e.got_len == 6);
			if (mode == 2)
				fl_stream_recv_pause(e.s);
			turns(loop, 3);
			assert_false(fl_stream_stale(e.s));
			if (kind == 0)
				raw_write(raw, "unasked", 7);
			if (kind == 1)
				close(raw);
			if (kind == 2)
				raw_reset(raw);
			if (mode == 1)
				UNTIL(loop, e.got_len == 13 || e.end != NOTHING);
			/* One that receives is told the bytes, and then is not stale. */
			bool told = mode == 1 && kind == 0;
			while (!told && !fl_stream_stale(e.s))
				turns(loop, 1);
			turns(loop, 3);
			assert_int_equal(fl_stream_stale(e.s), !told);
			if (mode != 1)
				assert_int_equal(e.end, NOTHING);
			if (kind == 0)
				close(raw);
			end_close(&e);
		}
	}
}

static void pause_on_full(void *cookie, struct fl_rbuf *buf, int result)
{
	on_recv(cookie, buf, result);
	fl_stream_recv_pause(((struct end *)cookie)->s);
}

/* A read that fills the buffer exactly leaves open whether more is there. */
static void stale_after_a_full_buffer(void **state)
{
	struct fl_loop *loop = loop_of(state);
	for (int more = 0; more < 2; more++) {
		struct end e;
		int raw = pair_with_raw(&e, loop);
		char data[BUFFER + 1] = {0};
		turns(loop, 3);
		raw_write(raw, data, BUFFER + (size_t)more);
		assert_int_equal(fl_stream_recv(e.s, pause_on_full), 0);
		UNTIL(loop, e.got_len == BUFFER);
		turns(loop, 3);
		assert_int_equal(fl_stream_stale(e.s), more);
		assert_int_equal(e.recv_calls, 1);
		end_recv(&e);
		close(raw);
		UNTIL(loop, e.end != NOTHING);
		assert_int_equal(e.got_len, BUFFER + more);
		end_close(&e);
	}
}

int main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		ON_BOTH(in_on_recv),
		ON_BOTH(in_on_connect),
		ON_BOTH(in_on_sent),
		ON_BOTH(with_a_send_under_way),
		ON_BOTH(others_in_a_callback),
		ON_BOTH(on_closed_comes_later),
		ON_BOTH(stale_by_bytes_or_end),
		ON_BOTH(stale_after_a_full_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
