/* What became of the requests: outcomes, who answered, who moved, how long it took. */
#ifndef FL_TESTS_TOOLS_TALLY_H
#define FL_TESTS_TOOLS_TALLY_H

#include "traffic/ask.h"

#include <stdio.h>

#define TALLY_NODES    1024
#define TALLY_EXAMPLES 20
#define TALLY_BUCKETS  1024

struct tally_node {
	char name[64];
	unsigned long answers;
};

struct tally {
	unsigned long ok, failed, truncated, refused, reopened, connections, moved;
	unsigned examples;
	char example[TALLY_EXAMPLES][320];
	struct tally_node nodes[TALLY_NODES];
	unsigned node_count;
	uint16_t *owner; /* of key k: 1 + index into nodes; 0: not seen */
	uint64_t keys;
	unsigned long bucket[TALLY_BUCKETS]; /* of microseconds, 16 a power of two */
};

void tally_init(struct tally *t, uint64_t keys);
void tally_fini(struct tally *t);

void tally_ok(struct tally *t, const struct ask *ask, const char *node, uint64_t microseconds);

/* Counts nothing; keeps the first examples of what went wrong. */
void tally_example(
	struct tally *t, const char *outcome, const struct ask *ask, const char *seen);

void tally_print(const struct tally *t, bool json, double seconds);

/* One line "u<k>\t<node>" for each key that was answered. 0 or -1. */
int tally_map(const struct tally *t, const char *path);

#endif
