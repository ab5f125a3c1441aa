// rooms: lib
/* maglev: rows against the rule that apportions them, where rows begin and end, what a change
 * moves beyond the necessary, and who takes over. */
#include "place/placement_priv.h"
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint32_t *rows_of(const fl_placement *p, uint32_t rows)
{
	uint32_t slots = fl_placement_slots(p), sum = 0;
	double *shares = calloc(slots + 1, sizeof(*shares));
	uint32_t *count = calloc(slots + 1, sizeof(*count));
	assert_int_equal(fl_shares(p, 0, shares), FL_OK);
	for (uint32_t s = 0; s < slots; s++) {
		count[s] = (uint32_t)(shares[s] * rows + 0.5);
		sum += count[s];
	}
	assert_int_equal(sum, rows);
	free(shares);
	return count;
}

/* No row would be better placed with somebody else (maglev.c). */
static void check_rows(uint32_t rows, uint64_t seed, const struct test_nodes *t)
{
	char spec[64];
	snprintf(
		spec, sizeof(spec), "maglev,rows=%u,seed=%llu", rows, (unsigned long long)seed);
	fl_placement *p = test_place(spec, t->nodes, t->count);
	uint32_t *count = rows_of(p, rows);
	for (size_t i = 0; i < t->count; i++) {
		int64_t mine = t->nodes[i].weight, have = count[i];
		assert_int_equal(fl_placement_starved(p, (uint32_t)i), have == 0 && mine > 0);
		for (size_t j = 0; j < t->count; j++) {
			int64_t yours = t->nodes[j].weight;
			if (mine > 0 && yours > 0)
				assert_true((2 * have - 1) * yours <=
					    (2 * (int64_t)count[j] + 1) * mine);
		}
		assert_true(mine > 0 || have == 0);
	}
	free(count);
	fl_placement_unref(p);
}

static void test_rows_by_weight(void **state)
{
	static const uint32_t rows[] = {251, 257, 4093};
	static const int32_t most[] = {1, 3, 50, 65535};
	struct test_rng r = {1};
	(void)state;
	for (size_t i = 0; i < 60; i++) {
		struct test_nodes t =
			test_nodes_new(&r, 1 + test_below(&r, i % 5 ? 60 : 320), most[i % 4]);
		t.nodes[0].weight = most[i % 4];
		check_rows(rows[i % 3], i % 7, &t);
		test_nodes_free(&t);
	}
}

/* Heavy and light, whatever the quotients: nobody is forgotten who is worth a row. */
static void test_no_weight_vanishes_silently(void **state)
{
	struct fl_node nodes[] = {{"a", 65535, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL},
		{"c", 131, FL_NONE, NULL}, {"d", 132, FL_NONE, NULL}};
	fl_placement *p = test_place("maglev,rows=251", nodes, 4);
	uint32_t *count = rows_of(p, 251);
	(void)state;
	/* Half a row is worth 65799 / 502 = 131.07. */
	assert_int_equal(count[0], 250);
	assert_int_equal(count[3], 1);
	for (uint32_t s = 0; s < 4; s++)
		assert_int_equal(fl_placement_starved(p, s), s == 1 || s == 2);
	struct fl_key key = fl_key_bytes("k", 1);
	uint32_t slots[4];
	assert_int_equal(fl_owners(p, &key, NULL, slots, 4), 4);
	free(count);
	fl_placement_unref(p);
}

/* The last hash of each row's arc is that row's, the next one the next row's. */
static void test_where_rows_end(void **state)
{
	static const uint32_t rows[] = {251, 65537, 1000003};
	struct test_rng r = {2};
	struct test_nodes t = test_nodes_new(&r, 50, 1);
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char spec[64];
		struct fl_arc arc, next;
		snprintf(spec, sizeof(spec), "maglev,rows=%u", rows[i]);
		fl_placement *p = test_place(spec, t.nodes, 50);
		assert_true(p->algorithm->arc(p, 0, &arc));
		assert_int_equal(fl_lookup_hash(p, 0), arc.slot);
		for (uint32_t row = 1; row < rows[i]; row++) {
			assert_true(p->algorithm->arc(p, row, &next));
			assert_true(next.last > arc.last);
			assert_int_equal(fl_mul_high(arc.last, rows[i]), row - 1);
			assert_int_equal(fl_mul_high(arc.last + 1, rows[i]), row);
			assert_int_equal(fl_lookup_hash(p, arc.last), arc.slot);
			assert_int_equal(fl_lookup_hash(p, arc.last + 1), next.slot);
			arc = next;
		}
		assert_true(arc.last == UINT64_MAX);
		assert_false(p->algorithm->arc(p, rows[i], &next));
		fl_placement_unref(p);
	}
	test_nodes_free(&t);
}

/* Not minimal, but near: 100 nodes and 65537 rows. */
static void test_excess_is_small(void **state)
{
	struct test_rng r = {3};
	struct test_nodes t = test_nodes_new(&r, 100, 1);
	fl_placement *p = test_place("maglev", t.nodes, 100);
	double excess = 0;
	(void)state;
	assert_int_equal(
		fl_placement_capabilities(p) & (FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT), 0);
	for (size_t i = 0; i < 12; i++) {
		fl_placement *q = test_change(p, FL_REMOVE, t.nodes[i * 8].name, 0, 0);
		struct fl_movement *m;
		assert_int_equal(fl_movement_new(&m, p, q, 0, NULL), FL_OK);
		assert_true(m->exact && m->moved > m->least);
		excess += m->moved - m->least;
		fl_movement_free(m);
		fl_placement_unref(q);
	}
	assert_true(excess / 12 > 0.001 && excess / 12 < 0.01);
	fl_placement_unref(p);
	test_nodes_free(&t);
}

/* When a node is masked, its keys are spread over the others by weight, and not row by row. */
static void test_who_takes_over(void **state)
{
	struct fl_node nodes[] = {{"a", 4, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL},
		{"c", 1, FL_NONE, NULL}, {"d", 2, FL_NONE, NULL}};
	fl_placement *p = test_place("maglev,rows=65537", nodes, 4);
	uint64_t word = 1;
	struct fl_mask mask = {&word, 1};
	double count[4] = {0}, all = 0, same = 0;
	(void)state;
	for (uint64_t i = 0; i < 40000; i++) {
		struct fl_key key = fl_key_hash(fl_mix64(i)), near = key;
		uint32_t slot, other;
		if (fl_lookup_hash(p, key.hash) != 0)
			continue;
		assert_int_equal(fl_pick(p, &key, &mask, &slot), FL_OK);
		/* Another key of the same row, nearly always. */
		near.hash ^= 0x10000;
		assert_int_equal(fl_pick(p, &near, &mask, &other), FL_OK);
		count[slot]++;
		all++;
		same += slot == other;
	}
	assert_true(count[0] == 0 && all > 19000);
	assert_true(count[3] / all > 0.45 && count[3] / all < 0.55);
	assert_true(count[1] / all > 0.21 && count[1] / all < 0.29);
	/* 1/4 + 1/16 + 1/16 of independent choices agree. */
	assert_true(same / all > 0.34 && same / all < 0.41);
	fl_placement_unref(p);
}

static void test_rows_must_be_prime(void **state)
{
	static const struct {
		const char *spec, *says;
	} bad[] = {{"maglev,rows=65536", "rows=65536: expected a prime from 251 to 16777213"},
		{"maglev,rows=253", "expected a prime"},
		{"maglev,rows=961", "expected a prime"},
		{"maglev,rows=16769025", "expected a prime"},
		{"maglev,rows=241", "expected a number from 251"},
		{"maglev,rows=16777259", "expected a number from 251"}};
	static const char *const good[] = {"maglev,rows=251", "maglev,rows=16777213"};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fl_error err = {0, ""};
		fl_placement *p = NULL;
		assert_int_equal(fl_placement_new(&p, bad[i].spec, NULL, 0, &err), FL_EINVAL);
		assert_non_null(strstr(err.text, bad[i].says));
		assert_null(p);
	}
	for (size_t i = 0; i < 2; i++)
		fl_placement_unref(test_place(good[i], NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_by_weight),
		cmocka_unit_test(test_no_weight_vanishes_silently),
		cmocka_unit_test(test_where_rows_end),
		cmocka_unit_test(test_excess_is_small),
		cmocka_unit_test(test_who_takes_over),
		cmocka_unit_test(test_rows_must_be_prime),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
