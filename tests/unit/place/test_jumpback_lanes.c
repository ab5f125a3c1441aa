/* The vector forms of jumpback give what the scalar one gives, whatever this processor has. */
#include "place/kernel.h"

#include "hash/mix.h"
#include "place/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MOST  1300
#define GUARD 0xdeadbeefu

static uint64_t hashes[MOST];

static void fill(uint64_t seed)
{
	for (size_t i = 0; i < MOST; i++)
		hashes[i] = fl_mix64(seed + i * FL_WEYL);
}

static void compare(const struct fl_kernels *k, size_t keys, uint32_t count)
{
	uint32_t out[MOST + 1];
	out[keys] = GUARD;
	k->jumpback(hashes, keys, count, out);
	for (size_t i = 0; i < keys; i++) {
		uint32_t want = fl_jumpback(hashes[i], count);
		if (out[i] != want)
			fail_msg("%s, count %u, key %zu of %zu: %u, not %u", k->name, count, i,
				keys, out[i], want);
	}
	assert_int_equal(out[keys], GUARD);
}

static void test_around_powers_of_two(void **state)
{
	const struct fl_kernels *k;
	(void)state;
	for (unsigned v = 0; (k = fl_kernels_at(v)); v++) {
		for (unsigned bits = 1; bits < 32; bits++) {
			fill(bits);
			for (uint32_t off = 0; off < 3; off++)
				compare(k, MOST, (uint32_t)((1ul << bits) - 1 + off));
		}
		compare(k, MOST, UINT32_MAX);
	}
}

static void test_every_length(void **state)
{
	const struct fl_kernels *k;
	(void)state;
	fill(77);
	for (unsigned v = 0; (k = fl_kernels_at(v)); v++) {
		for (size_t keys = 0; keys < 600; keys += keys < 20 ? 1 : 7)
			compare(k, keys, 65);
		compare(k, 255, 1025);
		compare(k, 256, 1025);
		compare(k, 257, 1025);
		compare(k, 511, 1025);
		compare(k, 512, 1025);
		compare(k, 513, 1025);
		compare(k, 1024, 3);
	}
}

static void test_small_counts(void **state)
{
	const struct fl_kernels *k;
	(void)state;
	for (unsigned v = 0; (k = fl_kernels_at(v)); v++) {
		for (uint32_t count = 1; count < 200; count++) {
			fill(count);
			compare(k, 300, count);
		}
	}
}

/* Hashes that are all bits or one bit: the ends of every shift. */
static void test_thin_hashes(void **state)
{
	const struct fl_kernels *k;
	(void)state;
	for (size_t i = 0; i < 64; i++) {
		hashes[4 * i] = (uint64_t)1 << i;
		hashes[4 * i + 1] = ~((uint64_t)1 << i);
		hashes[4 * i + 2] = UINT64_MAX >> i;
		hashes[4 * i + 3] = UINT64_MAX << i;
	}
	for (unsigned v = 0; (k = fl_kernels_at(v)); v++) {
		for (uint32_t count = 1; count < 70; count++)
			compare(k, 256, count);
		compare(k, 256, UINT32_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_around_powers_of_two),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_small_counts),
		cmocka_unit_test(test_thin_hashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
