/* The demo's clients: a few keep-alive connections in one thread, which ask for one key after
 * another at a bounded rate and note which node answered.
 *
 * Every answer is held against its request: status, framing, the node's name, the key in the
 * body. Whatever does not fit (a refused or cut connection, a wrong answer, 10 s of silence) is a
 * failed request; nothing is retried here.
 *
 * Traffic is cut into *passes*. A pass begins with every key once, and goes on with the same
 * keys until the next begins. What was sent before a pass began says nothing about it. */
#ifndef FL_CLI_DEMO_TRAFFIC_H
#define FL_CLI_DEMO_TRAFFIC_H

#include "cli/demo_nodes.h"

#include <stdbool.h>
#include <stdint.h>

struct fl_demo_traffic;

struct fl_demo_traffic_options {
	uint16_t port; /* of the balancer, on loopback */
	size_t keys;   /* 1.. */
	unsigned rate; /* requests a second at most, over all connections */
};

struct fl_demo_counts {
	uint64_t requests[FL_DEMO_NODES]; /* answered, in this pass */
	uint64_t answered, failed;        /* since the start */
	uint64_t strays; /* answers by another node than this pass saw for the key before */
	size_t seen;     /* keys that this pass has asked for and got an answer or a failure */
};

/* The text of key i; returns `buf`. */
struct fl_demo_key {
	char text[24];
};
const char *fl_demo_key(struct fl_demo_key *buf, size_t i);

/* Starts the thread; no request is sent before the first pass. 0 or a negative errno. */
int fl_demo_traffic_new(
	struct fl_demo_traffic **out, const struct fl_demo_traffic_options *options);

/* Stops the thread and waits for it. NULL is fine. */
void fl_demo_traffic_free(struct fl_demo_traffic *t);

/* These return when the thread has heard. Between end and begin requests go on, but say nothing
 * about any key: for changes of membership. */
void fl_demo_traffic_begin(struct fl_demo_traffic *t);
void fl_demo_traffic_end(struct fl_demo_traffic *t);

/* Any time: the rate from now on. */
void fl_demo_traffic_rate(struct fl_demo_traffic *t, unsigned rate);

/* Any thread. Counts are each exact; between them they may be a moment apart. */
void fl_demo_traffic_counts(const struct fl_demo_traffic *t, struct fl_demo_counts *out);

/* The node that answered key i last in a pass, or FL_DEMO_NOBODY: not asked yet, or failed. */
uint8_t fl_demo_traffic_owner(const struct fl_demo_traffic *t, size_t i);

/* How the first failed request failed, into buf[0..n); "" when none has. */
void fl_demo_traffic_why(struct fl_demo_traffic *t, char *buf, size_t n);

#endif
