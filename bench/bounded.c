// rooms: lib
/* What a bound on rows costs: keys moved beyond the least when one of 100 nodes goes, comes or gets
 * another weight, the peak, and the time to build and to derive. The plain table beside it. And
 * what a request costs under bounded loads. */
#include "fairlead/fairlead.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NODES 100

struct figure {
	double sum, most;
};

enum kind {
	GOES,
	COMES,
	REWEIGHTED,
	KINDS
};

struct result {
	struct figure extra, time;
};

static void add(struct figure *f, double x)
{
	f->sum += x;
	f->most = x > f->most ? x : f->most;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(int rc)
{
	if (rc != FL_OK) {
		fprintf(stderr, "bounded: %s\n", fl_strerror(rc));
		exit(1);
	}
}

static double peak(const fl_placement *p)
{
	double shares[NODES + 1], top = 0, weights = 0;
	must(fl_shares(p, 0, shares));
	for (uint32_t i = 0; i < fl_placement_slots(p); i++)
		weights += fl_placement_node(p, i)->weight;
	for (uint32_t i = 0; i < fl_placement_slots(p); i++) {
		double over = shares[i] * weights / fl_placement_node(p, i)->weight;
		top = over > top ? over : top;
	}
	return top;
}

static void change(const fl_placement *p, const struct fl_change *c, struct result *r)
{
	fl_placement *q;
	struct fl_movement *m;
	double start = now();
	must(fl_placement_derive(&q, p, c, 1, NULL));
	add(&r->time, now() - start);
	must(fl_movement_new(&m, p, q, 0, NULL));
	add(&r->extra, 100 * (m->moved - m->least));
	fl_movement_free(m);
	fl_placement_unref(q);
}

static void change_each(const fl_placement *p, char names[][16], struct result r[KINDS])
{
	static const int32_t heavier[] = {101, 110, 150, 200};
	char name[16];
	for (int i = 0; i < NODES; i++) {
		struct fl_change c = {FL_REMOVE, {names[i], 0, FL_NONE, NULL}};
		change(p, &c, &r[GOES]);
		snprintf(name, sizeof(name), "new-%d", i);
		c = (struct fl_change){FL_ADD, {name, 100, FL_NONE, NULL}};
		change(p, &c, &r[COMES]);
		c = (struct fl_change){FL_REWEIGHT, {names[i], heavier[i % 4], 0, NULL}};
		change(p, &c, &r[REWEIGHTED]);
	}
}

static void measure(const char *spec)
{
	struct fl_node nodes[NODES];
	char names[NODES][16];
	struct result r[KINDS] = {{{0, 0}, {0, 0}}};
	fl_placement *p = NULL;
	double build = 1e9;
	for (int i = 0; i < NODES; i++) {
		snprintf(names[i], sizeof(names[i]), "node-%d", i);
		nodes[i] = (struct fl_node){names[i], 100, FL_NONE, NULL};
	}
	for (int i = 0; i < 5; i++) {
		double start = now();
		fl_placement_unref(p);
		must(fl_placement_new(&p, spec, nodes, NODES, NULL));
		build = now() - start < build ? now() - start : build;
	}
	change_each(p, names, r);
	printf("%-30s %6.4f %6.2f", spec, peak(p), build);
	for (int k = 0; k < KINDS; k++)
		printf("   %.4f %.4f %6.3f", r[k].extra.sum / NODES, r[k].extra.most,
			r[k].time.sum / NODES);
	putchar('\n');
	fl_placement_unref(p);
}

/* ns for an acquire and a release, with `flying` requests in flight on that many keys. */
static void measure_load(const char *spec, uint32_t flying, uint32_t keys)
{
	enum {
		ROUNDS = 1000000
	};
	static uint32_t slots[4096];
	struct fl_node nodes[NODES];
	char names[NODES][16];
	fl_placement *p;
	fl_load *l;
	uint64_t hash = 1;
	for (int i = 0; i < NODES; i++) {
		snprintf(names[i], sizeof(names[i]), "node-%d", i);
		nodes[i] = (struct fl_node){names[i], 1, FL_NONE, NULL};
	}
	must(fl_placement_new(&p, spec, nodes, NODES, NULL));
	must(fl_load_new(&l, NODES));
	double start = 0;
	for (uint32_t i = 0; i < flying + ROUNDS; i++) {
		uint64_t number = (hash = hash * 6364136223846793005u + 1) >> 33;
		struct fl_key key = fl_key_hash(number % keys * 0x9e3779b97f4a7c15u);
		if (i == flying)
			start = now();
		if (i >= flying)
			must(fl_load_release(l, slots[i % flying]));
		must(fl_load_acquire(l, p, &key, NULL, 250000, &slots[i % flying]));
	}
	printf("%-12s %5u in flight on %5u keys: %7.1f ns\n", spec, flying, keys,
		(now() - start) * 1e6 / ROUNDS);
	fl_load_free(l);
	fl_placement_unref(p);
}

int main(void)
{
	static const char *const specs[] = {"table", "table,epsilon=10%", "table,epsilon=5%",
		"table,epsilon=2%", "table,epsilon=1%", "table,epsilon=0",
		"table,rows=1048576,epsilon=1%"};
	printf("%d nodes; %% of keys moved beyond the least, average and most; times in ms\n",
		NODES);
	printf("%-30s %6s %6s   %-20s   %-20s   %s\n", "", "peak", "build",
		"one goes    (derive)", "one comes", "one reweighted");
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		measure(specs[i]);
	printf("\nbounded loads, epsilon 25 %%: an acquire and a release, one thread\n");
	measure_load("table", 64, 100000);
	measure_load("table", 4096, 100000);
	measure_load("table", 4096, 10);
	measure_load("table", 4096, 1);
	measure_load("ring", 4096, 100000);
	return 0;
}
