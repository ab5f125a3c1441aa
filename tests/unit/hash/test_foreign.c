/* Known answers for the hashes that only other systems' mappings use. */
#include "hash/crc16.h"
#include "hash/fnv.h"
#include "hash/mix.h"
#include "hash/murmur64.h"
#include "hash/spooky.h"
#include "hash/stream.h"
#include "hash/xxh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char nine[] = "123456789";

/* SMHasher's verification value: hashes of keys of 0..255 bytes {0, 1, 2, ...} under the seeds 256,
 * 255, ..., and then the hash of all of them. */
static uint32_t verification(uint64_t (*hash)(const void *, size_t, uint64_t), size_t size)
{
	unsigned char key[256] = {0}, all[256 * 8], last[8];
	for (size_t i = 0; i < 256; i++) {
		fl_store64_le(last, hash(key, i, 256 - i));
		memcpy(all + i * size, last, size);
		key[i] = (unsigned char)i;
	}
	return (uint32_t)hash(all, 256 * size, 0);
}

static uint64_t xxh32_of(const void *bytes, size_t len, uint64_t seed)
{
	return fl_xxh32(bytes, len, (uint32_t)seed);
}

static void test_verification_values(void **state)
{
	(void)state;
	assert_int_equal(verification(fl_murmur64a, 8), 0x1f0d3804);
	assert_int_equal(verification(fl_xxh64, 8), 0x024b7cf4);
	assert_int_equal(verification(xxh32_of, 4), 0xba88b743);
}

/* From the author's own test: messages of n bytes 128, 129, ... (mod 256), seed 0. The lengths are
 * where its paths part. */
static void test_spooky(void **state)
{
	static const struct {
		size_t len;
		uint32_t hash;
	} known[] = {{0, 0x6bf50919}, {1, 0x70de1d26}, {2, 0xa2b37298}, {3, 0x35bc5fbf},
		{4, 0x8223b279}, {7, 0xf9f1a233}, {8, 0xee193982}, {12, 0x5f23d1da},
		{15, 0x83ec01f9}, {16, 0xf274736c}, {17, 0x7e9ac0df}, {31, 0x027bca7c},
		{32, 0xe5cfc8b6}, {33, 0xce01d9d7}, {63, 0x09c1afb4}, {96, 0x1499b81a},
		{191, 0xe13d9e19}, {192, 0x77e012bd}, {193, 0x2d05114c}, {256, 0x38cebf03},
		{447, 0xf04af50f}, {448, 0xad7baa23}, {510, 0x82046f8e}, {511, 0xcc1c8250}};
	unsigned char bytes[512];
	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i + 128);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(fl_spooky32(bytes, known[i].len, 0), known[i].hash);
	assert_int_equal(fl_spooky32(NULL, 0, 0), 0x6bf50919);
	assert_int_not_equal(fl_spooky32(bytes, 20, 1), fl_spooky32(bytes, 20, 0));
}

static void test_crc16(void **state)
{
	(void)state;
	assert_int_equal(fl_crc16_xmodem(nine, 9), 0x31c3);
	assert_int_equal(fl_crc16_xmodem(NULL, 0), 0);
	assert_int_equal(fl_crc16_xmodem("\xff\x80", 2), 0x9277);
}

static void test_fnv(void **state)
{
	(void)state;
	assert_int_equal(fl_fnv1a_32(FL_FNV32, "foobar", 6), 0xbf9cf968);
	assert_int_equal(fl_fnv1a_64(FL_FNV64, "foobar", 6), 0x85944171f73967e8u);
	assert_int_equal(fl_fnv1a_32(fl_fnv1a_32(FL_FNV32, "foo", 3), "bar", 3), 0xbf9cf968);
	assert_int_equal(
		fl_fnv1a_64(fl_fnv1a_64(FL_FNV64, "foo", 3), "bar", 3), 0x85944171f73967e8u);
	assert_int_equal(fl_fnv1a_32(FL_FNV32, NULL, 0), FL_FNV32);
	/* Bytes are unsigned. */
	assert_int_equal(fl_fnv1a_32(FL_FNV32, "\xff", 1), (FL_FNV32 ^ 0xff) * 0x01000193u);
}

/* The stream is the whole in pieces, and can be copied half way. */
static void test_stream_xxh64(void **state)
{
	char text[100];
	struct fl_stream s, copy;
	(void)state;
	memset(text, 'x', sizeof(text));
	fl_stream_init(&s, FL_STREAM_XXH64);
	fl_stream_add(&s, text, 33);
	copy = s;
	fl_stream_add(&copy, NULL, 0);
	fl_stream_add(&copy, text + 33, 67);
	assert_int_equal(fl_stream_first64(&copy), fl_xxh64(text, 100, 0));
	assert_int_equal(fl_stream_first64(&s), fl_xxh64(text, 33, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verification_values),
		cmocka_unit_test(test_spooky),
		cmocka_unit_test(test_crc16),
		cmocka_unit_test(test_fnv),
		cmocka_unit_test(test_stream_xxh64),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
