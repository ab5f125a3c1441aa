// rooms: lib
/* anchor and dx over thousands of random changes.
 *
 * anchor is held against a replay of its history in the form the paper begins with: each removed
 * slot has a copy of the set that was left, and adding goes back to the set before; no arrays
 * that share room, no wraps. dx is held against a fresh build and against a walk along its draws.
 * After each change: only the changed node's keys moved, and the saved state gives the same. */
#include "hash/salt.h"
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define CAPACITY 72 /* the most; histories use less of it as well */
#define KEYS     120

static uint64_t key_hash(uint64_t i)
{
	return fl_mix64(i * FL_WEYL + 11);
}

/* ---- the replay ---- */

struct set {
	uint32_t slot[CAPACITY], count;
};

struct replay {
	uint32_t capacity;
	struct set working;
	struct set before[CAPACITY]; /* in the order of removal */
	uint32_t stack[CAPACITY], depth;
	bool gone[CAPACITY];
	struct set left[CAPACITY]; /* by slot */
};

static void replay_remove(struct replay *r, uint32_t slot)
{
	uint32_t i = 0;
	r->before[r->depth] = r->working;
	r->stack[r->depth++] = slot;
	while (r->working.slot[i] != slot)
		i++;
	r->working.slot[i] = r->working.slot[--r->working.count];
	r->left[slot] = r->working;
	r->gone[slot] = true;
}

static uint32_t replay_add(struct replay *r)
{
	uint32_t slot = r->stack[--r->depth];
	r->working = r->before[r->depth];
	r->gone[slot] = false;
	return slot;
}

static void replay_start(struct replay *r, uint32_t capacity, const fl_placement *p)
{
	r->capacity = r->working.count = capacity;
	r->depth = 0;
	for (uint32_t i = 0; i < capacity; i++) {
		r->working.slot[i] = i;
		r->gone[i] = false;
	}
	for (uint32_t slot = capacity; slot-- > 0;) {
		const struct fl_node *node = fl_placement_node(p, slot);
		if (!node || node->weight == 0)
			replay_remove(r, slot);
	}
}

static uint32_t replay_owner(const struct replay *r, uint64_t hash)
{
	uint32_t slot = (uint32_t)fl_mul_high(hash, r->capacity);
	if (r->working.count == 0)
		return FL_NONE;
	while (r->gone[slot]) {
		const struct set *left = &r->left[slot];
		uint64_t again = fl_mix64(hash + (slot + 1) * FL_SALT_ANCHOR);
		slot = left->slot[fl_mul_high(again, left->count)];
	}
	return slot;
}

/* ---- what holds after each change ---- */

static void check_replay(const fl_placement *p, const struct replay *r)
{
	for (uint64_t i = 0; i < KEYS; i++)
		assert_int_equal(fl_lookup_hash(p, key_hash(i)), replay_owner(r, key_hash(i)));
}

/* Only `name`'s keys moved. */
static void check_minimal(const fl_placement *p, const fl_placement *q, const char *name)
{
	uint32_t was = fl_placement_find(p, name), is = fl_placement_find(q, name);
	for (uint64_t i = 0; i < KEYS; i++) {
		uint32_t a = fl_lookup_hash(p, key_hash(i)), b = fl_lookup_hash(q, key_hash(i));
		if (a != b && a != FL_NONE && b != FL_NONE)
			assert_true((was != FL_NONE && a == was) || (is != FL_NONE && b == is));
	}
}

static void check_saved(const fl_placement *p, const char *spec)
{
	static unsigned char state[16384], again[16384];
	size_t size = fl_placement_save(p, state, sizeof(state));
	fl_placement *q = NULL;
	assert_true(size <= sizeof(state));
	assert_int_equal(fl_placement_load(&q, spec, state, size, NULL), FL_OK);
	assert_int_equal(fl_placement_digest(q), fl_placement_digest(p));
	assert_int_equal(fl_placement_save(q, again, sizeof(again)), size);
	assert_memory_equal(state, again, size);
	for (uint64_t i = 0; i < KEYS; i++)
		assert_int_equal(
			fl_lookup_hash(p, key_hash(i)), fl_lookup_hash(q, key_hash(i)));
	fl_placement_unref(q);
}

/* ---- anchor ---- */

static const struct fl_node *random_node(const fl_placement *p, struct test_rng *r)
{
	const struct fl_node *node = NULL;
	while (!node)
		node = fl_placement_node(p, test_below(r, fl_placement_slots(p)));
	return node;
}

/* One random change; the replay follows. Gives the new placement, or `p` when there was nothing
 * to do. */
static fl_placement *anchor_step(
	fl_placement *p, struct replay *model, struct test_rng *r, char name[32])
{
	bool full = fl_placement_count(p) == model->capacity;
	bool empty = fl_placement_count(p) == 0;
	fl_placement *q;
	if (!empty && (full || test_below(r, 2) == 0)) {
		const struct fl_node *node = random_node(p, r);
		snprintf(name, 32, "%s", node->name);
		replay_remove(model, node->slot);
		q = test_change(p, FL_REMOVE, name, 0, 0);
	} else {
		snprintf(name, 32, "s%llx", (unsigned long long)(test_next(r) >> 24));
		uint32_t slot = replay_add(model);
		q = test_change(p, FL_ADD, name, 1, test_below(r, 2) ? slot : FL_NONE);
		assert_int_equal(fl_placement_find(q, name), slot);
	}
	check_minimal(p, q, name);
	fl_placement_unref(p);
	return q;
}

/* Every slot but the top of the stack is refused. */
static void check_refusals(const fl_placement *p, const struct replay *model)
{
	for (uint32_t i = 0; i + 1 < model->depth; i++) {
		struct fl_change change = {FL_ADD, {"out of turn", 1, model->stack[i], NULL}};
		fl_placement *q = NULL;
		assert_int_equal(fl_placement_derive(&q, p, &change, 1, NULL), FL_ENOTSUP);
		assert_null(q);
	}
}

static void test_anchor_is_its_history(void **state)
{
	static struct replay model;
	(void)state;
	for (uint64_t run = 0; run < 60; run++) {
		struct test_rng r = {run};
		uint32_t capacity = 1 + test_below(&r, CAPACITY);
		struct test_nodes t = test_nodes_new(&r, test_below(&r, capacity + 1), 1);
		char spec[64];
		snprintf(spec, sizeof(spec), "anchor,capacity=%u", capacity);
		for (size_t i = 0; run % 2 && i < t.count; i++)
			t.nodes[i].slot = capacity - 1 - (uint32_t)i;
		fl_placement *p = test_place(spec, t.nodes, t.count);
		replay_start(&model, capacity, p);
		check_replay(p, &model);
		for (int step = 0; step < 60; step++) {
			char name[32];
			p = anchor_step(p, &model, &r, name);
			check_replay(p, &model);
		}
		check_refusals(p, &model);
		check_saved(p, spec);
		fl_placement_unref(p);
		test_nodes_free(&t);
	}
}

/* Weight 0 takes the slot out of service and keeps the name; in turn, it comes back. */
static void test_anchor_weights(void **state)
{
	static struct replay model;
	(void)state;
	for (uint64_t run = 0; run < 40; run++) {
		struct test_rng r = {run + 1000};
		struct test_nodes t = test_nodes_new(&r, 1 + test_below(&r, 20), 1);
		fl_placement *p = test_place("anchor,capacity=24", t.nodes, t.count),
			     *first = p;
		replay_start(&model, 24, p);
		fl_placement_ref(first);
		uint32_t fresh = model.depth;
		for (int step = 0; step < 15; step++) {
			const struct fl_node *node = random_node(p, &r);
			if (node->weight == 0)
				continue;
			replay_remove(&model, node->slot);
			fl_placement *q = test_change(p, FL_REWEIGHT, node->name, 0, 0);
			check_minimal(p, q, node->name);
			check_replay(q, &model);
			fl_placement_unref(p);
			p = q;
		}
		check_saved(p, NULL);
		while (model.depth > fresh) {
			const struct fl_node *node = fl_placement_node(p, replay_add(&model));
			fl_placement *q = test_change(p, FL_REWEIGHT, node->name, 1, 0);
			check_replay(q, &model);
			fl_placement_unref(p);
			p = q;
		}
		assert_int_equal(fl_placement_digest(p), fl_placement_digest(first));
		fl_placement_unref(first);
		fl_placement_unref(p);
		test_nodes_free(&t);
	}
}

/* ---- dx ---- */

static void reversed(struct fl_node *nodes, const fl_placement *p)
{
	size_t n = 0;
	for (uint32_t slot = fl_placement_slots(p); slot-- > 0;) {
		if (fl_placement_node(p, slot))
			nodes[n++] = *fl_placement_node(p, slot);
	}
}

/* The same nodes and slots, given in another order and without history. */
static void check_fresh(const fl_placement *p, const char *spec)
{
	struct fl_node nodes[CAPACITY];
	reversed(nodes, p);
	fl_placement *q = test_place(spec, nodes, fl_placement_count(p));
	assert_int_equal(fl_placement_digest(p), fl_placement_digest(q));
	for (uint64_t i = 0; i < KEYS; i++)
		assert_int_equal(
			fl_lookup_hash(p, key_hash(i)), fl_lookup_hash(q, key_hash(i)));
	fl_placement_unref(q);
}

/* The first draw in use, or nobody's business (the last resort). */
static void check_draws(const fl_placement *p, uint32_t capacity)
{
	for (uint64_t i = 0; i < KEYS; i++) {
		for (uint64_t d = 0; d < 64; d++) {
			uint64_t at = fl_mix64(key_hash(i) + d * FL_SALT_DRAW);
			uint32_t slot = (uint32_t)fl_mul_high(at, capacity);
			const struct fl_node *node = fl_placement_node(p, slot);
			if (!node || node->weight == 0)
				continue;
			assert_int_equal(fl_lookup_hash(p, key_hash(i)), slot);
			break;
		}
	}
}

static fl_placement *dx_step(fl_placement *p, uint32_t capacity, struct test_rng *r)
{
	const struct fl_node *node = NULL;
	uint32_t slot = test_below(r, capacity);
	fl_placement *q;
	char name[32];
	node = fl_placement_node(p, slot);
	snprintf(name, sizeof(name), "s%llx", (unsigned long long)(test_next(r) >> 24));
	if (node)
		snprintf(name, sizeof(name), "%s", node->name);
	if (!node)
		q = test_change(p, FL_ADD, name, (int32_t)test_below(r, 4) > 0, slot);
	else if (test_below(r, 3) == 0)
		q = test_change(p, FL_REWEIGHT, name, node->weight == 0, 0);
	else
		q = test_change(p, FL_REMOVE, name, 0, 0);
	check_minimal(p, q, name);
	fl_placement_unref(p);
	return q;
}

static void test_dx_is_its_slots(void **state)
{
	(void)state;
	for (uint64_t run = 0; run < 60; run++) {
		struct test_rng r = {run + 2000};
		uint32_t capacity = 1 + test_below(&r, CAPACITY);
		char spec[64];
		snprintf(spec, sizeof(spec), "dx,capacity=%u,seed=%u", capacity, (unsigned)run);
		fl_placement *p = test_place(spec, NULL, 0);
		for (int step = 0; step < 60; step++) {
			p = dx_step(p, capacity, &r);
			check_draws(p, capacity);
			check_fresh(p, spec);
		}
		check_saved(p, spec);
		fl_placement_unref(p);
	}
}

/* ---- balance, around powers of two ---- */

static void check_even(const char *algorithm, uint32_t n, uint32_t capacity)
{
	struct test_rng r = {n};
	struct test_nodes t = test_nodes_new(&r, n, 1);
	size_t keys = 40 * (size_t)n + 4000;
	uint32_t *count = calloc(n, sizeof(*count));
	double each = (double)keys / n, chi = 0;
	char spec[64];
	snprintf(spec, sizeof(spec), "%s,capacity=%u", algorithm, capacity);
	fl_placement *p = test_place(spec, t.nodes, n);
	for (uint64_t i = 0; i < keys; i++)
		count[fl_lookup_hash(p, key_hash(i))]++;
	for (uint32_t s = 0; s < n; s++)
		chi += (count[s] - each) * (count[s] - each) / each;
	/* 6 standard deviations of chi-square with n - 1 degrees of freedom, either way; the
	 * spare term is for few degrees, where its tail is longer. */
	double off = chi - (n - 1);
	if (off * off > 36 * 2 * (n - 1.0) + 100)
		fail_msg("%s, %u nodes: chi-square %.0f", spec, n, chi);
	free(count);
	fl_placement_unref(p);
	test_nodes_free(&t);
}

static void test_even_around_powers_of_two(void **state)
{
	(void)state;
	for (uint32_t power = 1; power <= 1024; power *= 2) {
		for (uint32_t n = power > 1 ? power - 1 : 1; n <= power + 1; n++) {
			static const char *const names[] = {"anchor", "dx"};
			for (int a = 0; a < 2; a++) {
				check_even(names[a], n, n);
				check_even(names[a], n, n + 1);
				check_even(names[a], n, 2 * n);
				check_even(names[a], n, 60000);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anchor_is_its_history),
		cmocka_unit_test(test_anchor_weights),
		cmocka_unit_test(test_dx_is_its_slots),
		cmocka_unit_test(test_even_around_powers_of_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
