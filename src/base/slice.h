/* A borrowed run of bytes: never owns, never ends in NUL. */
#ifndef FL_BASE_SLICE_H
#define FL_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct fl_slice {
	const char *p;
	size_t n;
};

/* A slice of a string literal. */
#define FL_SLICE(literal) ((struct fl_slice){(literal), sizeof(literal) - 1})

static inline struct fl_slice fl_slice_of(const char *text)
{
	return (struct fl_slice){text, text ? strlen(text) : 0};
}

static inline bool fl_slice_eq(struct fl_slice a, struct fl_slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* As fl_slice_eq, ASCII letters compared without case. */
static inline bool fl_slice_eq_nocase(struct fl_slice a, struct fl_slice b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

#endif
