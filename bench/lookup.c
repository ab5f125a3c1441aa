// rooms: lib
/* What do a lookup and a change cost? Nanoseconds a lookup of keys that are hashed already
 * (fl_lookup_hash) and of 16 raw bytes (fl_lookup), as throughput (lookups independent of each
 * other) and as latency (each key depends on the last answer); microseconds to build a placement
 * and to derive one with a node added and removed. The best of several rounds. */
#include "fairlead/fairlead.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 7
#define WEYL   0x9e3779b97f4a7c15u

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t spread(uint64_t x)
{
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	return x ^ (x >> 32);
}

static double throughput(const fl_placement *p, size_t loops)
{
	uint32_t sum = 0;
	double start = now();
	for (size_t i = 0; i < loops; i++)
		sum += fl_lookup_hash(p, i * WEYL);
	double each = (now() - start) / (double)loops;
	__asm__ volatile("" ::"r"(sum));
	return each;
}

static double latency(const fl_placement *p, size_t loops)
{
	uint64_t key = 1;
	double start = now();
	for (size_t i = 0; i < loops; i++)
		key = spread(key + fl_lookup_hash(p, key));
	double each = (now() - start) / (double)loops;
	__asm__ volatile("" ::"r"(key));
	return each;
}

static double raw_bytes(const fl_placement *p, size_t loops)
{
	char key[17] = "user:00/00000000";
	uint32_t sum = 0;
	double start = now();
	for (size_t i = 0; i < loops; i++) {
		uint64_t part = i * WEYL;
		memcpy(key + 8, &part, 8);
		sum += fl_lookup(p, key, 16);
	}
	double each = (now() - start) / (double)loops;
	__asm__ volatile("" ::"r"(sum));
	return each;
}

static double best(
	double (*f)(const fl_placement *, size_t), const fl_placement *p, size_t loops)
{
	double least = 1e18;
	for (int i = 0; i < ROUNDS; i++) {
		double t = f(p, loops);
		least = t < least ? t : least;
	}
	return least;
}

static fl_placement *make(const char *spec, uint32_t n, int32_t weights)
{
	struct fl_node *nodes = calloc(n, sizeof(*nodes));
	char(*names)[24] = calloc(n, sizeof(*names));
	fl_placement *p = NULL;
	struct fl_error err = {0};
	if (!nodes || !names)
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "10.0.%u.%u:8080", i / 250, i % 250);
		nodes[i] = (struct fl_node){names[i], 1 + (int32_t)i % weights, FL_NONE, NULL};
	}
	if (fl_placement_new(&p, spec, nodes, n, &err) != FL_OK)
		fprintf(stderr, "%s: %s\n", spec, err.text);
	free(nodes);
	free(names);
	return p;
}

static double build_time(const char *spec, uint32_t n, int32_t weights)
{
	double least = 1e18;
	for (int i = 0; i < 3; i++) {
		double start = now();
		fl_placement *p = make(spec, n, weights);
		double t = now() - start;
		fl_placement_unref(p);
		least = t < least ? t : least;
	}
	return least / 1000;
}

static double change_time(const fl_placement *p, enum fl_change_kind kind, const char *name)
{
	struct fl_change change = {kind, {name, 1, FL_NONE, NULL}};
	double least = 1e18;
	for (int i = 0; i < 5; i++) {
		fl_placement *q;
		double start = now();
		if (fl_placement_derive(&q, p, &change, 1, NULL) != FL_OK)
			return -1;
		double t = now() - start;
		fl_placement_unref(q);
		least = t < least ? t : least;
	}
	return least / 1000;
}

static void row(const char *spec, uint32_t n, int32_t weights)
{
	fl_placement *p = make(spec, n, weights);
	size_t loops = 2000000;
	if (!p)
		return;
	if (strncmp(spec, "rendezvous", 10) == 0)
		loops = 20000000 / n / 4 + 1000;
	printf("%-18s n=%-6u %-8s %8.2f %8.2f %8.2f", spec, n, weights > 1 ? "weighted" : "",
		best(throughput, p, loops), best(latency, p, loops), best(raw_bytes, p, loops));
	printf(" %10.0f %9.0f %9.0f %10zu\n", build_time(spec, n, weights),
		change_time(p, FL_ADD, "new"), change_time(p, FL_REMOVE, "10.0.0.3:8080"),
		fl_placement_memory(p));
	fl_placement_unref(p);
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = {10, 100, 1000};
	const char *only = argc > 1 ? argv[1] : NULL;
	static const char *const specs[] = {
		"table", "table,rows=1048576", "ring", "rendezvous", "modulo"};
	printf("%-18s %-8s %-8s %8s %8s %8s %10s %9s %9s %10s\n", "", "", "", "ns", "latency",
		"16 bytes", "build us", "add us", "remove us", "bytes");
	for (size_t s = 0; s < sizeof(specs) / sizeof(specs[0]); s++) {
		if (only && strcmp(only, specs[s]) != 0)
			continue;
		for (size_t i = 0; i < 3; i++) {
			row(specs[s], sizes[i], 1);
			if (strcmp(specs[s], "modulo") != 0)
				row(specs[s], sizes[i], 4);
		}
	}
	return 0;
}
