// rooms: lib
/* multiprobe: keys against the shares that it computes, those against theory, ties by name. */
#include "place/placement_priv.h"
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static double *shares_of(const fl_placement *p)
{
	uint32_t slots = fl_placement_slots(p);
	double *shares = calloc(slots + 1, sizeof(*shares)), sum = 0;
	assert_int_equal(fl_shares(p, 0, shares), FL_OK);
	for (uint32_t s = 0; s < slots; s++) {
		assert_true(shares[s] >= 0);
		assert_true(fl_placement_node(p, s)->weight > 0 || shares[s] == 0);
		sum += shares[s];
	}
	assert_true(sum > 1 - 1e-9 && sum < 1 + 1e-9);
	return shares;
}

/* Chi-square of 40,000 keys within 6 standard deviations; nodes of under 10 keys are pooled. */
static void check_keys(const fl_placement *p, uint64_t seed)
{
	uint32_t slots = fl_placement_slots(p);
	double *shares = shares_of(p), chi = 0, cells = 0, few = 0, few_expected = 0;
	double *count = calloc(slots + 1, sizeof(*count));
	for (uint64_t i = 0; i < 40000; i++)
		count[fl_lookup_hash(p, fl_mix64(seed + i * 0x10001))]++;
	for (uint32_t s = 0; s < slots; s++) {
		double expected = 40000 * shares[s], off = count[s] - expected;
		if (expected < 10) {
			few += count[s];
			few_expected += expected;
			continue;
		}
		chi += off * off / expected;
		cells++;
	}
	double off = chi - (cells - 1);
	assert_true(off < 1e-6 || off * off < 36 * 2 * (cells - 1));
	assert_true((few - few_expected) * (few - few_expected) < 36 * (few_expected + 1));
	free(shares);
	free(count);
}

static void test_keys_follow_shares(void **state)
{
	static const char *const specs[] = {"multiprobe", "multiprobe,probes=1",
		"multiprobe,probes=2,seed=3", "multiprobe,probes=64"};
	struct test_rng r = {1};
	(void)state;
	for (size_t s = 0; s < 4; s++) {
		for (size_t i = 0; i < 6; i++) {
			size_t n = i < 3 ? i + 1 : 1 + test_below(&r, 60);
			struct test_nodes t = test_nodes_new(&r, n, i % 2 ? 9 : 1);
			t.nodes[0].weight = 1;
			fl_placement *p = test_place(specs[s], t.nodes, n);
			check_keys(p, s * 1000 + i);
			fl_placement_unref(p);
			test_nodes_free(&t);
		}
	}
}

/* With one probe and equal nodes it is a ring of one point a node, arc for arc. */
static void test_one_probe_is_a_ring(void **state)
{
	struct test_rng r = {2};
	struct test_nodes t = test_nodes_new(&r, 40, 5);
	fl_placement *p = test_place("multiprobe,probes=1", t.nodes, 40);
	fl_placement *q = test_place("ring,points=1", t.nodes, 40);
	double *a = shares_of(p), *b = shares_of(q);
	(void)state;
	for (size_t i = 0; i < 40; i++)
		assert_true(a[i] - b[i] < 1e-12 && b[i] - a[i] < 1e-12);
	free(a);
	free(b);
	fl_placement_unref(p);
	fl_placement_unref(q);
	test_nodes_free(&t);
}

static double peak_of(const char *spec, const struct test_nodes *t)
{
	fl_placement *p = test_place(spec, t->nodes, t->count);
	double *shares = shares_of(p), peak = 0;
	for (size_t i = 0; i < t->count; i++)
		peak = shares[i] > peak ? shares[i] : peak;
	free(shares);
	fl_placement_unref(p);
	return peak * (double)t->count;
}

/* The paper's figure, 21 probes for a peak of 1.05, is that of many nodes. */
static void test_peak(void **state)
{
	static const size_t counts[] = {10, 100, 1000, 10000};
	static const double most[] = {1.4, 1.12, 1.06, 1.055};
	struct test_rng r = {4};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct test_nodes t = test_nodes_new(&r, counts[i], 1);
		double peak = peak_of("multiprobe", &t);
		assert_true(peak > 1.02 && peak < most[i]);
		assert_true(peak_of("multiprobe,probes=2", &t) > 1.2);
		test_nodes_free(&t);
	}
}

/* Over seeds a share is weight / sum of weights on average. */
static void test_weights(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 2, FL_NONE, NULL},
		{"c", 5, FL_NONE, NULL}, {"d", 12, FL_NONE, NULL}};
	double mean[4] = {0};
	(void)state;
	for (unsigned seed = 0; seed < 400; seed++) {
		char spec[64];
		snprintf(spec, sizeof(spec), "multiprobe,seed=%u", seed);
		fl_placement *p = test_place(spec, nodes, 4);
		double *shares = shares_of(p);
		for (size_t i = 0; i < 4; i++)
			mean[i] += shares[i] / 400;
		free(shares);
		fl_placement_unref(p);
	}
	for (size_t i = 0; i < 4; i++) {
		double off = mean[i] / (nodes[i].weight / 20.0) - 1;
		assert_true(off < 0.01 && off > -0.01);
	}
}

static void test_too_many_points(void **state)
{
	struct test_rng r = {4};
	struct test_nodes t = test_nodes_new(&r, 257, 1);
	struct fl_error err = {0, ""};
	fl_placement *p = NULL;
	(void)state;
	for (size_t i = 0; i < 257; i++)
		t.nodes[i].weight = 65535;
	assert_int_equal(fl_placement_new(&p, "multiprobe", t.nodes, 257, &err), FL_ELIMIT);
	assert_non_null(strstr(err.text, "16777216"));
	test_nodes_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_follow_shares),
		cmocka_unit_test(test_one_probe_is_a_ring),
		cmocka_unit_test(test_peak),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_too_many_points),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
