#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

void fl_text_init(struct fl_text *t, size_t max)
{
	*t = (struct fl_text){.max = max};
}

void fl_text_fini(struct fl_text *t)
{
	free(t->p);
	fl_text_init(t, t->max);
}

void fl_text_clear(struct fl_text *t)
{
	t->n = 0;
	t->failed = false;
}

/* Room for `n` more bytes; doubles, so that appending is linear in all. */
static bool reserve(struct fl_text *t, size_t n)
{
	if (n <= t->cap - t->n)
		return true;
	if (t->failed || n > t->max - t->n) {
		t->failed = true;
		return false;
	}
	size_t cap = t->cap ? t->cap : 512;
	while (cap - t->n < n)
		cap *= 2;
	if (cap > t->max)
		cap = t->max;
	char *p = realloc(t->p, cap);
	if (!p) {
		t->failed = true;
		return false;
	}
	t->p = p;
	t->cap = cap;
	return true;
}

void fl_text_grow_add(struct fl_text *t, const char *p, size_t n)
{
	if (n && reserve(t, n)) {
		memcpy(t->p + t->n, p, n);
		t->n += n;
	}
}

void fl_text_string(struct fl_text *t, const char *s)
{
	fl_text_add(t, s, strlen(s));
}

void fl_text_number(struct fl_text *t, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	fl_text_add(t, digits + at, sizeof(digits) - at);
}

void fl_text_vformat(struct fl_text *t, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it loses track of va_copy */
	int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	/* One byte more for the NUL that vsnprintf insists on; it does not count. */
	if (n >= 0 && reserve(t, (size_t)n + 1)) {
		(void)vsnprintf(t->p + t->n, (size_t)n + 1, format, args);
		t->n += (size_t)n;
	}
}

void fl_text_format(struct fl_text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fl_text_vformat(t, format, args);
	va_end(args);
}
