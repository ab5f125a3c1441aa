/* Where a key stands among rows and points, against the picks themselves. */
#include "fairlead/fairlead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NODES 7

static fl_placement *make(const char *spec, uint32_t n)
{
	static const char *const names[NODES] = {"a", "b", "c", "d", "e", "f", "g"};
	struct fl_node nodes[NODES];
	fl_placement *p = NULL;

	for (uint32_t i = 0; i < n; i++)
		nodes[i] = (struct fl_node){names[i], 1, FL_NONE, NULL};
	assert_int_equal(fl_placement_new(&p, spec, nodes, n, NULL), FL_OK);
	return p;
}

static bool within(const struct fl_position *at, uint64_t hash)
{
	if (at->first <= at->last)
		return at->first <= hash && hash <= at->last;
	return hash >= at->first || hash <= at->last;
}

static uint64_t next(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void locate(const fl_placement *p, uint64_t hash, struct fl_position *at)
{
	struct fl_key key = fl_key_hash(hash);

	assert_int_equal(fl_locate(p, &key, at), FL_OK);
	assert_int_equal(at->hash, hash);
	assert_true(at->index < at->count);
	assert_true(within(at, hash));
}

/* A part has one owner from its first hash to its last, and its neighbours begin behind it. */
static void check_part(const fl_placement *p, uint64_t hash)
{
	struct fl_position at, end, behind;

	locate(p, hash, &at);
	locate(p, at.first, &end);
	assert_int_equal(end.index, at.index);
	locate(p, at.last, &end);
	assert_int_equal(end.index, at.index);
	assert_int_equal(fl_lookup_hash(p, at.first), fl_lookup_hash(p, hash));
	assert_int_equal(fl_lookup_hash(p, at.last), fl_lookup_hash(p, hash));
	locate(p, at.last + 1, &behind);
	assert_int_equal(behind.index, (at.index + 1) % at.count);
	assert_int_equal(behind.first, at.last + 1);
}

static void parts_have_one_owner(void **state)
{
	static const char *const specs[] = {"table,rows=256", "bounded-table,rows=256",
		"maglev,rows=251", "ring,points=1", "ring,points=3", "ring"};
	uint64_t seed = 1;

	(void)state;
	for (size_t s = 0; s < sizeof(specs) / sizeof(specs[0]); s++) {
		fl_placement *p = make(specs[s], NODES);

		check_part(p, 0);
		check_part(p, UINT64_MAX);
		for (int i = 0; i < 2000; i++)
			check_part(p, next(&seed));
		fl_placement_unref(p);
	}
}

static void counts_are_those_of_the_structure(void **state)
{
	static const struct {
		const char *spec, *part;
		uint64_t count;
	} cases[] = {{"table,rows=256", "row", 256}, {"table", "row", 65536},
		{"maglev,rows=251", "row", 251}, {"ring,points=5", "point", 5 * NODES},
		{"compat:python-ring", "point", 3 * NODES}};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		fl_placement *p = make(cases[c].spec, NODES);
		struct fl_key key = fl_key_bytes("alice", 5);
		struct fl_position at;

		assert_int_equal(fl_locate(p, &key, &at), FL_OK);
		assert_string_equal(at.part, cases[c].part);
		assert_int_equal(at.count, cases[c].count);
		assert_true(within(&at, at.hash));
		if (fl_placement_capabilities(p) & FL_BY_HASH)
			assert_int_equal(at.hash, fl_placement_hash(p, "alice", 5));
		fl_placement_unref(p);
	}
}

/* What has arcs can say where a key is among them, in every mapping there is. */
static void all_that_have_parts_tell(void **state)
{
	const struct fl_algorithm_info *a = NULL;
	size_t seen = 0;

	(void)state;
	while ((a = fl_algorithm_next(a))) {
		struct fl_node nodes[3] = {{"10.0.0.1:80", 1, FL_NONE, NULL},
			{"10.0.0.2:80", 1, FL_NONE, NULL}, {"10.0.0.3:80", 1, FL_NONE, NULL}};
		struct fl_key key = fl_key_bytes("alice", 5);
		struct fl_position at;
		fl_placement *p = NULL;

		if (!(a->capabilities & FL_EXACT_MOVEMENT))
			continue;
		assert_int_equal(fl_placement_new(&p, a->name, nodes, 3, NULL), FL_OK);
		assert_int_equal(fl_locate(p, &key, &at), FL_OK);
		assert_true(at.index < at.count && within(&at, at.hash));
		fl_placement_unref(p);
		seen++;
	}
	assert_true(seen >= 10);
}

static void one_node_has_everything(void **state)
{
	fl_placement *p = make("ring,points=1", 1);
	struct fl_position at;

	(void)state;
	locate(p, 12345, &at);
	assert_int_equal(at.count, 1);
	assert_int_equal(at.first, at.last + 1);
	fl_placement_unref(p);
}

static void what_has_no_parts_says_so(void **state)
{
	static const char *const specs[] = {
		"rendezvous", "modulo", "jump", "multiprobe", "dx", "compat:java-rendezvous"};
	struct fl_key key = fl_key_bytes("alice", 5), hash = fl_key_hash(1);
	struct fl_position at = {.count = 77};
	fl_placement *p;

	(void)state;
	for (size_t s = 0; s < sizeof(specs) / sizeof(specs[0]); s++) {
		p = make(specs[s], NODES);
		assert_int_equal(fl_locate(p, &key, &at), FL_ENOTSUP);
		fl_placement_unref(p);
	}
	p = make("table", 0); /* no nodes, no rows */
	assert_int_equal(fl_locate(p, &key, &at), FL_ENOTSUP);
	fl_placement_unref(p);
	p = make("compat:python-ring", NODES); /* hashes the bytes itself */
	assert_int_equal(fl_locate(p, &hash, &at), FL_ENOTSUP);
	fl_placement_unref(p);
	assert_int_equal(at.count, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_have_one_owner),
		cmocka_unit_test(counts_are_those_of_the_structure),
		cmocka_unit_test(all_that_have_parts_tell),
		cmocka_unit_test(one_node_has_everything),
		cmocka_unit_test(what_has_no_parts_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
