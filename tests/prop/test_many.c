// rooms: lib
/* Very many nodes: where two bytes end, and where the library does. */
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 400

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLOW 1
#endif
#endif
#ifndef SLOW
#define SLOW 0
#endif

static const char *const rowed[] = {
	"table,rows=256", "table,rows=256,epsilon=5%", "maglev,rows=251"};
static const char *const wide[] = {"anchor,capacity=1048576", "ring,points=1", "modulo",
	"multiprobe,probes=2", "jump", "jumpback", "dx,capacity=1048576", "rendezvous"};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void refused(
	const char *spec, const struct fl_node *nodes, size_t count, int code, const char *says)
{
	fl_placement *p = NULL;
	struct fl_error err = {0, ""};
	assert_int_equal(fl_placement_new(&p, spec, nodes, count, &err), code);
	assert_string_equal(err.text, says);
	assert_null(p);
}

/* Removing the last node moves its keys alone; masking it does too. */
static void check_last(const fl_placement *p, uint32_t n)
{
	uint32_t capabilities = fl_placement_capabilities(p), highest = 0;
	fl_placement *q =
		test_change(p, FL_REMOVE, fl_placement_node(p, n - 1)->name, 0, FL_NONE);
	/* rendezvous looks at all nodes for each. */
	uint64_t keys = strcmp(fl_placement_algorithm(p), "rendezvous") == 0 ? 50 : KEYS;
	bool minimal = strcmp(fl_placement_algorithm(p), "modulo") != 0;
	static uint64_t words[FL_MAX_NODES / 64];
	struct fl_mask mask = {words, (n + 63) / 64};
	assert_int_equal(fl_placement_slots(p), n);
	assert_int_equal(fl_placement_slots(q), n - 1);
	memset(words, 0, sizeof(words));
	words[(n - 1) / 64] = 1ull << ((n - 1) % 64);
	for (uint64_t i = 0; i < keys; i++) {
		uint64_t hash = fl_mix64(i);
		struct fl_key key = fl_key_hash(hash);
		uint32_t was = fl_lookup_hash(p, hash), now = fl_lookup_hash(q, hash), slot;
		highest = was > highest ? was : highest;
		assert_true(was < n && now < n - 1);
		assert_true(!minimal || was == now || was == n - 1);
		assert_int_equal(fl_pick(p, &key, &mask, &slot), FL_OK);
		assert_true(slot == was || was == n - 1);
		assert_true(!(capabilities & FL_EXACT_MASK) || slot == now);
		if (i < 3) {
			uint32_t slots[3];
			assert_int_equal(fl_owners(p, &key, NULL, slots, 3), 3);
			assert_true(slots[0] == was && slots[1] != was && slots[1] != slots[2]);
			assert_true(slots[1] < n && slots[2] < n);
		}
	}
	/* Which chance leaves out with (3/4)^50. */
	assert_true(highest > n / 4 * 3);
	fl_placement_unref(q);
}

/* A node that comes is found, and gives way again: the same mapping. */
static void check_there_and_back(const fl_placement *p, uint32_t n)
{
	fl_placement *q = test_change(p, FL_ADD, "new", 1, FL_NONE), *r;
	assert_int_equal(fl_placement_find(q, "new"), n);
	r = test_change(q, FL_REMOVE, "new", 0, FL_NONE);
	assert_true(fl_placement_digest(r) == fl_placement_digest(p));
	assert_true(fl_placement_digest(q) != fl_placement_digest(p));
	for (uint64_t i = 0; i < 50; i++)
		assert_int_equal(
			fl_lookup_hash(p, fl_mix64(i)), fl_lookup_hash(r, fl_mix64(i)));
	fl_placement_unref(q);
	fl_placement_unref(r);
}

static void test_rowed(void **state)
{
	struct test_rng r = {1};
	struct test_nodes t = test_nodes_new(&r, 65537, 1);
	struct fl_node far = {"far", 1, 65536, NULL};
	(void)state;
	for (size_t s = 0; s < (SLOW ? 1 : COUNT(rowed)); s++) {
		struct fl_change one_more = {FL_ADD, t.nodes[65536]};
		struct fl_error err;
		fl_placement *p = test_place(rowed[s], t.nodes, 65535), *q, *none = NULL;
		q = test_change(p, FL_ADD, t.nodes[65535].name, 1, FL_NONE);
		assert_int_equal(fl_placement_slots(q), 65536);
		assert_int_equal(fl_placement_derive(&none, q, &one_more, 1, &err), FL_ELIMIT);
		assert_string_equal(err.text, "more than 65536 nodes; for more, use ring, "
					      "rendezvous, multiprobe or jumpback");
		assert_null(none);
		fl_placement_unref(p);
		p = test_place(rowed[s], t.nodes, 65536);
		assert_true(fl_placement_digest(p) == fl_placement_digest(q));
		for (uint64_t i = 0; i < KEYS; i++) {
			uint64_t hash = fl_mix64(i);
			assert_int_equal(fl_lookup_hash(p, hash), fl_lookup_hash(q, hash));
		}
		fl_placement_unref(p);
		fl_placement_unref(q);
		refused(rowed[s], t.nodes, 65537, FL_ELIMIT,
			"65537 nodes; there may be 65536; for more, use ring, rendezvous, "
			"multiprobe or jumpback");
		refused(rowed[s], &far, 1, FL_EINVAL,
			"node \"far\": slot 65536 is not below 65536; for more, use ring, "
			"rendezvous, multiprobe or jumpback");
	}
	test_nodes_free(&t);
}

static void test_where_two_bytes_end(void **state)
{
	struct test_rng r = {2};
	struct test_nodes t = test_nodes_new(&r, 65537, 1);
	(void)state;
	for (size_t s = 0; s < COUNT(wide); s++) {
		for (uint32_t n = 65535; n <= 65537; n++) {
			/* Building them is what takes the time: some at all three, all at
			 * the last. */
			if (n < 65537 && (SLOW || s >= 3))
				continue;
			fl_placement *p = test_place(wide[s], t.nodes, n);
			check_last(p, n);
			if (n == 65537 && !(SLOW && s >= 3))
				check_there_and_back(p, n);
			fl_placement_unref(p);
		}
	}
	test_nodes_free(&t);
}

static void test_where_the_library_ends(void **state)
{
	struct test_rng r = {3};
	struct test_nodes t = test_nodes_new(&r, FL_MAX_NODES + 1, 1);
	struct fl_change one_more = {FL_ADD, t.nodes[FL_MAX_NODES]};
	struct fl_node far = {"far", 1, FL_MAX_NODES, NULL};
	/* One is enough: they differ in how they find a key's node, and that was tried above. */
	(void)state;
	struct fl_error err;
	fl_placement *p = test_place(wide[0], t.nodes, FL_MAX_NODES), *q = NULL;
	check_last(p, FL_MAX_NODES);
	assert_int_equal(fl_placement_derive(&q, p, &one_more, 1, &err), FL_ELIMIT);
	assert_string_equal(err.text,
		"more than 1048576 nodes; another capacity=N moves keys, so "
		"give one with room to grow from the start");
	assert_null(q);
	fl_placement_unref(p);
	for (size_t s = 0; s < COUNT(wide); s++) {
		bool capacity = strstr(wide[s], "capacity") != NULL;
		refused(wide[s], t.nodes, FL_MAX_NODES + 1, FL_ELIMIT,
			capacity ? "1048577 nodes; there may be 1048576; another capacity=N "
				   "moves keys, so give one with room to grow from the start"
				 : "1048577 nodes; there may be 1048576");
		refused(wide[s], &far, 1, FL_EINVAL,
			capacity ? "node \"far\": slot 1048576 is not below 1048576, the "
				   "capacity"
				 : "node \"far\": slot 1048576 is not below 1048576");
	}
	test_nodes_free(&t);
}

/* Masks of one's own that do not fit on the stack: behind 64 owners that are full, and by zone. */
static void test_masks_of_ones_own(void **state)
{
	struct test_rng r = {4};
	uint32_t n = 65600, crowded = 0;
	struct test_nodes t = test_nodes_new(&r, n, 1);
	struct fl_key key = fl_key_hash(7);
	static uint32_t order[300];
	fl_load *load;
	(void)state;
	for (uint32_t i = 0; i < n; i++)
		t.nodes[i].zone = i + 2 < n ? "near" : "far";
	fl_placement *p = test_place("ring,points=1", t.nodes, n);
	assert_int_equal(fl_owners(p, &key, NULL, order, 300), 300);
	assert_int_equal(fl_load_new(&load, n), FL_OK);
	for (uint32_t i = 0; i < 300; i++) {
		uint32_t slot;
		assert_int_equal(fl_load_acquire(load, p, &key, NULL, 0, &slot), FL_OK);
		assert_int_equal(slot, order[i]);
		crowded += fl_load_count(load, slot) != 1;
	}
	assert_int_equal(crowded, 0);
	assert_int_equal(fl_load_total(load), 300);
	assert_int_equal(fl_owners_near(p, &key, NULL, "far", order, 3), 3);
	assert_true(order[0] >= n - 2 && order[1] >= n - 2 && order[2] < n - 2);
	fl_load_free(load);
	fl_placement_unref(p);
	test_nodes_free(&t);
}

/* Nodes without a weight take slots that stay on the stack of what is removed: finding the next one
 * must not begin at the top each time, or this takes minutes. */
static void test_many_without_a_weight(void **state)
{
	static struct fl_change changes[200000];
	static char names[200000][16];
	struct fl_node first = {"first", 1, 0, NULL};
	fl_placement *p = test_place("anchor,capacity=262144", &first, 1), *q = NULL;
	(void)state;
	for (uint32_t i = 0; i < 200000; i++) {
		snprintf(names[i], sizeof(names[i]), "idle%u", i);
		changes[i] = (struct fl_change){FL_ADD, {names[i], 0, FL_NONE, NULL}};
	}
	assert_int_equal(fl_placement_derive(&q, p, changes, 200000, NULL), FL_OK);
	for (uint32_t i = 0; i < 200000; i += 999)
		assert_int_equal(fl_placement_find(q, names[i]), i + 1);
	fl_placement_unref(p);
	fl_placement_unref(q);
}

/* Slots that come free are found again, wherever they are on that stack. */
static void test_slots_come_free_again(void **state)
{
	struct fl_node first = {"first", 1, 0, NULL};
	struct fl_change changes[] = {{FL_ADD, {"x", 0, FL_NONE, NULL}},
		{FL_ADD, {"y", 0, FL_NONE, NULL}}, {FL_ADD, {"z", 0, FL_NONE, NULL}},
		{FL_REMOVE, {"x", 0, 0, NULL}}, {FL_ADD, {"v", 0, FL_NONE, NULL}},
		{FL_ADD, {"w", 0, FL_NONE, NULL}}};
	fl_placement *p = test_place("anchor,capacity=8", &first, 1), *q = NULL;
	(void)state;
	assert_int_equal(fl_placement_derive(&q, p, changes, 6, NULL), FL_OK);
	assert_int_equal(fl_placement_find(q, "y"), 2);
	assert_int_equal(fl_placement_find(q, "z"), 3);
	assert_int_equal(fl_placement_find(q, "v"), 1);
	assert_int_equal(fl_placement_find(q, "w"), 4);
	fl_placement_unref(p);
	fl_placement_unref(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rowed),
		cmocka_unit_test(test_where_two_bytes_end),
		cmocka_unit_test(test_where_the_library_ends),
		cmocka_unit_test(test_masks_of_ones_own),
		cmocka_unit_test(test_many_without_a_weight),
		cmocka_unit_test(test_slots_come_free_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
