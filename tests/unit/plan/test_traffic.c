/* The report beside the same figures counted in the plainest way. */
#include "plan/traffic.h"

#include "hash/mix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define KEYS 5000
#define HOT  200 /* followed */

static fl_placement *place(const char *spec, unsigned first, unsigned count)
{
	static char names[64][16];
	struct fl_node nodes[64];
	fl_placement *p = NULL;

	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "node%02u", first + i);
		nodes[i] = (struct fl_node){names[i], (int32_t)(1 + i % 3), FL_NONE, NULL};
	}
	assert_int_equal(fl_placement_new(&p, spec, nodes, count, NULL), FL_OK);
	return p;
}

static size_t key_of(uint64_t i, char out[32])
{
	return (size_t)snprintf(out, 32, "key-%llu", (unsigned long long)i);
}

/* Skewed: low keys come often. */
static uint64_t request(uint64_t j, uint64_t keys)
{
	uint64_t x = fl_mix64(j * FL_WEYL + 1);

	return x % (1 + (x >> 20) % (1 + (x >> 40) % keys));
}

static const char *owner(const fl_placement *p, const char *key, size_t n)
{
	uint32_t slot = fl_lookup(p, key, n);

	return slot == FL_NONE ? "" : fl_placement_node(p, slot)->name;
}

static struct fl_traffic *begin(
	const fl_placement *before, const fl_placement *after, size_t memory, size_t hot)
{
	struct fl_traffic_options options = {
		.before = {.placement = {before}},
		.after = {.placement = {after}},
		.memory = memory,
		.hot = hot,
	};
	struct fl_traffic *t = NULL;

	assert_int_equal(fl_traffic_new(&t, &options), FL_OK);
	return t;
}

/* The figures of node `name`, counted again. */
static void check_node(const struct fl_traffic_node *node, const fl_placement *p,
	const uint64_t *weights, uint64_t traffic, uint64_t distinct)
{
	char key[32];
	uint64_t sum = 0, keys = 0;

	for (uint64_t k = 0; k < KEYS; k++) {
		size_t n = key_of(k, key);
		if (weights[k] == 0 || strcmp(owner(p, key, n), node->name) != 0)
			continue;
		sum += weights[k];
		keys++;
	}
	assert_int_equal(traffic, sum);
	assert_int_equal(distinct, keys);
}

static void test_exact(void **state)
{
	static uint64_t weights[KEYS];
	fl_placement *before = place("ring", 0, 5), *after = place("ring", 1, 6);
	struct fl_traffic *t = begin(before, after, 0, HOT);
	const struct fl_traffic_report *r = NULL;
	uint64_t total = 0, moved = 0, moved_requests = 0, distinct = 0, distinct_moved = 0;
	uint64_t flows = 0, least = 0;
	char key[32];
	(void)state;
	for (uint64_t j = 0; j < 30001; j++) {
		uint64_t k = request(j, KEYS), w = 1 + j % 5;
		size_t n = key_of(k, key);
		assert_int_equal(fl_traffic_add(t, (struct fl_slice){key, n}, w), FL_OK);
		weights[k] += w;
		total += w;
		bool moves = strcmp(owner(before, key, n), owner(after, key, n)) != 0;
		moved += moves ? w : 0;
		moved_requests += moves;
		if (j == 100) /* a report in between changes nothing */
			assert_int_equal(fl_traffic_report(t, &r), FL_OK);
	}
	for (uint64_t k = 0; k < KEYS; k++) {
		size_t n = key_of(k, key);
		distinct += weights[k] > 0;
		distinct_moved += weights[k] > 0 &&
		                  strcmp(owner(before, key, n), owner(after, key, n)) != 0;
	}
	assert_int_equal(fl_traffic_report(t, &r), FL_OK);
	assert_int_equal(r->requests, 30001);
	assert_int_equal(r->weight, total);
	assert_int_equal(r->moved_weight, moved);
	assert_int_equal(r->moved_requests, moved_requests);
	assert_true(moved > 0 && moved < total);
	assert_int_equal(r->sample_rate, 1);
	assert_int_equal(r->sampled, distinct);
	assert_true(r->keys.exact && r->moved_keys.exact);
	assert_true(r->keys.value == (double)distinct && r->keys.low == r->keys.high);
	assert_true(r->moved_keys.value == (double)distinct_moved / (double)distinct);
	assert_int_equal(r->node_count, 7);
	for (size_t i = 0; i < r->node_count; i++) {
		const struct fl_traffic_node *node = &r->nodes[i];
		check_node(node, before, weights, node->before, node->keys_before);
		check_node(node, after, weights, node->after, node->keys_after);
		assert_true(i == 0 || strcmp(node[-1].name, node->name) < 0);
		least += node->before > node->after ? node->before - node->after : 0;
	}
	assert_int_equal(r->least_weight, least);
	assert_true(r->least_weight <= r->moved_weight);
	for (size_t i = 0; i < r->flow_count; i++) {
		assert_true(r->flows[i].from != r->flows[i].to && r->flows[i].weight > 0);
		assert_true(i == 0 || r->flows[i - 1].weight >= r->flows[i].weight);
		flows += r->flows[i].weight;
	}
	assert_int_equal(flows, moved);
	assert_int_equal(r->hot_count, HOT);
	for (size_t i = 0; i < r->hot_count; i++) {
		const struct fl_traffic_hot *h = &r->hot[i];
		char text[32] = "";
		assert_true(h->key.n < sizeof(text));
		memcpy(text, h->key.p, h->key.n);
		unsigned long k = strtoul(text + 4, NULL, 10);
		size_t n = key_of(k, key);
		assert_int_equal(h->key.n, n);
		assert_int_equal(h->len, n);
		assert_int_equal(h->weight, weights[k]);
		assert_int_equal(h->error, 0);
		assert_string_equal(r->nodes[h->from].name, owner(before, key, n));
		assert_string_equal(r->nodes[h->to].name, owner(after, key, n));
	}
	size_t above = 0, listed = 0;
	for (uint64_t k = 0; k < KEYS; k++)
		above += weights[k] > r->hot_rest;
	for (size_t i = 0; i < r->hot_count; i++)
		listed += r->hot[i].weight > r->hot_rest;
	assert_true(above > 0 && above == listed);
	fl_traffic_free(t);
	fl_placement_unref(before);
	fl_placement_unref(after);
}

/* More keys than fit: traffic stays exact, keys come with an interval that the truth is in. */
static void test_sampled(void **state)
{
	enum {
		MANY = 120000
	};
	fl_placement *before = place("table", 0, 10), *after = place("table", 1, 9);
	struct fl_traffic *t = begin(before, after, (size_t)1 << 20, 50);
	const struct fl_traffic_report *r = NULL;
	uint64_t moved = 0, hot = 0;
	char key[32];
	(void)state;
	for (uint64_t k = 0; k < MANY; k++) {
		size_t n = key_of(k, key);
		moved += strcmp(owner(before, key, n), owner(after, key, n)) != 0;
		assert_int_equal(fl_traffic_add(t, (struct fl_slice){key, n}, 1), FL_OK);
		if (k % 4 == 0) {
			n = key_of(77, key);
			assert_int_equal(
				fl_traffic_add(t, (struct fl_slice){key, n}, 2), FL_OK);
			hot += 2;
		}
	}
	assert_int_equal(fl_traffic_report(t, &r), FL_OK);
	assert_int_equal(r->weight, MANY + hot);
	size_t n = key_of(77, key);
	if (strcmp(owner(before, key, n), owner(after, key, n)) != 0)
		assert_int_equal(r->moved_weight, moved + hot);
	else
		assert_int_equal(r->moved_weight, moved);
	assert_false(r->keys.exact || r->moved_keys.exact);
	assert_true(r->sample_rate > 1 && r->sampled < MANY);
	assert_true(r->keys.low < MANY && MANY < r->keys.high);
	assert_true(r->keys.high - r->keys.low < 0.08 * MANY);
	double share = (double)moved / MANY;
	assert_true(r->moved_keys.low < share && share < r->moved_keys.high);
	assert_true(r->moved_keys.high - r->moved_keys.low < 0.03);
	assert_memory_equal(r->hot[0].key.p, "key-77", 6);
	assert_true(r->hot[0].weight >= hot + 1);
	assert_true(r->hot[0].weight - r->hot[0].error <= hot + 1);
	assert_true(r->hot_rest > 0 && r->hot_rest <= r->weight / 50);
	fl_traffic_free(t);
	fl_placement_unref(before);
	fl_placement_unref(after);
}

/* Masks, nobody, and the second tier of a view; keys longer than are kept. */
static void test_views(void **state)
{
	struct fl_node_conf nodes[] = {
		{.name = "a", .weight = 1, .slot = -1},
		{.name = "b", .weight = 1, .slot = -1},
		{.name = "spare", .weight = 1, .slot = -1, .backup = true},
	};
	struct fl_pool_conf conf = {.name = "p", .nodes = nodes, .count = 3};
	struct fl_pool *pool;
	struct fl_view *one, *two;
	const struct fl_traffic_report *r = NULL;
	struct fl_traffic *t = NULL;
	char key[600];
	(void)state;
	memset(key, 'k', sizeof(key));
	assert_int_equal(fl_pool_new(&pool, "p", 1), FL_OK);
	assert_int_equal(fl_pool_apply(pool, &conf, 1, NULL), FL_OK);
	one = fl_view_ref(fl_pool_view(pool));
	assert_int_equal(fl_pool_set_health(pool, "a", FL_HEALTH_DOWN, 1), FL_OK);
	two = fl_view_ref(fl_pool_view(pool));
	assert_int_equal(fl_pool_set_health(pool, "b", FL_HEALTH_DOWN, 1), FL_OK);
	for (int round = 0; round < 3; round++) {
		struct fl_traffic_options options = {.before = fl_traffic_view(one),
			.after = fl_traffic_view(round ? fl_pool_view(pool) : two)};
		if (round == 2)
			options.after = (struct fl_traffic_side){{NULL}, {NULL}};
		assert_int_equal(fl_traffic_new(&t, &options), FL_OK);
		for (size_t n = 1; n <= sizeof(key); n++)
			assert_int_equal(
				fl_traffic_add(t, (struct fl_slice){key, n}, 1), FL_OK);
		assert_int_equal(fl_traffic_add(t, (struct fl_slice){NULL, 0}, 0), FL_OK);
		assert_int_equal(fl_traffic_report(t, &r), FL_OK);
		assert_int_equal(r->node_count, 3);
		assert_int_equal(r->requests, 601);
		assert_true(r->nodes[0].before > 0 && r->nodes[1].before > 0);
		assert_int_equal(r->nodes[2].before, 0);
		assert_int_equal(r->nodes[1].after, round ? 0 : 600);
		assert_int_equal(r->nodes[2].after, round == 1 ? 600 : 0);
		assert_int_equal(r->nobody_after, round == 2 ? 600 : 0);
		assert_int_equal(r->moved_weight, round ? 600 : r->nodes[0].before);
		assert_int_equal(r->least_weight, r->moved_weight);
		assert_int_equal(r->hot_count, 600);
		for (size_t i = 0; i < r->hot_count; i++)
			assert_int_equal(
				r->hot[i].key.n, r->hot[i].len < 256 ? r->hot[i].len : 256);
		if (round == 2)
			assert_int_equal(r->flows[0].to, FL_NONE);
		fl_traffic_free(t);
	}
	struct fl_traffic_options few = {.memory = 1000};
	t = NULL;
	assert_int_equal(fl_traffic_new(&t, &few), FL_EINVAL);
	few = (struct fl_traffic_options){.hot = 65537};
	assert_int_equal(fl_traffic_new(&t, &few), FL_EINVAL);
	assert_null(t);
	fl_traffic_free(NULL);
	fl_view_unref(one);
	fl_view_unref(two);
	fl_pool_unref(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_sampled),
		cmocka_unit_test(test_views),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
