/* Clock, medians, keys, and the interleaved rounds. */
#include "place.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const metric_names[METRICS] = {"ns", "latency", "batch", "bytes16", "build_ms",
	"change_ms", "memory", "peak", "excess_percent"};

double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double median(double *list, size_t count)
{
	qsort(list, count, sizeof(*list), by_value);
	return count % 2 ? list[count / 2] : (list[count / 2 - 1] + list[count / 2]) / 2;
}

uint64_t spread(uint64_t x)
{
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	return x ^ (x >> 32);
}

const uint64_t *some_hashes(void)
{
	static uint64_t hashes[KEYS];
	if (hashes[1] == 0) {
		for (size_t i = 0; i < KEYS; i++)
			hashes[i] = spread(spread(i * WEYL) + i);
	}
	return hashes;
}

const char (*some_keys(void))[16]
{
	static char keys[KEYS][16];
	if (keys[0][0] == 0) {
		for (size_t i = 0; i < KEYS; i++) {
			char text[20];
			snprintf(text, sizeof(text), "user:%011u",
				(unsigned)(spread(i * WEYL) >> 33));
			memcpy(keys[i], text, 16);
		}
	}
	return keys;
}

void node_name(char *out, size_t size, uint32_t i)
{
	snprintf(out, size, "10.%u.%u.%u:11211", i / 62500, i / 250 % 250, i % 250);
}

struct subject *subject_new(const char *name, uint32_t nodes, bool peer)
{
	struct subject *s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->nodes = nodes;
	s->peer = peer;
	for (int m = 0; m < METRICS; m++)
		s->value[m] = NAN;
	return s;
}

void subject_free(struct subject *s)
{
	if (s->state)
		s->free(s->state);
	s->state = NULL;
	free(s);
}

static double timed(struct subject *s, int m, size_t loops)
{
	double start = now_ns();
	uint64_t sum = s->run[m](s->state, loops);
	double took = now_ns() - start;
	__asm__ volatile("" ::"r"(sum));
	return took;
}

/* As many loops as fill the slice; the runs that find out warm everything up. */
static void calibrate(struct subject *s, int m, double slice)
{
	size_t loops = m == BATCH ? BLOCK : 1;
	double took = timed(s, m, loops);
	while (took < slice / 4 && loops < 1u << 28) {
		loops *= took < slice / 64 ? 8 : 2;
		took = timed(s, m, loops);
	}
	loops = (size_t)((double)loops * slice / took) + 1;
	if (m == BATCH)
		loops = (loops + BLOCK - 1) / BLOCK * BLOCK;
	s->loops[m] = loops;
}

void measure(struct subject **list, size_t count, const struct settings *set)
{
	for (size_t i = 0; i < count; i++) {
		for (int m = 0; m < TIMED; m++) {
			if (list[i]->run[m])
				calibrate(list[i], m, set->slice);
		}
	}
	for (unsigned r = 0; r < set->rounds; r++) {
		for (size_t i = 0; i < count; i++) {
			struct subject *s = list[i];
			for (int m = 0; m < TIMED; m++) {
				if (s->run[m])
					s->rounds[m][r] =
						timed(s, m, s->loops[m]) / (double)s->loops[m];
			}
		}
	}
	for (size_t i = 0; i < count; i++) {
		for (int m = 0; m < TIMED; m++) {
			if (list[i]->run[m])
				list[i]->value[m] = median(list[i]->rounds[m], set->rounds);
		}
	}
}
