/* Repeatable random memberships for tests of placements. */
#ifndef FL_TEST_NODES_H
#define FL_TEST_NODES_H

#include "fairlead/fairlead.h"
#include "hash/mix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test_rng {
	uint64_t state;
};

static inline uint64_t test_next(struct test_rng *r)
{
	return fl_mix64(r->state += FL_WEYL);
}

/* 0..below-1 */
static inline uint32_t test_below(struct test_rng *r, uint32_t below)
{
	return (uint32_t)(test_next(r) % below);
}

struct test_nodes {
	char (*names)[32];
	struct fl_node *nodes;
	size_t count;
};

/* `count` nodes with names that do not come sorted, addresses because some mappings take nothing
 * else; weights 1..most_weight, and now and then 0
 * when most_weight is above 1. */
static inline struct test_nodes test_nodes_new(
	struct test_rng *r, size_t count, int32_t most_weight)
{
	struct test_nodes t = {calloc(count + 1, sizeof(*t.names)),
		calloc(count + 1, sizeof(*t.nodes)), count};
	uint32_t tag = (uint32_t)test_next(r);
	if (!t.names || !t.nodes)
		abort();
	for (size_t i = 0; i < count; i++) {
		uint32_t bits = (uint32_t)fl_mix64(tag + i);
		snprintf(t.names[i], sizeof(t.names[i]), "10.%u.%u.%u:%u", bits & 0xff,
			(unsigned)(i >> 8 & 0xff), (unsigned)(i & 0xff),
			32 * (1 + (bits >> 8) % 2000) + (unsigned)(i >> 16));
		t.nodes[i] = (struct fl_node){t.names[i], 1, FL_NONE, NULL};
		if (most_weight > 1 && test_below(r, 10) != 0)
			t.nodes[i].weight = 1 + (int32_t)test_below(r, (uint32_t)most_weight);
		else if (most_weight > 1)
			t.nodes[i].weight = 0;
	}
	return t;
}

/* Katran knows nodes by numbers: so do the nodes for its mapping. `text` has room for 32 bytes. */
static inline void test_fit_name(const char *spec, char *text)
{
	uint64_t hash = 0;
	if (strncmp(spec, "compat:katran", 13) != 0)
		return;
	for (const char *c = text; *c; c++)
		hash = fl_mix64(hash + (unsigned char)*c);
	snprintf(text, 24, "%llu", (unsigned long long)hash);
}

/* A spec of the algorithm that builds quickly, for mappings that a mask makes build anew. */
static inline const char *test_cheap(const char *name)
{
	static const char *const cheap[] = {"compat:katran-maglev,rows=251",
		"compat:cilium-maglev,rows=251", "compat:envoy-maglev,rows=251",
		"compat:envoy-ring,min=16"};
	for (size_t i = 0; i < sizeof(cheap) / sizeof(cheap[0]); i++) {
		size_t size = strcspn(cheap[i], ",");
		if (strlen(name) == size && strncmp(name, cheap[i], size) == 0)
			return cheap[i];
	}
	return name;
}

static inline struct test_nodes test_nodes_fit(const char *spec, struct test_nodes t)
{
	for (size_t i = 0; i < t.count; i++)
		test_fit_name(spec, t.names[i]);
	return t;
}

static inline void test_nodes_free(struct test_nodes *t)
{
	free(t->names);
	free(t->nodes);
}

static inline fl_placement *test_place(
	const char *spec, const struct fl_node *nodes, size_t count)
{
	fl_placement *p = NULL;
	struct fl_error err;
	if (fl_placement_new(&p, spec, nodes, count, &err) != FL_OK) {
		printf("%s: %s\n", spec, err.text);
		abort();
	}
	return p;
}

static inline fl_placement *test_change(const fl_placement *old, enum fl_change_kind kind,
	const char *name, int32_t weight, uint32_t slot)
{
	struct fl_change change = {kind, {name, weight, slot, NULL}};
	fl_placement *p = NULL;
	struct fl_error err;
	if (fl_placement_derive(&p, old, &change, 1, &err) != FL_OK) {
		printf("%s\n", err.text);
		abort();
	}
	return p;
}

/* The name that owns the key, or "" for nobody. */
static inline const char *test_owner(const fl_placement *p, const char *key, size_t len)
{
	uint32_t slot = fl_lookup(p, key, len);
	return slot == FL_NONE ? "" : fl_placement_node(p, slot)->name;
}

#endif
