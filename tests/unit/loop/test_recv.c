/* Receiving when buffers are few, streams many, and users slow: nothing is lost or mixed up, and
 * what a stream may bring is bounded. The fixture's loop keeps four buffers. */
#include "unit/loop/util.h"

#include <sys/ioctl.h>

static size_t unread(const struct end *e)
{
	int n = 0;
	assert_int_equal(ioctl(fl_stream_fd(e->s), FIONREAD, &n), 0);
	return (size_t)n;
}

/* ---- more streams than buffers ---- */

enum {
	STREAMS = 64,
	KEPT = 8,
	BYTES = 6 * BUFFER - 5
};

struct keeper {
	struct end end;
	int raw;
	struct fl_rbuf *kept[KEPT];
	int count;
};

static void keep_all(void *cookie, struct fl_rbuf *buf, int result)
{
	struct keeper *k = cookie;
	assert_true(result > 0);
	assert_in_range(k->count, 0, KEPT - 1);
	k->kept[k->count++] = fl_rbuf_ref(buf);
	k->end.got_len += buf->len;
	fl_loop_stop(k->end.loop);
}

static void check_kept(struct keeper *k, uint64_t id)
{
	uint64_t at = 0;
	for (int i = 0; i < k->count; i++) {
		for (size_t j = 0; j < k->kept[i]->len; j++)
			assert_int_equal(k->kept[i]->data[j], pattern(id, at + j));
		at += k->kept[i]->len;
		fl_rbuf_unref(k->kept[i]);
	}
	assert_int_equal(at, BYTES);
}

static void many_streams_few_buffers(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct keeper *keepers = calloc(STREAMS, sizeof(*keepers));
	for (int i = 0; i < STREAMS; i++) {
		struct keeper *k = &keepers[i];
		k->raw = pair_with_raw(&k->end, loop);
		fl_stream_set_cookie(k->end.s, k);
		assert_int_equal(fl_stream_recv(k->end.s, keep_all), 0);
	}
	turns(loop, 3);
	/* All at once, and all that comes is kept. */
	for (int i = 0; i < STREAMS; i++) {
		char *data = pattern_new((uint64_t)i, 0, BYTES);
		raw_write(keepers[i].raw, data, BYTES);
		free(data);
	}
	for (int i = 0; i < STREAMS; i++)
		UNTIL(loop, keepers[i].end.got_len == BYTES);
	for (int i = 0; i < STREAMS; i++) {
		struct keeper *k = &keepers[i];
		check_kept(k, (uint64_t)i);
		fl_stream_set_cookie(k->end.s, &k->end);
		close(k->raw);
		end_close(&k->end);
	}
	free(keepers);
}

/* ---- a burst ---- */

static void a_turn_brings_a_bounded_number(void **state)
{
	(void)loop_of(state);
	struct fixture *fx = *state;
	struct fl_loop_options options = options_of(fx->backend);
	struct fl_loop *loop;
	options.buffer_cache = 64;
	options.bulk_size = BUFFER;
	assert_int_equal(fl_loop_new(&loop, &options), 0);
	struct end e;
	int raw = pair_with_raw(&e, loop);
	char *data = pattern_new(1, 0, 64 * BUFFER);
	end_recv(&e);
	turns(loop, 2);
	raw_write(raw, data, 64 * BUFFER);
	while (e.got_len < (size_t)64 * BUFFER) {
		int calls = e.recv_calls;
		turns(loop, 1);
		assert_in_range(e.recv_calls, calls, calls + 8);
	}
	assert_memory_equal(e.got, data, 64 * BUFFER);
	free(data);
	close(raw);
	end_close(&e);
	fl_loop_free(loop);
}

/* ---- pauses ---- */

enum {
	MESSAGES = 200,
	MESSAGE = 10
};

/* A stream that waited for bytes when it was paused, and what came meanwhile, bit by bit. */
static int paused_stream(struct end *e, struct fl_loop *loop, const char *data, int messages)
{
	int raw = pair_with_raw(e, loop);
	end_recv(e);
	turns(loop, 3);
	fl_stream_recv_pause(e->s);
	for (int i = 0; i < messages; i++) {
		raw_write(raw, data + (size_t)i * MESSAGE, MESSAGE);
		turns(loop, 2);
	}
	assert_in_range(e->recv_calls, 0, 1);
	return raw;
}

static void paused_while_waiting(void **state)
{
	struct fl_loop *loop = loop_of(state);
	char *data = pattern_new(2, 0, (MESSAGES + 1) * MESSAGE);
	/* Goes on, ends, is reset: what came is told first. */
	static const int ends[] = {NOTHING, 0, -ECONNRESET};
	struct iovec byte = {data, 1};
	for (size_t i = 0; i < 3; i++) {
		struct end e;
		int raw = paused_stream(&e, loop, data, MESSAGES);
		/* The rest waits in the kernel, and holds the sender back. */
		assert_true(unread(&e) > MESSAGES * MESSAGE / 2);
		assert_true(fl_stream_stale(e.s));
		/* A peer that closes and has not read all resets. */
		if (ends[i] == -ECONNRESET)
			assert_true(fl_stream_send(e.s, &byte, 1, on_sent) >= 0);
		turns(loop, 3);
		if (ends[i] != NOTHING)
			close(raw);
		turns(loop, 3);
		assert_in_range(e.recv_calls, 0, 1);
		end_recv(&e);
		UNTIL(loop, e.got_len == (size_t)MESSAGES * MESSAGE);
		if (ends[i] == NOTHING) {
			raw_write(raw, data + (size_t)MESSAGES * MESSAGE, MESSAGE);
			UNTIL(loop, e.got_len == (size_t)(MESSAGES + 1) * MESSAGE);
			assert_false(fl_stream_stale(e.s));
			close(raw);
		}
		UNTIL(loop, e.end != NOTHING);
		assert_int_equal(e.end, ends[i] == NOTHING ? 0 : ends[i]);
		assert_memory_equal(e.got, data, e.got_len);
		end_close(&e);
	}
	free(data);
}

/* With any number of messages held, and one that comes with the resume. */
static void resumed(void **state)
{
	struct fl_loop *loop = loop_of(state);
	char *data = pattern_new(5, 0, MESSAGES * MESSAGE);
	for (int i = 0; i < 24; i++) {
		struct end e;
		int messages = i / 2;
		int raw = paused_stream(&e, loop, data, messages);
		end_recv(&e);
		if (i % 2 == 1)
			raw_write(raw, data + (size_t)messages++ * MESSAGE, MESSAGE);
		if (messages > 0)
			UNTIL(loop, e.got_len == (size_t)messages * MESSAGE);
		assert_memory_equal(e.got ? e.got : "", data, e.got_len);
		close(raw);
		end_close(&e);
	}
	free(data);
}

/* An end that came during a pause, and nothing before it. */
static void the_end_during_a_pause(void **state)
{
	struct fl_loop *loop = loop_of(state);
	for (int reset = 0; reset < 2; reset++) {
		struct end e;
		int raw = tcp_with_raw(&e, loop);
		end_recv(&e);
		turns(loop, 3);
		fl_stream_recv_pause(e.s);
		if (reset)
			raw_reset(raw);
		else
			close(raw);
		turns(loop, 3);
		assert_int_equal(e.end, NOTHING);
		assert_true(fl_stream_stale(e.s));
		end_recv(&e);
		UNTIL(loop, e.end != NOTHING);
		assert_int_equal(e.end, reset ? -ECONNRESET : 0);
		end_close(&e);
	}
}

static void pause_each(void *cookie, struct fl_rbuf *buf, int result)
{
	struct end *e = cookie;
	on_recv(cookie, buf, result);
	if (result > 0)
		fl_stream_recv_pause(e->s);
}

/* Pause and resume with every buffer, with more always there. */
static void stop_and_go(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct end e;
	int raw = pair_with_raw(&e, loop);
	char *data = pattern_new(3, 0, 40 * BUFFER);
	raw_write(raw, data, 40 * BUFFER);
	close(raw);
	while (e.end == NOTHING) {
		int calls = e.recv_calls;
		assert_int_equal(fl_stream_recv(e.s, pause_each), 0);
		UNTIL(loop, e.recv_calls > calls);
		turns(loop, e.recv_calls % 3);
		assert_int_equal(e.recv_calls, calls + 1);
	}
	assert_int_equal(e.end, 0);
	assert_int_equal(e.got_len, 40 * BUFFER);
	assert_memory_equal(e.got, data, 40 * BUFFER);
	free(data);
	end_close(&e);
}

static void closed_with_bytes_waiting(void **state)
{
	struct fl_loop *loop = loop_of(state);
	char *data = pattern_new(4, 0, MESSAGES * MESSAGE);
	for (int armed = 0; armed < 2; armed++) {
		struct end e;
		int raw = paused_stream(&e, loop, data, MESSAGES);
		if (armed) {
			end_recv(&e);
			UNTIL(loop, e.got_len == (size_t)MESSAGES * MESSAGE);
		}
		end_close(&e);
		close(raw);
	}
	free(data);
}

/* ---- staleness ---- */

struct couple {
	struct end end[2];
	int raw[2];
	int calls;
};

/* Whoever is told first must see the other one's news, too. */
static void ask_the_other(void *cookie, struct fl_rbuf *buf, int result)
{
	struct end *e = cookie;
	struct couple *c = fl_container_of(e, struct couple, end[e->recv_calls]);
	(void)buf;
	(void)result;
	if (c->calls++ == 0)
		assert_true(fl_stream_stale(c->end[1 - e->recv_calls].s));
	fl_loop_stop(e->loop);
}

static void news_of_one_turn_are_known_at_once(void **state)
{
	struct fl_loop *loop = loop_of(state);
	for (int closed = 0; closed < 3; closed++) {
		struct couple c = {.calls = 0};
		for (int i = 0; i < 2; i++) {
			c.raw[i] = tcp_with_raw(&c.end[i], loop);
			c.end[i].recv_calls = i;
			assert_int_equal(fl_stream_recv(c.end[i].s, ask_the_other), 0);
		}
		turns(loop, 3);
		for (int i = 0; i < 2; i++) {
			/* As of the last trip into the kernel there was nothing. */
			if (i == closed)
				close(c.raw[i]);
			else
				raw_write(c.raw[i], "x", 1);
			assert_false(fl_stream_stale(c.end[i].s));
		}
		UNTIL(loop, c.calls == 2);
		for (int i = 0; i < 2; i++) {
			end_close(&c.end[i]);
			if (i != closed)
				close(c.raw[i]);
		}
	}
}

int main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		ON_BOTH(many_streams_few_buffers),
		ON_BOTH(a_turn_brings_a_bounded_number),
		ON_BOTH(paused_while_waiting),
		ON_BOTH(resumed),
		ON_BOTH(the_end_during_a_pause),
		ON_BOTH(stop_and_go),
		ON_BOTH(closed_with_bytes_waiting),
		ON_BOTH(news_of_one_turn_are_known_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
