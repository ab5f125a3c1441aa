/* What mapping version 1 rests on, value by value, and what each algorithm says of itself: a slip
 * here would only show where two scores tie, or make other tests pass over what is not claimed. */
#include "hash/mix.h"
#include "hash/salt.h"
#include "place/place.h"
#include "place/placement_priv.h"
#include "place/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The fraction of pi in hexadecimal, as it is printed everywhere. */
static void test_salts_are_digits_of_pi(void **state)
{
	static const uint64_t pi[] = {0x243f6a8885a308d3u, 0x13198a2e03707344u,
		0xa4093822299f31d0u, 0x082efa98ec4e6c89u, 0x452821e638d01377u,
		0xbe5466cf34e90c6cu, 0xc0ac29b7c97c50ddu, 0x3f84d5b5b5470917u,
		0x9216d5d98979fb1bu, 0xd1310ba698dfb5acu, 0x2ffd72dbd01adfb7u};
	static const uint64_t salts[] = {FL_SALT_NODE, FL_SALT_ROW, FL_SALT_POINT, FL_SALT_LOW,
		FL_SALT_ATTEMPT, FL_SALT_SAMPLE, FL_SALT_DIGEST, FL_SALT_CANARY, FL_SALT_ZONE,
		FL_SALT_RAMP, FL_SALT_SPREAD};
	(void)state;
	for (size_t i = 0; i < sizeof(pi) / sizeof(pi[0]); i++)
		assert_int_equal(salts[i], pi[i]);
}

/* {node, key, score}, by tests/model/fairlead_model.py. */
static const uint64_t scores[][3] = {
	{0x0000000000000000u, 0x3505b7796bd1a506u, 0x9dea4d1971cac758u},
	{0xe220a8397b1dcdafu, 0x8176daf800a05f50u, 0x6625021f486cc607u},
	{0x6e789e6aa1b965f4u, 0x8bd8ff7a0385cdbcu, 0xe6f8653d82fece88u},
	{0x06c45d188009454fu, 0x1a764a3cd78101dau, 0x334bac18c62c6abfu},
	{0xf88bb8a8724c81ecu, 0xbe4d15bf6ca266acu, 0x10e267f6fe71724fu},
	{0x1b39896a51a8749bu, 0xa85e1f38bb2dc749u, 0x62530622653357dcu},
};

static void test_scores(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scores) / sizeof(scores[0]); i++)
		assert_int_equal(fl_score(scores[i][0], scores[i][1]), scores[i][2]);
}

#define FAIR                                                                                   \
	(FL_BY_HASH | FL_SECRET | FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT |       \
		FL_WEIGHTS | FL_ORDER_FREE | FL_HISTORY_FREE)
#define ROWS                                                                                   \
	(FL_BY_HASH | FL_SECRET | FL_WEIGHTS | FL_ORDER_FREE | FL_HISTORY_FREE |               \
		FL_EXACT_MOVEMENT)
#define SHARDS (FL_BY_HASH | FL_SECRET | FL_MINIMAL_REWEIGHT | FL_HISTORY_FREE)

static void test_what_algorithms_claim(void **state)
{
	static const struct {
		const struct fl_algorithm *algorithm;
		const char *name;
		uint32_t capabilities;
		int32_t max_weight;
		uint64_t min, max; /* of the first option */
	} rows[] = {
		{&fl_algorithm_table, "table", FAIR | FL_EXACT_MOVEMENT, 65535, 256, 1 << 24},
		{&fl_algorithm_bounded_table, "bounded-table", ROWS, 65535, 256, 1 << 24},
		{&fl_algorithm_ring, "ring", FAIR | FL_EXACT_MOVEMENT, 65535, 1, 65535},
		{&fl_algorithm_rendezvous, "rendezvous", FAIR, 65535, 0, UINT64_MAX},
		{&fl_algorithm_maglev, "maglev", ROWS, 65535, 251, 16777213},
		{&fl_algorithm_multiprobe, "multiprobe", FAIR, 65535, 1, 64},
		{&fl_algorithm_jump, "jump", SHARDS, 1, 0, UINT64_MAX},
		{&fl_algorithm_jumpback, "jumpback", SHARDS, 1, 0, UINT64_MAX},
		{&fl_algorithm_anchor, "anchor",
			FL_BY_HASH | FL_SECRET | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT, 1, 1,
			1 << 20},
		{&fl_algorithm_dx, "dx", SHARDS | FL_EXACT_MASK | FL_MINIMAL_ANY, 1, 1,
			1 << 20},
		{&fl_algorithm_modulo, "modulo",
			FL_BY_HASH | FL_SECRET | FL_ORDER_FREE | FL_HISTORY_FREE, 65535, 0,
			UINT64_MAX},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fl_algorithm *a = rows[i].algorithm;
		assert_string_equal(a->info.name, rows[i].name);
		assert_int_equal(a->info.capabilities, rows[i].capabilities);
		assert_int_equal(a->max_weight, rows[i].max_weight);
		assert_int_equal(a->key_hash, FL_KEY_XXH3);
		assert_int_equal(a->options[0].min, rows[i].min);
		assert_true(a->options[0].max == rows[i].max);
		assert_string_equal(a->options[a->seed].name, "seed");
		assert_int_equal(a->options[a->seed].min, 0);
		assert_true(a->options[a->seed].max == UINT64_MAX);
	}
}

/* ---- arcs ---- */

static struct fl_placement *place(const struct fl_algorithm *a, uint64_t first, uint32_t count)
{
	static char names[40][8];
	struct fl_node nodes[40];
	uint64_t options[FL_MAX_OPTIONS] = {0};
	struct fl_placement *p = NULL;
	for (size_t i = 0; a->options[i].name; i++)
		options[i] = a->options[i].def;
	options[0] = first;
	for (uint32_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "n%u", i);
		nodes[i] = (struct fl_node){names[i], 1 + (int32_t)(i % 3), FL_NONE, NULL};
	}
	assert_int_equal(
		fl_place_new(&p, &(struct fl_recipe){.algorithm = a, .options = options}, nodes,
			count, NULL),
		FL_OK);
	return p;
}

/* Each arc's keys, from the first to the very last, belong to its slot; arcs cover all. */
static void check_arcs(const struct fl_algorithm *a, uint64_t first, uint32_t count)
{
	struct fl_placement *p = place(a, first, count);
	struct fl_arc arc = {0, 0};
	uint64_t start = 0;
	size_t arcs = 0;
	for (; a->arc(p, arcs, &arc); arcs++) {
		assert_true(arc.last >= start);
		assert_int_equal(p->lookup(p, start), arc.slot);
		assert_int_equal(p->lookup(p, arc.last), arc.slot);
		assert_int_equal(p->lookup(p, start + (arc.last - start) / 2), arc.slot);
		start = arc.last + 1;
	}
	assert_int_equal(start, 0);
	assert_true(arc.last == UINT64_MAX);
	assert_false(a->arc(p, arcs + 1, &arc));
	fl_place_unref(p);
}

static void test_arcs(void **state)
{
	(void)state;
	check_arcs(&fl_algorithm_table, 256, 1);
	check_arcs(&fl_algorithm_table, 1024, 40);
	check_arcs(&fl_algorithm_bounded_table, 1024, 40);
	check_arcs(&fl_algorithm_maglev, 251, 7);
	check_arcs(&fl_algorithm_maglev, 4093, 40);
	check_arcs(&fl_algorithm_ring, 1, 1);
	check_arcs(&fl_algorithm_ring, 3, 40);
	check_arcs(&fl_algorithm_ring, 160, 7);
}

/* ---- slots ---- */

/* After any node is gone, the next one takes its slot, wherever that is. */
static void test_the_lowest_free_slot(void **state)
{
	static const uint32_t gone[] = {0, 1, 62, 63, 64, 65, 127, 128, 129, 191, 192, 199};
	static char names[200][8];
	struct fl_node nodes[200];
	uint64_t options[FL_MAX_OPTIONS] = {0};
	struct fl_placement *p = NULL, *q = NULL;
	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		snprintf(names[i], sizeof(names[i]), "n%u", i);
		nodes[i] = (struct fl_node){names[i], 1, FL_NONE, NULL};
	}
	assert_int_equal(fl_place_new(&p,
				 &(struct fl_recipe){.algorithm = &fl_algorithm_rendezvous,
					 .options = options},
				 nodes, 200, NULL),
		FL_OK);
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		struct fl_change changes[] = {
			{FL_ADD, {"behind", 1, FL_NONE, NULL}},
			{FL_REMOVE, {names[gone[i]], 0, FL_NONE, NULL}},
			{FL_ADD, {"there", 1, FL_NONE, NULL}},
			{FL_ADD, {"further", 1, FL_NONE, "zone"}},
		};
		assert_int_equal(fl_place_derive(&q, p, changes, 4, NULL), FL_OK);
		assert_int_equal(fl_place_find(q, "behind"), 200);
		assert_int_equal(fl_place_find(q, "there"), gone[i]);
		assert_int_equal(fl_place_find(q, "further"), 201);
		assert_int_equal(fl_place_find(q, names[gone[i]]), FL_NONE);
		assert_string_equal(fl_place_at(q, 201)->zone, "zone");
		assert_null(fl_place_at(q, 202));
		fl_place_unref(q);
	}
	fl_place_unref(p);
}

/* The longest names and zones, and one byte more. */
static void test_limits_of_text(void **state)
{
	char longest[FL_MAX_NAME + 2];
	uint64_t options[FL_MAX_OPTIONS] = {0};
	(void)state;
	for (int zone = 0; zone < 2; zone++) {
		for (size_t more = 0; more < 2; more++) {
			struct fl_placement *p = NULL;
			memset(longest, 'x', sizeof(longest));
			longest[FL_MAX_NAME + more] = '\0';
			struct fl_node node = {
				zone ? "name" : longest, 1, FL_NONE, zone ? longest : NULL};
			assert_int_equal(fl_place_new(&p,
						 &(struct fl_recipe){
							 .algorithm = &fl_algorithm_rendezvous,
							 .options = options},
						 &node, 1, NULL),
				more ? FL_EINVAL : FL_OK);
			fl_place_unref(p);
		}
	}
}

/* ---- several changes at once ---- */

static uint32_t next_state(uint64_t *s)
{
	return (uint32_t)(fl_mix64(*s += FL_WEYL) >> 32);
}

static void same_placement(const struct fl_placement *p, const struct fl_placement *q)
{
	assert_int_equal(p->digest, q->digest);
	assert_int_equal(p->slots, q->slots);
	assert_int_equal(p->eligible, q->eligible);
	assert_int_equal(p->weight, q->weight);
	for (uint64_t i = 0; i < 600; i++)
		assert_int_equal(p->lookup(p, fl_mix64(i)), q->lookup(q, fl_mix64(i)));
	for (uint32_t slot = 0; p->algorithm->starved && slot < p->slots; slot++) {
		if (fl_place_at(p, slot) && fl_place_at(p, slot)->weight > 0)
			assert_int_equal(
				p->algorithm->starved(p, slot), q->algorithm->starved(q, slot));
	}
	assert_int_equal(fl_place_memory(p), fl_place_memory(q));
}

/* Random lists of changes, some to one and the same name, against a fresh build. */
static void check_derived(const struct fl_algorithm *a, uint64_t first, uint64_t seed)
{
	static char names[30][8];
	struct fl_change changes[24];
	struct fl_placement *p = place(a, first, 12 + seed % 20), *q = NULL, *fresh = NULL;
	bool there[30];
	uint64_t s = seed;
	size_t n = 0;
	for (uint32_t i = 0; i < 30; i++) {
		snprintf(names[i], sizeof(names[i]), "n%u", i);
		there[i] = fl_place_find(p, names[i]) != FL_NONE;
	}
	while (n < 1 + seed % 24) {
		uint32_t i = next_state(&s) % 30;
		enum fl_change_kind kind = !there[i]            ? FL_ADD
		                           : next_state(&s) % 2 ? FL_REMOVE
		                                                : FL_REWEIGHT;
		int32_t weight = (int32_t)(next_state(&s) % 5);
		changes[n++] = (struct fl_change){
			kind, {names[i], weight, FL_NONE, weight % 2 ? "z" : NULL}};
		there[i] = kind != FL_REMOVE;
	}
	assert_int_equal(fl_place_derive(&q, p, changes, n, NULL), FL_OK);
	assert_int_equal(
		fl_place_new(&fresh, &(struct fl_recipe){.algorithm = a, .options = p->options},
			q->nodes, q->count, NULL),
		FL_OK);
	same_placement(q, fresh);
	fl_place_unref(p);
	fl_place_unref(q);
	fl_place_unref(fresh);
}

static void test_many_changes_at_once(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		check_derived(&fl_algorithm_table, 256, seed);
		check_derived(&fl_algorithm_ring, 1 + seed % 4, seed);
		check_derived(&fl_algorithm_rendezvous, seed, seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_salts_are_digits_of_pi),
		cmocka_unit_test(test_scores),
		cmocka_unit_test(test_what_algorithms_claim),
		cmocka_unit_test(test_arcs),
		cmocka_unit_test(test_the_lowest_free_slot),
		cmocka_unit_test(test_limits_of_text),
		cmocka_unit_test(test_many_changes_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
