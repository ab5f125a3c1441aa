/* What `fairlead why` tells, wherever it was learnt: from a pool built here, or from a running
 * balancer's answer. Borrows from its source. */
#ifndef FL_CLI_WHY_H
#define FL_CLI_WHY_H

#include "base/slice.h"
#include "fairlead/fairlead.h"
#include "pool/why.h"
#include "report/report.h"

#include <jansson.h>

struct fl_told_node {
	const char *name, *zone, *admin, *health; /* zone: NULL for none */
	size_t rank;                              /* 0: none */
	int verdict;                              /* enum fl_verdict */
	int64_t weight;
	bool backup;
	double ramp;
};

struct fl_told {
	struct fl_slice key;
	const char *source; /* what gave the key; NULL: the command line */
	const char *pool, *algorithm;
	const char *owner; /* NULL: nobody */
	uint64_t digest, mask_digest;
	bool live;      /* a running balancer said so */
	uint64_t epoch; /* if live */
	bool hashed;
	uint64_t hash; /* if hashed */
	bool located;
	struct fl_position position;   /* if located */
	const fl_placement *placement; /* to draw; NULL: not at hand */
	size_t count;
	struct fl_told_node *nodes; /* owned */
};

/* From a pool of this process; FL_OK or as fl_pool_why. *why holds what `out` borrows. */
int fl_told_pool(
	struct fl_told *out, struct fl_why **why, struct fl_pool *pool, struct fl_slice key);

/* From the answer to GET /why; FL_EINVAL when it is not one. */
int fl_told_answer(
	struct fl_told *out, const json_t *answer, struct fl_slice key, struct fl_error *err);

void fl_told_fini(struct fl_told *told);

/* The report, with at most `owners` nodes of those that have a rank; `drawn`: with a picture of the
 * rows or the ring. NULL without memory. */
struct fl_report *fl_told_report(const struct fl_told *told, size_t owners, bool drawn);

#endif
