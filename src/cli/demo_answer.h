/* One answer to a demo client, held against its request. Bytes in, a verdict out; no I/O. */
#ifndef FL_CLI_DEMO_ANSWER_H
#define FL_CLI_DEMO_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_DEMO_ANSWER_BYTES 4096 /* head and body; more is wrong */

struct fl_demo_answer {
	const char *key; /* that was asked for; borrowed */
	uint8_t node;    /* DONE: which node answered */
	bool keep_alive; /* DONE: the connection may be used again */
	const char *why; /* WRONG: how */
	size_t n, scanned;
	char bytes[FL_DEMO_ANSWER_BYTES];
};

void fl_demo_answer_start(struct fl_demo_answer *a, const char *key);

/* Takes what came in. 1: that was the whole answer, and the right one; 0: more must come; -1: it
 * is wrong: another status than 200, a length that does not fit, a node that is none of the
 * demo's, a body that is not this node's for this key. */
int fl_demo_answer_feed(struct fl_demo_answer *a, const char *bytes, size_t n);

#endif
