/* The rendezvous order against the plainest form of itself: every exact value, sorted. */
#include "place/hrw.h"

#include "place/log2.h"
#include "place/place.h"
#include "place/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 700

struct plain {
	uint64_t value, score;
	uint32_t weight, slot;
	const char *name;
};

static int by_order(const void *a, const void *b)
{
	const struct plain *x = a, *y = b;
	/* The high halves of the products, then the low ones: 32-bit machines have no more. */
	uint64_t left = fl_mul_high_portable(x->value, y->weight);
	uint64_t right = fl_mul_high_portable(y->value, x->weight);
	if (left != right)
		return left < right ? -1 : 1;
	if (x->value * y->weight != y->value * x->weight)
		return x->value * y->weight < y->value * x->weight ? -1 : 1;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return strcmp(x->name, y->name);
}

static size_t plain_order(const struct fl_placement *p, uint64_t key,
	const struct fl_mask *mask, struct plain *out)
{
	size_t n = 0;
	for (uint32_t i = 0; i < p->count; i++) {
		const struct fl_node *node = &p->nodes[i];
		uint64_t score = fl_score(p->hashes[i], key);
		if (node->weight == 0 || fl_masked(mask, node->slot))
			continue;
		out[n++] = (struct plain){fl_neg_log2(score), score, (uint32_t)node->weight,
			node->slot, node->name};
	}
	qsort(out, n, sizeof(*out), by_order);
	return n;
}

static struct fl_placement *make(uint32_t n, uint64_t seed, uint32_t most_weight)
{
	static char names[MOST][24];
	struct fl_node nodes[MOST];
	uint64_t options[FL_MAX_OPTIONS] = {seed};
	struct fl_placement *p = NULL;
	for (uint32_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "n%llx",
			(unsigned long long)(fl_mix64(seed + i) >> 20));
		nodes[i] = (struct fl_node){names[i], 1, FL_NONE, NULL};
		if (most_weight > 1)
			nodes[i].weight = (int32_t)(fl_mix64(seed ^ i) % (most_weight + 1));
	}
	assert_int_equal(fl_place_new(&p,
				 &(struct fl_recipe){.algorithm = &fl_algorithm_rendezvous,
					 .options = options},
				 nodes, n, NULL),
		FL_OK);
	return p;
}

static void check_order(const struct fl_placement *p, uint64_t key, const struct fl_mask *mask)
{
	static const size_t ks[] = {1, 2, 3, 64, 65, MOST};
	static struct plain expected[MOST];
	static uint32_t got[MOST];
	const struct fl_hrw *h = p->state;
	size_t n = plain_order(p, key, mask, expected);
	for (size_t i = 0; i < sizeof(ks) / sizeof(ks[0]); i++) {
		size_t k = ks[i] < p->eligible ? ks[i] : p->eligible;
		int found = fl_hrw_order(h, key, mask, got, k);
		assert_int_equal(found, k < n ? k : n);
		for (int j = 0; j < found; j++)
			assert_int_equal(got[j], expected[j].slot);
	}
	assert_int_equal(fl_hrw_first_unmasked(h, key, mask), n ? expected[0].slot : FL_NONE);
	for (size_t i = 1; i < n; i += 1 + n / 5) {
		assert_true(fl_hrw_before(h, key, expected[i - 1].slot, expected[i].slot));
		assert_false(fl_hrw_before(h, key, expected[i].slot, expected[i - 1].slot));
	}
}

/* What the kernels' bounds rest on. */
static void check_inverses(const struct fl_hrw *h)
{
	for (uint32_t i = 0; i < h->count; i++) {
		double product =
			(double)h->inverse[i] * h->weight[i] * 0x1p31 * 0.6931471805599453;
		assert_true(product < 1.0 - 0x1p-13 && product > 1.0 - 0x1p-11);
	}
}

static void check_kernels(struct fl_placement *p, uint64_t key)
{
	struct fl_hrw *h = p->state;
	const struct fl_kernels *best = h->kernels;
	uint32_t first = fl_hrw_first(h, key);
	for (unsigned i = 0; (h->kernels = fl_kernels_at(i)); i++) {
		uint64_t keys[70];
		uint32_t slots[71];
		size_t n = key % 71;
		assert_int_equal(fl_hrw_first(h, key), first);
		for (size_t j = 0; j < 70; j++)
			keys[j] = fl_mix64(key + j);
		slots[n] = 12345;
		fl_hrw_firsts(h, keys, n, slots);
		for (size_t j = 0; j < n; j++)
			assert_int_equal(slots[j], fl_hrw_first(h, keys[j]));
		assert_int_equal(slots[n], 12345);
	}
	h->kernels = best;
}

static void test_against_sorting(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 16, 17, 100, 255, 256, 257, 600};
	static const uint32_t weights[] = {1, 2, 10, 65535};
	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (size_t w = 0; w < 4; w++) {
			struct fl_placement *p = make(sizes[s], s * 16 + w, weights[w]);
			uint64_t words[MOST / 64 + 1];
			if (p->state)
				check_inverses(p->state);
			struct fl_mask mask = {words, 1 + w};
			for (uint64_t key = 0; p->state && key < 40; key++) {
				uint64_t k = fl_mix64(key);
				for (size_t i = 0; i < MOST / 64 + 1; i++)
					words[i] =
						fl_mix64(k + i) | (key == 7 ? UINT64_MAX : 0);
				check_order(p, k, NULL);
				check_order(p, k, &mask);
				check_kernels(p, k);
			}
			fl_place_unref(p);
		}
	}
}

/* Equal weights of any size: exactly the mapping without weights. */
static void test_equal_weights(void **state)
{
	static const int32_t weights[] = {1, 2, 3, 1000, 65535};
	uint64_t options[FL_MAX_OPTIONS] = {3};
	struct fl_node nodes[50];
	char names[50][8];
	struct fl_placement *p[5];
	(void)state;
	for (int w = 0; w < 5; w++) {
		for (int i = 0; i < 50; i++) {
			snprintf(names[i], sizeof(names[i]), "%d", i);
			nodes[i] = (struct fl_node){names[i], weights[w], FL_NONE, NULL};
		}
		assert_int_equal(
			fl_place_new(&p[w],
				&(struct fl_recipe){.algorithm = &fl_algorithm_rendezvous,
					.options = options},
				nodes, 50, NULL),
			FL_OK);
	}
	for (uint64_t key = 0; key < 3000; key++) {
		uint64_t k = fl_mix64(key);
		uint32_t slot = p[0]->lookup(p[0], k);
		for (int w = 1; w < 5; w++) {
			struct fl_hrw *h = p[w]->state;
			assert_int_equal(p[w]->lookup(p[w], k), slot);
			/* The weighted code agrees with itself when all weights are equal. */
			h->weighted = true;
			assert_int_equal(p[w]->lookup(p[w], k), slot);
			h->weighted = false;
		}
	}
	for (int w = 0; w < 5; w++)
		fl_place_unref(p[w]);
}

/* Nodes made to have one hash tie in everything but the name. */
static void test_ties_go_to_the_smaller_name(void **state)
{
	(void)state;
	for (uint32_t weighted = 0; weighted < 2; weighted++) {
		struct fl_placement *p = make(300, 5, 1);
		struct fl_hrw *h = p->state;
		h->weighted = weighted;
		for (uint64_t key = 0; key < 300; key++) {
			uint32_t best = h->index[fl_hrw_first(h, fl_mix64(key))];
			uint32_t other = (uint32_t)(fl_mix64(key) % 300);
			uint32_t low = best < other ? best : other, slots[2];
			uint32_t lo = h->lo[other], hi = h->hi[other];
			h->lo[other] = h->lo[best];
			h->hi[other] = h->hi[best];
			assert_int_equal(fl_hrw_first(h, fl_mix64(key)), h->slot[low]);
			assert_int_equal(fl_hrw_order(h, fl_mix64(key), NULL, slots, 2), 2);
			assert_int_equal(slots[0], h->slot[low]);
			h->lo[other] = lo;
			h->hi[other] = hi;
		}
		fl_place_unref(p);
	}
}

/* Scores that agree in their high half are told apart by the low one. */
static void test_low_half_decides(void **state)
{
	struct fl_placement *p = make(2, 1, 1);
	struct fl_hrw *h = p->state;
	uint64_t key = 0x123456789abcdef0u;
	uint32_t x = (uint32_t)key, y = (uint32_t)(key >> 32), seen[2] = {0, 0};
	(void)state;
	/* The high score sees the node only as f(a) + (b ^ y): shift one, take it back in b. */
	for (uint32_t a = 1; a < 200; a++) {
		uint32_t f0 = (h->lo[0] ^ x) * 0x9e3779b1u, f1 = (a ^ x) * 0x9e3779b1u;
		f0 ^= f0 >> 15;
		f1 ^= f1 >> 15;
		/* The padding repeats the last node. */
		for (uint32_t i = 1; i < h->padded; i++) {
			h->lo[i] = a;
			h->hi[i] = (f0 + (h->hi[0] ^ y) - f1) ^ y;
		}
		uint64_t s0 = fl_score(((uint64_t)h->hi[0] << 32) | h->lo[0], key);
		uint64_t s1 = fl_score(((uint64_t)h->hi[1] << 32) | h->lo[1], key);
		assert_int_equal(s0 >> 32, s1 >> 32);
		assert_int_not_equal(s0, s1);
		uint32_t expected = s0 > s1 ? 0 : 1;
		seen[expected]++;
		assert_int_equal(fl_hrw_first(h, key), h->slot[expected]);
	}
	assert_true(seen[0] > 20 && seen[1] > 20);
	fl_place_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_sorting),
		cmocka_unit_test(test_equal_weights),
		cmocka_unit_test(test_ties_go_to_the_smaller_name),
		cmocka_unit_test(test_low_half_decides),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
