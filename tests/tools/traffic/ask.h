/* What is asked: request number n of a run is a function of the seed and n alone, so a run can
 * be repeated and a failed request can be looked at again. */
#ifndef FL_TESTS_TOOLS_ASK_H
#define FL_TESTS_TOOLS_ASK_H

#include "payload.h"

#include <stdbool.h>

enum mix {
	MIX_FULL,
	MIX_GET
};

struct ask_options {
	enum mix mix;
	uint64_t seed, keys;
	bool no_post, idempotency_key;
	const char *host;
};

struct ask {
	unsigned long n;
	const char *method;
	uint64_t key;
	uint64_t size, seed; /* of the answer's body */
	bool echo, chunked_answer;
	uint64_t body_len, body_seed; /* of the request's body; 0: none */
	bool body_chunked, expects;
	unsigned retries;   /* times it was sent again because a connection was closed */
	bool http10, close; /* set by the connection that it goes out on */
	bool idempotency_key;
};

struct ask ask_make(const struct ask_options *o, unsigned long n);

/* May follow and be followed by others before it is answered. */
bool ask_pipelines(const struct ask *ask);

void ask_write_head(const struct ask *ask, const struct ask_options *o, struct buf *out);
void ask_write_body(const struct ask *ask, struct buf *out);

/* The digest of the request's body. */
uint64_t ask_digest(const struct ask *ask);

#endif
