/* Known answers for every hash, and that streams do not care how their bytes arrive. */
#include "hash/digest.h"
#include "hash/mix.h"
#include "hash/murmur3.h"
#include "hash/salt.h"
#include "hash/siphash.h"
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

/* SipHash-2-4 of 0, 1, 2 ... (n - 1) under the key 0, 1 ... 15, for n from 0: number 15 is printed
 * in the paper, and all of them are what OpenSSL 3.0 gives ("openssl mac", SIPHASH, 8 bytes). */
static const uint64_t siphashes[64] = {
	0x726fdb47dd0e0e31u,
	0x74f839c593dc67fdu,
	0x0d6c8009d9a94f5au,
	0x85676696d7fb7e2du,
	0xcf2794e0277187b7u,
	0x18765564cd99a68du,
	0xcbc9466e58fee3ceu,
	0xab0200f58b01d137u,
	0x93f5f5799a932462u,
	0x9e0082df0ba9e4b0u,
	0x7a5dbbc594ddb9f3u,
	0xf4b32f46226bada7u,
	0x751e8fbc860ee5fbu,
	0x14ea5627c0843d90u,
	0xf723ca908e7af2eeu,
	0xa129ca6149be45e5u,
	0x3f2acc7f57c29bdbu,
	0x699ae9f52cbe4794u,
	0x4bc1b3f0968dd39cu,
	0xbb6dc91da77961bdu,
	0xbed65cf21aa2ee98u,
	0xd0f2cbb02e3b67c7u,
	0x93536795e3a33e88u,
	0xa80c038ccd5ccec8u,
	0xb8ad50c6f649af94u,
	0xbce192de8a85b8eau,
	0x17d835b85bbb15f3u,
	0x2f2e6163076bcfadu,
	0xde4daaaca71dc9a5u,
	0xa6a2506687956571u,
	0xad87a3535c49ef28u,
	0x32d892fad841c342u,
	0x7127512f72f27cceu,
	0xa7f32346f95978e3u,
	0x12e0b01abb051238u,
	0x15e034d40fa197aeu,
	0x314dffbe0815a3b4u,
	0x027990f029623981u,
	0xcadcd4e59ef40c4du,
	0x9abfd8766a33735cu,
	0x0e3ea96b5304a7d0u,
	0xad0c42d6fc585992u,
	0x187306c89bc215a9u,
	0xd4a60abcf3792b95u,
	0xf935451de4f21df2u,
	0xa9538f0419755787u,
	0xdb9acddff56ca510u,
	0xd06c98cd5c0975ebu,
	0xe612a3cb9ecba951u,
	0xc766e62cfcadaf96u,
	0xee64435a9752fe72u,
	0xa192d576b245165au,
	0x0a8787bf8ecb74b2u,
	0x81b3e73d20b49b6fu,
	0x7fa8220ba3b2eceau,
	0x245731c13ca42499u,
	0xb78dbfaf3a8d83bdu,
	0xea1ad565322a1a0bu,
	0x60e61c23a3795013u,
	0x6606d7e446282b93u,
	0x6ca4ecb15c5f91e1u,
	0x9f626da15c9625f3u,
	0xe51b38608ef25f57u,
	0x958a324ceb064572u,
};

static void test_siphash(void **state)
{
	unsigned char bytes[64 + 1], key[FL_SIPHASH_KEY];
	(void)state;
	for (unsigned char i = 0; i < 64; i++)
		bytes[i + 1] = i;
	for (unsigned char i = 0; i < FL_SIPHASH_KEY; i++)
		key[i] = i;
	struct fl_siphash_key k = fl_siphash_key(key);
	assert_int_equal(siphashes[15], 0xa129ca6149be45e5u);
	for (size_t len = 0; len < 64; len++) /* from an odd address */
		assert_int_equal(fl_siphash(bytes + 1, len, k), siphashes[len]);
	assert_int_equal(fl_siphash(NULL, 0, k), siphashes[0]);
	struct fl_siphash_key turned = {k.k1, k.k0};
	assert_true(fl_siphash(bytes + 1, 16, turned) != siphashes[16]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_murmur3),
		cmocka_unit_test(test_streams_in_pieces),
		cmocka_unit_test(test_stream_answers),
		cmocka_unit_test(test_xxh3),
		cmocka_unit_test(test_siphash),
		cmocka_unit_test(test_wide_multiply),
		cmocka_unit_test(test_salts_differ),
		cmocka_unit_test(test_endian_helpers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
