// rooms: lib
/* jump and jumpback: which changes are refused and with what words, and what the others move, for
 * random shards (some of weight 0) and for numbers around powers of two. */
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 300
#define MOST 300

static const char *const specs[] = {"jump", "jumpback", "jump,seed=9", "jumpback,seed=9"};
#define SPECS (sizeof(specs) / sizeof(specs[0]))

static const size_t edges[] = {
	1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129};
#define EDGES (sizeof(edges) / sizeof(edges[0]))

static struct test_nodes random_shards(struct test_rng *r, size_t count)
{
	struct test_nodes t = test_nodes_new(r, count, 1);
	uint32_t zeros = test_below(r, 4);
	for (size_t i = 0; i < count; i++)
		t.nodes[i].weight = test_below(r, 10) >= zeros * zeros;
	return t;
}

static const char *owner(const fl_placement *p, uint64_t key)
{
	return test_owner(p, (const char *)&key, sizeof(key));
}

/* Between p and q keys move only to `name`, or only from it; gives how many. */
static size_t moves(const fl_placement *p, const fl_placement *q, const char *name, bool to)
{
	size_t moved = 0;
	for (uint64_t i = 0; i < KEYS; i++) {
		const char *a = owner(p, i), *b = owner(q, i);
		if (strcmp(a, b) == 0)
			continue;
		assert_string_equal(to ? b : a, name);
		moved++;
	}
	return moved;
}

static void equal(const fl_placement *p, const fl_placement *q)
{
	assert_int_equal(fl_placement_digest(p), fl_placement_digest(q));
	assert_int_equal(moves(p, q, "nobody at all", true), 0);
}

static void check_changes(const char *spec, struct test_rng *r, size_t count)
{
	struct test_nodes t = random_shards(r, count);
	fl_placement *p = test_place(spec, t.nodes, count);
	struct fl_node *last = &t.nodes[count - 1],
		       *some = &t.nodes[test_below(r, (uint32_t)count)];
	fl_placement *more = test_change(p, FL_ADD, "the-new-one", 1, FL_NONE);
	fl_placement *back = test_change(more, FL_REMOVE, "the-new-one", 0, 0);
	fl_placement *less = test_change(p, FL_REMOVE, last->name, 0, 0);
	fl_placement *whole = test_change(less, FL_ADD, last->name, last->weight,
		test_below(r, 2) ? (uint32_t)count - 1 : FL_NONE);
	fl_placement *turned = test_change(p, FL_REWEIGHT, some->name, !some->weight, 0);
	assert_int_equal(fl_placement_find(more, "the-new-one"), count);
	moves(p, more, "the-new-one", true);
	/* A node without a weight counts in n: its going is felt by others (shards.h). */
	if (last->weight > 0)
		moves(p, less, last->name, false);
	moves(p, turned, some->name, !some->weight);
	equal(p, back);
	equal(p, whole);
	some->weight = !some->weight;
	fl_placement *fresh = test_place(spec, t.nodes, count);
	equal(turned, fresh);
	fl_placement *all[] = {p, more, back, less, whole, turned, fresh};
	for (size_t i = 0; i < 7; i++)
		fl_placement_unref(all[i]);
	test_nodes_free(&t);
}

static void test_changes_at_the_end(void **state)
{
	(void)state;
	for (size_t s = 0; s < SPECS; s++) {
		struct test_rng r = {s};
		for (size_t i = 0; i < EDGES; i++)
			check_changes(specs[s], &r, edges[i]);
		for (size_t i = 0; i < 40; i++)
			check_changes(specs[s], &r, 1 + test_below(&r, MOST));
	}
}

/* The mapping is one of (name, slot): the order of the list does not matter when slots are
 * given, and does when they are not. */
static void test_order_is_that_of_slots(void **state)
{
	(void)state;
	for (size_t s = 0; s < SPECS; s++) {
		struct test_rng r = {s + 50};
		struct test_nodes t = random_shards(&r, 40);
		fl_placement *p = test_place(specs[s], t.nodes, 40), *q;
		for (uint32_t i = 0; i < 40; i++)
			t.nodes[i].slot = i;
		for (size_t i = 40; i > 1; i--) {
			size_t j = test_below(&r, (uint32_t)i);
			struct fl_node x = t.nodes[i - 1];
			t.nodes[i - 1] = t.nodes[j];
			t.nodes[j] = x;
		}
		q = test_place(specs[s], t.nodes, 40);
		equal(p, q);
		fl_placement_unref(q);
		for (size_t i = 0; i < 40; i++)
			t.nodes[i].slot = FL_NONE;
		q = test_place(specs[s], t.nodes, 40);
		assert_int_not_equal(fl_placement_digest(p), fl_placement_digest(q));
		fl_placement_unref(p);
		fl_placement_unref(q);
		test_nodes_free(&t);
	}
}

static void refuse(const fl_placement *p, struct fl_change *changes, size_t count, int code,
	const char *says)
{
	fl_placement *marker = (fl_placement *)&refuse, *out = marker;
	struct fl_error err = {0, ""};
	uint64_t digest = fl_placement_digest(p);
	assert_int_equal(fl_placement_derive(&out, p, changes, count, &err), code);
	if (!strstr(err.text, says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
	assert_ptr_equal(out, marker);
	assert_int_equal(fl_placement_digest(p), digest);
}

static void test_what_is_refused(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL},
		{"c", 1, FL_NONE, NULL}, {"d", 0, FL_NONE, NULL}};
	struct fl_node gap[] = {{"a", 1, 0, NULL}, {"b", 1, 2, NULL}};
	struct fl_node begins_late[] = {{"a", 1, 1, NULL}, {"b", 1, 2, NULL}};
	struct fl_node high[] = {{"a", 1, FL_MAX_NODES, NULL}};
	(void)state;
	for (size_t s = 0; s < SPECS; s++) {
		fl_placement *p = test_place(specs[s], nodes, 4), *q = NULL;
		struct fl_error err = {0, ""};
		struct fl_change middle = {FL_REMOVE, {"b", 0, 0, NULL}};
		struct fl_change last = {FL_REMOVE, {"d", 0, 0, NULL}};
		struct fl_change far = {FL_ADD, {"x", 1, 5, NULL}};
		struct fl_change heavy = {FL_REWEIGHT, {"a", 2, 0, NULL}};
		struct fl_change pair[] = {last, middle};
		struct fl_change swap[] = {middle, {FL_ADD, {"x", 1, 1, NULL}}};
		refuse(p, &middle, 1, FL_ENOTSUP, "can only remove the last one, slot 3");
		refuse(p, pair, 2, FL_ENOTSUP, "can only remove the last one, slot 2");
		refuse(p, swap, 2, FL_ENOTSUP, "node \"b\" has slot 1");
		refuse(p, &far, 1, FL_ENOTSUP, "can only add the next slot, 4, not slot 5");
		refuse(p, &heavy, 1, FL_EINVAL, "knows no weights");
		assert_int_equal(fl_placement_new(&q, specs[s], gap, 2, &err), FL_EINVAL);
		assert_non_null(strstr(err.text, "nobody has slot 1"));
		assert_int_equal(
			fl_placement_new(&q, specs[s], begins_late, 2, &err), FL_EINVAL);
		assert_non_null(strstr(err.text, "nobody has slot 0"));
		gap[0].weight = gap[1].weight = 0;
		assert_int_equal(fl_placement_new(&q, specs[s], gap, 2, NULL), FL_EINVAL);
		gap[0].weight = gap[1].weight = 1;
		assert_int_equal(fl_placement_new(&q, specs[s], high, 1, &err), FL_EINVAL);
		assert_non_null(strstr(err.text, "not below 1048576"));
		assert_int_equal(fl_placement_new(&q, specs[s], nodes, FL_MAX_NODES + 1, &err),
			FL_ELIMIT);
		assert_null(q);
		fl_placement_unref(p);
	}
}

/* Down to nobody and up again. */
static void test_all_the_way(void **state)
{
	(void)state;
	for (size_t s = 0; s < SPECS; s++) {
		struct test_rng r = {s + 70};
		struct test_nodes t = random_shards(&r, 20);
		fl_placement *first = test_place(specs[s], t.nodes, 20);
		fl_placement *p = fl_placement_ref(first), *next;
		for (size_t i = 20; i-- > 0;) {
			next = test_change(p, FL_REMOVE, t.nodes[i].name, 0, 0);
			fl_placement_unref(p);
			p = next;
		}
		assert_int_equal(fl_placement_slots(p), 0);
		for (size_t i = 0; i < 20; i++) {
			next = test_change(
				p, FL_ADD, t.nodes[i].name, t.nodes[i].weight, FL_NONE);
			fl_placement_unref(p);
			p = next;
		}
		equal(first, p);
		fl_placement_unref(first);
		fl_placement_unref(p);
		test_nodes_free(&t);
	}
}

/* ---- masks and owners ---- */

static void check_owners(const fl_placement *p, uint64_t number, size_t able)
{
	static const size_t ks[] = {0, 1, 2, 5, 64, 65, MOST};
	struct fl_key key = fl_key_bytes(&number, sizeof(number));
	uint64_t words[MOST / 64 + 1] = {0};
	struct fl_mask mask = {words, MOST / 64 + 1};
	uint32_t all[MOST], some[MOST], slot;
	assert_int_equal(fl_owners(p, &key, NULL, all, MOST), able);
	for (size_t i = 0; i < sizeof(ks) / sizeof(ks[0]); i++) {
		int n = fl_owners(p, &key, NULL, some, ks[i]);
		assert_int_equal(n, able < ks[i] ? able : ks[i]);
		assert_memory_equal(some, all, (size_t)n * sizeof(some[0]));
	}
	/* Each is who takes over when those before it are masked: so they are distinct. */
	for (size_t i = 0; i < able; i++) {
		assert_int_equal(fl_pick(p, &key, &mask, &slot), FL_OK);
		assert_int_equal(slot, all[i]);
		assert_int_equal(fl_placement_node(p, slot)->weight, 1);
		words[slot / 64] |= (uint64_t)1 << (slot % 64);
	}
	assert_int_equal(fl_pick(p, &key, &mask, &slot), FL_OK);
	assert_int_equal(slot, FL_NONE);
	assert_int_equal(fl_owners(p, &key, &mask, some, MOST), 0);
}

static void test_owners(void **state)
{
	(void)state;
	for (size_t s = 0; s < SPECS; s++) {
		struct test_rng r = {s + 90};
		for (size_t i = 0; i < 12; i++) {
			size_t count = i < 6 ? edges[i] : 1 + test_below(&r, MOST), able = 0;
			struct test_nodes t = random_shards(&r, count);
			fl_placement *p = test_place(specs[s], t.nodes, count);
			for (size_t j = 0; j < count; j++)
				able += t.nodes[j].weight > 0;
			for (uint64_t key = 0; key < 8; key++)
				check_owners(p, key, able);
			fl_placement_unref(p);
			test_nodes_free(&t);
		}
	}
}

/* Only the masked nodes' keys move, and with zeros everybody else still has an equal share. */
static void test_shares(void **state)
{
	(void)state;
	for (size_t s = 0; s < SPECS; s++) {
		struct test_rng r = {s + 110};
		struct test_nodes t = random_shards(&r, 33);
		t.nodes[3].weight = 1;
		for (size_t i = 4; i < 33; i += 1 + s)
			t.nodes[i].weight = 0;
		fl_placement *p = test_place(specs[s], t.nodes, 33);
		double shares[33], count[33] = {0}, chi = 0, able = 0;
		assert_int_equal(fl_shares(p, 0, shares), FL_OK);
		for (uint64_t key = 0; key < 40000; key++)
			count[fl_lookup(p, &key, sizeof(key))]++;
		for (size_t i = 0; i < 33; i++) {
			double expected = 40000 * shares[i];
			assert_true((shares[i] > 0) == (t.nodes[i].weight > 0));
			assert_true(shares[i] > 0 || count[i] == 0);
			if (shares[i] > 0)
				chi += (count[i] - expected) * (count[i] - expected) / expected;
			able += shares[i] > 0;
		}
		assert_true(chi < able + 8 * 6);
		fl_placement_unref(p);
		test_nodes_free(&t);
	}
}

/* More shards than fit into 16 bits. */
static void test_many(void **state)
{
	struct test_rng r = {7};
	uint32_t n = FL_MAX_ROWED + 5000;
	struct test_nodes t = test_nodes_new(&r, n, 1);
	(void)state;
	for (size_t s = 0; s < 2; s++) {
		fl_placement *p = test_place(specs[s], t.nodes, n);
		fl_placement *q = test_change(p, FL_ADD, "new", 1, FL_NONE);
		assert_int_equal(fl_placement_find(q, "new"), n);
		uint32_t highest = 0;
		for (uint64_t key = 0; key < 2000; key++) {
			uint32_t slot = fl_lookup(p, &key, sizeof(key));
			highest = slot > highest ? slot : highest;
		}
		assert_true(highest > FL_MAX_ROWED && highest < n);
		fl_placement_unref(p);
		fl_placement_unref(q);
	}
	test_nodes_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_at_the_end),
		cmocka_unit_test(test_order_is_that_of_slots),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_all_the_way),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
