/* The show: three acts on a running balancer. Every key is asked for in each act, and what was
 * seen is held against what the library foretells and what modulo would have done. */
#ifndef FL_CLI_DEMO_SHOW_H
#define FL_CLI_DEMO_SHOW_H

#include "cli/demo_balancer.h"
#include "cli/demo_oracle.h"
#include "cli/demo_traffic.h"
#include "cli/demo_view.h"

#include <stdbool.h>
#include <stdint.h>

struct fl_demo_stage {
	struct fl_demo_view *view;
	struct fl_demo_balancer *balancer;
	struct fl_demo_traffic *traffic;
	struct fl_demo_oracle *oracle;
	size_t keys;
	double began;   /* seconds, CLOCK_MONOTONIC */
	double seconds; /* how long in all; 0: until a signal */
	double act;     /* how long one act takes */
};

/* Plays the three acts, then goes on with live shares until the time is up or SIGINT, SIGTERM or
 * SIGHUP comes; these must be blocked in every thread. Returns the exit status: 0 when all that
 * must hold was seen to hold; 1 when not (it says what); 128 + the signal that cut the acts. */
int fl_demo_show(const struct fl_demo_stage *stage);

/* Seconds of CLOCK_MONOTONIC. */
double fl_demo_now(void);

#endif
