/* Every algorithm that the library lists, as users call it: through the public functions. */
#include "fairlead/fairlead.h"
#include "place.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUP_MOST 1e6 /* ns: what would take longer at this n is left out */

static uint64_t run_throughput(void *state, size_t loops)
{
	const fl_placement *p = state;
	const uint64_t *hashes = some_hashes();
	uint64_t sum = 0;
	for (size_t i = 0; i < loops; i++)
		sum += fl_lookup_hash(p, hashes[i % KEYS]);
	return sum;
}

static uint64_t run_latency(void *state, size_t loops)
{
	const fl_placement *p = state;
	uint64_t key = 1;
	for (size_t i = 0; i < loops; i++)
		key = spread(key + fl_lookup_hash(p, key) + i);
	return key;
}

static uint64_t run_batch(void *state, size_t loops)
{
	static uint32_t slots[BLOCK];
	const uint64_t *hashes = some_hashes();
	for (size_t i = 0; i < loops; i += BLOCK)
		fl_pick_batch(state, hashes + i % KEYS, BLOCK, NULL, slots);
	return slots[BLOCK - 1];
}

static uint64_t run_bytes(void *state, size_t loops)
{
	const fl_placement *p = state;
	const char(*keys)[16] = some_keys();
	uint64_t sum = 0;
	for (size_t i = 0; i < loops; i++)
		sum += fl_lookup(p, keys[i % KEYS], 16);
	return sum;
}

static void release(void *state)
{
	fl_placement_unref(state);
}

static fl_placement *make(const char *spec, uint32_t n, int32_t weights)
{
	struct fl_node *nodes = calloc(n, sizeof(*nodes));
	char(*names)[24] = calloc(n, sizeof(*names));
	fl_placement *p = NULL;
	struct fl_error err = {0};
	if (!nodes || !names)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		node_name(names[i], sizeof(names[i]), i);
		nodes[i] = (struct fl_node){names[i], 1 + (int32_t)i % weights, i, NULL};
	}
	/* More nodes or points than it may have: left out. */
	int rc = fl_placement_new(&p, spec, nodes, n, &err);
	if (rc != FL_OK && rc != FL_ELIMIT)
		fprintf(stderr, "%s with %u nodes: %s\n", spec, n, err.text);
	free(nodes);
	free(names);
	return p;
}

/* Any node, or the last one where the algorithm permits no other. */
static fl_placement *without_one(const fl_placement *p, const char **name, uint32_t slot)
{
	const uint32_t tries[] = {slot, fl_placement_slots(p) - 1};
	for (int i = 0; i < 2; i++) {
		struct fl_change change = {FL_REMOVE, *fl_placement_node(p, tries[i])};
		fl_placement *q;
		*name = change.node.name;
		if (fl_placement_derive(&q, p, &change, 1, NULL) == FL_OK)
			return q;
	}
	return NULL;
}

/* The mean of one removal and of adding the node again, each from the placement before, which then
 * goes, as in a process that lives on. */
static double change_ms(const fl_placement *p, uint32_t nodes)
{
	double list[7];
	size_t count = 0;
	double began = now_ns();
	fl_placement *now = fl_placement_ref(p);
	while (count < 7 && (count == 0 || now_ns() - began < 1e8)) {
		const char *name;
		double start = now_ns();
		fl_placement *q = without_one(now, &name, nodes / 2), *r = NULL;
		struct fl_change back = {FL_ADD, {name, 1, FL_NONE, NULL}};
		bool done = q && fl_placement_derive(&r, q, &back, 1, NULL) == FL_OK;
		list[count++] = (now_ns() - start) / 2e6;
		fl_placement_unref(now);
		fl_placement_unref(q);
		now = r;
		if (!done)
			return NAN;
	}
	fl_placement_unref(now);
	return median(list, count);
}

static double peak_of(const fl_placement *p, size_t samples)
{
	uint32_t slots = fl_placement_slots(p);
	double *shares = calloc(slots, sizeof(*shares)), most = 0, weight = 0;
	if (!shares || fl_shares(p, samples, shares) != FL_OK)
		abort();
	for (uint32_t i = 0; i < slots; i++) {
		const struct fl_node *node = fl_placement_node(p, i);
		double each = node ? shares[i] / node->weight : 0;
		most = each > most ? each : most;
		weight += node ? node->weight : 0;
	}
	free(shares);
	return most * weight;
}

static double excess_of(
	const fl_placement *p, const fl_placement *q, size_t samples, bool *exact)
{
	struct fl_movement *m;
	if (fl_movement_new(&m, p, q, samples, NULL) != FL_OK)
		return NAN;
	double excess = 100 * (m->moved - m->least);
	*exact = m->exact;
	fl_movement_free(m);
	return excess > 0 ? excess : 0;
}

static void figures(struct subject *s, const fl_placement *p)
{
	const char *name;
	run_bytes((void *)(uintptr_t)p, 20); /* also warms up */
	double start = now_ns();
	run_bytes((void *)(uintptr_t)p, 20);
	/* No more samples than two tenths of a second allow. */
	double each = (now_ns() - start) / 20 + 20;
	size_t samples = each * 500000 < 2e8 ? 500000 : (size_t)(2e8 / each) + 1000;
	s->value[CHANGE] = change_ms(p, s->nodes);
	s->value[MEMORY] = (double)fl_placement_memory(p);
	bool exact = fl_placement_capabilities(p) & FL_EXACT_MOVEMENT;
	if (samples < 100ul * s->nodes && !exact)
		return; /* too few to say anything */
	s->value[PEAK] = peak_of(p, samples);
	fl_placement *q = without_one(p, &name, s->nodes / 2);
	if (q)
		s->value[EXCESS] = excess_of(p, q, samples, &exact);
	s->sampled = !exact;
	fl_placement_unref(q);
}

struct subject *our_subject(const char *spec, uint32_t nodes, int32_t weights, bool all)
{
	double start = now_ns();
	fl_placement *p = make(spec, nodes, weights);
	double built = (now_ns() - start) / 1e6;
	if (!p)
		return NULL;
	struct subject *s = subject_new(spec, nodes, false);
	if (weights > 1)
		snprintf(s->name, sizeof(s->name), "%s weighted", spec);
	s->state = p;
	s->free = release;
	s->value[BUILD] = built;
	if (built < 50) { /* the first build also pays for fresh memory */
		double list[5];
		for (int i = 0; i < 5; i++) {
			start = now_ns();
			fl_placement *again = make(spec, nodes, weights);
			list[i] = (now_ns() - start) / 1e6;
			fl_placement_unref(again);
		}
		s->value[BUILD] = median(list, 5);
	}
	s->run[BYTES16] = run_bytes;
	if (fl_placement_capabilities(p) & FL_BY_HASH) {
		s->run[THROUGHPUT] = run_throughput;
		s->run[LATENCY] = run_latency;
		s->run[BATCH] = run_batch;
	}
	if (all)
		figures(s, p);
	return s;
}

/* ---- which ---- */

/* The specs of an algorithm: as it is, and variants that the targets name. */
static size_t specs_of(
	const struct fl_algorithm_info *a, uint32_t n, char list[4][64], int32_t weights[4])
{
	size_t count = 0;
	weights[0] = weights[1] = weights[2] = weights[3] = 1;
	if (strstr(a->options, "capacity="))
		snprintf(list[count++], 64, "%s,capacity=%u", a->name,
			2 * n < FL_MAX_NODES ? 2 * n : FL_MAX_NODES);
	else if (strcmp(a->name, "ring") == 0 && n > FL_MAX_POINTS / 160)
		snprintf(list[count++], 64, "ring,points=16");
	else
		snprintf(list[count++], 64, "%s", a->name);
	if (strcmp(a->name, "table") == 0)
		snprintf(list[count++], 64, "table,rows=1048576");
	if (strcmp(a->name, "rendezvous") == 0) {
		weights[count] = 4;
		snprintf(list[count++], 64, "rendezvous");
	}
	return count;
}

/* What a build and a lookup took with the last number of nodes, by name without options. */
struct last {
	char name[64];
	double ms, ns;
};

static struct last *last_of(const char *name)
{
	static struct last lasts[64];
	for (size_t i = 0; i < 64; i++) {
		/* A capacity follows from n and is not part of the name. */
		size_t n = strcspn(name, ",");
		if (strncmp(name + n, ",capacity", 9) != 0)
			n = strlen(name);
		if (lasts[i].name[0] == 0)
			memcpy(lasts[i].name, name, n);
		if (strncmp(lasts[i].name, name, n) == 0 && lasts[i].name[n] == 0)
			return &lasts[i];
	}
	abort();
}

static double some_lookups(fl_placement *p)
{
	double start = now_ns();
	run_bytes(p, 5);
	return (now_ns() - start) / 5;
}

size_t add_ours(struct subject **list, size_t count, size_t max, uint32_t nodes,
	const struct settings *set)
{
	const struct fl_algorithm_info *a = NULL;
	while ((a = fl_algorithm_next(a))) {
		char specs[4][64];
		int32_t weights[4];
		size_t n = specs_of(a, nodes, specs, weights);
		for (size_t i = 0; i < n && count < max; i++) {
			struct last *last = last_of(specs[i]);
			if ((set->only && !strstr(specs[i], set->only)) ||
				last->ms * 10 > set->build_limit || last->ns * 10 > LOOKUP_MOST)
				continue;
			struct subject *s = our_subject(specs[i], nodes, weights[i], true);
			if (!s)
				continue;
			last->ms = s->value[BUILD];
			last->ns = some_lookups(s->state);
			list[count++] = s;
		}
	}
	return count;
}

void every_removal(const char *spec, uint32_t nodes, double *excess, double *peak)
{
	fl_placement *p = make(spec, nodes, 1);
	double sum = 0;
	*excess = *peak = NAN;
	if (!p)
		return;
	double most = peak_of(p, 0);
	for (uint32_t i = 0; i < nodes; i++) {
		const char *name;
		bool exact;
		fl_placement *q = without_one(p, &name, i);
		double high;
		if (!q)
			abort();
		sum += excess_of(p, q, 0, &exact);
		high = peak_of(q, 0);
		most = high > most ? high : most;
		fl_placement_unref(q);
	}
	fl_placement_unref(p);
	*excess = sum / nodes;
	*peak = most;
}
