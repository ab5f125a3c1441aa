/* What `fairlead plan` found out, and its report. */
#ifndef FL_CLI_PLAN_H
#define FL_CLI_PLAN_H

#include "cli/traffic_args.h"
#include "plan/traffic.h"
#include "pool/pool.h"

/* A bound that decides the exit status. */
struct fl_plan_bound {
	const char *text; /* as it was given: "a=1.3x" */
	const char *node; /* NULL: about what moves; "*": about every node */
	double most;
	bool factor; /* of the load before; else a share of the traffic after */
};

struct fl_plan {
	const struct fl_traffic_args *traffic;
	const struct fl_traffic_report *report;
	const char *pool;
	const char *spec_before, *spec_after;
	const struct fl_view *before, *after;
	const struct fl_movement *movement; /* of the key space; NULL: no placement changed */
	const struct fl_plan_bound *bounds;
	size_t bound_count;
	size_t hot; /* hottest keys that move to be listed */
};

/* Whether all bounds hold. */
bool fl_plan_holds(const struct fl_plan *plan);

/* The report; NULL without memory. */
struct fl_report *fl_plan_report(const struct fl_plan *plan);

#endif
