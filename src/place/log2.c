/* -log2((h + 1) / 2^64) in fixed point.
 *
 * Let x = h + 1 = 2^e * m with 1 <= m < 2. The first 8 bits of m's fraction choose a step
 * s = 1 + i/256, and with z = (m - s) / s < 2^-8
 *     log2(m) = log2(s) + (z - z^2/2 + z^3/3 - ...) / ln 2,
 * of which seven terms are kept: the eighth is below 2^-66.
 *
 * Error. In units of 2^-64: the table's rounding 0.5; what is cut off the series 0.25; z, known
 * to 2^-71, at most 0.02; the coefficients and the six inner products, each cut at 2^-62 and
 * then multiplied by at most 2^-8, together at most 0.03; the last product and shift at most
 * 1.02. So the sum is off by less than 2 units, 2^-63.
 *
 * Monotone. m is first cut to 59 fraction bits. Two neighbouring values of the cut m differ in
 * log2 by at least 2^-59 / (2 ln 2) > 2^-59.5, which is more than twice 2^-63, so the computed
 * logarithm grows strictly with the cut m, across steps and powers of two as well; cutting and
 * the final rounding down to 2^-58 keep the order, weakly.
 *
 * Together: cutting m costs at most 2^-59 / ln 2 < 2^-58.4, rounding less than 2^-58, the series
 * 2^-63; all but the last one make the logarithm smaller: off by less than 2^-57.1. */
#include "place/log2.h"

#include "hash/mix.h"

#include "place/log2_table.h"

uint64_t fl_neg_log2(uint64_t h)
{
	uint64_t x = h + 1;
	if (h == 0)
		return UINT64_MAX;
	if (x == 0)
		return 0;
	unsigned lead = (unsigned)__builtin_clzll(x);
	uint64_t m = (x << lead) & ~(uint64_t)15;
	unsigned i = (unsigned)(m >> 55) & 255;
	uint64_t z = fl_mul_high(m << 9, steps[i].inverse) << 1;
	uint64_t sum = terms[6];
	for (int k = 5; k >= 0; k--)
		sum = terms[k] - (fl_mul_high(z, sum) >> 8);
	uint64_t fraction = steps[i].value + (fl_mul_high(z, sum) >> 6);
	return ((uint64_t)(lead + 1) << 58) - (fraction >> 6);
}
