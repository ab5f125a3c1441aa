/* What a pool can be told about active health checks: the map `health` of a pool.
 *
 *   health: tcp                                   a connection that opens is enough
 *   health: http                                  GET / answers with a status from 200 to 399
 *   health: {http: {path: /ok, expect: 200}, interval: 2s, timeout: 1s, rise: 2, fall: 3}
 *   health: none                                  the default: traffic alone tells */
#ifndef FL_HEALTH_OPTIONS_H
#define FL_HEALTH_OPTIONS_H

#include "base/option.h"

enum fl_health_kind {
	FL_HEALTH_NONE,
	FL_HEALTH_TCP,
	FL_HEALTH_HTTP,
};

struct fl_health_expect {
	unsigned min, max; /* inclusive; 100..599 */
};

struct fl_health_http_conf {
	const char *path; /* begins with "/"; never NULL */
	const char *host; /* of the Host field; NULL: the node's address as it is written */
	struct fl_health_expect expect; /* a status within is a success */
};

struct fl_health_conf {
	int kind;             /* enum fl_health_kind */
	uint64_t interval_ms; /* from the end of one probe to the start of the next */
	uint64_t timeout_ms;  /* for a whole probe; never longer than the interval */
	int64_t rise;         /* successes in a row that bring a node up */
	int64_t fall;         /* failures in a row that take it down */
	struct fl_health_http_conf http; /* kind HTTP */
	bool tcp, http_given;            /* as written; `kind` says what follows from them */
};

/* One row, "health", of struct fl_health_conf: to stand in the map of a pool. */
extern const struct fl_option fl_health_rows[];

#endif
