/* An answer of the balancer that is verified, and the node that it names. */
#ifndef FL_CLI_VERIFY_ANSWER_H
#define FL_CLI_VERIFY_ANSWER_H

#include "base/error.h"
#include "base/text.h"
#include "proto/http1.h"

#include <regex.h>

#define FL_VERIFY_HEAD_MOST ((size_t)64 << 10) /* bytes of a head */
#define FL_VERIFY_BODY_KEPT ((size_t)64 << 10) /* of a body that is looked into */
#define FL_VERIFY_NODE_MOST 255                /* bytes of a node's name in an answer */

/* Where an answer names its node. */
struct fl_verify_finder {
	const char *header; /* its name; NULL: the body */
	bool has_pattern;   /* the first group of `pattern` is the name, not the whole */
	regex_t pattern;
};

/* Sets the pattern: POSIX extended, with a group. FL_EINVAL with a text. */
int fl_verify_finder_pattern(
	struct fl_verify_finder *f, const char *pattern, struct fl_error *err);
void fl_verify_finder_fini(struct fl_verify_finder *f);

struct fl_verify_answer {
	const struct fl_verify_finder *finder;
	struct fl_text bytes; /* the head while it comes in, then what is kept of the body */
	size_t scanned;
	bool begun;    /* some byte came in */
	bool has_head; /* of the answer itself, not of a 1xx */
	bool cut;      /* the body is longer than what is kept */
	int status;
	struct fl_http1_body body;
	bool keep_alive;                    /* once it is whole */
	char node[FL_VERIFY_NODE_MOST + 1]; /* once it is whole: what it names */
	char why[128];                      /* once it is refused */
};

void fl_verify_answer_init(struct fl_verify_answer *a, const struct fl_verify_finder *finder);
void fl_verify_answer_fini(struct fl_verify_answer *a);

/* The next answer begins. */
void fl_verify_answer_start(struct fl_verify_answer *a);

/* Takes bytes. 1: it is whole and `node` is set. 0: more is to come. -1: it names no node, or is no
 * answer in HTTP; `why` says so, and the connection cannot be used again. */
int fl_verify_answer_feed(struct fl_verify_answer *a, const char *bytes, size_t n);

/* The connection has ended: 1 or -1, as above. */
int fl_verify_answer_end(struct fl_verify_answer *a);

#endif
