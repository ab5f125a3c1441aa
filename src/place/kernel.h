/* The loops over many nodes or keys: one body, compiled for several instruction sets and chosen
 * at run time. Whatever is chosen, nodes are chosen alike, bit for bit (and the float bounds are
 * the same: the same IEEE operations in the same order, no contraction). */
#ifndef FL_PLACE_KERNEL_H
#define FL_PLACE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FL_LANES    16 /* node arrays are padded to a multiple of this, by repeating the last */
#define FL_BLOCK    1024            /* nodes scored at a time; a multiple of FL_LANES */
#define FL_INDEX    (FL_BLOCK - 1u) /* the bits that a node's index in its block takes */
#define FL_MANY     256 /* from as many nodes on, `top` compares rows before it marks them */
#define FL_NO_BOUND 0x7f800000 /* infinity: above every bound */

struct fl_kernels {
	const char *name; /* "baseline", "avx2", "avx512" */

	/* The index with the highest fl_score_high among lo/hi[0..count), count >= 1; the arrays
	 * are padded. *unsure is set when another may have a score as high, or a higher one:
	 * when their first 22 bits are the same (those of nobody are 0). */
	uint32_t (*top)(const uint32_t *lo, const uint32_t *hi, uint32_t count, uint64_t key,
		uint32_t *unsure);

	/* For each of groups * FL_LANES keys the highest and the second highest score of
	 * 1 <= count <= FL_BLOCK nodes, the last 10 bits replaced with the node's index; with
	 * one node the second is 0. fl_maybe_equal tells whether whole scores have to decide. */
	void (*tops)(const uint32_t *lo, const uint32_t *hi, uint32_t count,
		const uint64_t *keys, size_t groups, uint32_t *best, uint32_t *second);

	/* The scores of padded <= FL_BLOCK nodes into out. */
	void (*scores)(const uint32_t *lo, const uint32_t *hi, uint32_t padded, uint64_t key,
		uint32_t *out);

	/* For weighted orders, whose values are e / weight with e = -log2(score / 2^64), given
	 * inverse[i] = fl_inverse(weight): the index of the node with the least lower bound of
	 * its value, and this bound and the second least (FL_NO_BOUND: none) as `bounds` has
	 * them. fl_surely_lightest knows more. */
	uint32_t (*lightest)(const uint32_t *lo, const uint32_t *hi, const float *inverse,
		uint32_t count, uint64_t key, int32_t bounds[2]);

	/* These two bounds for each of groups * FL_LANES keys, for 1 <= count <= FL_BLOCK nodes. */
	void (*lightests)(const uint32_t *lo, const uint32_t *hi, const float *inverse,
		uint32_t count, const uint64_t *keys, size_t groups, int32_t *best,
		int32_t *second);

	/* The lower bounds of padded <= FL_BLOCK nodes into out, as the bits of floats that are
	 * not negative, the last 10 of them being the index. */
	void (*bounds)(const uint32_t *lo, const uint32_t *hi, const float *inverse,
		uint32_t padded, uint64_t key, int32_t *out);

	/* out[i] = fl_jumpback(hashes[i], count), for any number of keys; count >= 1. */
	void (*jumpback)(const uint64_t *hashes, size_t keys, uint32_t count, uint32_t *out);
};

/* What the bound of a node of this weight, 1 or more, is multiplied with: 1 / (weight ln 2 2^31),
 * less 2^-12 of that. */
float fl_inverse(uint32_t weight);

/* May a score with `second` for its first 22 bits be as high as one with `best`? */
static inline bool fl_maybe_equal(uint32_t best, uint32_t second)
{
	return (best | FL_INDEX) == (second | FL_INDEX);
}

/* Given the least two bounds, and the inverse of the node with the first: is its value below all
 * others'? When false, it may be or not. The argument is in weight_lanes.h. */
static inline bool fl_surely_lightest(int32_t best, int32_t second, float inverse)
{
	float y, z, unit = 0x1p-31f / inverse;
	memcpy(&y, &best, sizeof(y));
	memcpy(&z, &second, sizeof(z));
	y *= unit;
	return y <= 0.5f && z * unit > y + y * (0x1p-10f + 0.75f * y * y) + 0x1p-28f;
}

/* The best that this processor can run. Cheap, but call it once and keep the answer. */
const struct fl_kernels *fl_kernels_best(void);

/* Number `i` of those that this processor can run, baseline first; NULL past the last. */
const struct fl_kernels *fl_kernels_at(unsigned i);

#endif
