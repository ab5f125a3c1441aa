// rooms: pool
/* One writer changes states and membership; four readers pick through readers of their own and
 * count in the cells of the members they get. What a reader gets must hang together: a member of
 * the very view, alive, not masked. Bounded by iterations. */
#include "pool/pool.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define READERS 4
#define CHANGES 15000
#define NODES   12

static _Atomic bool done, broken;
static _Atomic uint64_t picks;

struct reader {
	struct fl_pool *pool;
	unsigned n;
};

static bool good(const struct fl_view *v, const struct fl_member *m)
{
	for (unsigned t = 0; t < FL_TIERS; t++) {
		const struct fl_tier *tier = &v->tier[t];
		uint32_t s =
			tier->placement ? fl_placement_find(tier->placement, m->name) : FL_NONE;

		if (s == FL_NONE)
			continue;
		return tier->members[s] == m && !(tier->mask.words[s / 64] >> (s % 64) & 1) &&
		       m->backup == (t == 1) && m->address[0] == m->name[0];
	}
	return false;
}

static void *read_on(void *arg)
{
	struct reader *r = arg;
	struct fl_snap_reader reader;
	uint64_t epoch = 0, n = 0;

	fl_snap_reader_init(&reader, fl_pool_snap(r->pool));
	while (!atomic_load(&done) && !atomic_load(&broken)) {
		const struct fl_view *v = fl_snap_read(&reader);
		struct fl_key key = fl_key_bytes(&n, sizeof(n));
		struct fl_member *m = NULL;

		if (v->epoch < epoch || fl_view_pick(v, &key, n % 4000, &m) != FL_OK)
			atomic_store(&broken, true);
		epoch = v->epoch;
		if (m && !good(v, m))
			atomic_store(&broken, true);
		if (m && n % 7 == 0) {
			struct fl_member *kept = fl_member_ref(m);

			fl_snap_reader_park(&reader);
			atomic_fetch_add_explicit(
				&kept->stats[r->n].requests, 1, memory_order_relaxed);
			fl_member_unref(kept);
		}
		if (++n % 64 == 0)
			sched_yield();
	}
	atomic_fetch_add(&picks, n);
	fl_snap_reader_fini(&reader);
	fl_pool_unref(r->pool);
	return NULL;
}

static uint64_t seed = 42;

static unsigned draw(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

static void apply(struct fl_pool *pool, uint64_t now)
{
	static char names[NODES][8], addresses[NODES][16];
	struct fl_node_conf nodes[NODES];
	struct fl_pool_conf conf = {.name = "p", .nodes = nodes, .slow_start_ms = 500};

	conf.spec = draw(8) ? "ring,points=20" : "table,rows=512";
	for (unsigned i = 0; i < NODES; i++) {
		if (draw(4) == 0)
			continue;
		(void)snprintf(names[i], sizeof(names[i]), "%c", 'a' + i);
		(void)snprintf(addresses[i], sizeof(addresses[i]), "%c:%u", 'a' + i, draw(3));
		nodes[conf.count++] = (struct fl_node_conf){.name = names[i],
			.address = addresses[i],
			.weight = 1 + draw(3),
			.slot = -1,
			.backup = i >= NODES - 2};
	}
	if (fl_pool_apply(pool, &conf, now, NULL) != FL_OK)
		atomic_store(&broken, true);
}

static void change(struct fl_pool *pool, uint64_t now)
{
	char name[2] = {(char)('a' + draw(NODES)), '\0'};

	switch (draw(12)) {
	case 0:
		apply(pool, now);
		break;
	case 1:
	case 2:
		(void)fl_pool_set_admin(pool, name, (enum fl_admin_state)draw(3), now);
		break;
	case 3:
		(void)fl_pool_eject(pool, name, now);
		break;
	case 4:
		fl_pool_tick(pool, now);
		break;
	default:
		(void)fl_pool_set_health(pool, name, (enum fl_health_state)draw(3), now);
	}
}

static void test_torture(void **unused)
{
	struct fl_pool *pool = NULL;
	struct reader readers[READERS];
	pthread_t threads[READERS];

	(void)unused;
	assert_int_equal(fl_pool_new(&pool, "p", READERS), FL_OK);
	apply(pool, 1);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){fl_pool_ref(pool), i};
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
	}
	for (uint64_t i = 2; i < CHANGES && !atomic_load(&broken); i++)
		change(pool, i);
	atomic_store(&done, true);
	fl_pool_unref(pool);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_false(atomic_load(&broken));
	assert_true(atomic_load(&picks) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_torture)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
