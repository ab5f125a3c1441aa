/* The warm-up gate: who warms, how a key moves, and that it depends on the key alone. */
#include "pool_help.h"

#include <string.h>

#define KEYS 4000
#define SLOW 10000

static void apply(struct fl_pool *pool, const char *spec, const char *nodes, uint64_t slow,
	uint64_t now_ms)
{
	struct help_conf h;

	help_conf(&h, spec, nodes);
	h.conf.slow_start_ms = slow;
	assert_int_equal(fl_pool_apply(pool, &h.conf, now_ms, NULL), FL_OK);
}

static struct fl_pool *slow_pool(const char *spec, const char *nodes)
{
	struct fl_pool *pool = NULL;

	assert_int_equal(fl_pool_new(&pool, "p", 1), FL_OK);
	apply(pool, spec, nodes, SLOW, 1000);
	return pool;
}

static unsigned count(const struct fl_view *v, const char *node, uint64_t now_ms)
{
	unsigned n = 0;

	for (unsigned k = 0; k < KEYS; k++)
		n += strcmp(help_pick(v, k, now_ms), node) == 0;
	return n;
}

static void test_first_conf_is_warm(void **unused)
{
	struct fl_pool *pool = slow_pool("table", "a b c");

	(void)unused;
	assert_false(fl_pool_view(pool)->tier[0].warming);
	apply(pool, "table", "a b c d", SLOW, 5000);
	assert_true(fl_pool_view(pool)->tier[0].warming);
	assert_int_equal(fl_pool_view(pool)->tier[0].ramp_start[help_slot(pool, 0, "d")], 5000);
	assert_int_equal(fl_pool_view(pool)->tier[0].ramp_start[help_slot(pool, 0, "a")], 0);
	/* No slow start, no warm-up. */
	apply(pool, "table", "a b c d", 0, 6000);
	assert_false(fl_pool_view(pool)->tier[0].warming);
	fl_pool_unref(pool);
}

/* Each key goes to the newcomer once and stays; until then it is where it was without it. */
static void keys_move_once(const char *spec)
{
	struct fl_pool *pool = slow_pool(spec, "a b c d");
	struct fl_view *without;
	unsigned before = 0, full;

	assert_int_equal(fl_pool_set_health(pool, "d", FL_HEALTH_DOWN, 2000), FL_OK);
	without = fl_view_ref(fl_pool_view(pool));
	assert_int_equal(fl_pool_set_health(pool, "d", FL_HEALTH_UP, 20000), FL_OK);
	struct fl_view *v = fl_pool_view(pool);
	full = count(v, "d", 20000 + SLOW);
	for (uint64_t now = 20000; now <= 20000 + SLOW; now += SLOW / 4) {
		unsigned n = count(v, "d", now);
		unsigned want = (unsigned)(full * (now - 20000) / SLOW);

		assert_true(n >= before);
		assert_true(n + full / 8 >= want && n <= want + full / 8);
		before = n;
		for (unsigned k = 0; k < KEYS; k += 3) {
			const char *is = help_pick(v, k, now);

			if (strcmp(is, "d") != 0)
				assert_string_equal(is, help_pick(without, k, now));
			else
				assert_string_equal(help_pick(v, k, now + 1), "d");
		}
	}
	assert_int_equal(count(v, "d", 20000), 0);
	assert_true(full > KEYS / 8);
	fl_view_unref(without);
	fl_pool_unref(pool);
}

static void test_keys_move_once(void **unused)
{
	(void)unused;
	keys_move_once("table");
	keys_move_once("ring");
	keys_move_once("rendezvous");
}

static void test_bytes_and_hash_agree(void **unused)
{
	struct fl_pool *pool = slow_pool("table", "a b c");

	(void)unused;
	apply(pool, "table", "a b c d", SLOW, 2000);
	struct fl_view *v = fl_pool_view(pool);
	for (unsigned k = 0; k < KEYS; k++) {
		char buf[32];
		struct fl_key bytes = help_key(buf, k);
		struct fl_key hash = fl_key_hash(
			fl_placement_hash(v->tier[0].placement, bytes.bytes, bytes.len));
		struct fl_member *a = NULL, *b = NULL;

		assert_int_equal(fl_view_pick(v, &bytes, 7000, &a), FL_OK);
		assert_int_equal(fl_view_pick(v, &hash, 7000, &b), FL_OK);
		assert_ptr_equal(a, b);
	}
	fl_pool_unref(pool);
}

static void test_all_cold(void **unused)
{
	struct fl_pool *pool = slow_pool("table", "a b");

	(void)unused;
	for (int i = 0; i < 2; i++) {
		const char *node = i ? "b" : "a";

		assert_int_equal(fl_pool_set_health(pool, node, FL_HEALTH_DOWN, 2000), FL_OK);
		assert_int_equal(fl_pool_set_health(pool, node, FL_HEALTH_UP, 3000), FL_OK);
	}
	/* Nobody is warm: then the final owner has the key. */
	assert_true(count(fl_pool_view(pool), "a", 3000) > KEYS / 4);
	assert_true(count(fl_pool_view(pool), "b", 3000) > KEYS / 4);
	fl_pool_unref(pool);
}

/* Two nodes warm up, one of them is done, and no tick has said so: it is as good as warm. */
static void test_ticks_do_not_matter(void **unused)
{
	struct fl_pool *pool = slow_pool("table", "a b c d");
	static const char *late[KEYS];

	(void)unused;
	assert_int_equal(fl_pool_set_health(pool, "c", FL_HEALTH_DOWN, 1), FL_OK);
	assert_int_equal(fl_pool_set_health(pool, "d", FL_HEALTH_DOWN, 1), FL_OK);
	assert_int_equal(fl_pool_set_health(pool, "c", FL_HEALTH_UP, 10000), FL_OK);
	assert_int_equal(fl_pool_set_health(pool, "d", FL_HEALTH_UP, 15000), FL_OK);
	for (unsigned k = 0; k < KEYS; k++)
		late[k] = help_pick(fl_pool_view(pool), k, 21000);
	uint64_t epoch = fl_pool_view(pool)->epoch;
	fl_pool_tick(pool, 19999);
	assert_int_equal(fl_pool_view(pool)->epoch, epoch);
	fl_pool_tick(pool, 21000);
	assert_int_equal(fl_pool_view(pool)->epoch, epoch + 1);
	assert_int_equal(fl_pool_view(pool)->tier[0].ramp_start[help_slot(pool, 0, "c")], 0);
	assert_true(fl_pool_view(pool)->tier[0].warming);
	for (unsigned k = 0; k < KEYS; k++)
		assert_string_equal(help_pick(fl_pool_view(pool), k, 21000), late[k]);
	fl_pool_tick(pool, 25000);
	assert_false(fl_pool_view(pool)->tier[0].warming);
	fl_pool_unref(pool);
}

static void test_drain_ends_cold(void **unused)
{
	struct fl_pool *pool = slow_pool("table", "a b");

	(void)unused;
	assert_int_equal(fl_pool_set_admin(pool, "b", FL_ADMIN_DRAIN, 2000), FL_OK);
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_DOWN, 2000), FL_OK);
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_UP, 3000), FL_OK);
	assert_false(fl_pool_view(pool)->tier[0].warming);
	assert_int_equal(fl_pool_set_admin(pool, "b", FL_ADMIN_ENABLED, 4000), FL_OK);
	assert_int_equal(fl_pool_view(pool)->tier[0].ramp_start[help_slot(pool, 0, "b")], 4000);
	/* A clock that goes back is not a long warm-up that has passed. */
	assert_int_equal(count(fl_pool_view(pool), "b", 3000), 0);
	fl_pool_unref(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_conf_is_warm),
		cmocka_unit_test(test_keys_move_once),
		cmocka_unit_test(test_bytes_and_hash_agree),
		cmocka_unit_test(test_all_cold),
		cmocka_unit_test(test_ticks_do_not_matter),
		cmocka_unit_test(test_drain_ends_cold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
