/* What is sent: requests made once, before the clock starts, and taken in turn. */
#ifndef LOAD_REQUESTS_H
#define LOAD_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>

struct requests_options {
	int port;      /* for the Host field */
	int keys;      /* different ones; at least 1 */
	int depth;     /* sent at once */
	bool query;    /* the key stands in the query, else in the field X-User */
	bool fresh;    /* each on a connection of its own */
	size_t upload; /* bytes of a body; 0: GET requests without one */
};

struct requests;

/* Exits when there is no memory. */
struct requests *requests_new(const struct requests_options *options);

/* The bytes of the next `depth` heads in turn. They stay valid. */
const char *requests_next(struct requests *r, size_t *size);

/* The body of each, `upload` bytes; NULL if there is none. */
const char *requests_body(const struct requests *r);

void requests_free(struct requests *r);

#endif
