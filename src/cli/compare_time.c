#include "cli/compare.h"

#include <stdlib.h>
#include <time.h>

#define ROUNDS    5
#define LOOKUPS   20000 /* keys of a round, at most */
#define ENOUGH_NS 3e6   /* of lookups in a round: then fewer keys serve */
#define SLOW_NS   2e8   /* a build that takes longer is not repeated */

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double lookups(const fl_placement *p, const struct fl_key *keys, size_t n)
{
	uint32_t sum = 0;
	double began = now_ns();

	for (size_t i = 0; i < n; i++)
		sum += fl_lookup(p, keys[i].bytes, keys[i].len);
	double took = now_ns() - began;
	__asm__ volatile("" ::"r"(sum));
	return took;
}

static double time_lookup(const struct fl_compare_case *c, const fl_placement *p)
{
	const struct fl_key *keys = fl_keyset_keys(c->keys);
	size_t all = fl_keyset_count(c->keys), n = all < 16 ? all : 16;
	double took = lookups(p, keys, n), best;

	while (n < all && n < LOOKUPS && took < ENOUGH_NS) {
		n = 2 * n < all ? 2 * n : all;
		took = lookups(p, keys, n);
	}
	best = took / (double)n;
	for (int i = 1; i < ROUNDS; i++) {
		double again = lookups(p, keys, n) / (double)n;

		best = again < best ? again : best;
	}
	return best;
}

static double time_build(const struct fl_compare_case *c)
{
	double best = 0;

	for (int i = 0; i < ROUNDS; i++) {
		fl_placement *p = NULL;
		double began = now_ns();
		int rc = fl_placement_new(&p, c->spec, c->nodes, c->count, NULL);
		double took = now_ns() - began;

		fl_placement_unref(p);
		if (rc != FL_OK)
			return 0;
		best = i == 0 || took < best ? took : best;
		if (took > SLOW_NS)
			break;
	}
	return best / 1e6;
}

static double time_change(const struct fl_compare_case *c, const fl_placement *old)
{
	struct fl_change change = {FL_ADD, {c->added, 1, FL_NONE, NULL}};
	double best = 0;

	for (int i = 0; i < ROUNDS; i++) {
		fl_placement *p = NULL;
		double began = now_ns();
		int rc = fl_placement_derive(&p, old, &change, 1, NULL);
		double took = now_ns() - began;

		fl_placement_unref(p);
		if (rc != FL_OK)
			return -1;
		best = i == 0 || took < best ? took : best;
		if (took > SLOW_NS)
			break;
	}
	return best / 1e6;
}

struct fl_timing fl_compare_time(
	const struct fl_compare_case *c, const struct fl_compare_result *result)
{
	return (struct fl_timing){.lookup_ns = time_lookup(c, result->placement),
		.build_ms = time_build(c),
		.change_ms = time_change(c, result->placement)};
}
