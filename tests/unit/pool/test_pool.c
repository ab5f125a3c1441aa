/* What changes of membership and of states do to views, placements, slots, stats and reports. */
#include "pool_help.h"

#include <string.h>

#define KEYS 2000

/* ---- membership ---- */

static void test_empty(void **unused)
{
	struct fl_pool *pool = NULL;

	(void)unused;
	assert_int_equal(fl_pool_new(&pool, "p", 1), FL_OK);
	assert_int_equal(fl_pool_view(pool)->epoch, 1);
	assert_string_equal(help_pick(fl_pool_view(pool), 1, 0), "-");
	assert_null(fl_pool_report(pool));
	assert_string_equal(fl_pool_name(pool), "p");
	fl_pool_unref(pool);
}

static void test_same_conf_publishes_nothing(void **unused)
{
	struct fl_pool *pool = help_pool("ring,points=100", "a b*3 c@z d#9 e+ f!drain");
	struct fl_view *before = fl_pool_view(pool);
	uint64_t epoch = fl_snap_epoch(fl_pool_snap(pool));

	(void)unused;
	assert_int_equal(
		help_apply(pool, "ring,points=100", "a b*3 c@z d#9 e+ f!drain", 2000), FL_OK);
	assert_ptr_equal(fl_pool_view(pool), before);
	assert_int_equal(fl_snap_epoch(fl_pool_snap(pool)), epoch);
	/* Nor does another order of the nodes, where it does not count. */
	assert_int_equal(
		help_apply(pool, "ring,points=100", "f!drain e+ d#9 c@z b*3 a", 2000), FL_OK);
	assert_ptr_equal(fl_pool_view(pool), before);
	fl_pool_unref(pool);
}

static void test_order_counts_where_it_does(void **unused)
{
	struct fl_pool *pool = help_pool("compat:python-ring", "a b c");
	struct fl_pool *fresh = help_pool("compat:python-ring", "c b a");

	(void)unused;
	assert_int_equal(help_apply(pool, "compat:python-ring", "c b a", 2000), FL_OK);
	assert_int_equal(fl_pool_view(pool)->digest, fl_pool_view(fresh)->digest);
	struct fl_view *before = fl_pool_view(pool);
	assert_int_equal(help_apply(pool, "compat:python-ring", "c b a", 2000), FL_OK);
	assert_ptr_equal(fl_pool_view(pool), before);
	fl_pool_unref(pool);
	fl_pool_unref(fresh);
}

/* As HAProxy counts servers: every one in the list, and past those that say their number. */
static void test_slots_are_places_where_they_decide(void **unused)
{
	struct fl_pool *pool = help_pool("compat:haproxy-map", "a b!disabled c+ d e#9 f");
	struct fl_view *before;

	(void)unused;
	assert_int_equal(help_slot(pool, 0, "a"), 0);
	assert_int_equal(help_slot(pool, 1, "c"), 2);
	assert_int_equal(help_slot(pool, 0, "d"), 3);
	assert_int_equal(help_slot(pool, 0, "e"), 9);
	assert_int_equal(help_slot(pool, 0, "f"), 5);
	assert_int_equal(fl_pool_set_admin(pool, "b", FL_ADMIN_ENABLED, 0), FL_OK);
	assert_int_equal(help_slot(pool, 0, "b"), 1);
	assert_int_equal(help_slot(pool, 0, "d"), 3);
	before = fl_pool_view(pool);
	/* What was set at run time outlives a conf that says what it said before. */
	assert_int_equal(
		help_apply(pool, "compat:haproxy-map", "a b!disabled c+ d e#9 f", 2000), FL_OK);
	assert_ptr_equal(fl_pool_view(pool), before);
	/* Who is taken out of the list lets the others move up. */
	assert_int_equal(help_apply(pool, "compat:haproxy-map", "a c+ d#1 f", 2000), FL_OK);
	assert_int_equal(help_slot(pool, 0, "d"), 1);
	assert_int_equal(help_slot(pool, 1, "c"), 2);
	assert_int_equal(help_slot(pool, 0, "f"), 4);
	fl_pool_unref(pool);
}

static void test_slots_stay(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b c d");
	uint32_t c = help_slot(pool, 0, "c"), d = help_slot(pool, 0, "d");

	(void)unused;
	assert_int_equal(help_apply(pool, "table", "e d c", 2000), FL_OK);
	assert_int_equal(help_slot(pool, 0, "c"), c);
	assert_int_equal(help_slot(pool, 0, "d"), d);
	assert_int_equal(help_slot(pool, 0, "a"), FL_NONE);
	assert_string_equal(help_member(pool, "e")->name, "e");
	/* A slot of the operator's choice is his, also when another node sits there. */
	assert_int_equal(help_apply(pool, "table", "e d#40 c", 2000), FL_OK);
	assert_int_equal(help_slot(pool, 0, "d"), 40);
	assert_int_equal(help_apply(pool, "table", "e f#40 c", 2000), FL_OK);
	assert_int_equal(help_slot(pool, 0, "f"), 40);
	fl_pool_unref(pool);
}

static void test_slot_taken_by_a_chosen_one(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b");
	char nodes[32];

	(void)unused;
	(void)snprintf(nodes, sizeof(nodes), "a b n#%u", (unsigned)help_slot(pool, 0, "b"));
	assert_int_equal(help_apply(pool, "table", nodes, 2000), FL_OK);
	assert_int_equal(fl_pool_view(pool)->tier[0].eligible, 3);
	fl_pool_unref(pool);
}

static void test_derived_is_fresh(void **unused)
{
	static const char *const steps[] = {"a b c d", "b c d", "b*5 c d", "b*5 c@z d x y",
		"b*5 c@z d!disabled x y", "b c d x", "a b c d"};
	static const char *const specs[] = {
		"table", "ring,points=40", "rendezvous", "modulo", "compat:python-ring"};

	(void)unused;
	for (size_t s = 0; s < sizeof(specs) / sizeof(specs[0]); s++) {
		/* It takes no weights. */
		bool weights = strncmp(specs[s], "compat:", 7) != 0;
		struct fl_pool *pool = help_pool(specs[s], steps[0]);

		for (size_t i = 1; i < sizeof(steps) / sizeof(steps[0]); i++) {
			struct fl_pool *fresh;

			if (!weights && strchr(steps[i], '*'))
				continue;
			fresh = help_pool(specs[s], steps[i]);
			assert_int_equal(help_apply(pool, specs[s], steps[i], 2000), FL_OK);
			assert_int_equal(
				fl_pool_view(pool)->digest, fl_pool_view(fresh)->digest);
			for (unsigned k = 0; k < KEYS / 4; k++)
				assert_string_equal(help_pick(fl_pool_view(pool), k, 0),
					help_pick(fl_pool_view(fresh), k, 0));
			fl_pool_unref(fresh);
		}
		fl_pool_unref(pool);
	}
}

static void test_bad_conf_changes_nothing(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b c");
	struct fl_view *before = fl_pool_view(pool);
	struct fl_error err = {0};
	struct help_conf h;

	(void)unused;
	help_conf(&h, "table", "a b a");
	assert_int_equal(fl_pool_apply(pool, &h.conf, 1, &err), FL_EEXIST);
	assert_string_equal(err.text, "there are two nodes called \"a\"");
	help_conf(&h, "tabel", "a b");
	assert_int_equal(fl_pool_apply(pool, &h.conf, 1, &err), FL_ENOENT);
	help_conf(&h, "table", "a b*65536");
	assert_int_equal(fl_pool_apply(pool, &h.conf, 1, &err), FL_EINVAL);
	help_conf(&h, "table", "a b#1048576");
	assert_int_equal(fl_pool_apply(pool, &h.conf, 1, &err), FL_EINVAL);
	help_conf(&h, "table", "a#3 b#3");
	assert_int_equal(fl_pool_apply(pool, &h.conf, 1, &err), FL_EEXIST);
	/* The ordinary tier is fine, the backups are not. */
	help_conf(&h, "table", "a b c+ d+");
	h.nodes[2].slot = h.nodes[3].slot = 1;
	assert_int_equal(fl_pool_apply(pool, &h.conf, 1, &err), FL_EEXIST);
	help_conf(&h, "table", "a b");
	h.nodes[1].name = "";
	assert_int_equal(fl_pool_apply(pool, &h.conf, 1, &err), FL_EINVAL);
	h.nodes[1].name = NULL;
	assert_int_equal(fl_pool_apply(pool, &h.conf, 1, &err), FL_EINVAL);
	assert_ptr_equal(fl_pool_view(pool), before);
	fl_pool_unref(pool);
}

static void test_address_changes_under_the_name(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b");
	struct fl_member *a = fl_member_ref(help_member(pool, "a"));
	fl_placement *p = fl_placement_ref(fl_pool_view(pool)->tier[0].placement);
	struct fl_member *b = help_member(pool, "b"), *moved;

	(void)unused;
	atomic_store(&a->stats[1].requests, 7);
	assert_int_equal(help_apply(pool, "table", "a~ b", 2000), FL_OK);
	moved = help_member(pool, "a");
	assert_ptr_not_equal(moved, a);
	assert_int_not_equal(moved->id, a->id);
	assert_string_equal(moved->address, "a:2");
	assert_string_equal(a->address, "a:1");
	assert_ptr_equal(moved->stats, a->stats);
	assert_int_equal(atomic_load(&moved->stats[1].requests), 7);
	assert_ptr_equal(help_member(pool, "b"), b);
	assert_ptr_equal(fl_pool_view(pool)->tier[0].placement, p);
	/* A weight makes a new member too, of the same id. */
	assert_int_equal(help_apply(pool, "table", "a~ b*2", 2000), FL_OK);
	assert_ptr_not_equal(fl_pool_view(pool)->tier[0].placement, p);
	assert_int_equal(help_member(pool, "b")->weight, 2);
	fl_placement_unref(p);
	fl_member_unref(a);
	fl_pool_unref(pool);
}

static void test_id_outlives_a_weight(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b");
	uint64_t id = help_member(pool, "b")->id;

	(void)unused;
	assert_int_equal(help_apply(pool, "table", "a b*2", 2000), FL_OK);
	assert_int_equal(help_member(pool, "b")->id, id);
	assert_int_equal(help_apply(pool, "table", "a", 2000), FL_OK);
	assert_int_equal(help_apply(pool, "table", "a b*2", 2000), FL_OK);
	assert_int_not_equal(help_member(pool, "b")->id, id);
	fl_pool_unref(pool);
}

/* ---- states ---- */

static void test_health_is_a_mask(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b c d");
	struct fl_view *up = fl_view_ref(fl_pool_view(pool));

	(void)unused;
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_DOWN, 2000), FL_OK);
	struct fl_view *down = fl_view_ref(fl_pool_view(pool));
	assert_ptr_equal(down->tier[0].placement, up->tier[0].placement);
	assert_int_equal(down->digest, up->digest);
	assert_int_not_equal(down->mask_digest, up->mask_digest);
	assert_int_equal(down->tier[0].eligible, 3);
	for (unsigned k = 0; k < KEYS; k++) {
		const char *was = help_pick(up, k, 0), *is = help_pick(down, k, 0);

		assert_string_not_equal(is, "b");
		if (strcmp(was, "b") != 0)
			assert_string_equal(is, was);
	}
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_UP, 3000), FL_OK);
	assert_int_equal(fl_pool_view(pool)->mask_digest, up->mask_digest);
	assert_ptr_equal(fl_pool_view(pool)->tier[0].placement, up->tier[0].placement);
	fl_view_unref(down);
	fl_view_unref(up);
	fl_pool_unref(pool);
}

/* Where a mask takes building anew, the view does it once: picks are those of a pool without the
 * node, and the slots stay. */
static void test_health_builds_anew(void **unused)
{
	const char *spec = "compat:envoy-maglev,rows=251";
	struct fl_pool *pool = help_pool(spec, "a b c d"), *fresh = help_pool(spec, "a c d");
	struct fl_view *up = fl_view_ref(fl_pool_view(pool));
	struct fl_member *owners[4];
	struct fl_key key = fl_key_bytes("key", 3);
	unsigned others_moved = 0;

	(void)unused;
	assert_null(up->tier[0].unmasked);
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_DOWN, 2000), FL_OK);
	const struct fl_view *down = fl_pool_view(pool);
	assert_ptr_equal(down->tier[0].placement, up->tier[0].placement);
	assert_non_null(down->tier[0].unmasked);
	for (unsigned k = 0; k < KEYS; k++) {
		const char *was = help_pick(up, k, 0), *is = help_pick(down, k, 0);

		assert_string_equal(is, help_pick(fl_pool_view(fresh), k, 0));
		others_moved += strcmp(was, "b") != 0 && strcmp(was, is) != 0;
	}
	assert_true(others_moved > 0); /* else a plain mask would do */
	assert_int_equal(fl_view_owners(down, &key, owners, 4), 3);
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_UP, 3000), FL_OK);
	assert_null(fl_pool_view(pool)->tier[0].unmasked);
	fl_view_unref(up);
	fl_pool_unref(pool);
	fl_pool_unref(fresh);
}

static void test_drain_outlives_down_and_up(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b c");
	uint32_t b = help_slot(pool, 0, "b");

	(void)unused;
	assert_int_equal(fl_pool_set_admin(pool, "b", FL_ADMIN_DRAIN, 2000), FL_OK);
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_DOWN, 2000), FL_OK);
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_UP, 2000), FL_OK);
	assert_int_equal(fl_pool_view(pool)->tier[0].admin[b], FL_ADMIN_DRAIN);
	assert_int_equal(fl_pool_view(pool)->tier[0].health[b], FL_HEALTH_UP);
	for (unsigned k = 0; k < KEYS / 4; k++)
		assert_string_not_equal(help_pick(fl_pool_view(pool), k, 0), "b");
	/* Nor does a reload that says nothing new end it; one that changes its mind does. */
	assert_int_equal(help_apply(pool, "table", "a b c d", 2000), FL_OK);
	assert_int_equal(fl_pool_view(pool)->tier[0].admin[b], FL_ADMIN_DRAIN);
	assert_int_equal(help_apply(pool, "table", "a b!drain c d", 2000), FL_OK);
	assert_int_equal(help_apply(pool, "table", "a b c d", 2000), FL_OK);
	assert_int_equal(fl_pool_view(pool)->tier[0].admin[b], FL_ADMIN_ENABLED);
	fl_pool_unref(pool);
}

static void test_disabled_is_not_built(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b c d");
	uint32_t b = help_slot(pool, 0, "b");
	struct fl_node_stats *stats = help_member(pool, "b")->stats;
	uint64_t digest = fl_pool_view(pool)->digest;
	struct fl_pool *without = help_pool("table", "a c d");

	(void)unused;
	assert_int_equal(fl_pool_set_admin(pool, "b", FL_ADMIN_DISABLED, 2000), FL_OK);
	assert_null(help_member(pool, "b"));
	assert_int_equal(fl_placement_count(fl_pool_view(pool)->tier[0].placement), 3);
	assert_int_equal(fl_pool_view(pool)->digest, fl_pool_view(without)->digest);
	assert_int_equal(fl_pool_view(pool)->mask_digest, 0);
	/* Nobody sees a disabled node go down. */
	uint64_t epoch = fl_pool_view(pool)->epoch;
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_DOWN, 2000), FL_OK);
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_UP, 2000), FL_OK);
	assert_int_equal(fl_pool_view(pool)->epoch, epoch);
	assert_int_equal(fl_pool_set_admin(pool, "b", FL_ADMIN_ENABLED, 3000), FL_OK);
	assert_int_equal(help_slot(pool, 0, "b"), b);
	assert_ptr_equal(help_member(pool, "b")->stats, stats);
	assert_int_equal(fl_pool_view(pool)->digest, digest);
	fl_pool_unref(without);
	fl_pool_unref(pool);
}

static void test_old_slots_come_back(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b c d");
	uint32_t slot[] = {help_slot(pool, 0, "b"), help_slot(pool, 0, "c")};

	(void)unused;
	assert_int_equal(help_apply(pool, "table", "a b!disabled c!disabled d", 1), FL_OK);
	assert_int_equal(help_apply(pool, "table", "a b!disabled c d", 1), FL_OK);
	assert_int_equal(help_slot(pool, 0, "c"), slot[1]);
	assert_int_equal(help_apply(pool, "table", "a b c d", 1), FL_OK);
	assert_int_equal(help_slot(pool, 0, "b"), slot[0]);
	fl_pool_unref(pool);
}

static void test_old_slot_may_be_gone(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b c");
	uint32_t c = help_slot(pool, 0, "c");

	(void)unused;
	assert_int_equal(help_apply(pool, "table", "a b!disabled c", 2000), FL_OK);
	assert_int_equal(help_apply(pool, "table", "a b!disabled c n", 2000), FL_OK);
	uint32_t n = help_slot(pool, 0, "n");
	assert_int_equal(help_apply(pool, "table", "b c n", 2000), FL_OK);
	assert_int_equal(fl_pool_view(pool)->tier[0].eligible, 3);
	/* And nobody else had to move for it. */
	assert_int_equal(help_slot(pool, 0, "c"), c);
	assert_int_equal(help_slot(pool, 0, "n"), n);
	fl_pool_unref(pool);
}

static void test_eject_spares_the_last(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b w*0 c+");

	(void)unused;
	assert_int_equal(fl_pool_eject(pool, "a", 2000), FL_OK);
	assert_int_equal(fl_pool_eject(pool, "b", 2000), FL_OK);
	/* The backup is the last one that can take keys: a weight of 0 does not count. */
	assert_string_equal(help_pick(fl_pool_view(pool), 1, 0), "c");
	struct fl_view *before = fl_pool_view(pool);
	assert_int_equal(fl_pool_eject(pool, "c", 2000), FL_ENOTSUP);
	assert_ptr_equal(fl_pool_view(pool), before);
	assert_int_equal(fl_pool_eject(pool, "w", 2000), FL_OK);
	assert_int_equal(fl_pool_eject(pool, "nobody", 2000), FL_ENOENT);
	/* Down is stronger than ejected. */
	assert_int_equal(fl_pool_set_health(pool, "a", FL_HEALTH_DOWN, 2000), FL_OK);
	assert_int_equal(fl_pool_eject(pool, "a", 2000), FL_OK);
	assert_int_equal(
		fl_pool_view(pool)->tier[0].health[help_slot(pool, 0, "a")], FL_HEALTH_DOWN);
	/* A check may take the last one down all the same. */
	assert_int_equal(fl_pool_set_health(pool, "c", FL_HEALTH_DOWN, 2000), FL_OK);
	assert_string_equal(help_pick(fl_pool_view(pool), 1, 0), "-");
	fl_pool_unref(pool);
}

static void test_setters_refuse(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a");

	(void)unused;
	assert_int_equal(fl_pool_set_admin(pool, "b", FL_ADMIN_DRAIN, 1), FL_ENOENT);
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_UP, 1), FL_ENOENT);
	assert_int_equal(fl_pool_set_admin(pool, "a", (enum fl_admin_state)9, 1), FL_EINVAL);
	assert_int_equal(fl_pool_set_health(pool, "a", (enum fl_health_state)9, 1), FL_EINVAL);
	fl_pool_unref(pool);
}

/* ---- backups ---- */

static void test_backups_come_last(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b c+ d+");
	struct fl_member *owners[8] = {NULL};
	char buf[32];
	struct fl_key key = help_key(buf, 5);

	(void)unused;
	for (unsigned k = 0; k < KEYS / 4; k++)
		assert_true(strchr("ab", *help_pick(fl_pool_view(pool), k, 0)) != NULL);
	assert_int_equal(fl_view_owners(fl_pool_view(pool), &key, owners, 8), 4);
	assert_string_equal(owners[0]->name, help_pick(fl_pool_view(pool), 5, 0));
	assert_true(owners[2]->backup && owners[3]->backup);
	assert_int_equal(fl_view_owners(fl_pool_view(pool), &key, owners, 3), 3);
	assert_int_equal(fl_pool_set_health(pool, "a", FL_HEALTH_DOWN, 1), FL_OK);
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_DOWN, 1), FL_OK);
	for (unsigned k = 0; k < KEYS / 4; k++)
		assert_true(strchr("cd", *help_pick(fl_pool_view(pool), k, 0)) != NULL);
	/* A node that turns backup keeps its states and stats. */
	struct fl_node_stats *stats = help_member(pool, "a")->stats;
	assert_int_equal(help_apply(pool, "table", "a+ b c+", 1), FL_OK);
	assert_int_equal(help_slot(pool, 0, "a"), FL_NONE);
	assert_ptr_equal(help_member(pool, "a")->stats, stats);
	assert_int_equal(
		fl_pool_view(pool)->tier[1].health[help_slot(pool, 1, "a")], FL_HEALTH_DOWN);
	/* And without backups there is no second tier. */
	assert_int_equal(help_apply(pool, "table", "a b", 1), FL_OK);
	assert_null(fl_pool_view(pool)->tier[1].placement);
	fl_pool_unref(pool);
}

/* ---- reports and subscribers ---- */

struct heard {
	unsigned calls, reports;
	uint64_t epoch;
};

static void hear(void *cookie, struct fl_pool *pool, const struct fl_pool_report *report)
{
	struct heard *h = cookie;

	h->calls++;
	h->reports += report != NULL;
	h->epoch = fl_pool_view(pool)->epoch;
	if (report)
		assert_int_equal(report->epoch, h->epoch);
}

static void test_subscribers(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b");
	struct heard h = {0};

	(void)unused;
	fl_pool_subscribe(pool, hear, &h);
	assert_int_equal(help_apply(pool, "table", "a b", 2), FL_OK);
	assert_int_equal(h.calls, 0);
	assert_int_equal(fl_pool_set_health(pool, "a", FL_HEALTH_DOWN, 2), FL_OK);
	assert_int_equal(h.calls, 1);
	assert_int_equal(h.reports, 0);
	assert_int_equal(help_apply(pool, "table", "a b c", 2), FL_OK);
	assert_int_equal(h.calls, 2);
	assert_int_equal(h.reports, 1);
	assert_int_equal(h.epoch, 4);
	assert_int_equal(fl_pool_set_admin(pool, "b", FL_ADMIN_DISABLED, 2), FL_OK);
	assert_int_equal(h.reports, 2);
	assert_int_equal(help_apply(pool, "table", "a~ b c", 2), FL_OK);
	assert_int_equal(h.calls, 4);
	assert_int_equal(h.reports, 2);
	fl_pool_unref(pool);
}

static void test_report(void **unused)
{
	struct fl_pool *pool = help_pool("table", "a b c d");
	const struct fl_pool_report *r = fl_pool_report(pool);
	double shares[8], sum = 0;

	(void)unused;
	assert_non_null(r);
	assert_true(r->movement->exact);
	for (size_t i = 0; i < r->movement->count; i++)
		assert_null(r->movement->flows[i].from);
	uint64_t digest = fl_pool_view(pool)->digest;
	assert_int_equal(fl_shares(fl_pool_view(pool)->tier[0].placement, 0, shares), FL_OK);
	double of_b = shares[help_slot(pool, 0, "b")];
	assert_int_equal(help_apply(pool, "table", "a c d", 7), FL_OK);
	r = fl_pool_report(pool);
	assert_int_equal(r->at_ms, 7);
	assert_int_equal(r->digest_before, digest);
	assert_int_equal(r->digest_after, fl_pool_view(pool)->digest);
	assert_true(r->movement->exact);
	assert_int_equal(r->movement->count, 3);
	for (size_t i = 0; i < r->movement->count; i++) {
		assert_string_equal(r->movement->flows[i].from, "b");
		assert_string_not_equal(r->movement->flows[i].to, "b");
		sum += r->movement->flows[i].share;
	}
	assert_true(sum > of_b - 1e-9 && sum < of_b + 1e-9);
	/* States leave the last report in place, and its names alive. */
	assert_int_equal(fl_pool_set_health(pool, "a", FL_HEALTH_DOWN, 8), FL_OK);
	assert_ptr_equal(fl_pool_report(pool)->movement, r->movement);
	assert_string_equal(r->movement->flows[0].from, "b");
	fl_pool_unref(pool);
	/* From nothing to a ring is exact too. */
	pool = help_pool("ring,seed=7", "a b");
	assert_true(fl_pool_report(pool)->movement->exact);
	fl_pool_unref(pool);
}

static void test_old_views_stay(void **unused)
{
	struct fl_pool *pool = help_pool("ring", "a b c");
	struct fl_view *old = fl_view_ref(fl_pool_view(pool));
	const char *was = help_pick(old, 3, 0);

	(void)unused;
	assert_int_equal(help_apply(pool, "table", "x y", 2), FL_OK);
	assert_int_equal(help_apply(pool, "table", "z", 2), FL_OK);
	fl_pool_unref(pool);
	assert_string_equal(help_pick(old, 3, 0), was);
	assert_string_equal(old->pool, "p");
	fl_view_unref(old);
}

/* A new secret is a new mapping, and what is told of the pool has neither. */
static void test_secret(void **unused)
{
	struct fl_pool *pool =
		help_pool("table,secret=000102030405060708090a0b0c0d0e0f,rows=1024", "a b c");
	uint64_t digest = fl_pool_view(pool)->digest;

	(void)unused;
	assert_string_equal(fl_pool_spec(pool), "table,secret=***,rows=1024");
	assert_int_equal(
		help_apply(pool, "table,secret=000102030405060708090a0b0c0d0e10,rows=1024",
			"a b c", 2000),
		FL_OK);
	assert_string_equal(fl_pool_spec(pool), "table,secret=***,rows=1024");
	assert_true(fl_pool_view(pool)->digest != digest);
	assert_true(fl_pool_report(pool)->movement->moved > 0.3);
	assert_false(fl_pool_report(pool)->movement->exact);
	fl_pool_unref(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_same_conf_publishes_nothing),
		cmocka_unit_test(test_order_counts_where_it_does),
		cmocka_unit_test(test_slots_are_places_where_they_decide),
		cmocka_unit_test(test_slots_stay),
		cmocka_unit_test(test_slot_taken_by_a_chosen_one),
		cmocka_unit_test(test_derived_is_fresh),
		cmocka_unit_test(test_bad_conf_changes_nothing),
		cmocka_unit_test(test_address_changes_under_the_name),
		cmocka_unit_test(test_id_outlives_a_weight),
		cmocka_unit_test(test_health_is_a_mask),
		cmocka_unit_test(test_health_builds_anew),
		cmocka_unit_test(test_drain_outlives_down_and_up),
		cmocka_unit_test(test_disabled_is_not_built),
		cmocka_unit_test(test_old_slots_come_back),
		cmocka_unit_test(test_old_slot_may_be_gone),
		cmocka_unit_test(test_eject_spares_the_last),
		cmocka_unit_test(test_setters_refuse),
		cmocka_unit_test(test_backups_come_last),
		cmocka_unit_test(test_subscribers),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_old_views_stay),
		cmocka_unit_test(test_secret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
