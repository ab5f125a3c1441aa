/* Circles derived change by change against circles of the same nodes made afresh, in every bit. */
#include "place/node_points.h"

#include "hash/mix.h"
#include "place/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NAMES  40
#define AT_ONE 3 /* changes in one step, at most */

static uint64_t seed;

static uint32_t below(uint32_t end)
{
	return (uint32_t)(fl_mix64(seed++) % end);
}

static void check_same(const struct fl_placement *p, const struct fl_placement *q)
{
	const struct fl_points *a = p->state, *b = q->state;
	assert_int_equal(!a, !b);
	if (!a)
		return;
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->shift, b->shift);
	assert_int_equal(a->bytes, b->bytes);
	size_t lines = ((size_t)1 << (32 - b->shift)) + 1;
	assert_memory_equal(a->at, b->at, (b->count + 1) * sizeof(*b->at));
	assert_memory_equal(a->slot, b->slot, (b->count + 1) * sizeof(*b->slot));
	assert_memory_equal(a->lines, b->lines, lines * sizeof(*b->lines));
}

/* A change that the nodes permit, by what stands in weights[] (-1: no such node). */
static struct fl_change next_change(char names[NAMES][16], int32_t *weights)
{
	uint32_t i = below(NAMES);
	int32_t weight = (int32_t)below(4);
	struct fl_change change = {FL_REWEIGHT, {names[i], weight, FL_NONE, NULL}};
	if (weights[i] < 0)
		change.kind = FL_ADD;
	else if (below(2)) {
		change.kind = FL_REMOVE;
		weight = -1;
	}
	weights[i] = weight;
	return change;
}

static void check_chain(const struct fl_algorithm *a, const uint64_t *options, int steps)
{
	char names[NAMES][16];
	int32_t weights[NAMES];
	struct fl_placement *p, *q, *fresh;
	for (uint32_t i = 0; i < NAMES; i++) {
		snprintf(names[i], sizeof(names[i]), "%u-node", below(1000) * NAMES + i);
		weights[i] = -1;
	}
	assert_int_equal(
		fl_place_new(&p, &(struct fl_recipe){.algorithm = a, .options = options}, NULL,
			0, NULL),
		FL_OK);
	for (int step = 0; step < steps; step++) {
		struct fl_change changes[AT_ONE];
		size_t count = 1 + below(AT_ONE);
		for (size_t i = 0; i < count; i++)
			changes[i] = next_change(names, weights);
		assert_int_equal(fl_place_derive(&q, p, changes, count, NULL), FL_OK);
		assert_int_equal(
			fl_place_new(&fresh,
				&(struct fl_recipe){.algorithm = a, .options = options},
				q->nodes, q->count, NULL),
			FL_OK);
		check_same(q, fresh);
		fl_place_unref(fresh);
		fl_place_unref(p);
		p = q;
	}
	fl_place_unref(p);
}

static void test_chains(void **state)
{
	static const uint64_t points[] = {1, 2, 17, 160};
	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		for (int chain = 0; chain < 6; chain++)
			check_chain(
				&fl_algorithm_ring, (uint64_t[FL_MAX_OPTIONS]){points[i]}, 60);
	}
	check_chain(&fl_algorithm_multiprobe, (uint64_t[FL_MAX_OPTIONS]){21}, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
