/* What became of each node for a key: the verdicts against the pick, in every state. */
#include "pool_help.h"

#include "pool/why.h"

static struct fl_why *ask(struct fl_pool *pool, unsigned i, uint64_t now_ms)
{
	struct fl_why *why = NULL;
	char buf[32];
	struct fl_key key = help_key(buf, i);

	assert_int_equal(fl_pool_why(&why, pool, &key, now_ms), FL_OK);
	return why;
}

static const struct fl_candidate *of(const struct fl_why *why, const char *name)
{
	for (size_t i = 0; i < why->count; i++)
		if (strcmp(why->candidates[i].node.member->name, name) == 0)
			return &why->candidates[i];
	fail_msg("%s is missing", name);
	return NULL;
}

static void expect(const struct fl_why *why, const char *name, enum fl_verdict verdict)
{
	assert_string_equal(fl_verdict_name(of(why, name)->verdict), fl_verdict_name(verdict));
}

/* The ones that may own, in the order of the answer, are the owners in the key's order. */
static void check(struct fl_pool *pool, unsigned i, uint64_t now_ms)
{
	struct fl_why *why = ask(pool, i, now_ms);
	struct fl_member *owners[64], *m = NULL;
	char buf[32];
	struct fl_key key = help_key(buf, i);
	int n = fl_view_owners(why->view, &key, owners, 64), at = 0;
	size_t rank = 0;

	assert_int_equal(fl_view_pick(why->view, &key, now_ms, &m), FL_OK);
	assert_ptr_equal(why->taken, m);
	assert_int_equal(why->count, fl_pool_count(pool));
	for (size_t c = 0; c < why->count; c++) {
		const struct fl_candidate *candidate = &why->candidates[c];
		enum fl_verdict v = candidate->verdict;

		assert_int_equal(v == FL_VERDICT_TAKEN, candidate->node.member == m);
		if (candidate->rank)
			assert_int_equal(candidate->rank, ++rank);
		if (v == FL_VERDICT_TAKEN || v == FL_VERDICT_BEHIND ||
			v == FL_VERDICT_WARMING || v == FL_VERDICT_STANDBY ||
			v == FL_VERDICT_PASSED) {
			assert_true(at < n);
			assert_ptr_equal(candidate->node.member, owners[at++]);
		}
	}
	assert_int_equal(at, n);
	fl_why_free(why);
}

static void agrees_with_the_pick_in_every_state(void **state)
{
	static const char *const specs[] = {"table", "ring", "rendezvous", "maglev"};

	(void)state;
	for (size_t s = 0; s < 4; s++) {
		struct fl_pool *pool =
			help_pool(specs[s], "a b*3 c*0 d!drain e!disabled f+ g+");

		for (unsigned i = 0; i < 60; i++)
			check(pool, i, 5000);
		assert_int_equal(fl_pool_set_health(pool, "a", FL_HEALTH_DOWN, 5000), FL_OK);
		for (unsigned i = 0; i < 60; i++)
			check(pool, i, 5000);
		assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_EJECTED, 5000), FL_OK);
		for (unsigned i = 0; i < 60; i++)
			check(pool, i, 5000);
		fl_pool_unref(pool);
	}
}

static void tells_the_reasons(void **state)
{
	struct fl_pool *pool = help_pool("table", "a b c*0 d!drain e!disabled f+");
	struct fl_why *why;
	const char *taken, *behind;

	(void)state;
	why = ask(pool, 7, 5000);
	taken = why->taken->name;
	behind = strcmp(taken, "a") == 0 ? "b" : "a";
	expect(why, taken, FL_VERDICT_TAKEN);
	expect(why, behind, FL_VERDICT_BEHIND);
	expect(why, "c", FL_VERDICT_WEIGHTLESS);
	expect(why, "d", FL_VERDICT_DRAIN);
	expect(why, "e", FL_VERDICT_DISABLED);
	expect(why, "f", FL_VERDICT_STANDBY);
	assert_true(why->located);
	assert_int_equal(why->position.count, 65536);
	assert_int_equal(of(why, "c")->rank, 0);
	assert_int_equal(of(why, "e")->rank, 0);
	fl_why_free(why);
	assert_int_equal(fl_pool_set_health(pool, "a", FL_HEALTH_DOWN, 5000), FL_OK);
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_EJECTED, 5000), FL_OK);
	why = ask(pool, 7, 5000);
	expect(why, "a", FL_VERDICT_DOWN);
	expect(why, "b", FL_VERDICT_EJECTED);
	expect(why, "f", FL_VERDICT_TAKEN);
	fl_why_free(why);
	assert_int_equal(fl_pool_set_health(pool, "f", FL_HEALTH_DOWN, 5000), FL_OK);
	why = ask(pool, 7, 5000);
	assert_null(why->taken);
	expect(why, "f", FL_VERDICT_DOWN);
	fl_why_free(why);
	fl_pool_unref(pool);
}

static void tells_of_nodes_without_a_row(void **state)
{
	struct fl_pool *pool = help_pool("table,rows=256", "a*65535 b");
	struct fl_why *why = ask(pool, 1, 5000);

	(void)state;
	/* It has no row, yet a place in every key's order. */
	assert_true(
		fl_placement_starved(why->view->tier[0].placement, help_slot(pool, 0, "b")));
	expect(why, "b", FL_VERDICT_BEHIND);
	assert_int_equal(of(why, "b")->rank, 2);
	fl_why_free(why);
	fl_pool_unref(pool);
}

static void tells_of_warm_up(void **state)
{
	struct fl_pool *pool = help_pool("table", "a b c");
	struct help_conf h;
	unsigned warming = 0;

	(void)state;
	help_conf(&h, "table", "a b c d");
	h.conf.slow_start_ms = 1000;
	assert_int_equal(fl_pool_apply(pool, &h.conf, 10000, NULL), FL_OK);
	for (unsigned i = 0; i < 400; i++) {
		struct fl_why *why = ask(pool, i, 10250);
		const struct fl_candidate *d = of(why, "d");

		check(pool, i, 10250);
		assert_true(d->ramp > 0.24 && d->ramp < 0.26);
		warming += d->verdict == FL_VERDICT_WARMING;
		if (d->verdict == FL_VERDICT_WARMING)
			assert_int_equal(d->rank, 1);
		fl_why_free(why);
	}
	assert_true(warming > 40 && warming < 130); /* three quarters of a quarter */
	fl_pool_unref(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_pick_in_every_state),
		cmocka_unit_test(tells_the_reasons),
		cmocka_unit_test(tells_of_nodes_without_a_row),
		cmocka_unit_test(tells_of_warm_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
