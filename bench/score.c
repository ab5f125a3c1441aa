// rooms:
/* Which score should rendezvous use? Candidates differ in lane width and mixer; this program
 * prints, for each, what a lookup costs and how far the outcome is from fair.
 *
 * Fairness: node and key hashes are uniform 64-bit numbers, as the real ones are. Over many
 * random memberships it counts (1) the winner, (2) the runner-up among those where node 0 won,
 * (3) the winner among keys that share their low or their high half, which is how a mixer
 * that lets a half in too late shows itself. Each count becomes a chi-square against equal
 * chances; over the memberships the mean of (chi2 - df) / sqrt(2 df) has to be about 0 and its
 * spread about 1. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_N  1024
#define ALWAYS static inline __attribute__((always_inline))

static uint32_t lo[MAX_N] __attribute__((aligned(64))), hi[MAX_N] __attribute__((aligned(64)));
static uint64_t full[MAX_N] __attribute__((aligned(64)));

static uint64_t rng_state = 1;
static uint64_t rng(void)
{
	uint64_t z = (rng_state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* 32-bit lanes: M multiplies. The odd constants are random primes-to-2 with good avalanche. */
ALWAYS uint32_t mix32_1(uint32_t a, uint32_t b, uint32_t x, uint32_t y)
{
	uint32_t h = (a ^ x) + (b ^ y);
	return h * 0x9e3779b1u;
}
ALWAYS uint32_t mix32_2(uint32_t a, uint32_t b, uint32_t x, uint32_t y)
{
	uint32_t h = (a ^ x) * 0x9e3779b1u;
	h ^= h >> 15;
	h += b ^ y;
	h *= 0x85ebca6bu;
	return h ^ (h >> 16);
}
ALWAYS uint32_t mix32_3(uint32_t a, uint32_t b, uint32_t x, uint32_t y)
{
	uint32_t h = (a ^ x) * 0x9e3779b1u;
	h ^= h >> 15;
	h += b ^ y;
	h *= 0x85ebca6bu;
	h ^= h >> 15;
	h *= 0xc2b2ae35u;
	return h ^ (h >> 16);
}
ALWAYS uint32_t mix32_4(uint32_t a, uint32_t b, uint32_t x, uint32_t y)
{
	uint32_t h = (a ^ x) * 0x9e3779b1u;
	h ^= h >> 15;
	h += b ^ y;
	h ^= h >> 16;
	h *= 0x85ebca6bu;
	h ^= h >> 13;
	h *= 0xc2b2ae35u;
	h ^= h >> 16;
	h *= 0x27d4eb2fu;
	return h ^ (h >> 15);
}
ALWAYS uint64_t mix64_1(uint64_t n, uint64_t k)
{
	uint64_t h = (n ^ k) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 32);
}
ALWAYS uint64_t mix64_2(uint64_t n, uint64_t k)
{
	uint64_t h = (n ^ k) * 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}
ALWAYS uint64_t mix64_3(uint64_t n, uint64_t k)
{
	uint64_t h = (n ^ k) * 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 32)) * 0xbf58476d1ce4e5b9u;
	h = (h ^ (h >> 29)) * 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}

/* The body of a 32-bit winner: scores and maximum, then the index that has it. */
#define PICK32(NAME, MIX, ...)                                                                 \
	__VA_ARGS__ static uint32_t NAME(uint32_t n, uint64_t key)                             \
	{                                                                                      \
		static uint32_t buf[MAX_N] __attribute__((aligned(64)));                       \
		uint32_t x = (uint32_t)key, y = (uint32_t)(key >> 32), best = 0;               \
		uint32_t at = UINT32_MAX, padded = (n + 15) / 16 * 16;                         \
		for (uint32_t i = 0; i < padded; i++) {                                        \
			uint32_t s = MIX(lo[i], hi[i], x, y);                                  \
			buf[i] = s;                                                            \
			best = s > best ? s : best;                                            \
		}                                                                              \
		for (uint32_t i = 0; i < padded; i++) {                                        \
			uint32_t j = i | (0u - (uint32_t)(buf[i] != best));                    \
			at = j < at ? j : at;                                                  \
		}                                                                              \
		return at;                                                                     \
	}
#define PICK64(NAME, MIX, ...)                                                                 \
	__VA_ARGS__ static uint32_t NAME(uint32_t n, uint64_t key)                             \
	{                                                                                      \
		static uint64_t buf[MAX_N] __attribute__((aligned(64)));                       \
		uint64_t best = 0, at = UINT32_MAX;                                            \
		uint32_t padded = (n + 7) & ~7u;                                               \
		for (uint32_t i = 0; i < padded; i++) {                                        \
			uint64_t s = MIX(full[i], key);                                        \
			buf[i] = s;                                                            \
			best = s > best ? s : best;                                            \
		}                                                                              \
		for (uint32_t i = 0; i < padded; i++) {                                        \
			uint64_t j = buf[i] == best ? i : UINT32_MAX;                          \
			at = j < at ? j : at;                                                  \
		}                                                                              \
		return (uint32_t)at;                                                           \
	}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
#if defined(__clang__)
#define AVX512                                                                                 \
	__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"), min_vector_width(512)))
#else
#define AVX512                                                                                 \
	__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,prefer-vector-width=512")))
#endif
#else
#define AVX2
#define AVX512
#endif
#define THREE(PICK, MIX)                                                                       \
	PICK(MIX##_base, MIX, ) PICK(MIX##_avx2, MIX, AVX2) PICK(MIX##_avx512, MIX, AVX512)
THREE(PICK32, mix32_1)
THREE(PICK32, mix32_2)
THREE(PICK32, mix32_3)
THREE(PICK32, mix32_4)
THREE(PICK64, mix64_1)
THREE(PICK64, mix64_2)
THREE(PICK64, mix64_3)

struct candidate {
	const char *name;
	bool wide;
	uint32_t (*pick[3])(uint32_t n, uint64_t key);
};
#define ROW(MIX, WIDE)                                                                         \
	{                                                                                      \
#MIX, WIDE,                                                                    \
		{                                                                              \
			MIX##_base, MIX##_avx2, MIX##_avx512                                   \
		}                                                                              \
	}
static const struct candidate candidates[] = {ROW(mix32_1, false), ROW(mix32_2, false),
	ROW(mix32_3, false), ROW(mix32_4, false), ROW(mix64_1, true), ROW(mix64_2, true),
	ROW(mix64_3, true)};

/* The padding repeats the last node, so it never wins against it (the lower index does). */
static void members(uint32_t n)
{
	for (uint32_t i = 0; i < MAX_N; i++) {
		if (i < n)
			full[i] = rng();
		else
			full[i] = full[n - 1];
		lo[i] = (uint32_t)full[i];
		hi[i] = (uint32_t)(full[i] >> 32);
	}
}

static double chi(const uint32_t *count, uint32_t n)
{
	double total = 0, sum = 0;
	for (uint32_t i = 0; i < n; i++)
		total += count[i];
	for (uint32_t i = 0; i < n; i++)
		sum += (count[i] - total / n) * (count[i] - total / n) / (total / n);
	return (sum - (n - 1)) / sqrt(2.0 * (n - 1));
}

enum {
	WINNER,
	RUNNER_UP,
	SAME_LOW,
	SAME_HIGH,
	KINDS
};

static uint64_t key_of(int kind)
{
	uint64_t k = rng();
	if (kind == SAME_LOW)
		k &= ~0xffffffffull;
	if (kind == SAME_HIGH)
		k &= 0xffffffffull;
	return k;
}

/* The winner without node 0, among the keys that node 0 wins: nodes 1.. are shifted down. */
static uint32_t second(const struct candidate *c, uint32_t n, uint64_t key)
{
	uint64_t zero = full[0];
	uint32_t at;
	full[0] = full[1], lo[0] = lo[1], hi[0] = hi[1];
	at = c->pick[1](n, key);
	full[0] = zero, lo[0] = (uint32_t)zero, hi[0] = (uint32_t)(zero >> 32);
	return at == 0 ? 1 : at;
}

static double one(const struct candidate *c, uint32_t n, int kind, uint32_t per_node)
{
	static uint32_t count[MAX_N];
	memset(count, 0, sizeof(count));
	members(n);
	for (uint32_t i = 0; i < n * per_node; i++) {
		uint64_t key = key_of(kind);
		uint32_t at = c->pick[1](n, key);
		if (kind != RUNNER_UP)
			count[at]++;
		else if (at == 0)
			count[second(c, n, key) - 1]++;
	}
	return chi(count, kind == RUNNER_UP ? n - 1 : n);
}

static void fairness(const struct candidate *c)
{
	static const uint32_t sizes[] = {3, 10, 100};
	static const char *const kinds[] = {"winner", "second", "lowfix", "highfix"};
	for (int kind = 0; kind < KINDS; kind++) {
		printf("  %-8s", kinds[kind]);
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			double sum = 0, square = 0;
			int runs = sizes[s] > 50 ? 40 : 200;
			for (int r = 0; r < runs; r++) {
				double z = one(c, sizes[s], kind, 1000);
				sum += z, square += z * z;
			}
			double mean = sum / runs;
			printf("  n=%-3u %7.2f (%.2f)", sizes[s], mean,
				sqrt(square / runs - mean * mean));
		}
		printf("\n");
	}
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double speed(uint32_t (*pick)(uint32_t, uint64_t), uint32_t n)
{
	double best = 1e18;
	uint32_t loops = 4000000 / n + 1000;
	for (int round = 0; round < 5; round++) {
		uint32_t sum = 0;
		double start = now();
		for (uint32_t i = 0; i < loops; i++)
			sum += pick(n, i * 0x9e3779b97f4a7c15u);
		double each = (now() - start) / loops;
		__asm__ volatile("" ::"r"(sum));
		best = each < best ? each : best;
	}
	return best;
}

static int levels(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return 3;
	return __builtin_cpu_supports("avx2") ? 2 : 1;
#else
	return 1;
#endif
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = {10, 100, 1000};
	bool quick = argc > 1 && strcmp(argv[1], "--speed") == 0;
	printf("ns a lookup: baseline / avx2 / avx512\n");
	for (size_t c = 0; c < sizeof(candidates) / sizeof(candidates[0]); c++) {
		printf("%-8s", candidates[c].name);
		for (size_t s = 0; s < 3; s++) {
			members(sizes[s]);
			printf("  n=%-4u", sizes[s]);
			for (int l = 0; l < levels(); l++)
				printf(" %6.1f", speed(candidates[c].pick[l], sizes[s]));
		}
		printf("\n");
	}
	printf("fairness: mean (spread) of standardised chi-square; fair is 0 (1)\n");
	for (size_t c = 0; !quick && c < sizeof(candidates) / sizeof(candidates[0]); c++) {
		printf("%s\n", candidates[c].name);
		fairness(&candidates[c]);
	}
	return 0;
}
