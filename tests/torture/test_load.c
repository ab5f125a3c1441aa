// rooms: lib
/* Threads take and give back places under bounded loads as fast as they can, on one hot key and
 * few nodes, so that nearly every request overflows. Nobody may be refused, no node may get beyond
 * the cap of the busiest moment there can be (and one a thread for lost races), and when all is
 * over every count is zero. Bounded by steps, not by time. */
#include "support/nodes.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

#define THREADS 4
#define HELD    6
#define STEPS   60000
#define NODES   5

static fl_load *load;
static fl_placement *placements[2]; /* all nodes; one less */
static _Atomic bool refused, over;

static uint32_t caps[NODES]; /* at the busiest moment, in the smaller placement */

static void find_caps(void)
{
	uint32_t all = 0;
	for (uint32_t slot = 0; slot < NODES; slot++) {
		const struct fl_node *n = fl_placement_node(placements[1], slot);
		all += n ? (uint32_t)n->weight : 0;
	}
	for (uint32_t slot = 0; slot < NODES; slot++) {
		uint32_t w = (uint32_t)fl_placement_node(placements[0], slot)->weight;
		caps[slot] = (THREADS * HELD * w + all - 1) / all + THREADS;
	}
}

static uint32_t take(struct test_rng *r)
{
	static const uint64_t words[1] = {1u << 2};
	struct fl_mask mask = {words, 1};
	struct fl_key key = fl_key_hash(test_below(r, 8) ? 7 : test_next(r));
	uint32_t slot = FL_NONE;
	/* The mask leaves the nodes that the smaller placement has. */
	int rc = fl_load_acquire(load, placements[test_below(r, 2)], &key,
		test_below(r, 4) ? NULL : &mask, 0, &slot);
	if (rc != FL_OK || slot >= NODES)
		atomic_store(&refused, true);
	else if (fl_load_count(load, slot) > caps[slot])
		atomic_store(&over, true);
	return slot;
}

static void *run(void *arg)
{
	struct test_rng r = {*(uint64_t *)arg};
	uint32_t held[HELD], n = 0;
	for (int i = 0; i < STEPS && !atomic_load(&refused); i++) {
		if (n < HELD && (n == 0 || test_below(&r, 2)))
			held[n++] = take(&r);
		else if (fl_load_release(load, held[--n]) != FL_OK)
			atomic_store(&over, true);
		if (test_below(&r, 64) == 0)
			sched_yield();
	}
	while (n > 0)
		(void)fl_load_release(load, held[--n]);
	return NULL;
}

static void test_all_get_a_place(void **state)
{
	struct fl_node nodes[NODES] = {{"a", 1, 0, NULL}, {"b", 2, 1, NULL}, {"c", 1, 2, NULL},
		{"d", 3, 3, NULL}, {"e", 1, 4, NULL}};
	pthread_t threads[THREADS];
	uint64_t seeds[THREADS];
	(void)state;
	placements[0] = test_place("table,rows=256", nodes, NODES);
	placements[1] = test_change(placements[0], FL_REMOVE, "c", 0, 0);
	find_caps();
	assert_int_equal(fl_load_new(&load, NODES), FL_OK);
	for (uint64_t i = 0; i < THREADS; i++) {
		seeds[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, run, &seeds[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_false(atomic_load(&refused));
	assert_false(atomic_load(&over));
	for (uint32_t slot = 0; slot < NODES; slot++)
		assert_int_equal(fl_load_count(load, slot), 0);
	assert_int_equal(fl_load_total(load), 0);
	fl_load_free(load);
	fl_placement_unref(placements[0]);
	fl_placement_unref(placements[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_get_a_place)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
