/* The table of keys beside plain arrays: exact below its bound; above it, exactly the keys that the
 * level asks for, each with its whole weight, in no more memory than was given. */
#include "plan/keytable.h"

#include "fairlead/fairlead.h"
#include "hash/mix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static uint64_t hash_of(uint64_t key)
{
	return fl_mix64(key * FL_WEYL + 3);
}

static void count(void *cookie, const struct fl_keytable_entry *entry)
{
	uint64_t *seen = cookie;

	assert_true(entry->hash != 0);
	(*seen)++;
}

static void check(const struct fl_keytable *t, uint64_t keys, uint64_t rounds)
{
	uint64_t rate = fl_keytable_rate(t), in = 0, seen = 0;

	for (uint64_t k = 0; k < keys; k++) {
		const struct fl_keytable_entry *e = fl_keytable_find(t, hash_of(k));
		if (hash_of(k) % rate != 0) {
			assert_null(e);
			continue;
		}
		assert_non_null(e);
		assert_int_equal(e->weight, rounds * (k + 1));
		assert_int_equal(e->from, k);
		assert_int_equal(e->to, k + 1);
		in++;
	}
	assert_int_equal(fl_keytable_count(t), in);
	fl_keytable_walk(t, count, &seen);
	assert_int_equal(seen, in);
}

static void test_sizes(void **state)
{
	static const uint64_t sizes[] = {0, 1, 1000, 15000, 24576, 30000, 60000, 200000};
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct fl_keytable *t;
		assert_int_equal(fl_keytable_new(&t, FL_KEYTABLE_LEAST), FL_OK);
		for (int round = 0; round < 2; round++)
			for (uint64_t k = 0; k < sizes[i]; k++)
				assert_int_equal(fl_keytable_add(t, hash_of(k), k + 1,
							 (uint32_t)k, (uint32_t)k + 1),
					FL_OK);
		check(t, sizes[i], 2);
		/* A million bytes hold 12,000 keys at least, whatever was fed. */
		if (sizes[i] > 15000)
			assert_true(fl_keytable_count(t) > 6000);
		/* Three quarters of the cells at most are used. */
		assert_true(fl_keytable_count(t) * sizeof(struct fl_keytable_entry) <
			    FL_KEYTABLE_LEAST / 4 * 3);
		assert_true(sizes[i] > 15000 || fl_keytable_rate(t) == 1);
		assert_true(sizes[i] < 60000 || fl_keytable_rate(t) > 1);
		fl_keytable_free(t);
	}
	fl_keytable_free(NULL);
}

/* Weights stop at the top; the hash that marks a free cell is a key like others. */
static void test_edges(void **state)
{
	struct fl_keytable *t;
	(void)state;
	assert_int_equal(fl_keytable_new(&t, FL_KEYTABLE_LEAST), FL_OK);
	assert_null(fl_keytable_find(t, 0));
	assert_int_equal(fl_keytable_add(t, 0, UINT64_MAX, 1, 2), FL_OK);
	assert_int_equal(fl_keytable_add(t, 0, 5, 3, 4), FL_OK);
	assert_int_equal(fl_keytable_find(t, 0)->weight, UINT64_MAX);
	assert_int_equal(fl_keytable_find(t, 0)->from, 1);
	assert_int_equal(fl_keytable_add(t, 7, 0, 1, 2), FL_OK);
	assert_int_equal(fl_keytable_find(t, 7)->weight, 0);
	assert_int_equal(fl_keytable_count(t), 2);
	fl_keytable_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
