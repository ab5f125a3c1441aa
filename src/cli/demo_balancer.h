/* The demo's balancer: this very program as `serve -c FILE` in a child process, with a private
 * directory for its file, its admin socket and its log.
 *
 * Everything goes the way a user's changes go: the file is rewritten, the process gets SIGHUP,
 * and its admin socket tells what that did. */
#ifndef FL_CLI_DEMO_BALANCER_H
#define FL_CLI_DEMO_BALANCER_H

#include "cli/demo_nodes.h"
#include "fairlead/fairlead.h"

#include <stdbool.h>
#include <sys/types.h>

/* The name of the one pool. */
#define FL_DEMO_POOL "demo"

struct fl_demo_balancer;

struct fl_demo_balancer_options {
	const char *algorithm; /* a spec, as fl_placement_new takes it */
	uint16_t port;         /* 0: a free one */
	uint16_t node_port[FL_DEMO_NODES];
};

/* Starts the balancer with all nodes and waits, 10 s at most, until it answers. FL_OK, or a
 * negative FL_E*; nothing is left behind then. One thread at a time; the thread that calls this
 * must live as long as the balancer, which ends with it. */
int fl_demo_balancer_new(struct fl_demo_balancer **out,
	const struct fl_demo_balancer_options *options, struct fl_error *err);

/* Makes the members those nodes i with bit i set in `members`, and waits, 10 s at most, until the
 * balancer reports the change. *moved gets the share of the key space that it says has moved. */
int fl_demo_balancer_members(
	struct fl_demo_balancer *b, unsigned members, double *moved, struct fl_error *err);

/* True when the balancer reports a change of membership that nobody here made or heard of; *moved
 * as above. */
bool fl_demo_balancer_changed(struct fl_demo_balancer *b, double *moved);

/* False once the process has ended by itself. */
bool fl_demo_balancer_alive(struct fl_demo_balancer *b);

uint16_t fl_demo_balancer_port(const struct fl_demo_balancer *b);
pid_t fl_demo_balancer_pid(const struct fl_demo_balancer *b);
const char *fl_demo_balancer_file(const struct fl_demo_balancer *b);  /* the configuration */
const char *fl_demo_balancer_admin(const struct fl_demo_balancer *b); /* the socket's path */

/* Ends the process (SIGTERM; after 3 s SIGKILL) and waits for it. FL_EINVAL when it has ended with
 * another status than 0, before or now; *err then has the last line of its log. */
int fl_demo_balancer_stop(struct fl_demo_balancer *b, struct fl_error *err);

/* Ends the process, if that was not done, and removes the directory. NULL is fine. */
void fl_demo_balancer_free(struct fl_demo_balancer *b);

#endif
