/* Every recorded mapping, key for key. */
#include "support/golden.h"

#include "hash/mix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check(const char *name, size_t sections, size_t keys)
{
	size_t found, checked;
	assert_int_equal(golden_mismatches(name, &found, &checked), 0);
	assert_int_equal(found, sections);
	assert_int_equal(checked, keys);
}

static void test_python_ring(void **state)
{
	(void)state;
	check("python_ring.csv", 1, 2000);
}

/* md5("server134491-0") and md5("server144181-0") both end in b6243357: the ring's dictionary
 * keeps the one that was put in later, and gives the place back when that one goes. */
static void test_python_ring_collision(void **state)
{
	static const char *const names[] = {"server134491", "server144181"};
	(void)state;
	for (int later = 0; later < 2; later++) {
		struct fl_node nodes[] = {
			{names[!later], 1, FL_NONE, NULL}, {names[later], 1, FL_NONE, NULL}};
		struct fl_key key = fl_key_bytes("any key", 7);
		uint64_t masked = 2;
		struct fl_mask mask = {&masked, 1};
		uint32_t slot;
		fl_placement *p = NULL;
		assert_int_equal(
			fl_placement_new(&p, "compat:python-ring,replicas=1", nodes, 2, NULL),
			FL_OK);
		assert_int_equal(fl_lookup(p, "any key", 7), 1);
		assert_true(fl_placement_starved(p, 0));
		assert_false(fl_placement_starved(p, 1));
		assert_int_equal(fl_pick(p, &key, &mask, &slot), FL_OK);
		assert_int_equal(slot, 0);
		fl_placement_unref(p);
	}
}

static void test_java_rendezvous(void **state)
{
	(void)state;
	check("java_rendezvous.csv", 3, 3 * 2050);
}

static void test_libmemcached(void **state)
{
	(void)state;
	check("libmemcached.csv", 47, 4 * 2000 + 43 * 500);
}

static void test_ketama(void **state)
{
	(void)state;
	check("ketama.csv", 4, 2 * 500 + 2 * 2000);
}

static void test_spymemcached(void **state)
{
	(void)state;
	check("spymemcached.csv", 3, 3 * 500);
}

static void test_circle_360(void **state)
{
	(void)state;
	check("circle_360.csv", 3, 3 * 2050);
	assert_int_equal(
		system("/usr/bin/python3 " FL_TEST_DIR "/model/circle_360.py --check"), 0);
}

static void test_nginx(void **state)
{
	(void)state;
	check("nginx.csv", 16, 16 * 200);
}

static void test_pingora(void **state)
{
	(void)state;
	check("pingora.csv", 2, 2 * 200);
}

static void test_haproxy(void **state)
{
	(void)state;
	check("haproxy.csv", 41, 8300);
}

static void test_twemproxy(void **state)
{
	(void)state;
	check("twemproxy.csv", 29, 5950);
}

/* Our own mappings, mapping version 1: a change here moves users' keys. The file came from the
 * models (tests/model/freeze.py), not from us. */
static void test_native(void **state)
{
	(void)state;
	check("native_1.csv", 61, 10 * 2050 + 51 * 500);
}

/* All owners in order, and masked picks, of our own mappings: a sum over many keys is frozen. */
static uint64_t sum_of_owners(const char *spec)
{
	struct golden g;
	fl_placement *p = NULL;
	uint64_t sum = 0, word = 0x155;
	struct fl_mask mask = {&word, 1};
	golden_nodes(&g, "a=3 b=1 c=4 d=1 e=5 f=9 g=2 h=6 i=5 j=0 k=3 l=5 m=8");
	assert_int_equal(fl_placement_new(&p, spec, g.nodes, g.node_count, NULL), FL_OK);
	for (uint64_t i = 0; i < 2000; i++) {
		char text[32];
		uint32_t slots[13];
		struct fl_key key =
			fl_key_bytes(text, (size_t)snprintf(text, sizeof(text), "key %llu",
						   (unsigned long long)i));
		int n = fl_owners(p, &key, i % 2 ? &mask : NULL, slots, 13);
		assert_int_equal(n, i % 2 ? 7 : 12);
		for (int j = 0; j < n; j++)
			sum = fl_mix64(sum ^ slots[j]);
		assert_int_equal(fl_pick(p, &key, &mask, slots), FL_OK);
		sum = fl_mix64(sum ^ slots[0]);
	}
	fl_placement_unref(p);
	return sum;
}

static void test_native_owners(void **state)
{
	(void)state;
	assert_int_equal(sum_of_owners("table,rows=1024"), 0x62db5801fc4573f4u);
	assert_int_equal(sum_of_owners("table,rows=1024,epsilon=5%"), 0xecbaa48d09b0cec2u);
	assert_int_equal(sum_of_owners("table,epsilon=0"), 0x4da209c2482e0159u);
	assert_int_equal(sum_of_owners("maglev,rows=1021"), 0x73eec3a0374ef3c4u);
	assert_int_equal(sum_of_owners("multiprobe"), 0x3208d3b20520a432u);
	assert_int_equal(sum_of_owners("ring"), 0x2d4e823f2811f699u);
	assert_int_equal(sum_of_owners("rendezvous"), 0xa8d00a99b6016fdeu);
	assert_int_equal(sum_of_owners("modulo"), 0x4834159c1a3538bu);
}

/* The 16-bit form has no recording; it differs from UTF-8 and keeps the algorithm's promises. */
static void test_java_utf16(void **state)
{
	struct fl_node nodes[] = {{"node0", 1, FL_NONE, NULL}, {"node1", 1, FL_NONE, NULL},
		{"node2", 1, FL_NONE, NULL}};
	fl_placement *narrow, *wide;
	struct golden_keys keys;
	size_t differ = 0, count[3] = {0};
	(void)state;
	assert_int_equal(
		fl_placement_new(&narrow, "compat:java-rendezvous", nodes, 3, NULL), 0);
	assert_int_equal(
		fl_placement_new(&wide, "compat:java-rendezvous,charset=utf-16le,hash=md5",
			nodes, 3, NULL),
		0);
	golden_keys_load(&keys, "keys.txt");
	for (size_t i = 0; i < keys.count; i++) {
		uint32_t a = fl_lookup(narrow, keys.key[i], keys.len[i]);
		uint32_t b = fl_lookup(wide, keys.key[i], keys.len[i]);
		differ += a != b;
		count[b]++;
	}
	assert_true(differ > keys.count / 2);
	for (size_t i = 0; i < 3; i++)
		assert_true(count[i] > keys.count / 4);
	fl_placement_unref(narrow);
	fl_placement_unref(wide);
	free(keys.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_python_ring),
		cmocka_unit_test(test_python_ring_collision),
		cmocka_unit_test(test_java_rendezvous),
		cmocka_unit_test(test_libmemcached),
		cmocka_unit_test(test_ketama),
		cmocka_unit_test(test_spymemcached),
		cmocka_unit_test(test_circle_360),
		cmocka_unit_test(test_nginx),
		cmocka_unit_test(test_pingora),
		cmocka_unit_test(test_haproxy),
		cmocka_unit_test(test_twemproxy),
		cmocka_unit_test(test_native),
		cmocka_unit_test(test_native_owners),
		cmocka_unit_test(test_java_utf16),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
