/* The loops over all nodes: one plain C body, compiled for several instruction sets and chosen
 * at run time. Whatever is chosen, the results are the same bit for bit (the float bounds too:
 * the same IEEE operations in the same order, no contraction). */
#ifndef FL_PLACE_KERNEL_H
#define FL_PLACE_KERNEL_H

#include <stdint.h>

#define FL_LANES 16  /* node arrays are padded to a multiple of this, by repeating the last */
#define FL_BLOCK 256 /* nodes scored at a time; a multiple of FL_LANES */

struct fl_kernels {
	const char *name; /* "baseline", "avx2", "avx512" */

	/* The lowest index with the highest fl_score_high among lo/hi[0..padded). *unsure is set
	 * when another index may have the same score (a repeated last node may set it too). */
	uint32_t (*top)(const uint32_t *lo, const uint32_t *hi, uint32_t padded, uint64_t key,
		uint32_t *unsure);

	/* The scores of padded <= FL_BLOCK nodes into out; the highest of them. */
	uint32_t (*scores)(const uint32_t *lo, const uint32_t *hi, uint32_t padded,
		uint64_t key, uint32_t *out);

	/* Lower bounds of -log2(score) / weight into out, given inverse[i] <= 1 / weight by a
	 * millionth or more; the least of them. */
	float (*bounds)(const uint32_t *lo, const uint32_t *hi, const float *inverse,
		uint32_t padded, uint64_t key, float *out);

	/* The lowest index whose bound is <= limit (UINT32_MAX: none), and how many there are. */
	uint32_t (*below)(const float *bounds, uint32_t padded, float limit, uint32_t *count);
};

/* The best that this processor can run. Cheap, but call it once and keep the answer. */
const struct fl_kernels *fl_kernels_best(void);

/* Number `i` of those that this processor can run, baseline first; NULL past the last. */
const struct fl_kernels *fl_kernels_at(unsigned i);

#endif
