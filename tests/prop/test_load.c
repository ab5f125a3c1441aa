// rooms: lib
/* Bounded loads over every algorithm, one request at a time: each goes to the first of its key's
 * owners that is below its cap, as a plain model counts it; nobody is refused, and all counts end
 * at zero. */
#include "support/specs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MOST    200 /* nodes */
#define FLIGHTS 2000

struct model {
	uint32_t count[MOST];
	uint32_t total;
	uint32_t flights[FLIGHTS]; /* slots */
};

static bool excluded(const struct fl_mask *mask, uint32_t slot)
{
	return mask && slot / 64 < mask->count && (mask->words[slot / 64] >> (slot % 64) & 1);
}

static uint64_t weight_of(const fl_placement *p, const struct fl_mask *mask, uint32_t slot)
{
	const struct fl_node *node = fl_placement_node(p, slot);
	return node && !excluded(mask, slot) ? (uint64_t)node->weight : 0;
}

/* The numbers of these tests are small enough for the formula as it stands. */
static uint64_t cap_by_hand(const struct model *m, const fl_placement *p,
	const struct fl_mask *mask, uint32_t epsilon, uint32_t slot)
{
	uint64_t all = 0, top;
	for (uint32_t i = 0; i < fl_placement_slots(p); i++)
		all += weight_of(p, mask, i);
	top = (1000000ull + epsilon) * (m->total + 1) * weight_of(p, mask, slot);
	return (top + 1000000ull * all - 1) / (1000000ull * all);
}

static uint32_t choose(const struct model *m, const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t epsilon)
{
	uint32_t owners[MOST];
	int n = fl_owners(p, key, mask, owners, MOST);
	for (int i = 0; i < n; i++) {
		if (m->count[owners[i]] < cap_by_hand(m, p, mask, epsilon, owners[i]))
			return owners[i];
	}
	assert_int_equal(n, 0);
	return FL_NONE;
}

static void arrive(struct model *m, fl_load *l, const fl_placement *p, struct test_rng *r,
	const struct fl_mask *mask, uint32_t epsilon, uint32_t keys)
{
	uint32_t number = test_below(r, keys), slot = 12345;
	struct fl_key key = fl_key_bytes(&number, sizeof(number));
	uint32_t wanted = choose(m, p, &key, mask, epsilon);
	assert_int_equal(fl_load_acquire(l, p, &key, mask, epsilon, &slot), FL_OK);
	assert_int_equal(slot, wanted);
	if (slot == FL_NONE)
		return;
	assert_true(m->count[slot] + 1 <= cap_by_hand(m, p, mask, epsilon, slot));
	m->count[slot]++;
	m->flights[m->total++] = slot;
	assert_int_equal(fl_load_count(l, slot), m->count[slot]);
	assert_int_equal(fl_load_total(l), m->total);
}

static void leave(struct model *m, fl_load *l, struct test_rng *r)
{
	uint32_t i = test_below(r, m->total), slot = m->flights[i];
	m->flights[i] = m->flights[--m->total];
	m->count[slot]--;
	assert_int_equal(fl_load_release(l, slot), FL_OK);
	assert_int_equal(fl_load_count(l, slot), m->count[slot]);
}

static void check_caps(const struct model *m, const fl_load *l, const fl_placement *p,
	const struct fl_mask *mask, uint32_t epsilon)
{
	for (uint32_t slot = 0; slot < fl_placement_slots(p) + 1; slot++) {
		uint64_t want =
			weight_of(p, mask, slot) ? cap_by_hand(m, p, mask, epsilon, slot) : 0;
		assert_int_equal(fl_load_cap(l, p, mask, epsilon, slot), want);
	}
}

/* Tides of requests over one membership, for many keys or for one, then all go home. */
static void check_tides(const char *spec, size_t nodes, struct test_rng *r, int steps)
{
	static const uint32_t epsilons[] = {0, 10000, 250000, 1000000, FL_MAX_EPSILON};
	struct test_nodes t = test_nodes_for(r, spec, nodes);
	fl_placement *p = test_place(spec, t.nodes, t.count);
	uint32_t epsilon = epsilons[test_below(r, 5)], keys = test_below(r, 2) ? 1 : 1000;
	uint64_t words[4] = {0};
	struct fl_mask mask = {words, 4};
	struct model m = {.total = 0};
	fl_load *l;
	assert_int_equal(fl_load_new(&l, MOST), FL_OK);
	for (int i = 0; i < steps; i++) {
		bool rising = i / 100 % 2 == 0;
		if (i % 50 == 0)
			words[0] = test_next(r) & test_next(r), words[1] = test_next(r);
		if (m.total > 0 && (test_below(r, 4) == 0) == rising)
			leave(&m, l, r);
		else if (m.total < FLIGHTS)
			arrive(&m, l, p, r, test_below(r, 2) ? &mask : NULL, epsilon, keys);
		if (i % 100 == 99)
			check_caps(&m, l, p, &mask, epsilon);
	}
	while (m.total > 0)
		leave(&m, l, r);
	for (uint32_t slot = 0; slot < MOST; slot++)
		assert_int_equal(fl_load_count(l, slot), 0);
	assert_int_equal(fl_load_total(l), 0);
	fl_load_free(l);
	fl_placement_unref(p);
	test_nodes_free(&t);
}

static void test_first_owner_below_its_cap(void **state)
{
	(void)state;
	for (size_t s = 0; s < TEST_SPECS; s++) {
		struct test_rng r = {s};
		bool slow = strncmp(test_specs[s], "compat", 6) == 0;
		for (int i = 0; i < 5; i++)
			check_tides(test_specs[s], 1 + test_below(&r, slow ? 8 : 30), &r, 400);
		/* More owners than are looked at in one go. */
		if (!slow)
			check_tides(test_specs[s], MOST, &r, 400);
	}
}

/* One key and no slack fill owner after owner, far beyond those looked at in one go. */
static void test_every_owner_in_turn(void **state)
{
	static const char *const specs[] = {"table,rows=256", "ring,points=2", "modulo"};
	(void)state;
	for (size_t s = 0; s < 6; s++) {
		struct test_rng r = {s + 10};
		struct test_nodes t = test_nodes_new(&r, MOST, 1);
		fl_placement *p = test_place(specs[s / 2], t.nodes, t.count);
		uint64_t words[2] = {test_next(&r), test_next(&r)};
		struct fl_mask mask = {words, 2};
		struct model m = {.total = 0};
		fl_load *l;
		assert_int_equal(fl_load_new(&l, MOST), FL_OK);
		for (int i = 0; i < MOST + 60; i++)
			arrive(&m, l, p, &r, s % 2 ? &mask : NULL, 0, 1);
		fl_load_free(l);
		fl_placement_unref(p);
		test_nodes_free(&t);
	}
}

/* Members come and go while requests are in flight; each stays counted at its slot. */
static void test_across_changes(void **state)
{
	struct test_rng r = {77};
	struct test_nodes t = test_nodes_new(&r, 9, 5);
	fl_placement *p = test_place("table,rows=256", t.nodes, t.count);
	struct model m = {.total = 0};
	fl_load *l;
	(void)state;
	assert_int_equal(fl_load_new(&l, 64), FL_OK);
	for (int i = 0; i < 300; i++) {
		const char *name = t.names[test_below(&r, 9)];
		bool there = fl_placement_find(p, name) != FL_NONE;
		fl_placement *next = test_change(p, there ? FL_REMOVE : FL_ADD, name,
			1 + (int32_t)test_below(&r, 5), FL_NONE);
		fl_placement_unref(p);
		p = next;
		for (int k = 0; k < 4; k++)
			arrive(&m, l, p, &r, NULL, 100000, 50);
		for (int k = 0; k < 3 && m.total > 0; k++)
			leave(&m, l, &r);
	}
	fl_placement_unref(p);
	fl_load_free(l);
	test_nodes_free(&t);
}

/* The widest numbers: ceil of exact quotients, no overflow. */
static void test_wide_caps(void **state)
{
	struct fl_node nodes[] = {{"a", FL_MAX_WEIGHT, 0, NULL}, {"b", 1, 1, NULL}};
	fl_placement *p = test_place("rendezvous", nodes, 2);
	fl_load *l;
	(void)state;
	assert_int_equal(fl_load_new(&l, 2), FL_OK);
	assert_int_equal(fl_load_cap(l, p, NULL, 0, 0), 1);
	assert_int_equal(fl_load_cap(l, p, NULL, 0, 1), 1);
	assert_int_equal(fl_load_cap(l, p, NULL, FL_MAX_EPSILON, 0), 11);
	assert_int_equal(fl_load_cap(l, p, NULL, FL_MAX_EPSILON + 1, 0), 0);
	assert_int_equal(fl_load_cap(l, p, NULL, 0, 2), 0);
	fl_load_free(l);
	fl_placement_unref(p);
}

static void test_refusals(void **state)
{
	struct fl_node nodes[] = {{"a", 1, 3, NULL}};
	fl_placement *p = test_place("table", nodes, 1);
	fl_placement *java = test_place("compat:java-rendezvous", nodes, 1);
	struct fl_key key = fl_key_hash(5);
	uint32_t slot = 99;
	fl_load *l = NULL, *small = NULL;
	(void)state;
	assert_int_equal(fl_load_new(&l, 0), FL_EINVAL);
	assert_int_equal(fl_load_new(NULL, 1), FL_EINVAL);
	assert_int_equal(fl_load_new(&l, FL_MAX_NODES + 1), FL_ELIMIT);
	assert_null(l);
	assert_int_equal(fl_load_new(&l, 4), FL_OK);
	assert_int_equal(fl_load_new(&small, 3), FL_OK);
	assert_int_equal(fl_load_acquire(small, p, &key, NULL, 0, &slot), FL_ELIMIT);
	assert_int_equal(
		fl_load_acquire(l, p, &key, NULL, FL_MAX_EPSILON + 1, &slot), FL_EINVAL);
	assert_int_equal(fl_load_acquire(l, java, &key, NULL, 0, &slot), FL_ENOTSUP);
	assert_int_equal(slot, 99);
	assert_int_equal(fl_load_release(l, 3), FL_EINVAL);
	assert_int_equal(fl_load_release(l, 4), FL_EINVAL);
	assert_int_equal(fl_load_count(l, 4), 0);
	assert_int_equal(fl_load_acquire(l, p, &key, NULL, 0, &slot), FL_OK);
	assert_int_equal(slot, 3);
	assert_int_equal(fl_load_release(l, 3), FL_OK);
	assert_int_equal(fl_load_release(l, 3), FL_EINVAL);
	assert_int_equal(fl_load_total(l), 0);
	fl_load_free(l);
	fl_load_free(small);
	fl_load_free(NULL);
	fl_placement_unref(p);
	fl_placement_unref(java);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_owner_below_its_cap),
		cmocka_unit_test(test_every_owner_in_turn),
		cmocka_unit_test(test_across_changes),
		cmocka_unit_test(test_wide_caps),
		cmocka_unit_test(test_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
