// rooms: lib
/* The promises of bounded-table: nobody over its cap, no row and node that would rather have each
 * other (checked pair by pair, which makes it the only such table), derived = built row by row,
 * masks in the row's own order, and the two figures it is there for. */
#include "place/bounded.h"
#include "place/place.h"
#include "place/score.h"
#include "place/table_priv.h"
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 512 /* of most tables here */

static uint32_t owner_of(const fl_placement *p, uint32_t row, uint32_t rows)
{
	return fl_lookup_hash(p, (uint64_t)row * (UINT64_MAX / rows + 1));
}

static void count_rows(const fl_placement *p, uint32_t rows, uint32_t *owned)
{
	memset(owned, 0, fl_placement_slots(p) * sizeof(*owned));
	for (uint32_t row = 0; row < rows; row++)
		owned[owner_of(p, row, rows)]++;
}

static int32_t random_most(struct test_rng *r)
{
	static const int32_t most[] = {1, 4, 50, 65535};
	return most[test_below(r, 4)];
}

/* A spec of ROWS rows, into text. Gives epsilon in millionths. */
static uint32_t random_spec(struct test_rng *r, char text[96])
{
	static const struct {
		const char *text;
		uint32_t millionths;
	} e[] = {{"0", 0}, {"1%", 10000}, {"0.05", 50000}, {"12.5%", 125000}, {"1.0", 1000000}};
	uint32_t i = test_below(r, 5);
	snprintf(text, 96, "table,rows=%d,epsilon=%s,seed=%u", ROWS, e[i].text,
		(unsigned)test_below(r, 3));
	return e[i].millionths;
}

static bool somebody(const struct test_nodes *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->nodes[i].weight > 0)
			return true;
	}
	return false;
}

/* The rule once more, in wide floats: 64 bits of mantissa hold these products exactly. */
static void check_caps(const fl_placement *p, uint32_t rows, uint32_t epsilon)
{
	uint32_t owned[400];
	uint64_t weights = 0, down = 0, sum = 0;
	count_rows(p, rows, owned);
	for (uint32_t pass = 0; pass < 3; pass++) {
		for (uint32_t slot = 0; slot < fl_placement_slots(p); slot++) {
			const struct fl_node *n = fl_placement_node(p, slot);
			uint64_t w = n ? (uint64_t)n->weight : 0;
			uint64_t top = (1000000u + epsilon) * (uint64_t)rows * w;
			if (pass == 0)
				weights += w;
			if (pass == 1)
				down += top / (weights * 1000000u);
			if (pass < 2)
				continue;
			uint64_t cap = top / (weights * 1000000u);
			cap += down < rows && top % (weights * 1000000u) != 0;
			assert_int_equal(fl_bounded_cap(p, slot), cap < rows ? cap : rows);
			assert_true(owned[slot] <= cap);
			assert_int_equal(fl_placement_starved(p, slot), w > 0 && !owned[slot]);
			sum += cap;
		}
	}
	assert_true(sum >= rows);
}

static void test_nobody_is_over_its_cap(void **state)
{
	struct test_rng r = {1};
	(void)state;
	for (int i = 0; i < 150; i++) {
		char spec[96];
		uint32_t epsilon = random_spec(&r, spec);
		struct test_nodes t =
			test_nodes_new(&r, 1 + test_below(&r, 80), random_most(&r));
		fl_placement *p = test_place(spec, t.nodes, t.count);
		if (somebody(&t))
			check_caps(p, ROWS, epsilon);
		fl_placement_unref(p);
		test_nodes_free(&t);
	}
}

/* ---- stability ---- */

static uint64_t row_score(const fl_placement *p, uint32_t slot, uint32_t row, uint64_t seed)
{
	struct fl_table keys = {.row_seed = fl_salted(seed, FL_SALT_ROW)};
	return fl_score(p->hashes[p->ranks[slot]], fl_table_key(&keys, row));
}

/* By slot: the row that the node would give up first. */
static void find_worst(const fl_placement *p, uint32_t rows, uint32_t *worst)
{
	for (uint32_t slot = 0; slot < p->slots; slot++)
		worst[slot] = FL_NONE;
	for (uint32_t row = 0; row < rows; row++) {
		uint32_t slot = owner_of(p, row, rows);
		uint32_t w = worst[slot];
		if (w == FL_NONE ||
			row_score(p, slot, row, p->seed) <= row_score(p, slot, w, p->seed))
			worst[slot] = row;
	}
}

static void check_stable(const fl_placement *p, const fl_placement *plain, uint32_t rows)
{
	uint32_t owned[400], worst[400], order[400];
	count_rows(p, rows, owned);
	find_worst(p, rows, worst);
	for (uint32_t row = 0; row < rows; row++) {
		struct fl_key key = fl_key_hash((uint64_t)row * (UINT64_MAX / rows + 1));
		int n = fl_owners(plain, &key, NULL, order, 400);
		uint32_t owner = owner_of(p, row, rows);
		for (int i = 0; i < n && order[i] != owner; i++) {
			uint32_t slot = order[i], w = worst[slot];
			assert_int_equal(owned[slot], fl_bounded_cap(p, slot));
			if (w != FL_NONE)
				assert_true(row_score(p, slot, w, p->seed) >
					    row_score(p, slot, row, p->seed));
		}
	}
}

static void test_nobody_would_rather_change(void **state)
{
	struct test_rng r = {2};
	(void)state;
	for (int i = 0; i < 40; i++) {
		char spec[96], bare[96];
		random_spec(&r, spec);
		struct test_nodes t =
			test_nodes_new(&r, 1 + test_below(&r, 100), random_most(&r));
		fl_placement *p = test_place(spec, t.nodes, t.count);
		snprintf(bare, sizeof(bare), "table,rows=%d,seed=%u", ROWS, (unsigned)p->seed);
		fl_placement *plain = test_place(bare, t.nodes, t.count);
		if (somebody(&t))
			check_stable(p, plain, ROWS);
		fl_placement_unref(p);
		fl_placement_unref(plain);
		test_nodes_free(&t);
	}
}

/* ---- history ---- */

static fl_placement *step(const fl_placement *p, struct test_rng *r)
{
	uint32_t slot = test_below(r, fl_placement_slots(p) + 1);
	const struct fl_node *node = fl_placement_node(p, slot);
	int32_t weight = (int32_t)test_below(r, test_below(r, 2) ? 3 : 3000);
	char name[24];
	if (!node || test_below(r, 3) == 0) {
		snprintf(name, sizeof(name), "s%llx", (unsigned long long)test_next(r));
		return test_change(p, FL_ADD, name, weight, node ? FL_NONE : slot);
	}
	if (test_below(r, 2) == 0)
		return test_change(p, FL_REMOVE, node->name, 0, 0);
	return test_change(p, FL_REWEIGHT, node->name, weight, 0);
}

/* The same nodes given in a random order, in the same slots. */
static fl_placement *rebuild(const fl_placement *p, const char *spec, struct test_rng *r)
{
	struct fl_node nodes[400];
	size_t n = 0;
	for (uint32_t slot = 0; slot < fl_placement_slots(p); slot++) {
		if (!fl_placement_node(p, slot))
			continue;
		size_t at = test_below(r, (uint32_t)n + 1);
		nodes[n++] = nodes[at];
		nodes[at] = *fl_placement_node(p, slot);
	}
	return test_place(spec, nodes, n);
}

static void test_derived_is_built_row_by_row(void **state)
{
	struct test_rng r = {3};
	(void)state;
	for (int i = 0; i < 12; i++) {
		char spec[96];
		random_spec(&r, spec);
		struct test_nodes t =
			test_nodes_new(&r, 1 + test_below(&r, 90), random_most(&r));
		fl_placement *p = test_place(spec, t.nodes, t.count);
		for (int k = 0; k < 40; k++) {
			fl_placement *next = step(p, &r);
			fl_placement_unref(p);
			p = next;
			fl_placement *fresh = rebuild(p, spec, &r);
			for (uint32_t row = 0; row < ROWS; row++)
				assert_int_equal(
					owner_of(p, row, ROWS), owner_of(fresh, row, ROWS));
			assert_int_equal(fl_placement_digest(p), fl_placement_digest(fresh));
			fl_placement_unref(fresh);
		}
		fl_placement_unref(p);
		test_nodes_free(&t);
	}
}

/* ---- masks ---- */

/* The owner first, the rest as the plain table orders them, masked ones left out. */
static void check_order(const fl_placement *p, const fl_placement *plain, uint64_t hash,
	const struct fl_mask *mask)
{
	struct fl_key key = fl_key_hash(hash);
	uint32_t owner = fl_lookup_hash(p, hash), wanted[400], got[400], slot;
	uint32_t all[400];
	int n = fl_owners(plain, &key, mask, all, 400), m = 0;
	if (!fl_masked(mask, owner))
		wanted[m++] = owner;
	for (int i = 0; i < n; i++) {
		if (all[i] != owner)
			wanted[m++] = all[i];
	}
	assert_int_equal(fl_owners(p, &key, mask, got, 400), m);
	assert_memory_equal(got, wanted, (size_t)m * sizeof(*got));
	for (int k = 1; k < m && k < 70; k += 1 + k / 4) {
		assert_int_equal(fl_owners(p, &key, mask, got, (size_t)k), k);
		assert_memory_equal(got, wanted, (size_t)k * sizeof(*got));
	}
	assert_int_equal(fl_pick(p, &key, mask, &slot), FL_OK);
	assert_int_equal(slot, m ? wanted[0] : FL_NONE);
}

static void test_masks_are_in_the_rows_order(void **state)
{
	struct test_rng r = {4};
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct test_nodes t = test_nodes_new(&r, 1 + test_below(&r, 90), 4);
		fl_placement *p = test_place("table,rows=512,epsilon=0", t.nodes, t.count);
		fl_placement *plain = test_place("table,rows=512", t.nodes, t.count);
		uint64_t words[2] = {test_next(&r), test_next(&r)};
		struct fl_mask mask = {words, 2};
		for (int k = 0; k < 30 && somebody(&t); k++) {
			check_order(p, plain, test_next(&r), &mask);
			check_order(p, plain, test_next(&r), NULL);
		}
		fl_placement_unref(p);
		fl_placement_unref(plain);
		test_nodes_free(&t);
	}
}

/* ---- the edges ---- */

static void test_more_nodes_than_rows(void **state)
{
	struct test_rng r = {5};
	struct test_nodes t = test_nodes_new(&r, 390, 1);
	fl_placement *p = test_place("table,rows=256,epsilon=0", t.nodes, t.count);
	uint32_t owned[400], starved = 0;
	(void)state;
	count_rows(p, 256, owned);
	for (uint32_t slot = 0; slot < 390; slot++) {
		assert_true(owned[slot] <= 1);
		starved += fl_placement_starved(p, slot);
	}
	assert_int_equal(starved, 390 - 256);
	fl_placement_unref(p);
	test_nodes_free(&t);
}

static void test_spellings(void **state)
{
	static const char *const same[] = {"table,epsilon=5%", "bounded-table",
		"bounded-table,epsilon=0.05", "table,rows=65536,epsilon=5.00%",
		"table,epsilon=0.050000,seed=0"};
	static const char *const wrong[] = {"table,epsilon=", "table,epsilon=%",
		"table,epsilon=-1%", "table,epsilon=1e-2", "table,epsilon=.5",
		"table,epsilon=5.%", "table,epsilon=101%", "table,epsilon=1.000001",
		"table,epsilon=0.0000001", "table,epsilon=0.00001%", "table,epsilon=0..5",
		"table,epsilon=99999999999999999999999", "table,epsilon=5 %"};
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 2, FL_NONE, NULL}};
	uint64_t digest = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		fl_placement *p = test_place(same[i], nodes, 2);
		assert_string_equal(fl_placement_algorithm(p), "bounded-table");
		assert_true(i == 0 || fl_placement_digest(p) == digest);
		digest = fl_placement_digest(p);
		assert_false(fl_placement_capabilities(p) &
			     (FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT));
		fl_placement_unref(p);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fl_placement *p = NULL;
		struct fl_error err;
		assert_int_equal(fl_placement_new(&p, wrong[i], nodes, 2, &err), FL_EINVAL);
		assert_non_null(strstr(err.text, "5%, from 0% to 100%"));
	}
}

/* ---- what it is for ---- */

static double extra(const fl_placement *p, const fl_placement *q)
{
	struct fl_movement *m;
	assert_int_equal(fl_movement_new(&m, p, q, 0, NULL), FL_OK);
	assert_true(m->exact);
	double excess = m->moved - m->least;
	fl_movement_free(m);
	return excess;
}

static void test_the_target(void **state)
{
	struct test_rng r = {6};
	struct test_nodes t = test_nodes_new(&r, 100, 1);
	fl_placement *p = test_place("table,epsilon=5%", t.nodes, t.count);
	uint32_t owned[100];
	double sum = 0;
	(void)state;
	count_rows(p, 65536, owned);
	for (uint32_t slot = 0; slot < 100; slot++)
		assert_true(owned[slot] <= 65536 / 100 * 105 / 100.0 + 1);
	for (size_t i = 0; i < 100; i++) {
		fl_placement *q = test_change(p, FL_REMOVE, t.nodes[i].name, 0, 0);
		sum += extra(p, q);
		fl_placement_unref(q);
	}
	assert_true(sum / 100 <= 0.0005);
	fl_placement_unref(p);
	test_nodes_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_is_over_its_cap),
		cmocka_unit_test(test_nobody_would_rather_change),
		cmocka_unit_test(test_derived_is_built_row_by_row),
		cmocka_unit_test(test_masks_are_in_the_rows_order),
		cmocka_unit_test(test_more_nodes_than_rows),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_the_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
