// rooms: hash place
/* Are the mixers good enough for what stands on them? Every mixer in use is tried on random and
 * on structured inputs, by chi-square (are the values spread evenly?) and by avalanche (does each
 * bit of the input change each bit of the output half of the time?).
 *
 * Bounds. All counts are of fair coins if the mixer is good, and the inputs are fixed, so a test
 * either always passes or never.
 *   - Chi-square over 256 cells has 255 degrees of freedom, mean 255, variance 510. EVEN is 6
 *     standard deviations either way, 390.5 and 119.5: by chance beyond it about once in 10^7
 *     tries upward (the tail is fatter than the normal one), and there are a few hundred. Too
 *     even counts are refused like uneven ones: random keys are not evenly spread.
 *   - Avalanche: of TRIALS inputs, a bit must flip in TRIALS/2 +- FLIP. Structured inputs hold x
 *     as well as x with the bit changed, so a pair may count twice and TRIALS/2 coins are sure;
 *     FLIP is 6 standard deviations of theirs: by chance once in 5 * 10^8, and a mixer has 4096
 *     pairs of bits.
 *   - The lane score is narrow on purpose: it takes uniform hashes, and the second word of both
 *     passes through two multiplies only, so its highest bits do not reach every bit. How many
 *     pairs of bits that spoils is bounded (LOOSE), as is what it is for: which node comes first
 *     and which second, of hashed and of half-fixed keys, by chi-square against equal chances.
 * That the measures see weak mixers is tested too: each has a weakened sibling that must fail. */
#include "hash/mix.h"
#include "hash/salt.h"
#include "hash/xxh3.h"
#include "place/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CELLS  256
#define KEYS   65536u
#define TRIALS 16384
#define FLIP   543 /* 6 deviations of TRIALS / 2 coins, times 2: 6 * sqrt(8192) / 2 * 2 */

typedef uint64_t mixer(uint64_t x);

struct subject {
	const char *name;
	mixer *mix;
	unsigned bits; /* of output */
};

/* ---- what is in use ---- */

static const uint64_t some_seed = 0x6a09e667f3bcc908u, some_node = 0xbb67ae8584caa73bu;

static uint64_t key_hash(uint64_t x)
{
	unsigned char bytes[8];
	fl_store64_le(bytes, x);
	return fl_xxh3(bytes, sizeof(bytes), 0);
}

static uint64_t key_hash_seeded(uint64_t x)
{
	unsigned char bytes[8];
	fl_store64_le(bytes, x);
	return fl_xxh3(bytes, sizeof(bytes), some_seed);
}

static uint64_t seed_of_key_hash(uint64_t x)
{
	return fl_xxh3("one key", 7, x);
}

static uint64_t row_mix(uint64_t x)
{
	return fl_mix64(fl_salted(0, FL_SALT_ROW) + x * FL_WEYL);
}

static uint64_t point_mix(uint64_t x)
{
	return fl_mix64(fl_mix64(some_node ^ FL_SALT_POINT) + x * FL_WEYL);
}

static uint64_t point_base(uint64_t x)
{
	return fl_mix64(fl_mix64(x ^ FL_SALT_POINT) + FL_WEYL);
}

static uint64_t attempt_mix(uint64_t x)
{
	return fl_mix64(x + 3 * FL_SALT_ATTEMPT);
}

static uint64_t attempt_number(uint64_t x)
{
	return fl_mix64(some_seed + x * FL_SALT_ATTEMPT);
}

static uint64_t salted_seed(uint64_t x)
{
	return fl_salted(x, FL_SALT_NODE);
}

/* Two purposes of one seed: what they do not share. */
static uint64_t salted_apart(uint64_t x)
{
	return fl_salted(x, FL_SALT_NODE) ^ fl_salted(x, FL_SALT_ROW);
}

static uint64_t score_low_of_key(uint64_t x)
{
	return fl_score_low(some_node, x);
}

static uint64_t score_low_of_node(uint64_t x)
{
	return fl_score_low(x, some_seed);
}

static uint64_t lane_of_key(uint64_t x)
{
	return fl_score(some_node, x) >> 32;
}

static uint64_t lane_of_node(uint64_t x)
{
	return fl_score(x, some_seed) >> 32;
}

/* As the lanes are used: what comes in was hashed before. */
static uint64_t lane_of_hashed_key(uint64_t x)
{
	return fl_score(some_node, key_hash(x)) >> 32;
}

static uint64_t lane_of_row(uint64_t x)
{
	return fl_score(some_node, row_mix(x)) >> 32;
}

static const struct subject strict[] = {
	{"key hash", key_hash, 64},
	{"key hash, seeded", key_hash_seeded, 64},
	{"seed of the key hash", seed_of_key_hash, 64},
	{"mix64", fl_mix64, 64},
	{"rows", row_mix, 64},
	{"points", point_mix, 64},
	{"points' bases", point_base, 64},
	{"attempts, hash", attempt_mix, 64},
	{"attempts, number", attempt_number, 64},
	{"salted seeds", salted_seed, 64},
	{"salts apart", salted_apart, 64},
	{"low score, key", score_low_of_key, 32},
	{"low score, node", score_low_of_node, 32},
	{"lane, hashed keys", lane_of_hashed_key, 32},
	{"lane, rows", lane_of_row, 32},
};
static const struct subject lanes[] = {
	{"lane, key", lane_of_key, 32},
	{"lane, node", lane_of_node, 32},
};
#define STRICT (sizeof(strict) / sizeof(strict[0]))

/* ---- inputs ---- */

static uint64_t sequential(uint32_t i)
{
	return i;
}

static uint64_t high_bits(uint32_t i)
{
	return (uint64_t)i << 48;
}

static uint64_t middle_bits(uint32_t i)
{
	return (uint64_t)i << 24;
}

static uint64_t gray(uint32_t i)
{
	return i ^ (i >> 1);
}

/* 10.0.0.0/8 by subnets of four hosts, as a network would be numbered. */
static uint64_t address(uint32_t i)
{
	return 0x0a000000u + (uint64_t)(i / 4) * 256 + i % 4 + 1;
}

/* Port and address beside each other. */
static uint64_t flow(uint32_t i)
{
	return (uint64_t)(32768 + i % 256) << 32 | (0xc0a80000u + i / 256);
}

/* One bit of every fourth: 16 bits of entropy all over the word. */
static uint64_t sparse(uint32_t i)
{
	uint64_t x = 0;
	for (unsigned b = 0; b < 16; b++)
		x |= (uint64_t)(i >> b & 1) << (4 * b);
	return x;
}

static uint64_t repeated(uint32_t i)
{
	return i * 0x0001000100010001u;
}

static uint64_t multiples(uint32_t i)
{
	return i * FL_WEYL;
}

static uint64_t downwards(uint32_t i)
{
	return 0 - (uint64_t)i;
}

static uint64_t scattered(uint32_t i)
{
	uint64_t x = i + 1; /* not by a mixer under test: two rounds of xorshift and multiply */
	for (int k = 0; k < 4; k++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		x *= 0xd1342543de82ef95u;
	}
	return x;
}

static const struct {
	const char *name;
	uint64_t (*at)(uint32_t i);
} inputs[] = {
	{"sequential", sequential},
	{"high bits", high_bits},
	{"middle bits", middle_bits},
	{"gray code", gray},
	{"addresses", address},
	{"flows", flow},
	{"sparse", sparse},
	{"repeated", repeated},
	{"multiples", multiples},
	{"downwards", downwards},
	{"random", scattered},
};
#define INPUTS (sizeof(inputs) / sizeof(inputs[0]))

/* ---- chi-square ---- */

static double chi_square(const uint32_t *counts, size_t cells, double total)
{
	double mean = total / (double)cells, sum = 0;
	for (size_t i = 0; i < cells; i++)
		sum += ((double)counts[i] - mean) * ((double)counts[i] - mean);
	return sum / mean;
}

/* Within 6 standard deviations of what `cells` fair cells give. */
static bool even(const uint32_t *counts, size_t cells, double total)
{
	double freedom = (double)cells - 1;
	double off = chi_square(counts, cells, total) - freedom;
	return off * off < 36 * 2 * freedom;
}

/* Whether 8 bits at every place of the output are even, and the remainder by a prime. */
static bool spreads(const struct subject *s, uint64_t (*input)(uint32_t))
{
	static uint32_t counts[8][CELLS], primes[251];
	memset(counts, 0, sizeof(counts));
	memset(primes, 0, sizeof(primes));
	for (uint32_t i = 0; i < KEYS; i++) {
		uint64_t y = s->mix(input(i));
		for (unsigned place = 0; place < s->bits / 8; place++)
			counts[place][y >> (8 * place) & (CELLS - 1)]++;
		primes[y % 251]++;
	}
	for (unsigned place = 0; place < s->bits / 8; place++) {
		if (!even(counts[place], CELLS, KEYS))
			return false;
	}
	return even(primes, 251, KEYS);
}

static void test_values_are_spread_evenly(void **state)
{
	size_t bad = 0;
	(void)state;
	for (size_t s = 0; s < STRICT; s++) {
		for (size_t i = 0; i < INPUTS; i++) {
			if (spreads(&strict[s], inputs[i].at))
				continue;
			printf("%s: %s are not spread\n", strict[s].name, inputs[i].name);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
}

/* ---- keys of bytes ---- */

#define FORMS 8

static int text_of(unsigned form, uint32_t i, char text[400])
{
	switch (form) {
	case 0:
		return snprintf(text, 400, "%u", i);
	case 1:
		return snprintf(text, 400, "key-%u", i);
	case 2:
		return snprintf(text, 400, "user:%08u:session", i);
	case 3:
		return snprintf(text, 400, "10.0.%u.%u", i / 256, i % 256);
	case 4:
		return snprintf(text, 400, "%u.example.com/some/path", i);
	case 5:
		return snprintf(text, 400, "/static/%0200u", i);
	case 6:
		return snprintf(text, 400, "%0300u", i);
	default:
		return snprintf(
			text, 400, "%x-%x-%x-%x", i & 15, i >> 4 & 15, i >> 8 & 15, i >> 12);
	}
}

static void test_texts_are_spread_evenly(void **state)
{
	static uint32_t counts[8][CELLS];
	(void)state;
	for (unsigned form = 0; form < FORMS; form++) {
		memset(counts, 0, sizeof(counts));
		for (uint32_t i = 0; i < KEYS; i++) {
			char text[400];
			uint64_t y = fl_xxh3(text, (size_t)text_of(form, i, text), some_seed);
			for (unsigned place = 0; place < 8; place++)
				counts[place][y >> (8 * place) & (CELLS - 1)]++;
		}
		for (unsigned place = 0; place < 8; place++)
			assert_true(even(counts[place], CELLS, KEYS));
	}
}

/* Every bit of short keys and some of long ones, in every length class of XXH3 that has more keys
 * than TRIALS. */
static void test_texts_avalanche(void **state)
{
	static const size_t sizes[] = {4, 5, 8, 9, 16, 17, 64, 128, 129, 240, 241, 300};
	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t step = sizes[s] < 32 ? 1 : 7 + sizes[s] / 4;
		for (size_t bit = 0; bit < 8 * sizes[s]; bit += step) {
			uint32_t flips[64] = {0};
			for (uint32_t t = 0; t < TRIALS / 4; t++) {
				unsigned char text[304];
				for (size_t w = 0; w <= sizes[s] / 8; w++)
					fl_store64_le(
						text + 8 * w, scattered(t * 64 + (uint32_t)w));
				uint64_t y = fl_xxh3(text, sizes[s], some_seed);
				text[bit / 8] ^= (unsigned char)(1u << bit % 8);
				y ^= fl_xxh3(text, sizes[s], some_seed);
				for (unsigned b = 0; b < 64; b++)
					flips[b] += y >> b & 1;
			}
			/* 192 is 6 deviations of TRIALS / 4 = 4096 coins. */
			for (unsigned b = 0; b < 64; b++)
				assert_in_range(flips[b], TRIALS / 8 - 192, TRIALS / 8 + 192);
		}
	}
}

/* ---- avalanche ---- */

/* How often each bit was set in the words added: counters of 15 bits, one bit a plane. */
struct tally {
	uint64_t planes[15];
};

static void tally_add(struct tally *t, uint64_t word)
{
	for (unsigned p = 0; word != 0 && p < 15; p++) {
		uint64_t carry = t->planes[p] & word;
		t->planes[p] ^= word;
		word = carry;
	}
}

static uint32_t tally_of(const struct tally *t, unsigned bit)
{
	uint32_t count = 0;
	for (unsigned p = 0; p < 15; p++)
		count |= (uint32_t)(t->planes[p] >> bit & 1) << p;
	return count;
}

/* How many of the pairs of input and output bits are further than FLIP from flipping half of
 * the time. */
static unsigned loose_pairs(const struct subject *s, uint64_t (*input)(uint32_t))
{
	unsigned loose = 0;
	for (unsigned in = 0; in < 64; in++) {
		struct tally flips = {{0}};
		for (uint32_t t = 0; t < TRIALS; t++) {
			uint64_t x = input(t);
			tally_add(&flips, s->mix(x) ^ s->mix(x ^ (uint64_t)1 << in));
		}
		for (unsigned b = 0; b < s->bits; b++) {
			uint32_t n = tally_of(&flips, b);
			loose += n > TRIALS / 2 + FLIP || n < TRIALS / 2 - FLIP;
		}
	}
	return loose;
}

static uint64_t (*const for_avalanche[])(uint32_t) = {
	scattered, sequential, high_bits, sparse, downwards};
#define AVALANCHES (sizeof(for_avalanche) / sizeof(for_avalanche[0]))

static void test_every_bit_changes_every_bit(void **state)
{
	(void)state;
	for (size_t s = 0; s < STRICT; s++) {
		for (size_t i = 0; i < AVALANCHES; i++) {
			unsigned loose = loose_pairs(&strict[s], for_avalanche[i]);
			if (loose > 0)
				printf("%s: %u pairs of bits\n", strict[s].name, loose);
			assert_int_equal(loose, 0);
		}
	}
}

/* Of 64 * 32 pairs. The highest bit of the second word always flips the highest bits of the lane
 * in one pattern, and the next ones nearly so: those of the upper six bits are all there are. */
#define LOOSE 110

/* The mixer with the upper six bits of its input left out. */
static uint64_t lane_of_key_low(uint64_t x)
{
	return lane_of_key(x << 6 >> 6 | some_seed >> 58 << 58);
}

static void test_lanes_are_loose_only_as_known(void **state)
{
	struct subject low = {"lane, lower bits of the key", lane_of_key_low, 32};
	(void)state;
	assert_in_range(loose_pairs(&lanes[0], scattered), 1, LOOSE);
	assert_in_range(loose_pairs(&lanes[1], scattered), 1, LOOSE);
	/* Here six bits change nothing at all, which makes 6 * 32 loose pairs, and no more. */
	assert_int_equal(loose_pairs(&low, scattered), 6 * 32);
}

/* ---- choices ---- */

#define NODES 100

typedef uint64_t scorer(uint64_t node, uint64_t key);

/* How often each node comes first (and second) for the keys; are chances equal? */
static bool choices_even(scorer *score, uint64_t (*input)(uint32_t), mixer *hash)
{
	uint32_t first[NODES] = {0}, second[NODES] = {0};
	uint64_t nodes[NODES];
	for (uint32_t n = 0; n < NODES; n++)
		nodes[n] = fl_salted(n, FL_SALT_NODE);
	for (uint32_t i = 0; i < KEYS; i++) {
		uint64_t key = hash(input(i)), best = 0, next = 0;
		uint32_t at = 0, after = 0;
		for (uint32_t n = 0; n < NODES; n++) {
			uint64_t s = score(nodes[n], key);
			if (s > best) {
				next = best;
				after = at;
				best = s;
				at = n;
			} else if (s > next) {
				next = s;
				after = n;
			}
		}
		first[at]++;
		second[after]++;
	}
	return even(first, NODES, KEYS) && even(second, NODES, KEYS);
}

static uint64_t lane(uint64_t node, uint64_t key)
{
	return fl_score_high(
		(uint32_t)node, (uint32_t)(node >> 32), (uint32_t)key, (uint32_t)(key >> 32));
}

static uint64_t low(uint64_t node, uint64_t key)
{
	return fl_score_low(node, key);
}

/* Hashed keys that all share a half. */
static uint64_t low_half_fixed(uint64_t x)
{
	return key_hash(x) << 32 | 0x5be0cd19u;
}

static uint64_t high_half_fixed(uint64_t x)
{
	return key_hash(x) >> 32 | some_seed >> 32 << 32;
}

static void test_choices_are_fair(void **state)
{
	(void)state;
	for (size_t i = 0; i < INPUTS; i++) {
		assert_true(choices_even(lane, inputs[i].at, key_hash));
		assert_true(choices_even(lane, inputs[i].at, row_mix));
	}
	assert_true(choices_even(low, sequential, key_hash));
	assert_true(choices_even(low, high_bits, row_mix));
	assert_true(choices_even(lane, sequential, low_half_fixed));
	assert_true(choices_even(lane, sequential, high_half_fixed));
}

/* ---- weakened mixers must be seen ---- */

static uint64_t mix_one_round(uint64_t x)
{
	return (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
}

static uint64_t mix_no_last_shift(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	return (x ^ (x >> 27)) * 0x94d049bb133111ebu;
}

static uint64_t mix_short_constant(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf5847u;
	x = (x ^ (x >> 27)) * 0x94d049u;
	return x ^ (x >> 31);
}

static uint64_t row_without_mix(uint64_t x)
{
	return fl_salted(0, FL_SALT_ROW) + x * FL_WEYL;
}

static uint64_t seed_without_salt(uint64_t x)
{
	return fl_mix64(x) ^ fl_mix64(x);
}

static uint64_t low_without_key(uint64_t x)
{
	return (uint32_t)(fl_mix64(some_node * FL_SALT_LOW) + x);
}

static uint64_t fnv(uint64_t x)
{
	uint32_t h = 0x811c9dc5u;
	for (unsigned i = 0; i < 8; i++)
		h = (h ^ (uint32_t)(x >> 8 * i & 255)) * 0x01000193u;
	return h;
}

static const struct subject weak[] = {
	{"one round", mix_one_round, 64},
	{"no last shift", mix_no_last_shift, 64},
	{"short constants", mix_short_constant, 64},
	{"row without mix", row_without_mix, 64},
	{"seed without salt", seed_without_salt, 64},
	{"low score without key", low_without_key, 32},
	{"fnv", fnv, 32},
};

/* The lane with a multiply less, and with the second word left out. */
static uint64_t lane_one_multiply(uint64_t node, uint64_t key)
{
	uint32_t h = (uint32_t)(node ^ key) * 0x9e3779b1u;
	h ^= h >> 15;
	return h + (uint32_t)((node ^ key) >> 32);
}

static uint64_t lane_half(uint64_t node, uint64_t key)
{
	return lane(node & UINT32_MAX, key & UINT32_MAX);
}

static uint64_t lane_of_weak(uint64_t x)
{
	return lane_one_multiply(some_node, x);
}

static void test_weak_mixers_are_seen(void **state)
{
	struct subject narrow = {"lane, one multiply", lane_of_weak, 32};
	(void)state;
	for (size_t s = 0; s < sizeof(weak) / sizeof(weak[0]); s++) {
		bool spread = true;
		for (size_t i = 0; i < INPUTS; i++)
			spread = spreads(&weak[s], inputs[i].at) && spread;
		if (spread)
			printf("%s: seems spread\n", weak[s].name);
		assert_false(spread);
		assert_true(loose_pairs(&weak[s], scattered) > 0);
	}
	assert_true(loose_pairs(&narrow, scattered) > LOOSE);
	assert_false(choices_even(lane_one_multiply, sequential, high_half_fixed) &&
		     choices_even(lane_one_multiply, sequential, low_half_fixed));
	assert_false(choices_even(lane_half, sequential, low_half_fixed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_spread_evenly),
		cmocka_unit_test(test_texts_are_spread_evenly),
		cmocka_unit_test(test_texts_avalanche),
		cmocka_unit_test(test_every_bit_changes_every_bit),
		cmocka_unit_test(test_lanes_are_loose_only_as_known),
		cmocka_unit_test(test_choices_are_fair),
		cmocka_unit_test(test_weak_mixers_are_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
