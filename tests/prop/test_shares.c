// rooms: lib
/* Shares and movement: against counting keys, against theory, and against each other.
 * Everything is seeded, so the statistical bounds (wide: about one in a million) pass or fail
 * for good. */
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static double *shares_of(const fl_placement *p, size_t samples)
{
	double *shares = calloc(fl_placement_slots(p) + 1, sizeof(*shares));
	assert_int_equal(fl_shares(p, samples, shares), FL_OK);
	return shares;
}

/* Chi-square of `keys` looked-up keys against `shares`, as standard deviations from its mean. */
static double deviation(const fl_placement *p, const double *shares, size_t keys, uint64_t seed)
{
	uint32_t slots = fl_placement_slots(p), cells = 0;
	double *count = calloc(slots + 1, sizeof(*count)), chi = 0;
	double rest_expected = 0, rest_count = 0;
	for (size_t i = 0; i < keys; i++) {
		uint64_t key = fl_mix64(seed + i * FL_WEYL);
		count[fl_lookup(p, &key, sizeof(key))]++;
	}
	for (uint32_t s = 0; s < slots; s++) {
		double expected = shares[s] * (double)keys;
		if (expected < 10) {
			rest_expected += expected;
			rest_count += count[s];
			continue;
		}
		chi += (count[s] - expected) * (count[s] - expected) / expected;
		cells++;
	}
	if (rest_expected >= 10) {
		chi += (rest_count - rest_expected) * (rest_count - rest_expected) /
		       rest_expected;
		cells++;
	} else {
		assert_true(rest_count < 60);
	}
	free(count);
	if (cells < 2)
		return 0;
	/* Wilson and Hilferty would be closer; for a bound this wide the variance will do. */
	double off = chi - (cells - 1);
	return off * (off < 0 ? -off : off) / (2.0 * (cells - 1));
}

static const char *const exact[] = {"table", "table,rows=256", "table,epsilon=2%", "ring",
	"ring,points=5", "rendezvous", "modulo", "anchor", "dx", "compat:python-ring",
	"compat:circle-360", "compat:nginx-consistent",
	"compat:haproxy-consistent,hash=crc32,avalanche=1",
	"compat:haproxy-map,hash=crc32,avalanche=1", "compat:nginx-hash", "compat:envoy-ring",
	"compat:grpc-ring", "compat:twemproxy-ketama,hash=md5"};

static void test_keys_follow_shares(void **state)
{
	(void)state;
	for (size_t a = 0; a < sizeof(exact) / sizeof(exact[0]); a++) {
		struct test_rng r = {a};
		for (int i = 0; i < 6; i++) {
			size_t n = i < 2 ? (size_t)i + 1 : 2 + test_below(&r, 60);
			int32_t weight = a < 6 && i % 2 ? 12 : 1;
			struct test_nodes t = test_nodes_new(&r, n, weight);
			t.nodes[0].weight = 1;
			fl_placement *p = test_place(exact[a], t.nodes, n);
			double *shares = shares_of(p, 0), sum = 0;
			for (uint32_t s = 0; s < fl_placement_slots(p); s++) {
				sum += shares[s];
				assert_true(
					fl_placement_node(p, s)->weight > 0 || shares[s] == 0);
			}
			assert_true(sum > 1 - 1e-12 && sum < 1 + 1e-12);
			/* 6 standard deviations, squared. */
			assert_true(deviation(p, shares, 40000, a * 1000003) < 36);
			free(shares);
			fl_placement_unref(p);
			test_nodes_free(&t);
		}
	}
}

/* Weighted rendezvous against theory: w / W, and the table's exact rows around it. */
static void test_weighted_theory(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 2, FL_NONE, NULL},
		{"c", 10, FL_NONE, NULL}, {"d", 100, FL_NONE, NULL}, {"e", 300, FL_NONE, NULL},
		{"f", 0, FL_NONE, NULL}};
	(void)state;
	for (uint64_t seed = 0; seed < 6; seed++) {
		char spec[64];
		double theory[6], chi = 0;
		for (int i = 0; i < 6; i++)
			theory[i] = nodes[i].weight / 413.0;
		snprintf(spec, sizeof(spec), "rendezvous,seed=%u", (unsigned)seed);
		fl_placement *p = test_place(spec, nodes, 6);
		double *shares = shares_of(p, 0);
		for (int i = 0; i < 6; i++)
			assert_true(shares[i] == theory[i]);
		assert_true(deviation(p, theory, 200000, seed) < 36);
		free(shares);
		fl_placement_unref(p);
		snprintf(spec, sizeof(spec), "table,seed=%u", (unsigned)seed);
		p = test_place(spec, nodes, 6);
		shares = shares_of(p, 0);
		for (int i = 0; i < 5; i++) {
			double rows = shares[i] * 65536, off = rows - theory[i] * 65536;
			chi += off * off / (theory[i] * 65536);
		}
		assert_true(chi < 4 + 6 * 2.9);
		free(shares);
		fl_placement_unref(p);
	}
}

/* A ring's shares have a relative variance of about 1 / points. */
static void test_ring_theory(void **state)
{
	struct test_rng r = {3};
	struct test_nodes t = test_nodes_new(&r, 50, 1);
	double sum = 0;
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		char spec[64];
		snprintf(spec, sizeof(spec), "ring,points=40,seed=%u", (unsigned)seed);
		fl_placement *p = test_place(spec, t.nodes, 50);
		double *shares = shares_of(p, 0);
		for (int i = 0; i < 50; i++)
			sum += (shares[i] * 50 - 1) * (shares[i] * 50 - 1);
		free(shares);
		fl_placement_unref(p);
	}
	/* 1000 squares with mean 1/40 and a spread of about 1.5 of it. */
	assert_true(sum / 1000 > 0.8 / 40 && sum / 1000 < 1.2 / 40);
	test_nodes_free(&t);
}

/* Two seeds are two independent placements: they agree on about one key in n. */
static void test_seeds_are_independent(void **state)
{
	static const char *const specs[][2] = {{"table", "table,seed=1"},
		{"ring", "ring,seed=1"}, {"rendezvous", "rendezvous,seed=1"},
		{"modulo", "modulo,seed=1"}};
	struct test_rng r = {4};
	struct test_nodes t = test_nodes_new(&r, 10, 1);
	(void)state;
	for (size_t a = 0; a < 4; a++) {
		fl_placement *p = test_place(specs[a][0], t.nodes, 10);
		fl_placement *q = test_place(specs[a][1], t.nodes, 10);
		size_t agree = 0;
		for (uint64_t i = 0; i < 20000; i++) {
			uint64_t key = fl_mix64(i);
			agree += fl_lookup(p, &key, 8) == fl_lookup(q, &key, 8);
		}
		assert_true(agree > 1700 && agree < 2300);
		fl_placement_unref(p);
		fl_placement_unref(q);
	}
	test_nodes_free(&t);
}

/* ---- movement ---- */

static double counted(const fl_placement *p, const fl_placement *q, size_t keys)
{
	size_t moved = 0;
	for (uint64_t i = 0; i < keys; i++) {
		uint64_t key = fl_mix64(i ^ 0x5555);
		moved += strcmp(test_owner(p, (char *)&key, 8),
				 test_owner(q, (char *)&key, 8)) != 0;
	}
	return (double)moved / (double)keys;
}

static double least_of(const fl_placement *p, const fl_placement *q)
{
	double *a = shares_of(p, 0), *b = shares_of(q, 0), sum = 0;
	for (uint32_t s = 0; s < fl_placement_slots(p); s++) {
		uint32_t to = fl_placement_find(q, fl_placement_node(p, s)->name);
		double off = (to == FL_NONE ? 0 : b[to]) - a[s];
		sum += off < 0 ? -off : off;
	}
	for (uint32_t s = 0; s < fl_placement_slots(q); s++) {
		const struct fl_node *node = fl_placement_node(q, s);
		if (node && fl_placement_find(p, node->name) == FL_NONE)
			sum += b[s];
	}
	free(a);
	free(b);
	return sum / 2;
}

static void check_report(const struct fl_movement *m)
{
	double sum = 0;
	for (size_t i = 0; i < m->count; i++) {
		const struct fl_flow *f = &m->flows[i];
		assert_true(f->share > 0);
		assert_true(i == 0 || f->share <= m->flows[i - 1].share);
		assert_true(!f->from || !f->to || strcmp(f->from, f->to) != 0);
		sum += f->share;
	}
	assert_true(sum > m->moved - 1e-9 && sum < m->moved + 1e-9);
	assert_true(m->least <= m->moved + 1e-9);
}

static bool near(double a, double b, double by)
{
	return a - b <= by && b - a <= by;
}

static void check_movement(const fl_placement *p, const fl_placement *q, bool exact_shares)
{
	struct fl_movement *m;
	assert_int_equal(fl_movement_new(&m, p, q, 50000, NULL), FL_OK);
	check_report(m);
	assert_true(m->exact == (m->interval == 0));
	/* 20,000 and 50,000 keys: 6 standard deviations together are under 0.025. */
	assert_true(near(m->moved, counted(p, q, 20000), 0.025));
	if (m->exact)
		assert_true(near(m->least, least_of(p, q), 1e-9));
	else if (exact_shares)
		assert_true(near(m->least, least_of(p, q), 0.04));
	fl_movement_free(m);
}

static void test_movement_against_counting(void **state)
{
	(void)state;
	for (size_t a = 0; a < sizeof(exact) / sizeof(exact[0]); a++) {
		struct test_rng r = {a + 50};
		for (int i = 0; i < 4; i++) {
			struct test_nodes t = test_nodes_new(&r, 5 + test_below(&r, 20), 1);
			fl_placement *p = test_place(exact[a], t.nodes, t.count);
			fl_placement *q = test_place(exact[a], t.nodes + 2, t.count - 3), *s;
			check_movement(p, q, true);
			s = test_change(p, FL_ADD, "10.1.1.1:1", 1, FL_NONE);
			check_movement(p, s, true);
			fl_placement_unref(q);
			q = test_place(exact[(a + 1) % 8], t.nodes, t.count);
			check_movement(p, q, true);
			fl_placement_unref(p);
			fl_placement_unref(q);
			fl_placement_unref(s);
			test_nodes_free(&t);
		}
	}
}

/* What is minimal moves exactly the least. */
static void test_minimal_is_least(void **state)
{
	static const char *const specs[] = {"table", "ring", "rendezvous", "compat:python-ring",
		"compat:circle-360", "compat:java-rendezvous"};
	(void)state;
	for (size_t a = 0; a < 6; a++) {
		struct test_rng r = {a + 70};
		struct test_nodes t = test_nodes_new(&r, 8, 1);
		fl_placement *p = test_place(specs[a], t.nodes, 8);
		fl_placement *q = test_change(p, FL_ADD, "10.1.1.1:1", 1, FL_NONE);
		struct fl_movement *m;
		assert_int_equal(fl_movement_new(&m, p, q, 20000, NULL), FL_OK);
		assert_true(near(m->moved, m->least, 1e-9));
		for (size_t i = 0; i < m->count; i++)
			assert_string_equal(m->flows[i].to, "10.1.1.1:1");
		fl_movement_free(m);
		fl_placement_unref(p);
		fl_placement_unref(q);
		test_nodes_free(&t);
	}
}

/* From nobody, to nobody, and to the same: whole numbers. */
static void test_movement_at_the_ends(void **state)
{
	static const char *const specs[] = {"table", "ring", "rendezvous", "modulo",
		"compat:python-ring", "compat:java-rendezvous"};
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}};
	(void)state;
	for (size_t a = 0; a < 6; a++) {
		fl_placement *none = test_place(specs[a], NULL, 0);
		fl_placement *one = test_place(specs[a], nodes, 1);
		struct fl_movement *m;
		assert_int_equal(fl_movement_new(&m, none, one, 1000, NULL), FL_OK);
		assert_true(m->moved == 1 && m->least == 1 && m->count == 1);
		assert_null(m->flows[0].from);
		assert_string_equal(m->flows[0].to, "a");
		fl_movement_free(m);
		assert_int_equal(fl_movement_new(&m, one, none, 1000, NULL), FL_OK);
		assert_true(m->moved == 1 && m->least == 1 && m->count == 1);
		assert_string_equal(m->flows[0].from, "a");
		assert_null(m->flows[0].to);
		fl_movement_free(m);
		assert_int_equal(fl_movement_new(&m, one, one, 1000, NULL), FL_OK);
		assert_true(m->moved == 0 && m->least == 0 && m->count == 0);
		fl_movement_free(m);
		assert_int_equal(fl_movement_new(&m, none, none, 1000, NULL), FL_OK);
		assert_true(m->moved == 0);
		fl_movement_free(m);
		fl_placement_unref(none);
		fl_placement_unref(one);
	}
	fl_movement_free(NULL);
}

/* The 99 % interval of a few samples holds what many samples say about 99 times in 100. */
static void test_interval(void **state)
{
	struct test_rng r = {11};
	int outside = 0;
	(void)state;
	for (int i = 0; i < 100; i++) {
		struct test_nodes t = test_nodes_new(&r, 3 + test_below(&r, 8), 1);
		fl_placement *p = test_place("ring,points=7", t.nodes, t.count);
		fl_placement *q = test_place("ring,points=7,seed=1", t.nodes, t.count);
		struct fl_movement *sampled, *whole;
		/* Two seeds hash keys differently, so there is nothing but sampling. */
		assert_int_equal(fl_movement_new(&sampled, p, q, 2000, NULL), FL_OK);
		assert_false(sampled->exact);
		assert_int_equal(fl_movement_new(&whole, p, q, 100000, NULL), FL_OK);
		outside += !near(sampled->moved, whole->moved, sampled->interval);
		assert_true(whole->interval < sampled->interval);
		fl_movement_free(sampled);
		fl_movement_free(whole);
		fl_placement_unref(p);
		fl_placement_unref(q);
		test_nodes_free(&t);
	}
	assert_true(outside <= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_follow_shares),
		cmocka_unit_test(test_weighted_theory),
		cmocka_unit_test(test_ring_theory),
		cmocka_unit_test(test_seeds_are_independent),
		cmocka_unit_test(test_movement_against_counting),
		cmocka_unit_test(test_minimal_is_least),
		cmocka_unit_test(test_movement_at_the_ends),
		cmocka_unit_test(test_interval),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
