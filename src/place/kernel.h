/* The loops over many nodes or keys: one plain C body, compiled for several instruction sets and chosen
 * at run time. Whatever is chosen, the results are the same bit for bit (the float bounds too:
 * the same IEEE operations in the same order, no contraction). */
#ifndef FL_PLACE_KERNEL_H
#define FL_PLACE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define FL_LANES 16  /* node arrays are padded to a multiple of this, by repeating the last */
#define FL_BLOCK 256 /* nodes scored at a time; a multiple of FL_LANES */

/* log2(m) + 2^-15 for a float m in [1, 2), within 2.0e-5; the same on every machine. */
static inline __attribute__((always_inline)) float fl_log2_float(float m)
{
	float p = 0.0430049578f;
	p = p * m - 0.4025133935f;
	p = p * m + 1.5894742950f;
	p = p * m - 3.4898785507f;
	p = p * m + 5.0478554134f;
	return p * m - 2.7878956897f;
}

struct fl_kernels {
	const char *name; /* "baseline", "avx2", "avx512" */

	/* The lowest index with the highest fl_score_high among lo/hi[0..padded). *unsure is set
	 * when another index may have the same score (a repeated last node may set it too). */
	uint32_t (*top)(const uint32_t *lo, const uint32_t *hi, uint32_t padded, uint64_t key,
		uint32_t *unsure);

	/* The scores of padded <= FL_BLOCK nodes into out; the highest of them. */
	uint32_t (*scores)(const uint32_t *lo, const uint32_t *hi, uint32_t padded,
		uint64_t key, uint32_t *out);

	/* For weighted orders, whose values are e / weight with e = -log2(score / 2^64), given
	 * inverse[i], which is 2^-14 of itself below 1 / weight: an index with the least lower
	 * bound of its value. When *unsure is 0, no other index has a value as low. */
	uint32_t (*lightest)(const uint32_t *lo, const uint32_t *hi, const float *inverse,
		uint32_t padded, uint64_t key, uint32_t *unsure);

	/* The lower bounds of padded <= FL_BLOCK nodes into out, as the bits of floats that are
	 * not negative, the last 8 of them being the index; the least of them. */
	int32_t (*bounds)(const uint32_t *lo, const uint32_t *hi, const float *inverse,
		uint32_t padded, uint64_t key, int32_t *out);

	/* out[i] = fl_jumpback(hashes[i], count), for any number of keys; count >= 1. */
	void (*jumpback)(const uint64_t *hashes, size_t keys, uint32_t count, uint32_t *out);
};

/* The best that this processor can run. Cheap, but call it once and keep the answer. */
const struct fl_kernels *fl_kernels_best(void);

/* Number `i` of those that this processor can run, baseline first; NULL past the last. */
const struct fl_kernels *fl_kernels_at(unsigned i);

#endif
