/* What an answer names, and what is counted when there is more of it than is kept. */
#include "cli/verify_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define NODES 100

static struct fl_node_conf confs[NODES];
static char names[NODES][8], addresses[NODES][24];

/* A pool of `count` nodes; the last two share an address. */
static struct fl_pool *pool_of(size_t count)
{
	struct fl_pool_conf conf = {.name = "p", .nodes = confs, .count = count};
	struct fl_pool *pool = NULL;

	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "n%zu", i);
		snprintf(addresses[i], sizeof(addresses[i]), "10.0.0.%zu:80",
			i == count - 1 ? i - 1 : i);
		confs[i] = (struct fl_node_conf){
			.name = names[i], .address = addresses[i], .weight = 1, .slot = -1};
	}
	assert_int_equal(fl_pool_new(&pool, "p", 1), FL_OK);
	assert_int_equal(fl_pool_apply(pool, &conf, 0, NULL), FL_OK);
	return pool;
}

static void answer(struct fl_verify_tally *t, const char *expected, const char *text)
{
	fl_verify_tally_answer(t, FL_SLICE("k"), expected, text);
}

static void test_names_addresses_and_maps(void **state)
{
	static const struct fl_verify_map maps[] = {
		{FL_SLICE("blue"), "n0"}, {FL_SLICE("n1"), "n2"}};
	struct fl_pool *pool = pool_of(4);
	struct fl_verify_tally t;

	(void)state;
	assert_int_equal(fl_verify_tally_init(&t, fl_pool_view(pool), maps, 2, NULL), FL_OK);
	answer(&t, "n0", "n0");
	answer(&t, "n0", "10.0.0.0:80");
	answer(&t, "n0", "blue");
	answer(&t, "n2", "n1");
	answer(&t, "n1", "10.0.0.1:80");
	assert_int_equal(t.matches, 5);
	answer(&t, "n1", "n1");
	answer(&t, "n3", "10.0.0.2:80"); /* two nodes' address */
	answer(&t, "n2", "10.0.0.2:80");
	answer(&t, "-", "n0");
	assert_int_equal(t.matches, 5);
	assert_int_equal(t.mismatches, 4);
	assert_int_equal(t.strangers, 2);
	fl_verify_tally_fini(&t);
	fl_pool_unref(pool);
}

static void test_maps_that_cannot_be(void **state)
{
	static const struct fl_verify_map nobody[] = {{FL_SLICE("x"), "n9"}};
	static const struct fl_verify_map twice[] = {
		{FL_SLICE("x"), "n0"}, {FL_SLICE("y"), "n0"}, {FL_SLICE("x"), "n1"}};
	struct fl_pool *pool = pool_of(4);
	struct fl_verify_tally t;
	struct fl_error err = {0};

	(void)state;
	assert_int_equal(
		fl_verify_tally_init(&t, fl_pool_view(pool), nobody, 1, &err), FL_EINVAL);
	assert_non_null(strstr(err.text, "\"n9\""));
	fl_verify_tally_fini(&t);
	assert_int_equal(
		fl_verify_tally_init(&t, fl_pool_view(pool), twice, 3, &err), FL_EINVAL);
	assert_non_null(strstr(err.text, "twice"));
	fl_verify_tally_fini(&t);
	fl_pool_unref(pool);
}

static void test_pairs_by_their_keys(void **state)
{
	struct fl_pool *pool = pool_of(5);
	struct fl_verify_tally t;

	(void)state;
	assert_int_equal(fl_verify_tally_init(&t, fl_pool_view(pool), NULL, 0, NULL), FL_OK);
	for (int i = 0; i < 7; i++)
		answer(&t, "n2", "n1");
	for (int i = 0; i < 30; i++)
		answer(&t, "n0", "n1");
	answer(&t, "n1", "n0");
	answer(&t, "n0", "n2");
	assert_int_equal(fl_verify_tally_pairs(&t), 4);
	assert_string_equal(t.pairs[0].expected, "n0");
	assert_int_equal(t.pairs[0].keys, 30);
	assert_int_equal(t.pairs[1].keys, 7);
	assert_string_equal(t.pairs[2].expected, "n0");
	assert_string_equal(t.pairs[2].got, "n2");
	assert_string_equal(t.pairs[3].expected, "n1");
	assert_int_equal(t.example_count, FL_VERIFY_EXAMPLES);
	assert_string_equal(t.examples[0].expected, "n2");
	fl_verify_tally_fini(&t);
	fl_pool_unref(pool);
}

static void test_every_table_is_bounded_and_no_key_is_lost(void **state)
{
	struct fl_pool *pool = pool_of(NODES);
	struct fl_verify_tally t;
	uint64_t sum = 0;
	char text[32];
	size_t n;

	(void)state;
	assert_int_equal(fl_verify_tally_init(&t, fl_pool_view(pool), NULL, 0, NULL), FL_OK);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "stranger-%d", i);
		answer(&t, "n0", text);
		snprintf(text, sizeof(text), "reason-%d", i);
		fl_verify_tally_fail(&t, FL_SLICE("k"), text, i % 2 == 0);
	}
	assert_int_equal(t.strangers, 1000);
	assert_int_equal(t.strange_count, FL_VERIFY_STRANGE);
	assert_int_equal(t.failed, 500);
	assert_int_equal(t.unsent, 500);
	assert_int_equal(t.reason_count, FL_VERIFY_REASONS);
	for (int i = 0; i < NODES; i++)
		for (int j = 0; j < NODES; j++)
			if (i != j)
				answer(&t, names[i], names[j]);
	n = fl_verify_tally_pairs(&t);
	assert_int_equal(n, FL_VERIFY_PAIRS);
	for (size_t i = 0; i < n; i++)
		sum += t.pairs[i].keys;
	assert_int_equal(sum + t.unpaired, t.mismatches);
	assert_int_equal(t.mismatches, 1000 + NODES * (NODES - 1));
	fl_verify_tally_fini(&t);
	fl_pool_unref(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_addresses_and_maps),
		cmocka_unit_test(test_maps_that_cannot_be),
		cmocka_unit_test(test_pairs_by_their_keys),
		cmocka_unit_test(test_every_table_is_bounded_and_no_key_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
