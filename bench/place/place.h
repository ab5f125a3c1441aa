/* What the parts of `bench place` share: a subject is one algorithm, ours or a peer's, with one
 * number of nodes, and the figures that are found for it. */
#ifndef FL_BENCH_PLACE_H
#define FL_BENCH_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_ROUNDS 15
#define BLOCK      4096 /* keys of one batch */
/* Different keys, so many that a processor cannot learn the branches that they lead to. */
#define KEYS (1u << 17)
#define WEYL 0x9e3779b97f4a7c15u

enum metric {
	THROUGHPUT,    /* ns a lookup of a hashed key, lookups independent of each other */
	LATENCY,       /* ns, each key made from the last answer */
	BATCH,         /* ns a key of fl_pick_batch */
	BYTES16,       /* ns a lookup of 16 raw bytes, hashing included */
	TIMED,         /* the ones above are timed in rounds */
	BUILD = TIMED, /* ms */
	CHANGE,        /* ms, one node added or removed */
	MEMORY,        /* bytes */
	PEAK,          /* largest share over the average one */
	EXCESS,        /* per cent of keys moved beyond the least when one node goes */
	METRICS
};

extern const char *const metric_names[METRICS];

struct subject {
	char name[64];
	uint32_t nodes;
	bool peer;
	bool sampled; /* PEAK and EXCESS come from sampled keys */
	void *state;
	void (*free)(void *state);
	/* Does `loops` lookups; NULL: cannot. The result only keeps the compiler honest. */
	uint64_t (*run[TIMED])(void *state, size_t loops);
	size_t loops[TIMED];
	double value[METRICS]; /* NAN: none */
	double rounds[TIMED][MAX_ROUNDS];
};

struct settings {
	bool quick;
	unsigned rounds;
	double slice;       /* ns that one measurement takes */
	double build_limit; /* ms: what takes longer at this n is not tried at ten times n */
	const char *only;   /* a part of the names wanted, or NULL */
};

/* ---- measure.c ---- */

double now_ns(void); /* of this thread: what other processes take is not counted */
double median(double *list, size_t count); /* sorts the list */
uint64_t spread(uint64_t x);
const uint64_t *some_hashes(void); /* KEYS of them, random */
const char (*some_keys(void))[16]; /* KEYS of 16 bytes, not terminated */
struct subject *subject_new(const char *name, uint32_t nodes, bool peer);
void subject_free(struct subject *s);
void node_name(char *out, size_t size, uint32_t i);

/* All subjects in turn, round by round, so that a machine that becomes slower is slower for
 * all; medians into value[]. */
void measure(struct subject **list, size_t count, const struct settings *set);

/* ---- ours.c, peers.c ---- */

/* Appends the subjects for `nodes`, built; gives the new count. */
size_t add_ours(struct subject **list, size_t count, size_t max, uint32_t nodes,
	const struct settings *);
size_t add_peers(struct subject **list, size_t count, size_t max, uint32_t nodes,
	const struct settings *);

/* One of ours by its spec; NULL when it cannot be built. */
struct subject *our_subject(const char *spec, uint32_t nodes, int32_t weights, bool figures);

/* Over every single removal from `nodes`: the mean of moved - least, in per cent, and the
 * highest peak. */
void every_removal(const char *spec, uint32_t nodes, double *excess, double *peak);

/* One line: what libmemcached does at `servers`. Runs it in a child process. */
void ketama_at(uint32_t servers, char *out, size_t size);

/* ---- report.c ---- */

void print_machine(FILE *f);
void print_header(void);
void print_subject(const struct subject *s);
void print_targets(struct subject **all, size_t count, const struct settings *set, FILE *json);
void json_subjects(FILE *f, struct subject **all, size_t count);
struct subject *find_subject(
	struct subject **all, size_t count, const char *name, uint32_t nodes);

/* ---- extra.c ---- */

/* Instructions a lookup, by callgrind on this very program. */
void print_instructions(const char *self, struct subject **all, size_t count, FILE *json);
/* What --spin does for it. */
int spin(const char *spec, uint32_t nodes, size_t loops);
/* Lookups a second while a writer publishes, from the program `read` beside this one. */
void print_readers(const char *self, bool quick, FILE *json);

#endif
