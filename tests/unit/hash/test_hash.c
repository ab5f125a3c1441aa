/* Known answers for every hash, and that streams do not care how their bytes arrive. */
#include "hash/digest.h"
#include "hash/mix.h"
#include "hash/murmur3.h"
#include "hash/salt.h"
#include "hash/stream.h"
#include "hash/xxh3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

static const char nine[] = "123456789";

static void hex(const unsigned char *bytes, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

static void test_digests(void **state)
{
	unsigned char sum[FL_SHA256_SIZE];
	char text[2 * FL_SHA256_SIZE + 1];
	(void)state;
	fl_md5(nine, 9, sum);
	hex(sum, FL_MD5_SIZE, text);
	assert_string_equal(text, "25f9e794323b453885f5181f1b624d0b");
	fl_md5(NULL, 0, sum);
	hex(sum, FL_MD5_SIZE, text);
	assert_string_equal(text, "d41d8cd98f00b204e9800998ecf8427e");
	fl_sha1("abc", 3, sum);
	hex(sum, FL_SHA1_SIZE, text);
	assert_string_equal(text, "a9993e364706816aba3e25717850c26c9cd0d89d");
	fl_sha256("abc", 3, sum);
	hex(sum, FL_SHA256_SIZE, text);
	assert_string_equal(
		text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void murmur(const void *bytes, size_t len, uint32_t seed, uint64_t out[2])
{
	struct fl_murmur3 m;
	fl_murmur3_init(&m, seed);
	fl_murmur3_add(&m, bytes, len);
	fl_murmur3_sum(&m, out);
}

static void test_murmur3(void **state)
{
	static const char fox[] = "The quick brown fox jumps over the lazy dog";
	uint64_t out[2];
	(void)state;
	murmur(nine, 9, 0, out);
	assert_int_equal(out[0], 0x3c84645edb66cca4u);
	assert_int_equal(out[1], 0x99f8fac73a1ea105u);
	murmur("", 0, 0, out);
	assert_int_equal(out[0], 0);
	assert_int_equal(out[1], 0);
	murmur(fox, strlen(fox), 0, out);
	assert_int_equal(out[0], 0xe34bbc7bbc071b6cu);
	assert_int_equal(out[1], 0x7a433ca9c49a9347u);
}

static void test_streams_in_pieces(void **state)
{
	static const enum fl_stream_kind kinds[] = {
		FL_STREAM_MURMUR3_128, FL_STREAM_MD5, FL_STREAM_SHA256};
	char bytes[80];
	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 37 + 1);
	for (size_t k = 0; k < 3; k++) {
		for (size_t len = 0; len <= sizeof(bytes); len++) {
			struct fl_stream whole, parts, copy;
			fl_stream_init(&whole, kinds[k]);
			fl_stream_add(&whole, bytes, len);
			uint64_t expected = fl_stream_first64(&whole);
			for (size_t cut = 0; cut <= len; cut++) {
				fl_stream_init(&parts, kinds[k]);
				fl_stream_add(&parts, bytes, cut);
				copy = parts;
				fl_stream_add(&parts, "other", 5);
				fl_stream_add(&copy, bytes + cut, len - cut);
				assert_int_equal(fl_stream_first64(&copy), expected);
			}
		}
	}
}

static void test_stream_answers(void **state)
{
	struct fl_stream s;
	(void)state;
	fl_stream_init(&s, FL_STREAM_MD5);
	fl_stream_add(&s, nine, 9);
	assert_int_equal(fl_stream_first64(&s), 0x38453b3294e7f925u);
	fl_stream_init(&s, FL_STREAM_MURMUR3_128);
	fl_stream_add(&s, nine, 9);
	assert_int_equal(fl_stream_first64(&s), 0x3c84645edb66cca4u);
	fl_stream_init(&s, FL_STREAM_SHA256);
	fl_stream_add(&s, "abc", 3);
	assert_int_equal(fl_stream_first64(&s), 0xeacf018fbf1678bau);
}

/* The header form compiled here equals the library that is installed. */
static void test_xxh3(void **state)
{
	static const uint64_t seeds[] = {0, 1, UINT64_MAX};
	unsigned char bytes[1200];
	(void)state;
	assert_int_equal(fl_xxh3("", 0, 0), 0x2d06800538d394c2u);
	assert_int_equal(fl_xxh3(NULL, 0, 0), 0x2d06800538d394c2u);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)fl_mix64(i);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		for (size_t s = 0; s < 3; s++)
			assert_int_equal(fl_xxh3(bytes, len, seeds[s]),
				XXH3_64bits_withSeed(bytes, len, seeds[s]));
	}
}

static void test_wide_multiply(void **state)
{
	static const uint64_t edges[] = {
		0, 1, 2, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX - 1, UINT64_MAX};
	(void)state;
	for (size_t i = 0; i < 7; i++) {
		for (size_t j = 0; j < 7; j++)
			assert_int_equal(fl_mul_high(edges[i], edges[j]),
				fl_mul_high_portable(edges[i], edges[j]));
	}
	for (uint64_t i = 0; i < 100000; i++) {
		uint64_t a = fl_mix64(i), b = fl_mix64(~i);
		assert_int_equal(fl_mul_high(a, b), fl_mul_high_portable(a, b));
	}
	assert_int_equal(fl_mul_high_portable(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
}

static void test_salts_differ(void **state)
{
	static const uint64_t salts[] = {FL_SALT_NODE, FL_SALT_ROW, FL_SALT_POINT, FL_SALT_LOW,
		FL_SALT_ATTEMPT, FL_SALT_SAMPLE, FL_SALT_DIGEST, FL_SALT_CANARY, FL_SALT_ZONE,
		FL_SALT_RAMP, FL_SALT_SPREAD};
	(void)state;
	for (size_t i = 0; i < sizeof(salts) / sizeof(salts[0]); i++) {
		for (size_t j = 0; j < i; j++) {
			assert_int_not_equal(salts[i], salts[j]);
			assert_int_not_equal(fl_salted(0, salts[i]), fl_salted(0, salts[j]));
		}
	}
}

static void test_endian_helpers(void **state)
{
	unsigned char bytes[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8}, back[9] = {0};
	(void)state;
	assert_int_equal(fl_load64_le(bytes + 1), 0x0807060504030201u);
	fl_store64_le(back + 1, 0x0807060504030201u);
	assert_memory_equal(bytes, back, 9);
	assert_int_equal(fl_rotl64(0x8000000000000001u, 1), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_murmur3),
		cmocka_unit_test(test_streams_in_pieces),
		cmocka_unit_test(test_stream_answers),
		cmocka_unit_test(test_xxh3),
		cmocka_unit_test(test_wide_multiply),
		cmocka_unit_test(test_salts_differ),
		cmocka_unit_test(test_endian_helpers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
