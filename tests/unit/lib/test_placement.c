/* Membership: what is refused and with what words, slots, digests, references, empty sets. */
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *const natives[] = {"table", "ring", "rendezvous", "modulo"};
static const char *const every[] = {"table", "ring", "rendezvous", "modulo",
	"compat:python-ring", "compat:circle-360", "compat:java-rendezvous"};
#define EVERY (sizeof(every) / sizeof(every[0]))

static char long_name[FL_MAX_NAME + 2];

static const struct {
	struct fl_node node;
	int code;
	const char *says;
} bad[] = {
	{{NULL, 1, FL_NONE, NULL}, FL_EINVAL, "no name"},
	{{"", 1, FL_NONE, NULL}, FL_EINVAL, "empty name"},
	{{long_name, 1, FL_NONE, NULL}, FL_EINVAL, "longer than 255"},
	{{"x", 1, FL_NONE, long_name}, FL_EINVAL, "zone"},
	{{"x", -1, FL_NONE, NULL}, FL_EINVAL, "weight -1"},
	{{"x", INT32_MIN, FL_NONE, NULL}, FL_EINVAL, "weight"},
	{{"x", 65536, FL_NONE, NULL}, FL_EINVAL, "weight 65536"},
	{{"x", 1, FL_MAX_NODES, NULL}, FL_EINVAL, "slot 1048576"},
	{{"x", 1, 0, NULL}, FL_EEXIST, "slot 0 is taken"},
	{{"a", 1, FL_NONE, NULL}, FL_EEXIST, "twice"},
};

static void check_bad(const char *spec, size_t i)
{
	struct fl_node nodes[] = {{"a", 1, 0, NULL}, bad[i].node, {"b", 1, FL_NONE, NULL}};
	struct fl_change changes[] = {{FL_REMOVE, {"b", 0, 0, NULL}}, {FL_ADD, bad[i].node}};
	fl_placement *marker = (fl_placement *)&changes, *out = marker, *good;
	struct fl_node fine[] = {nodes[0], nodes[2]};
	struct fl_error err = {0};
	int code = fl_placement_new(&out, spec, nodes, 3, &err);
	if (code != bad[i].code || !strstr(err.text, bad[i].says))
		fail_msg("%s, %zu: %d, %s", spec, i, code, err.text);
	assert_ptr_equal(out, marker);
	good = test_place(spec, fine, 2);
	uint64_t digest = fl_placement_digest(good);
	err.text[0] = '\0';
	code = fl_placement_derive(&out, good, changes, 2, &err);
	if (code != bad[i].code || !strstr(err.text, bad[i].says))
		fail_msg("derive %s, %zu: %d, %s", spec, i, code, err.text);
	assert_ptr_equal(out, marker);
	assert_int_equal(fl_placement_derive(&out, good, changes, 2, NULL), code);
	assert_int_equal(fl_placement_digest(good), digest);
	assert_int_equal(fl_placement_count(good), 2);
	fl_placement_unref(good);
}

static void test_bad_nodes(void **state)
{
	(void)state;
	memset(long_name, 'x', FL_MAX_NAME + 1);
	for (size_t a = 0; a < EVERY; a++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			check_bad(every[a], i);
	}
}

static void test_bad_changes(void **state)
{
	static const struct {
		struct fl_change change;
		int code;
		const char *says;
	} changes[] = {
		{{FL_REMOVE, {"nobody", 0, 0, NULL}}, FL_ENOENT, "no node \"nobody\""},
		{{FL_REWEIGHT, {"nobody", 1, 0, NULL}}, FL_ENOENT, "no node \"nobody\""},
		{{FL_REWEIGHT, {"a", -1, 0, NULL}}, FL_EINVAL, "weight -1"},
		{{FL_REWEIGHT, {"a", 65536, 0, NULL}}, FL_EINVAL, "weight 65536"},
		{{FL_REMOVE, {NULL, 0, 0, NULL}}, FL_EINVAL, "no name"},
		{{(enum fl_change_kind)9, {"a", 1, 0, NULL}}, FL_EINVAL, "unknown kind"},
	};
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}};
	(void)state;
	for (size_t a = 0; a < EVERY; a++) {
		fl_placement *p = test_place(every[a], nodes, 1), *out = NULL;
		for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
			struct fl_error err = {0};
			assert_int_equal(
				fl_placement_derive(&out, p, &changes[i].change, 1, &err),
				changes[i].code);
			assert_non_null(strstr(err.text, changes[i].says));
			assert_null(out);
		}
		fl_placement_unref(p);
	}
}

static void test_weights_of_systems_without(void **state)
{
	(void)state;
	for (size_t a = 4; a < EVERY; a++) {
		struct fl_node nodes[] = {{"a", 2, FL_NONE, NULL}};
		fl_placement *p = NULL;
		struct fl_error err;
		assert_int_equal(fl_placement_new(&p, every[a], nodes, 1, &err), FL_EINVAL);
		assert_non_null(strstr(err.text, "knows no weights"));
		nodes[0].weight = 0;
		p = test_place(every[a], nodes, 1);
		assert_int_equal(fl_lookup(p, "k", 1), FL_NONE);
		fl_placement_unref(p);
	}
}

static void test_limits(void **state)
{
	struct test_rng r = {1};
	struct test_nodes t = test_nodes_new(&r, 65, 1);
	struct fl_node heavy[] = {{"a", 65535, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL}};
	struct fl_change one_more = {FL_ADD, {"one more", 1, FL_NONE, NULL}};
	fl_placement *p = NULL, *q = NULL;
	struct fl_error err;
	(void)state;
	/* The number of nodes: tests/prop/test_many.c. */
	assert_int_equal(fl_placement_new(&p, "dx,capacity=64", t.nodes, 65, &err), FL_ELIMIT);
	p = test_place("dx,capacity=64", t.nodes, 64);
	assert_int_equal(fl_placement_slots(p), 64);
	assert_int_equal(fl_placement_derive(&q, p, &one_more, 1, &err), FL_ELIMIT);
	assert_non_null(strstr(err.text, "64"));
	fl_placement_unref(p);
	/* 65535 * 256 points is the limit less 256: one more node fits, two do not. */
	p = test_place("ring,points=256", heavy, 1);
	one_more.node.weight = 2;
	assert_int_equal(fl_placement_derive(&q, p, &one_more, 1, &err), FL_ELIMIT);
	assert_non_null(strstr(err.text, "points"));
	one_more.node.weight = 1;
	assert_int_equal(fl_placement_derive(&q, p, &one_more, 1, &err), FL_OK);
	fl_placement_unref(p);
	fl_placement_unref(q);
	assert_int_equal(fl_placement_new(&p, "ring,points=65535", heavy, 1, &err), FL_ELIMIT);
	test_nodes_free(&t);
}

static void test_slots(void **state)
{
	struct fl_node nodes[] = {{"c", 1, FL_NONE, "z1"}, {"a", 2, 1, NULL},
		{"b", 3, FL_NONE, ""}, {"far", 4, 70000 % 65536, NULL}};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		fl_placement *p = test_place(natives[i], nodes, 4), *q, *s;
		assert_int_equal(fl_placement_find(p, "c"), 0);
		assert_int_equal(fl_placement_find(p, "a"), 1);
		assert_int_equal(fl_placement_find(p, "b"), 2);
		assert_int_equal(fl_placement_find(p, "far"), 4464);
		assert_int_equal(fl_placement_find(p, "d"), FL_NONE);
		assert_int_equal(fl_placement_slots(p), 4465);
		assert_int_equal(fl_placement_count(p), 4);
		assert_string_equal(fl_placement_node(p, 0)->zone, "z1");
		assert_null(fl_placement_node(p, 1)->zone);
		assert_string_equal(fl_placement_node(p, 2)->zone, "");
		assert_null(fl_placement_node(p, 3));
		assert_null(fl_placement_node(p, 4465));
		assert_null(fl_placement_node(p, FL_NONE));
		/* Names are copies. */
		assert_ptr_not_equal(fl_placement_node(p, 0)->name, nodes[0].name);
		q = test_change(p, FL_REMOVE, "a", 0, 0);
		assert_int_equal(fl_placement_find(q, "a"), FL_NONE);
		assert_int_equal(fl_placement_find(q, "b"), 2);
		s = test_change(q, FL_ADD, "new", 1, FL_NONE);
		assert_int_equal(fl_placement_find(s, "new"), 1);
		fl_placement_unref(q);
		q = test_change(s, FL_REMOVE, "far", 0, 0);
		assert_int_equal(fl_placement_slots(q), 3);
		assert_int_equal(fl_placement_find(p, "a"), 1);
		fl_placement_unref(p);
		fl_placement_unref(q);
		fl_placement_unref(s);
	}
}

/* Those that ask for a slot come first, wherever they stand in the list. */
static void test_asked_slots_come_first(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, 0, NULL},
		{"c", 1, FL_NONE, NULL}, {"d", 1, 2, NULL}};
	fl_placement *p = test_place("modulo", nodes, 4);
	(void)state;
	assert_int_equal(fl_placement_find(p, "a"), 1);
	assert_int_equal(fl_placement_find(p, "b"), 0);
	assert_int_equal(fl_placement_find(p, "c"), 3);
	assert_int_equal(fl_placement_find(p, "d"), 2);
	fl_placement_unref(p);
}

/* Changes take effect in order: slots freed before can be taken after. */
static void test_changes_in_order(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL}};
	struct fl_change changes[] = {{FL_ADD, {"c", 1, FL_NONE, NULL}},
		{FL_REMOVE, {"a", 0, 0, NULL}}, {FL_ADD, {"d", 1, 0, "zone"}},
		{FL_ADD, {"a", 5, FL_NONE, NULL}}, {FL_REWEIGHT, {"a", 7, 3, "ignored"}},
		{FL_REMOVE, {"c", 0, 0, NULL}}};
	fl_placement *p = test_place("rendezvous", nodes, 2), *q;
	(void)state;
	assert_int_equal(fl_placement_derive(&q, p, changes, 6, NULL), FL_OK);
	assert_int_equal(fl_placement_count(q), 3);
	assert_int_equal(fl_placement_find(q, "d"), 0);
	assert_int_equal(fl_placement_find(q, "b"), 1);
	assert_int_equal(fl_placement_find(q, "a"), 3);
	assert_int_equal(fl_placement_node(q, 3)->weight, 7);
	assert_null(fl_placement_node(q, 3)->zone);
	assert_null(fl_placement_node(q, 2));
	fl_placement_unref(q);
	assert_int_equal(fl_placement_derive(&q, p, changes, 0, NULL), FL_OK);
	assert_ptr_equal(p, q);
	fl_placement_unref(q);
	fl_placement_unref(p);
	fl_placement_unref(NULL);
}

static void test_nobody(void **state)
{
	struct fl_node idle[] = {{"a", 0, FL_NONE, NULL}, {"b", 0, FL_NONE, NULL}};
	(void)state;
	for (size_t i = 0; i < EVERY; i++) {
		for (size_t n = 0; n <= 2; n += 2) {
			fl_placement *p = test_place(every[i], idle, n), *q, *r;
			struct fl_key key = fl_key_bytes("key", 3);
			uint32_t slot = 7, slots[3];
			double shares[2] = {9, 9};
			assert_int_equal(fl_pick(p, &key, NULL, &slot), FL_OK);
			assert_int_equal(slot, FL_NONE);
			assert_int_equal(fl_owners(p, &key, NULL, slots, 3), 0);
			assert_int_equal(fl_lookup(p, "key", 3), FL_NONE);
			assert_int_equal(fl_lookup_hash(p, 5), FL_NONE);
			assert_int_equal(fl_shares(p, 100, shares), FL_OK);
			assert_true(n == 0 || (shares[0] == 0 && shares[1] == 0));
			assert_true(fl_placement_memory(p) > 0);
			/* To one owner and back to none. */
			q = test_change(p, FL_ADD, "c", 1, FL_NONE);
			assert_string_equal(test_owner(q, "key", 3), "c");
			r = test_change(q, FL_REWEIGHT, "c", 0, 0);
			assert_int_equal(fl_lookup(r, "key", 3), FL_NONE);
			fl_placement_unref(p);
			fl_placement_unref(q);
			fl_placement_unref(r);
		}
	}
}

static void test_keys(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL}};
	struct fl_key hash_only = fl_key_hash(77), empty = fl_key_bytes(NULL, 0);
	struct fl_key both = {"other", 5, 77, true};
	(void)state;
	for (size_t i = 0; i < EVERY; i++) {
		fl_placement *p = test_place(every[i], nodes, 2);
		bool by_hash = fl_placement_capabilities(p) & FL_BY_HASH;
		uint32_t slot = 99, same;
		assert_int_equal(by_hash, i < 4);
		assert_string_equal(fl_placement_algorithm(p), every[i]);
		assert_int_equal(
			fl_pick(p, &hash_only, NULL, &slot), by_hash ? FL_OK : FL_ENOTSUP);
		assert_true(by_hash || slot == 99);
		assert_int_equal(
			fl_owners(p, &hash_only, NULL, &slot, 1), by_hash ? 1 : FL_ENOTSUP);
		assert_int_equal(fl_pick(p, &empty, NULL, &slot), FL_OK);
		assert_int_equal(slot, fl_lookup(p, "", 0));
		assert_int_equal(fl_pick(p, &both, NULL, &slot), FL_OK);
		same = by_hash ? fl_lookup_hash(p, 77) : fl_lookup(p, "other", 5);
		assert_int_equal(slot, same);
		if (by_hash)
			assert_int_equal(fl_lookup_hash(p, fl_placement_hash(p, "xyz", 3)),
				fl_lookup(p, "xyz", 3));
		else
			assert_int_equal(fl_placement_hash(p, "xyz", 3), 0);
		fl_placement_unref(p);
	}
}

static void test_digest(void **state)
{
	struct fl_node one[] = {{"a", 1, FL_NONE, NULL}, {"b", 2, FL_NONE, "z"}};
	struct fl_node other_order[] = {{"b", 2, FL_NONE, "z"}, {"a", 1, 9, NULL}};
	struct fl_node changed[][2] = {{{"a", 1, FL_NONE, NULL}, {"b", 3, FL_NONE, "z"}},
		{{"a", 1, FL_NONE, NULL}, {"c", 2, FL_NONE, "z"}},
		{{"a", 1, FL_NONE, "z"}, {"b", 2, FL_NONE, NULL}},
		{{"a", 0, FL_NONE, NULL}, {"b", 2, FL_NONE, "z"}},
		{{"ab", 1, FL_NONE, NULL}, {"b", 2, FL_NONE, "z"}}};
	static const char *const specs[] = {"table", "table,seed=1", "table,rows=256", "ring",
		"ring,seed=1", "ring,points=161", "rendezvous", "rendezvous,seed=1", "modulo"};
	uint64_t seen[9];
	(void)state;
	for (size_t i = 0; i < 9; i++) {
		fl_placement *p = test_place(specs[i], one, 2), *q;
		seen[i] = fl_placement_digest(p);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(seen[i], seen[j]);
		q = test_place(specs[i], other_order, 2);
		assert_int_equal(fl_placement_digest(q), seen[i]);
		fl_placement_unref(q);
		for (size_t c = 0; c < 5; c++) {
			q = test_place(specs[i], changed[c], 2);
			assert_int_not_equal(fl_placement_digest(q), seen[i]);
			fl_placement_unref(q);
		}
		q = test_change(p, FL_ADD, "x", 1, FL_NONE);
		assert_int_not_equal(fl_placement_digest(q), seen[i]);
		fl_placement_unref(p);
		p = test_change(q, FL_REMOVE, "x", 0, 0);
		assert_int_equal(fl_placement_digest(p), seen[i]);
		fl_placement_unref(q);
		fl_placement_unref(p);
	}
}

/* Where the order of slots decides ties, slots are part of what is digested. */
static void test_digest_with_slots(void **state)
{
	struct fl_node a[] = {{"a", 1, 0, NULL}, {"b", 1, 1, NULL}};
	struct fl_node b[] = {{"a", 1, 1, NULL}, {"b", 1, 0, NULL}};
	fl_placement *p = test_place("compat:python-ring", a, 2);
	fl_placement *q = test_place("compat:python-ring", b, 2);
	(void)state;
	assert_int_not_equal(fl_placement_digest(p), fl_placement_digest(q));
	fl_placement_unref(p);
	fl_placement_unref(q);
}

/* The digest is the same on every machine: frozen with mapping version 1. */
static void test_digest_is_frozen(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 2, FL_NONE, "z"}};
	fl_placement *p = test_place("table,seed=5", nodes, 2);
	(void)state;
	assert_int_equal(fl_placement_digest(p), 0x643cc5bbcf148c3eu);
	fl_placement_unref(p);
}

static void test_starved(void **state)
{
	struct fl_node nodes[] = {{"big", 65535, FL_NONE, NULL}, {"small", 1, FL_NONE, NULL},
		{"idle", 0, FL_NONE, NULL}};
	fl_placement *p = test_place("table,rows=256", nodes, 3);
	(void)state;
	assert_false(fl_placement_starved(p, 0));
	assert_true(fl_placement_starved(p, 1));
	assert_false(fl_placement_starved(p, 2));
	assert_false(fl_placement_starved(p, 3));
	fl_placement_unref(p);
	p = test_place("rendezvous", nodes, 3);
	assert_false(fl_placement_starved(p, 1));
	fl_placement_unref(p);
}

/* The highest slots fit into a table's rows. */
static void test_highest_slots(void **state)
{
	static const uint32_t highest[] = {65533, 65534, 65535};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fl_node nodes[] = {{"a", 1, highest[i], NULL}, {"b", 1, FL_NONE, NULL}};
		fl_placement *p = test_place("table,rows=256", nodes, 2), *q;
		size_t count[2] = {0, 0};
		for (uint64_t key = 0; key < 500; key++) {
			uint32_t slot = fl_lookup_hash(p, fl_mix64(key));
			assert_true(slot == highest[i] || slot == 0);
			count[slot == 0]++;
		}
		assert_true(count[0] > 150 && count[1] > 150);
		q = test_change(p, FL_REMOVE, "a", 0, 0);
		assert_int_equal(fl_lookup_hash(q, 5), 0);
		fl_placement_unref(p);
		p = test_change(q, FL_ADD, "a", 1, highest[i]);
		for (uint64_t key = 0, n = 0; key < 500; key++)
			n += fl_lookup_hash(p, fl_mix64(key)) == 0, assert_true(n <= count[1]);
		fl_placement_unref(p);
		fl_placement_unref(q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_nodes),
		cmocka_unit_test(test_bad_changes),
		cmocka_unit_test(test_weights_of_systems_without),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_asked_slots_come_first),
		cmocka_unit_test(test_changes_in_order),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_digest_with_slots),
		cmocka_unit_test(test_digest_is_frozen),
		cmocka_unit_test(test_starved),
		cmocka_unit_test(test_highest_slots),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
