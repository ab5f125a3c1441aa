/* Body decoders against an oracle that builds the body it then expects back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/http1.h"
#include "support/http1_run.h"

#include <stdio.h>

enum {
	WIRE_MAX = 65536
};

struct decoded {
	char data[WIRE_MAX];
	size_t n, used;
	bool done, bad;
};

/* Feeds pieces of at most `most` bytes, each from a block of exactly its size. */
static void decode(struct fl_http1_body *body, const char *wire, size_t n, uint64_t *seed,
	unsigned most, struct decoded *out)
{
	memset(out, 0, sizeof(*out));
	while (out->used < n && !body->done) {
		size_t piece = 1 + http1_random(seed) % most;
		piece = piece < n - out->used ? piece : n - out->used;
		char *copy = malloc(piece);
		assert_non_null(copy);
		memcpy(copy, wire + out->used, piece);
		struct fl_slice data;
		long used = fl_http1_body_feed(body, copy, piece, &data);
		if (used < 0) {
			/* it stays refused */
			assert_int_equal(fl_http1_body_feed(body, copy, piece, &data), -1);
			free(copy);
			out->bad = true;
			return;
		}
		assert_true(used > 0 && (size_t)used <= piece);
		assert_true(data.n == 0 || (data.p >= copy && data.p + data.n == copy + used));
		memcpy(out->data + out->n, data.p, data.n);
		out->n += data.n;
		out->used += (size_t)used;
		free(copy);
	}
	out->done = body->done;
}

static struct fl_http1_body start(enum fl_http1_framing framing, uint64_t length)
{
	struct fl_http1_head head = {.framing = framing, .length = length};
	struct fl_http1_body body;
	fl_http1_body_init(&body, &head);
	return body;
}

static size_t put_size(char *wire, size_t size, uint64_t *seed)
{
	static const char *const extensions[] = {
		"", "", "", ";a", ";a=b", " ; a = \"\\\"q\" ; b"};
	size_t n = 0;
	for (unsigned zeros = http1_random(seed) % 3; zeros > 0; zeros--)
		wire[n++] = '0';
	n += (size_t)sprintf(wire + n, http1_random(seed) % 2 ? "%zx" : "%zX", size);
	n += (size_t)sprintf(wire + n, "%s\r\n", extensions[http1_random(seed) % 6]);
	return n;
}

/* A random chunked body: its wire form, and in *data what must come out. */
static size_t build(char *wire, char *data, size_t *length, uint64_t *seed)
{
	size_t n = 0, out = 0;
	for (unsigned chunks = http1_random(seed) % 12; chunks > 0; chunks--) {
		size_t size = 1 + http1_random(seed) % (http1_random(seed) % 4 ? 20 : 3000);
		n += put_size(wire + n, size, seed);
		for (size_t i = 0; i < size; i++)
			data[out + i] = "0\r\n;a\0\xff"[http1_random(seed) % 8];
		memcpy(wire + n, data + out, size);
		n += size;
		out += size;
		n += (size_t)sprintf(wire + n, "\r\n");
	}
	n += put_size(wire + n, 0, seed);
	for (unsigned trailers = http1_random(seed) % 3; trailers > 0; trailers--)
		n += (size_t)sprintf(wire + n, "Trailing-%u: \t x\x80 \r\n", trailers);
	n += (size_t)sprintf(wire + n, "\r\n");
	*length = out;
	return n;
}

static void test_chunked_oracle(void **state)
{
	static char wire[WIRE_MAX], data[WIRE_MAX];
	static struct decoded got;
	(void)state;
	for (uint64_t round = 1; round <= 1500; round++) {
		uint64_t seed = round;
		size_t length, n = build(wire, data, &length, &seed);
		size_t rest = http1_random(&seed) % 8;
		memset(wire + n, 'R', rest);
		struct fl_http1_body body = start(FL_BODY_CHUNKED, 0);
		static const unsigned pieces[] = {1, 3, 50, WIRE_MAX};
		decode(&body, wire, n + rest, &seed, pieces[round % 4], &got);
		assert_true(got.done && !got.bad);
		assert_int_equal(got.used, n);
		assert_int_equal(got.n, length);
		assert_memory_equal(got.data, data, length);
	}
}

/* Any proper prefix of a good body is neither done nor bad. */
static void test_prefixes_wait(void **state)
{
	static char wire[WIRE_MAX], data[WIRE_MAX];
	static struct decoded got;
	(void)state;
	for (uint64_t round = 1; round <= 400; round++) {
		uint64_t seed = round;
		size_t length, n = build(wire, data, &length, &seed);
		struct fl_http1_body body = start(FL_BODY_CHUNKED, 0);
		decode(&body, wire, http1_random(&seed) % n, &seed, 100, &got);
		assert_false(got.done || got.bad);
		assert_true(got.n <= length);
		assert_memory_equal(got.data, data, got.n);
	}
}

/* One byte of the grammar changed: refused, or the same data, or more is wanted: never a complete
 * body that is another one, unless the byte was a digit of a size. */
static void test_one_byte_off(void **state)
{
	static const char good[] =
		"5\r\nhello\r\nb;x=\"y\"\r\nhello world\r\n0\r\nT: v\r\n\r\n";
	static struct decoded got;
	(void)state;
	for (size_t at = 0; at < sizeof(good) - 1; at++) {
		for (int byte = 0; byte < 256; byte++) {
			char wire[sizeof(good)];
			uint64_t seed = at;
			memcpy(wire, good, sizeof(good));
			wire[at] = (char)byte;
			struct fl_http1_body body = start(FL_BODY_CHUNKED, 0);
			decode(&body, wire, sizeof(good) - 1, &seed, 9, &got);
			bool digit = at == 0 || at == 10;
			bool crlf = good[at] == '\r' || good[at] == '\n';
			if (got.done)
				assert_true(got.n == 16 || (digit && byte == '0'));
			if (crlf && byte != good[at] && got.done)
				fail_msg("byte %d at %zu passed for a line end", byte, at);
		}
	}
}

/* 8 KiB of anything but data is the most: exactly. */
static void test_overhead_bound(void **state)
{
	static char wire[WIRE_MAX];
	static struct decoded got;
	uint64_t seed = 1;
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		for (int trailer = 0; trailer < 2; trailer++) {
			/* "1\r\nx" resets the count; then CRLF and a size line or a trailer */
			size_t n = (size_t)sprintf(
				wire, "1\r\nx\r\n%s", trailer ? "0\r\nT:" : "0;");
			size_t fixed = n - 4 + 4; /* behind the data, and the two line ends */
			size_t fill = 8192 - fixed + (size_t)extra;
			memset(wire + n, 'a', fill);
			n += fill;
			n += (size_t)sprintf(wire + n, "\r\n\r\n");
			struct fl_http1_body body = start(FL_BODY_CHUNKED, 0);
			decode(&body, wire, n, &seed, 1000, &got);
			assert_int_equal(got.bad, extra);
			assert_int_equal(got.done, !extra);
		}
	}
}

static void test_length(void **state)
{
	static struct decoded got;
	uint64_t seed = 3;
	(void)state;
	struct fl_http1_body body = start(FL_BODY_LENGTH, 10);
	decode(&body, "0123456789rest", 14, &seed, 4, &got);
	assert_true(got.done && got.used == 10 && got.n == 10);
	assert_memory_equal(got.data, "0123456789", 10);

	struct fl_slice data;
	body = start(FL_BODY_LENGTH, INT64_MAX);
	assert_int_equal(fl_http1_body_feed(&body, "abc", 3, &data), 3);
	assert_true(body.left == (uint64_t)INT64_MAX - 3 && !body.done);
	assert_int_equal(fl_http1_body_feed(&body, "abc", 0, &data), 0);
}

static void test_none_and_close(void **state)
{
	struct fl_slice data;
	(void)state;
	struct fl_http1_body body = start(FL_BODY_NONE, 0);
	assert_true(body.done);
	assert_int_equal(fl_http1_body_feed(&body, "abc", 3, &data), 0);
	assert_int_equal(data.n, 0);
	body = start(FL_BODY_LENGTH, 0);
	assert_true(body.done);
	body = start(FL_BODY_CLOSE, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fl_http1_body_feed(&body, "abc", 3, &data), 3);
		assert_int_equal(data.n, 3);
		assert_false(body.done);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunked_oracle),
		cmocka_unit_test(test_prefixes_wait),
		cmocka_unit_test(test_one_byte_off),
		cmocka_unit_test(test_overhead_bound),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_none_and_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
