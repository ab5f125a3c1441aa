#include "requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES 256

/* All heads stand behind one another, the first of them once more at the end, so that `depth` in
 * a row are always one piece of memory. */
struct requests {
	char *bytes, *body;
	size_t *starts; /* keys + depth, and the end */
	int keys, depth, at;
};

static void *must(void *p)
{
	if (!p) {
		perror("load");
		exit(1);
	}
	return p;
}

static int write_head(char *p, const struct requests_options *o, int number)
{
	/* As 7919 is prime, neighbours differ and each key comes once a turn. */
	long key = number % o->keys * 7919L % o->keys;
	char length[48] = "";
	int n;

	if (o->upload > 0)
		(void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n", o->upload);
	n = snprintf(p, HEAD_BYTES, "%s /", o->upload > 0 ? "PUT" : "GET");
	if (o->query)
		n += snprintf(p + n, HEAD_BYTES - n, "?a=1&k=u%ld", key);
	n += snprintf(p + n, HEAD_BYTES - n, " HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", o->port);
	if (!o->query)
		n += snprintf(p + n, HEAD_BYTES - n, "X-User: u%ld\r\n", key);
	n += snprintf(p + n, HEAD_BYTES - n, "%s%s\r\n", length,
		o->fresh ? "Connection: close\r\n" : "");
	return n;
}

struct requests *requests_new(const struct requests_options *o)
{
	struct requests *r = must(calloc(1, sizeof(*r)));
	int total = o->keys + o->depth;
	size_t at = 0;

	r->keys = o->keys;
	r->depth = o->depth;
	r->bytes = must(malloc((size_t)total * HEAD_BYTES));
	r->starts = must(malloc(((size_t)total + 1) * sizeof(*r->starts)));
	for (int i = 0; i < total; i++) {
		r->starts[i] = at;
		at += (size_t)write_head(r->bytes + at, o, i);
	}
	r->starts[total] = at;
	if (o->upload > 0) {
		r->body = must(malloc(o->upload));
		memset(r->body, 'b', o->upload);
	}
	return r;
}

const char *requests_next(struct requests *r, size_t *size)
{
	size_t start = r->starts[r->at];

	*size = r->starts[r->at + r->depth] - start;
	r->at = (r->at + r->depth) % r->keys;
	return r->bytes + start;
}

const char *requests_body(const struct requests *r)
{
	return r->body;
}

void requests_free(struct requests *r)
{
	free(r->bytes);
	free(r->body);
	free(r->starts);
	free(r);
}
