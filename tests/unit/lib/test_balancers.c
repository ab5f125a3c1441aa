/* What recordings of nginx, HAProxy and twemproxy do not reach: keys that are addresses and keys that
 * are none, how names are taken apart, defaults, bounds, and what masks do. */
#include "place/placement_priv.h"
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 2000

static fl_placement *place(const char *spec, const char *const *names, size_t count)
{
	struct fl_node nodes[16];
	for (size_t i = 0; i < count; i++)
		nodes[i] = (struct fl_node){names[i], 1 + (int32_t)(i % 3), FL_NONE, NULL};
	return test_place(spec, nodes, count);
}

static fl_placement *some(const char *spec)
{
	static const char *const names[] = {
		"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80", "10.0.0.5:80"};
	return place(spec, names, 5);
}

static uint32_t look_up(const fl_placement *p, const char *key)
{
	return fl_lookup(p, key, strlen(key));
}

/* Keys are two numbers with these texts before, between and behind them. */
struct form {
	const char *before, *between, *behind;
};
static const struct form texts = {"key-", "-", ""}, addresses = {"10.1.", ".", ""};

/* How many of the keys have an owner in another slot. */
static size_t differ(const fl_placement *p, const fl_placement *q, struct form f)
{
	size_t n = 0;
	for (unsigned i = 0; i < KEYS; i++) {
		char key[64];
		snprintf(key, sizeof(key), "%s%u%s%u%s", f.before, i % 250, f.between, i / 250,
			f.behind);
		n += look_up(p, key) != look_up(q, key);
	}
	return n;
}

static size_t specs_differ(const char *a, const char *b, struct form form)
{
	fl_placement *p = some(a), *q = some(b);
	size_t n = differ(p, q, form);
	fl_placement_unref(p);
	fl_placement_unref(q);
	return n;
}

static void refused(const char *spec, const char *name, int32_t weight, const char *says)
{
	struct fl_node node = {name, weight, FL_NONE, NULL};
	fl_placement *p = NULL;
	struct fl_error err = {0};
	assert_int_equal(fl_placement_new(&p, spec, &node, 1, &err), FL_EINVAL);
	if (!strstr(err.text, says))
		fail_msg("%s: %s", spec, err.text);
}

/* ---- nginx ---- */

static void test_binary_addresses(void **state)
{
	static const unsigned char six[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7};
	static const char *const specs[][2] = {
		{"compat:nginx-consistent", "compat:nginx-consistent,key=addr"},
		{"compat:nginx-hash", "compat:nginx-hash,key=addr"}};
	(void)state;
	for (size_t s = 0; s < 2; s++) {
		fl_placement *text = some(specs[s][0]), *addr = some(specs[s][1]);
		for (unsigned i = 0; i < 250; i++) {
			unsigned char four[4] = {10, 1, (unsigned char)i, 9};
			char key[32];
			snprintf(key, sizeof(key), "10.1.%u.9", i);
			assert_int_equal(look_up(addr, key), fl_lookup(text, four, 4));
		}
		assert_int_equal(look_up(addr, "2001:db8::7"), fl_lookup(text, six, 16));
		assert_int_equal(differ(text, addr, texts), 0);
		assert_true(differ(text, addr, addresses) > KEYS / 2);
		fl_placement_unref(text);
		fl_placement_unref(addr);
	}
}

/* Nodes of the same points in the same slots: only how the name is cut decides. */
static void test_server_names(void **state)
{
	static const char *const same[][2] = {
		{"unix:/run/a.sock", "/run/a.sock"}, {"UniX:/run/a:80", "unix:/run/a:80"}};
	static const char *const other[][2] = {
		{"h", "h:80"}, {"[::1]", "::1"}, {"/run/a:80", "unix:/run/a:80"}};
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		const char *const *pair = i < 2 ? same[i] : other[i - 2];
		const char *a[] = {pair[0], "x:1", "y:1"}, *b[] = {pair[1], "x:1", "y:1"};
		fl_placement *p = place("compat:nginx-consistent", a, 3);
		fl_placement *q = place("compat:nginx-consistent", b, 3);
		size_t n = differ(p, q, texts);
		assert_true(i < 2 ? n == 0 : n > KEYS / 20);
		fl_placement_unref(p);
		fl_placement_unref(q);
	}
}

/* nginx would give up after 20 servers that are down; here the last one left is found. */
static void test_one_of_many_is_left(void **state)
{
	static const char *const specs[] = {
		"compat:nginx-consistent", "compat:nginx-hash", "compat:nginx-ip-hash"};
	struct test_rng r = {1};
	struct test_nodes t = test_nodes_new(&r, 200, 1);
	uint64_t words[4] = {UINT64_MAX, UINT64_MAX, ~(uint64_t)8, UINT64_MAX};
	struct fl_mask mask = {words, 4};
	(void)state;
	for (size_t s = 0; s < 3; s++) {
		fl_placement *p = test_place(specs[s], t.nodes, t.count);
		for (unsigned i = 0; i < 50; i++) {
			struct fl_key key = fl_key_bytes(&i, sizeof(i));
			uint32_t slot = 0;
			assert_int_equal(fl_pick(p, &key, &mask, &slot), FL_OK);
			assert_int_equal(slot, 131);
		}
		fl_placement_unref(p);
	}
	test_nodes_free(&t);
}

static void test_ip_hash(void **state)
{
	fl_placement *p = some("compat:nginx-ip-hash");
	size_t other = 0;
	(void)state;
	for (unsigned i = 0; i < 250; i++) {
		char a[32], b[32];
		snprintf(a, sizeof(a), "192.0.%u.1", i);
		snprintf(b, sizeof(b), "192.0.%u.254", i);
		assert_int_equal(look_up(p, a), look_up(p, b));
		snprintf(a, sizeof(a), "2001:db8::%x", i);
		snprintf(b, sizeof(b), "2001:db8::1:%x", i);
		other += look_up(p, a) != look_up(p, b);
	}
	assert_true(other > 100);
	assert_int_equal(look_up(p, "unix:"), look_up(p, "0.0.0.77"));
	/* 89 * 113^3 mod 6271 is 295, mod 9 that is 7, and the weights add up to 1, 3, 6, 7, 9. */
	assert_int_equal(look_up(p, "unix:"), 4);
	fl_placement_unref(p);
}

/* Sums and hashes end at 32767 and 6270: who stands behind them has no keys, and that is told. */
static void test_beyond_reach(void **state)
{
	struct fl_node nodes[] = {
		{"a", 6271, 0, NULL}, {"b", 30000, 1, NULL}, {"c", 9, 2, NULL}};
	fl_placement *ip = test_place("compat:nginx-ip-hash", nodes, 3);
	fl_placement *hash = test_place("compat:nginx-hash", nodes, 3);
	double shares[3];
	(void)state;
	assert_false(fl_placement_starved(ip, 0));
	assert_true(fl_placement_starved(ip, 1));
	assert_false(fl_placement_starved(hash, 1));
	assert_true(fl_placement_starved(hash, 2));
	assert_int_equal(fl_shares(hash, 0, shares), FL_OK);
	assert_true(
		shares[0] == 6271.0 / 32768 && shares[1] == 26497.0 / 32768 && shares[2] == 0);
	fl_placement_unref(ip);
	fl_placement_unref(hash);
}

/* Texts and addresses are hashed differently, so arcs cannot be laid over each other. */
static void test_movement_between_kinds_of_keys(void **state)
{
	fl_placement *text = some("compat:nginx-consistent");
	fl_placement *addr = some("compat:nginx-consistent,key=addr");
	struct fl_movement *m;
	(void)state;
	assert_int_equal(fl_movement_new(&m, text, text, 0, NULL), FL_OK);
	assert_true(m->exact);
	fl_movement_free(m);
	assert_int_equal(fl_movement_new(&m, text, addr, 1000, NULL), FL_OK);
	assert_false(m->exact);
	fl_movement_free(m);
	fl_placement_unref(text);
	fl_placement_unref(addr);
}

/* ---- HAProxy ---- */

static void test_default_functions(void **state)
{
	(void)state;
	assert_int_equal(specs_differ("compat:haproxy-consistent",
				 "compat:haproxy-consistent,hash=sdbm,avalanche=1", texts),
		0);
	assert_true(specs_differ("compat:haproxy-consistent",
			    "compat:haproxy-consistent,hash=sdbm", texts) > KEYS / 2);
	assert_int_equal(specs_differ("compat:haproxy-consistent,hash=sdbm",
				 "compat:haproxy-consistent,avalanche=0", texts),
		0);
	assert_int_equal(
		specs_differ("compat:haproxy-map", "compat:haproxy-map,hash=sdbm", texts), 0);
	assert_int_equal(specs_differ("compat:haproxy-map,avalanche=1",
				 "compat:haproxy-map,hash=sdbm,avalanche=1", texts),
		0);
	assert_true(specs_differ("compat:haproxy-map", "compat:haproxy-map,avalanche=1",
			    texts) > KEYS / 2);
}

static void test_source_ignores_the_function(void **state)
{
	(void)state;
	assert_int_equal(specs_differ("compat:haproxy-map,key=source,hash=crc32",
				 "compat:haproxy-map,key=source,hash=none", addresses),
		0);
	/* No address: the words of the text, the last one filled up. "1" is 0x31000000. */
	assert_int_equal(specs_differ("compat:haproxy-map,key=source", "compat:haproxy-map",
				 addresses) > KEYS / 2,
		1);
	fl_placement *source = some("compat:haproxy-map,key=source");
	fl_placement *number = some("compat:haproxy-map,hash=none");
	assert_int_equal(look_up(source, "1"), look_up(number, "822083584"));
	assert_int_equal(look_up(source, "0.0.0.5"), look_up(number, "5"));
	assert_int_equal(look_up(source, "::1:0:0:5"), look_up(number, "65541"));
	fl_placement_unref(source);
	fl_placement_unref(number);
}

static void test_numbers(void **state)
{
	static const char *const same[][2] = {{"7", "+7"}, {"7", "7x"}, {"7", "4294967303"},
		{"-1", "4294967295"}, {"", "0"}, {"x", "0"},
		{"9223372036854775808", "4294967295"},
		{"99999999999999999999999", "4294967295"}, {"-9999999999999999999999", "0"}};
	fl_placement *p = some("compat:haproxy-map,hash=none");
	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		assert_int_equal(look_up(p, same[i][0]), look_up(p, same[i][1]));
	/* The map by hand: 0 1 2 2 4 1 2 3 4. */
	assert_int_equal(look_up(p, "0"), 0);
	assert_int_equal(look_up(p, "4"), 4);
	assert_int_equal(look_up(p, "7"), 3);
	fl_placement_unref(p);
}

/* Numbers are positions, so each arc's last key and the one behind it can be asked for: of two points
 * as near as each other the one before has the key. */
static void test_borders_are_half_way(void **state)
{
	fl_placement *p = some("compat:haproxy-consistent,hash=none");
	struct fl_arc arc, next;
	size_t borders = 0;
	(void)state;
	assert_true(p->algorithm->arc(p, 0, &arc));
	for (size_t i = 1; arc.last != UINT64_MAX; arc = next, i++) {
		char key[24];
		uint32_t last = (uint32_t)(arc.last >> 32);
		assert_true(p->algorithm->arc(p, i, &next));
		snprintf(key, sizeof(key), "%u", last);
		assert_int_equal(look_up(p, key), arc.slot);
		snprintf(key, sizeof(key), "%u", last + 1);
		assert_int_equal(look_up(p, key), next.slot);
		borders += arc.slot != next.slot;
	}
	assert_true(borders > 50);
	fl_placement_unref(p);
}

static void test_haproxy_refuses(void **state)
{
	(void)state;
	refused("compat:haproxy-consistent", "a", 257, "weights up to 256");
	refused("compat:haproxy-map", "a", 257, "weights up to 256");
	refused("compat:haproxy-consistent,hash-key=addr", "a", 1, "\"a\": with hash-key=addr");
	refused("compat:haproxy-consistent,hash-key=addr-port", "10.0.0.1", 1, "and port");
	refused("compat:pingora", "10.0.0.1", 1, "an address with its port");
	refused("compat:pingora", "localhost:80", 1, "an address with its port");
}

/* The map of those that are left: as one made of them alone, while the divisor stays. */
static void test_map_made_anew(void **state)
{
	static const int32_t weights[][4] = {{2, 3, 5, 7}, {1, 1, 1, 1}, {12, 4, 9, 5}};
	(void)state;
	for (size_t w = 0; w < 3; w++) {
		for (uint32_t down = 0; down < 4; down++) {
			struct fl_node nodes[] = {{"a", weights[w][0], 0, NULL},
				{"b", weights[w][1], 1, NULL}, {"c", weights[w][2], 2, NULL},
				{"d", weights[w][3], 3, NULL}};
			fl_placement *p = test_place("compat:haproxy-map", nodes, 4);
			fl_placement *q = test_change(p, FL_REMOVE, nodes[down].name, 0, 0);
			uint64_t word = (uint64_t)1 << down;
			struct fl_mask mask = {&word, 1};
			for (unsigned i = 0; i < KEYS; i++) {
				struct fl_key key = fl_key_bytes(&i, sizeof(i));
				uint32_t slot;
				assert_int_equal(fl_pick(p, &key, &mask, &slot), FL_OK);
				assert_int_equal(slot, fl_lookup(q, &i, sizeof(i)));
			}
			fl_placement_unref(p);
			fl_placement_unref(q);
		}
	}
}

/* Weights 2, 4 and a 3 that is down: the divisor stays 1, and the map has 6 places, not 3. */
static void test_the_divisor_is_that_of_all(void **state)
{
	struct fl_node nodes[] = {{"a", 2, 0, NULL}, {"b", 4, 1, NULL}, {"c", 3, 2, NULL}};
	static const uint32_t places[] = {0, 1, 1, 0, 1, 1};
	fl_placement *p = test_place("compat:haproxy-map,hash=none", nodes, 3);
	uint64_t word = 4;
	struct fl_mask mask = {&word, 1};
	size_t bad = 0;
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		char text[8];
		uint32_t slot;
		struct fl_key key =
			fl_key_bytes(text, (size_t)snprintf(text, sizeof(text), "%u", i));
		assert_int_equal(fl_pick(p, &key, &mask, &slot), FL_OK);
		bad += slot != places[i % 6];
	}
	assert_int_equal(bad, 0);
	fl_placement_unref(p);
}

/* Too much to make anew at a pick: only the masked node's keys move then. */
static void test_a_large_map_under_a_mask(void **state)
{
	struct test_rng r = {8};
	struct test_nodes t = test_nodes_new(&r, 2500, 9);
	fl_placement *p = test_place("compat:haproxy-map", t.nodes, t.count);
	uint64_t words[1] = {0xffff};
	struct fl_mask mask = {words, 1};
	size_t moved = 0;
	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct fl_key key = fl_key_bytes(&i, sizeof(i));
		uint32_t plain = fl_lookup(p, &i, sizeof(i)), slot;
		assert_int_equal(fl_pick(p, &key, &mask, &slot), FL_OK);
		assert_true(slot >= 16 && (plain < 16 || slot == plain));
		moved += slot != plain;
	}
	assert_true(moved > 0);
	fl_placement_unref(p);
	test_nodes_free(&t);
}

/* ---- twemproxy ---- */

static void test_hash_tags(void **state)
{
	static const char *const same[][2] = {{"a{bc}d", "bc"}, {"{bc}", "bc"}, {"{b}{c}", "b"},
		{"}{b}", "b"}, {"{{b}", "{b"}};
	static const char *const whole[] = {"a{}bc", "a{bc", "a}bc{", "", "{}{bc}"};
	fl_placement *plain = some("compat:twemproxy-modula,hash=md5");
	fl_placement *tagged = some("compat:twemproxy-modula,hash=md5,hash-tag={}");
	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		assert_int_equal(look_up(tagged, same[i][0]), look_up(plain, same[i][1]));
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		assert_int_equal(look_up(tagged, whole[i]), look_up(plain, whole[i]));
	assert_int_equal(differ(plain, tagged, (struct form){"", "-{", ""}), 0);
	assert_true(differ(plain, tagged, (struct form){"", "-{", "}"}) > KEYS / 2);
	fl_placement_unref(plain);
	fl_placement_unref(tagged);
}

/* A weight too small for a point: never picked while others are there, the last resort without. */
static void test_ketama_without_points(void **state)
{
	struct fl_node nodes[] = {
		{"a", 1000, 0, NULL}, {"b", 1, 1, NULL}, {"c", 1000, 2, NULL}};
	fl_placement *p = test_place("compat:twemproxy-ketama", nodes, 3);
	struct fl_key key = fl_key_bytes("k", 1);
	uint64_t word = 5;
	struct fl_mask mask = {&word, 1};
	uint32_t slots[3] = {9, 9, 9};
	(void)state;
	assert_true(fl_placement_starved(p, 1));
	assert_false(fl_placement_starved(p, 0));
	assert_int_equal(fl_owners(p, &key, NULL, slots, 3), 3);
	assert_int_equal(slots[2], 1);
	assert_int_equal(fl_pick(p, &key, &mask, slots), FL_OK);
	assert_int_equal(slots[0], 1);
	fl_placement_unref(p);
}

static void test_all_keys_on_one_node(void **state)
{
	fl_placement *p = some("compat:twemproxy-ketama,hash=crc32");
	fl_placement *q = some("compat:twemproxy-ketama,hash=crc32a");
	double shares[5];
	(void)state;
	assert_non_null(strstr(fl_placement_warning(p), "all keys"));
	assert_null(fl_placement_warning(q));
	assert_int_equal(fl_shares(p, 0, shares), FL_OK);
	assert_true(shares[look_up(p, "any")] > 0.99);
	fl_placement_unref(p);
	fl_placement_unref(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binary_addresses),
		cmocka_unit_test(test_server_names),
		cmocka_unit_test(test_one_of_many_is_left),
		cmocka_unit_test(test_ip_hash),
		cmocka_unit_test(test_beyond_reach),
		cmocka_unit_test(test_movement_between_kinds_of_keys),
		cmocka_unit_test(test_default_functions),
		cmocka_unit_test(test_source_ignores_the_function),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_borders_are_half_way),
		cmocka_unit_test(test_haproxy_refuses),
		cmocka_unit_test(test_map_made_anew),
		cmocka_unit_test(test_the_divisor_is_that_of_all),
		cmocka_unit_test(test_a_large_map_under_a_mask),
		cmocka_unit_test(test_hash_tags),
		cmocka_unit_test(test_ketama_without_points),
		cmocka_unit_test(test_all_keys_on_one_node),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
