/* How the keys come about, exactly, so that other programs can make them as well. All numbers have
 * 64 bits and wrap; >> and * are those of unsigned numbers; mix is the finaliser of SplitMix64
 * (fl_mix64); G = 0x9e3779b97f4a7c15; high(a, b) is the upper half of the 128-bit product.
 *
 *   draw(seed, i, k) = mix(mix(seed) + (4 i + k + 1) G)
 *
 *   sequential   "user:" and i + 1 in decimal
 *   uuid         draw(.., 0) and draw(.., 1) as 32 hexadecimal digits, highest first; then digit
 *                12 becomes 4, digit 16 becomes 8 + its lowest two bits; "-" before digits 8, 12,
 *                16 and 20
 *   ipv4         x = i of 32 bits, through a bijection: for each of the multipliers 0x9e3779b1,
 *                0x85ebca77, 0xc2b2ae3d: x = x + draw(seed, 0, 0); x = x * multiplier; x = x ^ x>>15
 *                (all of 32 bits); the bytes of x from the highest, in decimal with dots
 *   url          "/" word "/item-" i "?page=" p: the word is the draw(.., 0) mod 8-th of those
 *                below, p is draw(.., 1) mod 10
 *   random       draw(.., 0) and draw(.., 1), 8 bytes each, lowest first
 *
 * Zipf. The weight of rank r is 2^39 / n^s with n = r + 1, in fixed point:
 *   L = log2 n with 32 bits behind the point: e = floor(log2 n), m = n 2^(63 - e); 32 times:
 *       m = high(m, m), the next bit is whether m >= 2^63, and if not, m = 2 m; L = e and the bits
 *   E = floor(s_milli L / 1000)
 *   w = 2^63; for k = 1..32, if bit 32 - k of E is set: w = high(w, C_k), where
 *       C_1 = floor(sqrt(2^127)), C_k+1 = floor(sqrt(2^64 C_k)), that is 2^64 2^-(2^-k)
 *   weight = w >> (24 + (E >> 32)), and at least 1
 * Request j has the first rank whose weight and those before it sum up to more than
 *   high(mix(mix(~seed) + (j + 1) G), the sum of all). */
#include "plan/keys.h"

#include "hash/mix.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

const char *const fl_keygen_names[FL_KEYGEN_SHAPES + 1] = {
	[FL_KEYGEN_SEQUENTIAL] = "sequential",
	[FL_KEYGEN_UUID] = "uuid",
	[FL_KEYGEN_IPV4] = "ipv4",
	[FL_KEYGEN_URL] = "url",
	[FL_KEYGEN_RANDOM] = "random",
	[FL_KEYGEN_SHAPES] = NULL,
};

static const char *const words[8] = {
	"articles", "catalog", "events", "images", "media", "search", "users", "videos"};

static uint64_t draw(uint64_t seed, uint64_t i, uint64_t k)
{
	return fl_mix64(fl_mix64(seed) + (4 * i + k + 1) * FL_WEYL);
}

static size_t uuid(uint64_t seed, uint64_t i, char *out)
{
	uint64_t high = draw(seed, i, 0), low = draw(seed, i, 1);
	size_t n = 0;

	high = (high & ~UINT64_C(0xf000)) | 0x4000;
	low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
	for (unsigned digit = 0; digit < 32; digit++) {
		uint64_t half = digit < 16 ? high : low;
		if (digit == 8 || digit == 12 || digit == 16 || digit == 20)
			out[n++] = '-';
		out[n++] = "0123456789abcdef"[half >> (60 - 4 * (digit % 16)) & 15];
	}
	return n;
}

static size_t ipv4(uint64_t seed, uint64_t i, char *out)
{
	static const uint32_t multipliers[] = {0x9e3779b1, 0x85ebca77, 0xc2b2ae3d};
	uint32_t x = (uint32_t)i;

	for (size_t k = 0; k < 3; k++) {
		x += (uint32_t)draw(seed, 0, 0);
		x *= multipliers[k];
		x ^= x >> 15;
	}
	return (size_t)snprintf(out, FL_KEYGEN_MOST, "%u.%u.%u.%u", x >> 24, x >> 16 & 255,
		x >> 8 & 255, x & 255);
}

size_t fl_keygen_key(
	enum fl_keygen_shape shape, uint64_t seed, uint64_t i, char out[FL_KEYGEN_MOST])
{
	switch (shape) {
	case FL_KEYGEN_SEQUENTIAL:
		return (size_t)snprintf(
			out, FL_KEYGEN_MOST, "user:%llu", (unsigned long long)i + 1);
	case FL_KEYGEN_UUID:
		return uuid(seed, i, out);
	case FL_KEYGEN_IPV4:
		return ipv4(seed, i, out);
	case FL_KEYGEN_URL:
		return (size_t)snprintf(out, FL_KEYGEN_MOST, "/%s/item-%llu?page=%u",
			words[draw(seed, i, 0) % 8], (unsigned long long)i,
			(unsigned)(draw(seed, i, 1) % 10));
	case FL_KEYGEN_RANDOM:
		fl_store64_le((unsigned char *)out, draw(seed, i, 0));
		fl_store64_le((unsigned char *)out + 8, draw(seed, i, 1));
		return 16;
	case FL_KEYGEN_SHAPES:
		break;
	}
	return 0;
}

/* ---- popularity ---- */

#define BITS 32 /* behind the point of logarithms */

struct fl_zipf {
	uint32_t n;
	uint64_t sums[]; /* of the weights up to and with each rank */
};

/* floor(sqrt(x 2^64)) */
static uint64_t root_high(uint64_t x)
{
	unsigned __int128 square = (unsigned __int128)x << 64;
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 63; bit; bit >>= 1) {
		uint64_t try = root | bit;
		if ((unsigned __int128)try * try <= square)
			root = try;
	}
	return root;
}

static uint64_t log2_of(uint32_t n)
{
	unsigned e = 31 - (unsigned)__builtin_clz(n);
	uint64_t m = (uint64_t)n << (63 - e), log = e;

	for (int i = 0; i < BITS; i++) {
		bool bit;
		m = fl_mul_high(m, m);
		bit = m >> 63;
		if (!bit)
			m *= 2;
		log = log << 1 | bit;
	}
	return log;
}

static uint64_t weight_of(const uint64_t steps[BITS + 1], uint32_t rank, uint32_t s_milli)
{
	uint64_t exponent = s_milli * log2_of(rank + 1) / 1000;
	uint64_t w = UINT64_C(1) << 63, shift = 24 + (exponent >> BITS);

	for (int k = 1; k <= BITS; k++)
		if (exponent >> (BITS - k) & 1)
			w = fl_mul_high(w, steps[k]);
	w = shift < 64 ? w >> shift : 0;
	return w ? w : 1;
}

int fl_zipf_new(struct fl_zipf **out, uint32_t n, uint32_t s_milli)
{
	uint64_t steps[BITS + 1], sum = 0;
	struct fl_zipf *z;

	if (n < 1 || n > FL_ZIPF_MOST || s_milli > 4000)
		return FL_EINVAL;
	z = malloc(sizeof(*z) + n * sizeof(z->sums[0]));
	if (!z)
		return FL_ENOMEM;
	z->n = n;
	steps[0] = UINT64_C(1) << 63; /* 2^-1: its root is C_1 */
	for (int k = 1; k <= BITS; k++)
		steps[k] = root_high(steps[k - 1]);
	for (uint32_t r = 0; r < n; r++)
		z->sums[r] = sum += weight_of(steps, r, s_milli);
	*out = z;
	return FL_OK;
}

void fl_zipf_free(struct fl_zipf *z)
{
	free(z);
}

uint64_t fl_zipf_total(const struct fl_zipf *z)
{
	return z->sums[z->n - 1];
}

uint64_t fl_zipf_weight(const struct fl_zipf *z, uint32_t r)
{
	return z->sums[r] - (r ? z->sums[r - 1] : 0);
}

uint32_t fl_zipf_rank(const struct fl_zipf *z, uint64_t seed, uint64_t j)
{
	uint64_t x =
		fl_mul_high(fl_mix64(fl_mix64(~seed) + (j + 1) * FL_WEYL), fl_zipf_total(z));
	uint32_t low = 0, high = z->n - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (z->sums[middle] > x)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}
