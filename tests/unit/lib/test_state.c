/* Saved states: they come back as they were, are the same bytes everywhere, and whatever is
 * wrong with them is said. */
#include "hash/salt.h"
#include "hash/xxh3.h"
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 65536

struct state {
	unsigned char bytes[ROOM];
	size_t size;
};

static struct state save(const fl_placement *p)
{
	struct state s = {.size = fl_placement_save(p, s.bytes, ROOM)};
	assert_true(s.size <= ROOM);
	return s;
}

static fl_placement *load(const struct state *s, const char *spec)
{
	fl_placement *p = NULL;
	struct fl_error err;
	if (fl_placement_load(&p, spec, s->bytes, s->size, &err) != FL_OK)
		fail_msg("%s", err.text);
	return p;
}

/* Makes the checksum and the length right again after a change. */
static void seal(struct state *s)
{
	fl_store64_le(s->bytes + 8, s->size);
	fl_store64_le(s->bytes + s->size - 8, fl_xxh3(s->bytes, s->size - 8, FL_SALT_DIGEST));
}

static void refused(const struct state *s, const char *spec, int code, const char *says)
{
	fl_placement *p = NULL;
	struct fl_error err = {0};
	int rc = fl_placement_load(&p, spec, s->bytes, s->size, &err);
	if (rc != code || !strstr(err.text, says))
		fail_msg("expected %d, %s\n   got %d, %s", code, says, rc, err.text);
	assert_null(p);
	assert_int_equal(err.code, code);
	assert_int_equal(fl_placement_load(&p, spec, s->bytes, s->size, NULL), code);
}

/* ---- there and back ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void check_same(const fl_placement *p, const fl_placement *q)
{
	assert_int_equal(fl_placement_digest(p), fl_placement_digest(q));
	assert_string_equal(fl_placement_algorithm(p), fl_placement_algorithm(q));
	assert_int_equal(fl_placement_slots(p), fl_placement_slots(q));
	assert_int_equal(fl_placement_count(p), fl_placement_count(q));
	for (uint32_t slot = 0; slot < fl_placement_slots(p); slot++) {
		const struct fl_node *a = fl_placement_node(p, slot);
		const struct fl_node *b = fl_placement_node(q, slot);
		assert_true((a == NULL) == (b == NULL));
		if (!a)
			continue;
		assert_string_equal(a->name, b->name);
		assert_int_equal(a->weight, b->weight);
		assert_true(same_text(a->zone, b->zone));
	}
	for (uint64_t i = 0; i < 200; i++) {
		char key[24];
		size_t len = (size_t)snprintf(key, 24, "key %u", (unsigned)i);
		assert_int_equal(fl_lookup(p, key, len), fl_lookup(q, key, len));
	}
}

static void check_round(const char *spec, size_t count)
{
	struct test_rng r = {count};
	struct test_nodes t = test_nodes_fit(spec, test_nodes_new(&r, count, 1));
	fl_placement *p, *q;
	for (size_t i = 0; i < count; i++) {
		t.nodes[i].zone = i % 3 == 0 ? NULL : i % 3 == 1 ? "" : "a zone";
		t.nodes[i].weight = i % 7 != 3;
	}
	p = test_place(spec, t.nodes, count);
	struct state s = save(p), again;
	/* One byte too little: nothing is written. */
	unsigned char untouched[2] = {7, 7};
	assert_int_equal(fl_placement_save(p, untouched, 2), s.size);
	assert_int_equal(fl_placement_save(p, NULL, 0), s.size);
	assert_int_equal(untouched[0] + untouched[1], 14);
	q = load(&s, spec);
	check_same(p, q);
	again = save(q);
	assert_int_equal(again.size, s.size);
	assert_memory_equal(again.bytes, s.bytes, s.size);
	fl_placement_unref(p);
	fl_placement_unref(q);
	test_nodes_free(&t);
}

static void test_round(void **state)
{
	static const char *const others[] = {"table,epsilon=1.25%,rows=256", "ring,points=3",
		"ring,seed=18446744073709551615", "anchor,capacity=64", "dx,capacity=65536",
		"compat:java-rendezvous,charset=utf-16le,hash=sha256"};
	const struct fl_algorithm_info *a = NULL;
	(void)state;
	while ((a = fl_algorithm_next(a))) {
		for (size_t n = 0; n < 12; n += 1 + n / 2)
			check_round(a->name, n);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		check_round(others[i], 40);
}

/* anchor's history lives on in the copy. */
static void test_history_is_kept(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL},
		{"c", 1, FL_NONE, NULL}, {"d", 1, FL_NONE, NULL}};
	static const char *const gone[] = {"b", "d", "a"};
	fl_placement *p = test_place("anchor,capacity=6", nodes, 4), *q;
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		q = test_change(p, FL_REMOVE, gone[i], 0, 0);
		fl_placement_unref(p);
		p = q;
	}
	struct state s = save(p);
	q = load(&s, NULL);
	for (size_t i = 0; i < 3; i++) {
		fl_placement *pp = test_change(p, FL_ADD, gone[i], 1, FL_NONE);
		fl_placement *qq = test_change(q, FL_ADD, gone[i], 1, FL_NONE);
		check_same(pp, qq);
		fl_placement_unref(p);
		fl_placement_unref(q);
		p = pp;
		q = qq;
	}
	assert_int_equal(fl_placement_find(q, "b"), 0);
	assert_int_equal(fl_placement_find(q, "d"), 3);
	assert_int_equal(fl_placement_find(q, "a"), 1);
	fl_placement_unref(p);
	fl_placement_unref(q);
}

/* ---- the layout is the same on every machine ---- */

static fl_placement *small(void)
{
	struct fl_node nodes[] = {{"bee", 0, FL_NONE, "z"}, {"a", 1, 3, NULL}};
	return test_place("anchor,capacity=4,seed=9", nodes, 2);
}

#define SPEC_AT  20
#define NODES_AT (SPEC_AT + 2 + 24)
#define A_AT     (NODES_AT + 4)
#define BEE_AT   (A_AT + 2 + 1 + 4 + 4 + 2)
#define STACK_AT (BEE_AT + 2 + 3 + 4 + 4 + 2 + 1)

static void test_layout(void **state)
{
	static const unsigned char expected[] = "FLSTATE1"
						"\x6f\0\0\0\0\0\0\0" /* bytes in all */
						"\x01\0\0\0"         /* mapping */
						"\x18\0"
						"anchor,capacity=4,seed=9"
						"\x02\0\0\0"
						"\x01\0"
						"a"
						"\x01\0\0\0\x03\0\0\0\0\0"
						"\x03\0"
						"bee"
						"\0\0\0\0\0\0\0\0\x02\0"
						"z"
						"\x03\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0";
	fl_placement *p = small();
	struct state s = save(p);
	(void)state;
	assert_int_equal(s.size, sizeof(expected) - 1 + 16);
	assert_memory_equal(s.bytes, expected, sizeof(expected) - 1);
	assert_int_equal(fl_load64_le(s.bytes + s.size - 16), fl_placement_digest(p));
	assert_int_equal(fl_load64_le(s.bytes + s.size - 8),
		fl_xxh3(s.bytes, s.size - 8, FL_SALT_DIGEST));
	fl_placement_unref(p);
}

/* ---- damage ---- */

static void test_every_cut_and_every_flip(void **state)
{
	fl_placement *p = small(), *q = NULL;
	struct state s = save(p);
	(void)state;
	for (size_t size = 0; size < s.size; size++) {
		/* A copy of its own, so that reading beyond is seen. */
		unsigned char *cut = malloc(size + 1);
		memcpy(cut, s.bytes, size);
		assert_int_not_equal(fl_placement_load(&q, NULL, cut, size, NULL), FL_OK);
		free(cut);
	}
	for (size_t bit = 0; bit < 8 * s.size; bit++) {
		s.bytes[bit / 8] ^= (unsigned char)(1 << (bit % 8));
		assert_int_not_equal(fl_placement_load(&q, NULL, s.bytes, s.size, NULL), FL_OK);
		s.bytes[bit / 8] ^= (unsigned char)(1 << (bit % 8));
	}
	assert_null(q);
	s.bytes[s.size++] = 0;
	refused(&s, NULL, FL_EINVAL, "112 bytes, and it says that it has 111");
	fl_placement_unref(p);
}

/* Sealed damage: what only the checks behind the checksum can find. */
static void test_hostile(void **state)
{
	static const struct {
		size_t at;
		unsigned char byte;
		int code;
		const char *says;
	} cases[] = {
		{0, 'X', FL_EINVAL, "not the state of a placement"},
		{7, '2', FL_ENOTSUP, "a layout that this library does not know"},
		{16, 2, FL_ENOTSUP, "mapping version 2"},
		{SPEC_AT, 250, FL_EINVAL, "it has no spec"},
		{SPEC_AT + 1, 2, FL_EINVAL, "it has no spec"},
		{SPEC_AT + 2, 'b', FL_ENOENT, "no algorithm \"bnchor\""},
		{SPEC_AT + 3, 0, FL_EINVAL, "it has no spec"},
		{SPEC_AT + 2 + 16, '0', FL_EINVAL, "from 1 to 1048576"},
		{SPEC_AT + 2 + 16, '3', FL_EINVAL, "slot 3 is not below 3"},
		{NODES_AT, 9, FL_EINVAL, "too short for its nodes"},
		{NODES_AT, 1, FL_EINVAL, "too many removed slots"},
		{NODES_AT, 0, FL_EINVAL, "too many removed slots"},
		{A_AT, 0, FL_EINVAL, "ends within a node"},
		{A_AT, 200, FL_EINVAL, "ends within a node"},
		{A_AT + 2, 'c', FL_EINVAL, "not sorted by name"},
		{A_AT + 2, 0, FL_EINVAL, "ends within a node"},
		{A_AT + 3, 2, FL_EINVAL, "knows no weights"},
		{A_AT + 5, 1, FL_EINVAL, "weight -1"},
		{A_AT + 7, 4, FL_EINVAL, "slot 4 is not below 4"},
		{A_AT + 7, 0, FL_EEXIST, "slot 0 is taken"},
		{A_AT + 7, 2, FL_EINVAL, "the removed slots are not those"},
		{BEE_AT + 5, 1, FL_EINVAL, "the removed slots are not those"},
		{BEE_AT + 13, 9, FL_EINVAL, "ends within a node"},
		{STACK_AT, 2, FL_EINVAL, "lengths do not fit"},
		{STACK_AT, 4, FL_EINVAL, "lengths do not fit"},
		{STACK_AT, 99, FL_EINVAL, "too many removed slots"},
		{STACK_AT + 4, 1, FL_EINVAL, "the removed slots are not those"},
		{STACK_AT + 4, 3, FL_EINVAL, "the removed slots are not those"},
		{STACK_AT + 4, 4, FL_EINVAL, "the removed slots are not those"},
		{STACK_AT + 7, 1, FL_EINVAL, "the removed slots are not those"},
		{STACK_AT + 16, 0x5a, FL_EINVAL, "digest is not that of what it holds"},
	};
	fl_placement *p = small();
	struct state good = save(p);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct state s = good;
		s.bytes[cases[i].at] = cases[i].byte;
		seal(&s);
		refused(&s, NULL, cases[i].code, cases[i].says);
	}
	/* The same slots in another order are another mapping. */
	struct state s = good;
	s.bytes[STACK_AT + 4] = 1;
	s.bytes[STACK_AT + 8] = 2;
	seal(&s);
	refused(&s, NULL, FL_EINVAL, "digest is not that");
	fl_placement_unref(p);
}

/* A name that is not in the form names are saved in, and removed slots where none belong. */
static void test_other_forms(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}};
	fl_placement *p = test_place("dx,capacity=4,seed=9", nodes, 1), *q = NULL;
	struct state s = save(p), t = s;
	(void)state;
	memcpy(t.bytes + 22, "dx,seed=9,capacity=4", 20);
	seal(&t);
	refused(&t, NULL, FL_EINVAL, "its spec is not in the form it is saved in");
	t = s;
	t.bytes[t.size - 20] = 1;
	seal(&t);
	refused(&t, NULL, FL_EINVAL, "too many removed slots");
	assert_int_equal(fl_placement_load(&q, NULL, NULL, 0, NULL), FL_EINVAL);
	assert_null(q);
	fl_placement_unref(p);
}

static void test_wanted_spec(void **state)
{
	fl_placement *p = small(), *q;
	struct state s = save(p);
	(void)state;
	refused(&s, "anchor", FL_EINVAL,
		"is of \"anchor,capacity=4,seed=9\", not of \"anchor\"");
	refused(&s, "anchor,capacity=4", FL_EINVAL, "not of");
	refused(&s, "dx,capacity=4,seed=9", FL_EINVAL, "not of");
	refused(&s, "anker", FL_ENOENT, "anker");
	q = load(&s, "anchor,seed=0x9,capacity=4");
	check_same(p, q);
	fl_placement_unref(p);
	fl_placement_unref(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_history_is_kept),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_every_cut_and_every_flip),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_other_forms),
		cmocka_unit_test(test_wanted_spec),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
