/* The lower bounds of weighted nodes' values, behind score_lanes.h in kernel.c and with what it
 * defines.
 *
 * With s the high half of a score, D = 2^32 - 1 - s, and d = 1 - (h + 1) / 2^64 for the whole
 * 64-bit score h, D / 2^32 <= d < (D + 1) / 2^32. As -ln(1 - d) = d + d^2 / 2 + d^3 / 3 + ...,
 * a lower bound of e = -log2((h + 1) / 2^64) is
 *     q / 2^31 * (1 + D / 2^33) / ln 2          q = D / 2 rounded down.
 *   - q becomes a float, off by 2^-24 of itself at most.
 *   - The second factor is at most 1.5: the bits of D but the last 10, put behind the exponent of
 *     1, are that, rounded down by less than 2^-23.
 *   - The rest, 1 / (weight ln 2 2^31), is in `inverse`, which is 2^-12 of itself too small
 *     (fl_inverse), and off that by less than 2^-23. Two products are off by 2^-24 each.
 *   - The index moves the bound by less than 2^-13 of itself.
 * Together a bound is below e / weight with 2^-14 of that to spare; but for a bound of 0, whose
 * bits become the index. Not being negative, bounds order as their bits do.
 *
 * How far above its bound can e / weight be? Let y = bound / inverse / 2^31, at most 1/2. From the
 * above, (q / 2^31) (1 + q / 2^32) <= y (1 + 2^-12), so q / 2^31 < 0.42. Then with
 * x = (q + 1) / 2^31 > d,
 *     e ln 2 <= x + x^2 / 2 + x^3 / (3 (1 - x)) < y (1 + 2^-12) + 2^-30 + 0.6 x^3
 * where x^3 < 1.01 y^3 + 2^-30. In y's unit e / weight is that and 2^-12 more, for what `inverse`
 * lacks: less than y (1 + 2^-11 + 2^-20) + 2^-29 + 0.62 y^3. So fl_surely_lightest asks of the
 * second bound, in that unit, to be above y (1 + 2^-10) + 2^-28 + 0.75 y^3, which leaves room for
 * its own roundings and for the 2^-57 that fl_neg_log2 is off. */

struct NAME(light) {
	I best, second;
};

/* The bound, index included, as bits. */
BODY I NAME(bound)(U score, U inverse, U index)
{
	U d = ~score;
	F product = __builtin_convertvector((I)(d >> 1), F) * (F)inverse;
	product *= (F)((d >> 10) | 0x3f800000u);
	return (I)(((U)product & ~FL_INDEX) | index);
}

BODY struct NAME(four) NAME(bounds_of)(struct NAME(four) d, struct NAME(four) inverse)
{
	struct NAME(four) f;
	for (int k = 0; k < 4; k++)
		d.v[k] = ~d.v[k];
	for (int k = 0; k < 4; k++)
		f.v[k] = (U)(__builtin_convertvector((I)(d.v[k] >> 1), F) * (F)inverse.v[k]);
	for (int k = 0; k < 4; k++)
		f.v[k] = (U)((F)f.v[k] * (F)((d.v[k] >> 10) | 0x3f800000u)) & ~FL_INDEX;
	return f;
}

BODY void NAME(weigh)(struct NAME(light) * l, I bound)
{
	l->second = NAME(less)(l->second, NAME(more)(l->best, bound));
	l->best = NAME(less)(l->best, bound);
}

BODY I NAME(nothing)(void)
{
	return (I)NAME(all)(FL_NO_BOUND);
}

/* Each lane and the one at j ^ k become one. */
#define JOIN(l, k)                                                                             \
	if (N > (k)) {                                                                         \
		I b = SWAPPED((l).best, k), s = SWAPPED((l).second, k);                        \
		(l).second = NAME(less)(NAME(less)((l).second, s), NAME(more)((l).best, b));   \
		(l).best = NAME(less)((l).best, b);                                            \
	}

/* The least of all lanes, and behind it the second least. */
BODY uint64_t NAME(settle)(struct NAME(light) l)
{
	JOIN(l, 8)
	JOIN(l, 4)
	JOIN(l, 2)
	JOIN(l, 1)
	return ((uint64_t)(uint32_t)l.best[0] << 32) | (uint32_t)l.second[0];
}

BLOCK uint64_t NAME(lightest_block)(const uint32_t *lo, const uint32_t *hi,
	const float *inverse, size_t count, uint64_t key)
{
	U x = NAME(all)((uint32_t)key), y = NAME(all)((uint32_t)(key >> 32));
	size_t last = (count - 1) / N * N;
	U index = NAME(numbered)();
	U s = NAME(score)(NAME(load)(lo + last), NAME(load)(hi + last), x, y);
	I bound = NAME(bound)(s, NAME(load)(inverse + last), index + (uint32_t)last);
	I real = (I)index < (int32_t)(count - last);
	struct NAME(light) l = {(bound & real) | (NAME(nothing)() & ~real), NAME(nothing)()};
	size_t i = 0;
	for (; i + 4 * N <= last; i += 4 * N) {
		struct NAME(four) f =
			NAME(scores_of)(NAME(rows)(lo + i), NAME(rows)(hi + i), x, y);
		f = NAME(bounds_of)(f, NAME(rows)(inverse + i));
		for (int k = 0; k < 4; k++, index += N)
			NAME(weigh)(&l, (I)(f.v[k] | index));
	}
	for (; i < last; i += N, index += N) {
		s = NAME(score)(NAME(load)(lo + i), NAME(load)(hi + i), x, y);
		NAME(weigh)(&l, NAME(bound)(s, NAME(load)(inverse + i), index));
	}
	return NAME(settle)(l);
}

FL_LANES_TARGET static uint32_t NAME(lightest)(const uint32_t *lo, const uint32_t *hi,
	const float *inverse, uint32_t count, uint64_t key, int32_t bounds[2])
{
	int32_t best = FL_NO_BOUND, second = FL_NO_BOUND;
	uint32_t at = 0;
	for (uint32_t base = 0; base < count; base += FL_BLOCK) {
		uint32_t n = count - base < FL_BLOCK ? count - base : FL_BLOCK;
		uint64_t found =
			NAME(lightest_block)(lo + base, hi + base, inverse + base, n, key);
		int32_t least = (int32_t)(found >> 32), next = (int32_t)(uint32_t)found;
		int32_t more = least > best ? least : best;
		at = least < best ? base + ((uint32_t)least & FL_INDEX) : at;
		best = least < best ? least : best;
		second = more < second ? more : second;
		second = next < second ? next : second;
	}
	bounds[0] = best;
	bounds[1] = second;
	return at;
}

/* A lane a key. */
FL_LANES_TARGET static void NAME(lightests)(const uint32_t *lo, const uint32_t *hi,
	const float *inverse, uint32_t count, const uint64_t *keys, size_t groups,
	int32_t *best, int32_t *second)
{
	uint32_t low[FL_LANES], high[FL_LANES], bits;
	for (size_t g = 0; g < groups * FL_LANES; g += N) {
		for (uint32_t j = 0; j < N; j++) {
			low[j] = (uint32_t)keys[g + j];
			high[j] = (uint32_t)(keys[g + j] >> 32);
		}
		U x = NAME(load)(low), y = NAME(load)(high), index = {0};
		struct NAME(light) l = {NAME(nothing)(), NAME(nothing)()};
		uint32_t i = 0;
		for (; i + 4 <= count; i += 4) {
			struct NAME(four) f = NAME(scores_of)(
				NAME(spread)(lo + i), NAME(spread)(hi + i), x, y);
			f = NAME(bounds_of)(f, NAME(spread)(inverse + i));
			for (int k = 0; k < 4; k++, index += 1)
				NAME(weigh)(&l, (I)(f.v[k] | index));
		}
		for (; i < count; i++, index += 1) {
			U s = NAME(score)(NAME(all)(lo[i]), NAME(all)(hi[i]), x, y);
			memcpy(&bits, inverse + i, sizeof(bits));
			NAME(weigh)(&l, NAME(bound)(s, NAME(all)(bits), index));
		}
		memcpy(best + g, &l.best, sizeof(l.best));
		memcpy(second + g, &l.second, sizeof(l.second));
	}
}

FL_LANES_TARGET static void NAME(bounds)(const uint32_t *lo, const uint32_t *hi,
	const float *inverse, uint32_t padded, uint64_t key, int32_t *out)
{
	U x = NAME(all)((uint32_t)key), y = NAME(all)((uint32_t)(key >> 32));
	U index = NAME(numbered)();
	for (uint32_t i = 0; i < padded; i += N, index += N) {
		U s = NAME(score)(NAME(load)(lo + i), NAME(load)(hi + i), x, y);
		I bound = NAME(bound)(s, NAME(load)(inverse + i), index);
		memcpy(out + i, &bound, sizeof(bound));
	}
}

#undef PASTE
#undef EXPAND
#undef NAME
#undef BODY
#undef BLOCK
#undef N
#undef SWAPPED
#undef MEET
#undef JOIN
#undef U
#undef I
#undef F
#undef FL_LANES_SUFFIX
#undef FL_LANES_TARGET
#undef FL_LANES_BYTES
#undef FL_LANES_ORDER
