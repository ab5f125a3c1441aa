/* The state of a node: three axes, one setter each (pool.h), one pure function for what follows.
 *
 *   admin   what the operator wants: enabled, drain, disabled
 *   health  what checks and traffic say: up, down, ejected
 *   ramp    how warm it is: from 0 (just came) to 1 (takes its full share)
 *
 * The axes never overwrite each other: a draining node that dies and comes back is still
 * draining. */
#ifndef FL_POOL_STATE_H
#define FL_POOL_STATE_H

#include <stdbool.h>

enum fl_admin_state {
	FL_ADMIN_ENABLED,
	FL_ADMIN_DRAIN,
	FL_ADMIN_DISABLED,
};

enum fl_health_state {
	FL_HEALTH_UP,
	FL_HEALTH_DOWN,    /* an active check says so */
	FL_HEALTH_EJECTED, /* live traffic says so: it refused or reset */
};

struct fl_effective {
	bool built;   /* has rows or points in the placement */
	bool owner;   /* may be given new keys (else it is masked) */
	bool counted; /* its weight counts in W, for load bounds */
	bool tokens;  /* sessions pinned to it still go there */
	bool keeps;   /* its open connections are kept */
};

/* Pure; reads a table that stands in state.c. */
struct fl_effective fl_state_effective(enum fl_admin_state admin, enum fl_health_state health);

const char *fl_admin_name(enum fl_admin_state admin);    /* "enabled", ... */
const char *fl_health_name(enum fl_health_state health); /* "up", ... */

#endif
