// rooms: lib
/* Owners by zone, over every algorithm: the answers are what a plain reading of their definition
 * gives, for all k; and a node that goes takes nobody else with it. */
#include "support/specs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MOST 300

static const char *const zones[] = {"a", "b", "cc", "d", "e", "f", "g", "h"};

/* Node after node in a zone of `count`; in some memberships most are in the first, some in none. */
static void give_zones(struct test_rng *r, struct test_nodes *t, uint32_t count)
{
	bool skewed = test_below(r, 2);
	for (size_t i = 0; i < t->count; i++) {
		uint32_t z = test_below(r, count + 1);
		if (skewed && test_below(r, 20) != 0)
			z = 0;
		t->nodes[i].zone = z < count ? zones[z] : test_below(r, 2) ? NULL : "";
	}
}

static const char *zone_at(const fl_placement *p, uint32_t slot)
{
	const char *zone = fl_placement_node(p, slot)->zone;
	return zone ? zone : "";
}

static int near_by_hand(
	const fl_placement *p, const uint32_t *order, int n, const char *zone, uint32_t *out)
{
	int m = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < n; i++) {
			if ((strcmp(zone_at(p, order[i]), zone) != 0) == pass)
				out[m++] = order[i];
		}
	}
	return m;
}

/* Round after round, each zone gives the next that it has in the order. */
static int spread_by_hand(const fl_placement *p, const uint32_t *order, int n, uint32_t *out)
{
	bool taken[MOST] = {false};
	int m = 0;
	while (m < n) {
		int round = m;
		for (int i = 0; i < n; i++) {
			bool again = taken[i];
			for (int j = round; j < m && !again; j++)
				again = strcmp(zone_at(p, out[j]), zone_at(p, order[i])) == 0;
			if (!again) {
				taken[i] = true;
				out[m++] = order[i];
			}
		}
	}
	return m;
}

static void check_key(const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, const char *zone)
{
	static const size_t ks[] = {0, 1, 2, 3, 8, 9, 63, 64, 65, MOST};
	uint32_t order[MOST], near[MOST], spread[MOST], got[MOST];
	int n = fl_owners(p, key, mask, order, MOST);
	assert_int_equal(near_by_hand(p, order, n, zone ? zone : "", near), n);
	assert_int_equal(spread_by_hand(p, order, n, spread), n);
	for (size_t i = 0; i < sizeof(ks) / sizeof(ks[0]); i++) {
		int want = (size_t)n < ks[i] ? n : (int)ks[i];
		assert_int_equal(fl_owners_near(p, key, mask, zone, got, ks[i]), want);
		assert_memory_equal(got, near, (size_t)want * sizeof(*got));
		assert_int_equal(fl_owners_spread(p, key, mask, got, ks[i]), want);
		assert_memory_equal(got, spread, (size_t)want * sizeof(*got));
	}
}

static void test_as_defined(void **state)
{
	(void)state;
	for (size_t s = 0; s < TEST_SPECS; s++) {
		struct test_rng r = {s};
		bool slow = strncmp(test_specs[s], "compat", 6) == 0;
		for (int i = 0; i < 12; i++) {
			uint32_t most = slow ? 40 : i % 3 ? 90 : MOST;
			struct test_nodes t =
				test_nodes_for(&r, test_specs[s], 1 + test_below(&r, most));
			give_zones(&r, &t, 1 + test_below(&r, 8));
			fl_placement *p = test_place(test_specs[s], t.nodes, t.count);
			uint64_t words[3] = {test_next(&r), test_next(&r), test_next(&r)};
			struct fl_mask mask = {words, 3};
			for (int k = 0; k < 4; k++) {
				uint64_t number = test_next(&r);
				struct fl_key key = fl_key_bytes(&number, sizeof(number));
				check_key(p, &key, NULL, zones[test_below(&r, 8)]);
				check_key(p, &key, &mask, test_below(&r, 2) ? "a" : NULL);
			}
			fl_placement_unref(p);
			test_nodes_free(&t);
		}
	}
}

static size_t missing(const uint32_t *a, int n, const uint32_t *b, int m, uint32_t but)
{
	size_t count = 0;
	for (int i = 0; i < n; i++) {
		bool there = a[i] == but;
		for (int j = 0; j < m && !there; j++)
			there = a[i] == b[j];
		count += !there;
	}
	return count;
}

/* The first k without x, against those with it: all stay but x, and one comes if x was there. */
static void check_without(const fl_placement *p, const struct fl_key *key, uint32_t x, size_t k)
{
	uint64_t words[8] = {0};
	struct fl_mask mask = {words, 8};
	uint32_t before[MOST], after[MOST];
	int n = fl_owners_spread(p, key, NULL, before, k), m;
	words[x / 64] = (uint64_t)1 << (x % 64);
	m = fl_owners_spread(p, key, &mask, after, k);
	assert_int_equal(missing(before, n, after, m, x), 0);
	assert_true(missing(after, m, before, n, FL_NONE) <= 1);
	if (missing(&x, 1, before, n, FL_NONE))
		assert_memory_equal(before, after, (size_t)n * sizeof(*before));
}

static void test_who_leaves_takes_nobody_along(void **state)
{
	(void)state;
	for (size_t s = 0; s < TEST_SPECS; s++) {
		struct test_rng r = {s + 50};
		for (int i = 0; i < 20; i++) {
			struct test_nodes t =
				test_nodes_for(&r, test_specs[s], 1 + test_below(&r, 30));
			give_zones(&r, &t, 1 + test_below(&r, 6));
			fl_placement *p = test_place(test_specs[s], t.nodes, t.count);
			for (int k = 0; k < 30; k++) {
				uint64_t number = test_next(&r);
				struct fl_key key = fl_key_bytes(&number, sizeof(number));
				check_without(p, &key, test_below(&r, (uint32_t)t.count),
					1 + test_below(&r, 9));
			}
			fl_placement_unref(p);
			test_nodes_free(&t);
		}
	}
}

static void test_ends(void **state)
{
	struct fl_node node = {"n", 1, 70, "z"};
	struct fl_key by_hash = fl_key_hash(1);
	uint32_t slots[2] = {7, 8};
	(void)state;
	for (size_t s = 0; s < TEST_SPECS; s++) {
		fl_placement *none = test_place(test_specs[s], NULL, 0);
		fl_placement *one = test_place(test_specs[s], &node, 1);
		struct fl_key key = fl_key_bytes("k", 1);
		assert_int_equal(fl_owners_near(none, &key, NULL, "z", slots, 2), 0);
		assert_int_equal(fl_owners_spread(none, &key, NULL, slots, 2), 0);
		assert_int_equal(slots[0], 7);
		assert_int_equal(fl_owners_near(one, &key, NULL, "elsewhere", slots, 2), 1);
		assert_int_equal(slots[0], fl_placement_find(one, "n"));
		assert_int_equal(slots[1], 8);
		slots[0] = 7;
		if (!(fl_placement_capabilities(one) & FL_BY_HASH)) {
			assert_int_equal(
				fl_owners_near(one, &by_hash, NULL, "z", slots, 2), FL_ENOTSUP);
			assert_int_equal(
				fl_owners_spread(one, &by_hash, NULL, slots, 2), FL_ENOTSUP);
			assert_int_equal(slots[0], 7);
		}
		slots[0] = 7;
		fl_placement_unref(none);
		fl_placement_unref(one);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_defined),
		cmocka_unit_test(test_who_leaves_takes_nobody_along),
		cmocka_unit_test(test_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
