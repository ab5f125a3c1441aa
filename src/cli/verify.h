/* What `verify` was asked to do and what it found, for its report. */
#ifndef FL_CLI_VERIFY_H
#define FL_CLI_VERIFY_H

#include "cli/report_args.h"
#include "cli/traffic_args.h"
#include "cli/verify_tally.h"

struct fl_verify {
	const char *url, *spec; /* spec: the pool's algorithm */
	struct fl_verify_tally tally;
	const struct fl_traffic_args *traffic;
	uint64_t rate, keys; /* keys: different ones that were to be asked */
	bool more_keys;      /* there were more than --limit */
	double max_mismatch; /* share of the answered keys */
	bool given_up;       /* too many failures in a row */
};

/* Whether no more keys went elsewhere than may. */
bool fl_verify_holds(const struct fl_verify *v);

/* The report; NULL or failed as fl_report_new. The caller's. */
struct fl_report *fl_verify_report(struct fl_verify *v);

#endif
