/* Known answers for the hashes of deployed systems, for every length of rest and for bytes from 0x80
 * on; and the short way to MD5. */
#include "hash/digest.h"
#include "hash/legacy.h"
#include "hash/mix.h"
#include "hash/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint32_t murmur2(const void *bytes, size_t len)
{
	return fl_murmur2_32(bytes, len, 0xdeadbeefu * (uint32_t)len);
}

static uint32_t murmur3(const void *bytes, size_t len)
{
	return fl_murmur3_32(bytes, len, 0);
}

static uint32_t lookup3(const void *bytes, size_t len)
{
	return fl_lookup3(bytes, len, 13);
}

static const struct {
	uint32_t (*hash)(const void *bytes, size_t len);
	uint32_t nine, none;
} known[] = {
	{fl_crc32, 0xcbf43926, 0},
	{fl_one_at_a_time_signed, 0xc66b58c5, 0},
	{fl_fnv1_64_low_signed, 0x2bf916d6, 0x84222325},
	{fl_fnv1a_64_cut_signed, 0x23c6cdfc, 0x84222325},
	{fl_fnv1_32_signed, 0x24148816, 0x811c9dc5},
	{fl_fnv1a_32_signed, 0xbb86b11c, 0x811c9dc5},
	{murmur2, 0xb7760690, 0},
	{murmur3, 0xb4fef382, 0},
	{lookup3, 0x19777af6, 0xdeadbefc},
	{fl_hsieh, 0xe4fc1670, 0},
	{fl_md5_first32, 0x94e7f925, 0xd98c1dd4},
};

static void test_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(known[i].hash("123456789", 9), known[i].nine);
		assert_int_equal(known[i].hash(NULL, 0), known[i].none);
	}
}

static void test_seeds(void **state)
{
	(void)state;
	assert_int_equal(fl_murmur3_32("", 0, 1), 0x514e28b7);
	assert_int_equal(fl_murmur3_32("hello", 5, 0), 0x248bfa47);
	assert_int_equal(fl_lookup3("Four score and seven years ago", 30, 0), 0x17770551);
	assert_int_equal(fl_lookup3("Four score and seven years ago", 30, 1), 0xcd628161);
}

/* The sum over all lengths up to 40 of bytes that are mostly not ASCII. Each of these functions was
 * seen to agree with what libmemcached 1.1.4 or twemproxy 0.5.0 (hsieh) does with such keys. */
static uint32_t sum_of(uint32_t (*hash)(const void *bytes, size_t len))
{
	unsigned char bytes[40];
	uint32_t sum = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(251 - 37 * i);
	for (size_t len = 0; len <= sizeof(bytes); len++)
		sum = fl_rotl32(sum, 5) ^ hash(bytes, len);
	return sum;
}

static void test_all_lengths(void **state)
{
	static const uint32_t sums[] = {0x2389f93b, 0x0000c97d, 0x345a386a, 0x7cae1e05,
		0xe9c4c64a, 0x9b506323, 0xa220aa86, 0x4ebb98d4, 0x4d7eb27f, 0xf33b9fb6,
		0xb52dad2c};
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(sum_of(known[i].hash), sums[i]);
}

static void test_md5_of_all_lengths(void **state)
{
	unsigned char bytes[150], sum[FL_MD5_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 91 + 200);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct fl_stream s;
		fl_md5(bytes, len, sum);
		fl_stream_init(&s, FL_STREAM_MD5);
		fl_stream_add(&s, bytes, len);
		assert_true(fl_stream_first64(&s) == fl_load64_le(sum));
		assert_int_equal(fl_md5_first32(bytes, len), fl_load32_le(sum));
	}
	fl_md5("1234567890123456789012345678901234567890123456789012345", 55, sum);
	assert_int_equal(fl_load64_le(sum + 8), 0xa07de648199f22c3u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_seeds),
		cmocka_unit_test(test_all_lengths),
		cmocka_unit_test(test_md5_of_all_lengths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
