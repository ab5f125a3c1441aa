/* Made-up keys: the model's vectors (tests/model/made_keys.py says what the lines are), that keys
 * differ, and that draws have the popularity they should have. */
#include "plan/keys.h"

#include "hash/xxh3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void to_hex(const char *bytes, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", (unsigned char)bytes[i]);
}

static bool check_key(const char *line)
{
	char shape[32], want[2 * FL_KEYGEN_MOST + 1], key[FL_KEYGEN_MOST];
	char hex[2 * FL_KEYGEN_MOST + 1];
	unsigned long long seed, i;

	if (sscanf(line, "key %31s %llu %llu %128s", shape, &seed, &i, want) != 4)
		return false;
	for (unsigned s = 0; s < FL_KEYGEN_SHAPES; s++)
		if (strcmp(fl_keygen_names[s], shape) == 0)
			to_hex(key, fl_keygen_key((enum fl_keygen_shape)s, seed, i, key), hex);
	assert_string_equal(hex, want);
	return true;
}

static struct fl_zipf *zipf;

static bool check_zipf(const char *line)
{
	unsigned n, s, r;
	unsigned long long seed, j, value;

	if (sscanf(line, "zipf %u %u %llu", &n, &s, &value) == 3) {
		fl_zipf_free(zipf);
		assert_int_equal(fl_zipf_new(&zipf, n, s), 0);
		assert_int_equal(fl_zipf_total(zipf), value);
	} else if (sscanf(line, "weight %u %u %u %llu", &n, &s, &r, &value) == 4) {
		assert_int_equal(fl_zipf_weight(zipf, r), value);
	} else if (sscanf(line, "rank %u %u %llu %llu %u", &n, &s, &seed, &j, &r) == 5) {
		assert_int_equal(fl_zipf_rank(zipf, seed, j), r);
	} else {
		return false;
	}
	return true;
}

static void test_vectors(void **state)
{
	FILE *f = fopen(FL_TEST_DIR "/golden/made_keys.txt", "r");
	char line[400];
	int lines = 0;
	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#')
			continue;
		if (!check_key(line) && !check_zipf(line))
			fail_msg("what is this? %s", line);
		lines++;
	}
	fclose(f);
	fl_zipf_free(zipf);
	assert_int_equal(lines, 197);
	assert_int_equal(
		system("/usr/bin/python3 " FL_TEST_DIR "/model/made_keys.py --check"), 0);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void test_keys_differ(void **state)
{
	enum {
		N = 30000
	};
	static uint64_t hashes[N];
	char key[FL_KEYGEN_MOST];
	(void)state;
	for (unsigned s = 0; s < FL_KEYGEN_SHAPES; s++) {
		for (uint64_t i = 0; i < N; i++) {
			size_t n = fl_keygen_key((enum fl_keygen_shape)s, 5, i, key);
			assert_true(n > 0 && n <= sizeof(key));
			hashes[i] = fl_xxh3(key, n, 0);
		}
		qsort(hashes, N, sizeof(hashes[0]), by_value);
		for (size_t i = 1; i < N; i++)
			assert_true(hashes[i - 1] != hashes[i]);
	}
}

/* Each rank's count within six deviations of what its weight says. */
static void test_draws(void **state)
{
	enum {
		N = 50,
		DRAWS = 200000
	};
	static unsigned count[N];
	struct fl_zipf *z;
	(void)state;
	assert_int_equal(fl_zipf_new(&z, N, 900), 0);
	for (uint64_t j = 0; j < DRAWS; j++) {
		uint32_t r = fl_zipf_rank(z, 11, j);
		assert_true(r < N);
		count[r]++;
	}
	for (uint32_t r = 0; r < N; r++) {
		double p = (double)fl_zipf_weight(z, r) / (double)fl_zipf_total(z);
		double off = count[r] - p * DRAWS;
		assert_true(off * off < 36 * DRAWS * p * (1 - p));
		assert_true(r == 0 || fl_zipf_weight(z, r) < fl_zipf_weight(z, r - 1));
	}
	fl_zipf_free(z);
	fl_zipf_free(NULL);
	z = NULL;
	assert_int_equal(fl_zipf_new(&z, 0, 1000), FL_EINVAL);
	assert_int_equal(fl_zipf_new(&z, FL_ZIPF_MOST + 1, 1000), FL_EINVAL);
	assert_int_equal(fl_zipf_new(&z, 10, 4001), FL_EINVAL);
	assert_null(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_keys_differ),
		cmocka_unit_test(test_draws),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
