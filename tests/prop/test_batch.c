// rooms: lib
/* A batch gives what single picks give, for every algorithm there is, with and without masks,
 * at sizes around the widths that vector code works in. */
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MOST_KEYS 1100
#define GUARD     0xdeadbeefu

static const size_t lengths[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127,
	128, 129, 1023, MOST_KEYS};
#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

static const uint32_t sizes[] = {
	0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 256, 257};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* Options that make an algorithm cheap enough for hundreds of placements, or possible at all. */
static const char *spec_of(const struct fl_algorithm_info *a)
{
	static const char *const special[] = {"table,rows=4096",
		"bounded-table,rows=4096,epsilon=1%", "anchor,capacity=400", "dx,capacity=400",
		"maglev,rows=1021"};
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		size_t n = strlen(a->name);
		if (strncmp(special[i], a->name, n) == 0 && special[i][n] == ',')
			return special[i];
	}
	return test_cheap(a->name);
}

static fl_placement *make(const char *spec, uint32_t n, struct test_rng *r)
{
	struct test_nodes t = test_nodes_fit(spec, test_nodes_new(r, n, 1));
	fl_placement *p = NULL;
	struct fl_error err = {0};
	if (fl_placement_new(&p, spec, t.nodes, n, &err) != FL_OK)
		fail_msg("%s of %u nodes: %s", spec, n, err.text);
	test_nodes_free(&t);
	return p;
}

struct keys {
	uint64_t hashes[MOST_KEYS];
	char text[MOST_KEYS][24];
	struct fl_key keys[MOST_KEYS];
};

static struct keys *make_keys(struct test_rng *r, bool by_hash)
{
	static struct keys k;
	for (size_t i = 0; i < MOST_KEYS; i++) {
		int len = snprintf(k.text[i], 24, "%llx", (unsigned long long)test_next(r));
		k.hashes[i] = test_next(r);
		k.keys[i] = fl_key_bytes(k.text[i], (size_t)len);
		if (by_hash && test_below(r, 3) == 0)
			k.keys[i] = fl_key_hash(k.hashes[i]);
	}
	/* The ends of the hash's range, and what vectors of 32-bit halves get wrong first. */
	k.hashes[0] = 0;
	k.hashes[1] = UINT64_MAX;
	k.hashes[2] = 0xffffffffu;
	k.hashes[3] = 0x100000000u;
	k.hashes[4] = 1;
	k.hashes[5] = (uint64_t)1 << 63;
	return &k;
}

static void check_hashes(const fl_placement *p, const struct keys *k, size_t n,
	const struct fl_mask *mask, const char *name)
{
	/* Neither keys nor slots need to be aligned for vectors. */
	size_t off = n < MOST_KEYS - 8 ? n % 5 : 0;
	uint32_t room[MOST_KEYS + 9], *slots = room + off;
	memset(room, 0, sizeof(room));
	slots[n] = GUARD;
	assert_int_equal(fl_pick_batch(p, k->hashes + off, n, mask, slots), FL_OK);
	for (size_t i = 0; i < n; i++) {
		struct fl_key key = fl_key_hash(k->hashes[off + i]);
		uint32_t one = 0;
		assert_int_equal(fl_pick(p, &key, mask, &one), FL_OK);
		if (slots[i] != one)
			fail_msg("%s: key %zu of %zu: batch %u, single %u", name, i, n,
				slots[i], one);
	}
	assert_int_equal(slots[n], GUARD);
}

static void check_keys(
	const fl_placement *p, const struct keys *k, size_t n, const struct fl_mask *mask)
{
	uint32_t slots[MOST_KEYS + 1];
	slots[n] = GUARD;
	assert_int_equal(fl_lookup_batch(p, k->keys, n, mask, slots), FL_OK);
	for (size_t i = 0; i < n; i++) {
		uint32_t one = 0;
		assert_int_equal(fl_pick(p, &k->keys[i], mask, &one), FL_OK);
		assert_int_equal(slots[i], one);
	}
	assert_int_equal(slots[n], GUARD);
}

/* Nobody, some, all, and a mask shorter than the slots. */
static struct fl_mask some_mask(struct test_rng *r, uint64_t words[8], unsigned kind)
{
	struct fl_mask mask = {words, kind == 3 ? 1 : 8};
	for (int i = 0; i < 8; i++)
		words[i] = kind == 0 ? 0 : kind == 2 ? UINT64_MAX : test_next(r) & test_next(r);
	return mask;
}

static void check_placement(const fl_placement *p, struct test_rng *r, size_t n)
{
	bool by_hash = fl_placement_capabilities(p) & FL_BY_HASH;
	const struct keys *k = make_keys(r, by_hash);
	const char *name = fl_placement_algorithm(p);
	for (unsigned kind = 0; kind < 5; kind++) {
		uint64_t words[8];
		struct fl_mask mask = some_mask(r, words, kind);
		const struct fl_mask *m = kind == 4 ? NULL : &mask;
		if (by_hash)
			check_hashes(p, k, n, m, name);
		check_keys(p, k, by_hash || n < 70 ? n : 70, m);
	}
}

static void test_batch_equals_single_picks(void **state)
{
	const struct fl_algorithm_info *a = NULL;
	(void)state;
	while ((a = fl_algorithm_next(a))) {
		struct test_rng r = {7};
		bool slow = !(a->capabilities & FL_BY_HASH);
		/* A mask makes those build anew for each key. */
		bool builds = (a->capabilities & FL_EXACT_MASK) &&
		              !(a->capabilities & FL_MINIMAL_ANY);
		for (size_t s = 0; s < SIZES; s++) {
			if (slow && sizes[s] > (builds ? 5 : 33))
				continue;
			fl_placement *p = make(spec_of(a), sizes[s], &r);
			for (size_t l = s % 7; l < LENGTHS; l += 7)
				check_placement(p, &r, lengths[l]);
			fl_placement_unref(p);
		}
	}
}

static void test_every_length(void **state)
{
	const struct fl_algorithm_info *a = NULL;
	(void)state;
	while ((a = fl_algorithm_next(a))) {
		struct test_rng r = {3};
		if (!(a->capabilities & FL_BY_HASH))
			continue;
		for (int weights = 1; weights < 10; weights += 8) {
			struct test_nodes t;
			if (weights > 1 && !(a->capabilities & FL_WEIGHTS))
				continue;
			t = test_nodes_new(&r, 41, weights);
			fl_placement *p = test_place(spec_of(a), t.nodes, t.count);
			const struct keys *k = make_keys(&r, true);
			for (size_t n = 0; n <= 70; n++)
				check_hashes(p, k, n, NULL, a->name);
			fl_placement_unref(p);
			test_nodes_free(&t);
		}
	}
}

/* Weights reach code of their own. */
static void test_weighted(void **state)
{
	const struct fl_algorithm_info *a = NULL;
	(void)state;
	while ((a = fl_algorithm_next(a))) {
		struct test_rng r = {9};
		struct test_nodes t;
		fl_placement *p;
		if (!(a->capabilities & FL_WEIGHTS))
			continue;
		t = test_nodes_fit(spec_of(a), test_nodes_new(&r, 37, 9));
		p = test_place(spec_of(a), t.nodes, t.count);
		check_placement(p, &r, 333);
		fl_placement_unref(p);
		test_nodes_free(&t);
	}
}

/* anchor with a history: its keys go through slots that left at different times. */
static void test_anchor_after_removals(void **state)
{
	struct test_rng r = {17};
	fl_placement *p = make("anchor,capacity=300", 257, &r);
	(void)state;
	for (unsigned left = 256; left > 1; left--) {
		uint32_t slot = test_below(&r, 300);
		while (!fl_placement_node(p, slot))
			slot = (slot + 1) % 300;
		struct fl_change change = {FL_REMOVE, *fl_placement_node(p, slot)};
		fl_placement *q = NULL;
		assert_int_equal(fl_placement_derive(&q, p, &change, 1, NULL), FL_OK);
		fl_placement_unref(p);
		p = q;
		if (left % 32 == 1)
			check_placement(p, &r, 300);
	}
	fl_placement_unref(p);
}

/* Nodes without weight pass their keys on. */
static void test_without_weight(void **state)
{
	const struct fl_algorithm_info *a = NULL;
	(void)state;
	while ((a = fl_algorithm_next(a))) {
		struct test_rng r = {19};
		struct test_nodes t;
		if (!(a->capabilities & FL_BY_HASH))
			continue;
		t = test_nodes_new(&r, 53, 1);
		for (size_t i = 0; i < t.count; i++)
			t.nodes[i].weight = i % 3 != 1;
		fl_placement *p = NULL;
		if (fl_placement_new(&p, spec_of(a), t.nodes, t.count, NULL) == FL_OK)
			check_placement(p, &r, 444);
		fl_placement_unref(p);
		test_nodes_free(&t);
	}
}

static void test_more_nodes_than_a_block(void **state)
{
	static const char *const specs[] = {"ring,points=9", "table", "rendezvous"};
	(void)state;
	for (size_t s = 0; s < 3; s++) {
		struct test_rng r = {11};
		fl_placement *p = make(specs[s], 1025, &r);
		check_placement(p, &r, MOST_KEYS);
		fl_placement_unref(p);
	}
}

/* A ring whose points crowd in a few places walks far from where its index leads. */
static void test_crowded_ring(void **state)
{
	struct test_rng r = {13};
	fl_placement *p = make("compat:circle-360", 257, &r);
	(void)state;
	check_placement(p, &r, 600);
	fl_placement_unref(p);
}

/* Algorithms that hash the key with the node take no hashes, and then nothing is written. */
static void test_refusals(void **state)
{
	struct test_rng r = {5};
	fl_placement *p = make("compat:java-rendezvous", 5, &r);
	uint64_t hashes[2] = {1, 2};
	struct fl_key keys[3] = {fl_key_bytes("a", 1), fl_key_bytes("b", 1), fl_key_hash(7)};
	uint32_t slots[3] = {GUARD, GUARD, GUARD};
	(void)state;
	assert_int_equal(fl_pick_batch(p, hashes, 2, NULL, slots), FL_ENOTSUP);
	assert_int_equal(fl_lookup_batch(p, keys, 3, NULL, slots), FL_ENOTSUP);
	for (int i = 0; i < 3; i++)
		assert_int_equal(slots[i], GUARD);
	assert_int_equal(fl_lookup_batch(p, keys, 2, NULL, slots), FL_OK);
	fl_placement_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch_equals_single_picks),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_weighted),
		cmocka_unit_test(test_anchor_after_removals),
		cmocka_unit_test(test_without_weight),
		cmocka_unit_test(test_more_nodes_than_a_block),
		cmocka_unit_test(test_crowded_ring),
		cmocka_unit_test(test_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
