/* A byte buffer that grows by appending, up to a bound. A failed append (no memory, over the
 * bound) is remembered, so that a writer checks once at the end. */
#ifndef FL_BASE_TEXT_H
#define FL_BASE_TEXT_H

#include "base/slice.h"

#include <stdarg.h>
#include <stdint.h>

struct fl_text {
	char *p;
	size_t n, cap, max;
	bool failed;
};

/* An empty buffer of at most `max` bytes; allocates nothing yet. */
void fl_text_init(struct fl_text *t, size_t max);
void fl_text_fini(struct fl_text *t);

/* Empty again; the memory is kept. */
void fl_text_clear(struct fl_text *t);

/* Appends after making room: what fl_text_add does when there is none yet. */
void fl_text_grow_add(struct fl_text *t, const char *p, size_t n);

static inline void fl_text_add(struct fl_text *t, const char *p, size_t n)
{
	if (n > t->cap - t->n) {
		fl_text_grow_add(t, p, n);
	} else if (n) {
		memcpy(t->p + t->n, p, n);
		t->n += n;
	}
}

static inline void fl_text_slice(struct fl_text *t, struct fl_slice s)
{
	fl_text_add(t, s.p, s.n);
}

void fl_text_string(struct fl_text *t, const char *s);
void fl_text_number(struct fl_text *t, uint64_t value);
__attribute__((format(printf, 2, 3))) void fl_text_format(
	struct fl_text *t, const char *format, ...);
__attribute__((format(printf, 2, 0))) void fl_text_vformat(
	struct fl_text *t, const char *format, va_list args);

#define FL_TEXT_LITERAL(t, literal) fl_text_add((t), (literal), sizeof(literal) - 1)

#endif
