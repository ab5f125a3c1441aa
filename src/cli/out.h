/* Standard output, buffered in large pieces, and JSON text. */
#ifndef FL_CLI_OUT_H
#define FL_CLI_OUT_H

#include "base/slice.h"

#include <stdio.h>

/* Gives standard output a large buffer; call before anything is printed. */
void fl_out_init(void);

static inline void fl_out_bytes(const char *p, size_t n)
{
	(void)fwrite_unlocked(p, 1, n, stdout);
}

static inline void fl_out_char(char c)
{
	(void)putc_unlocked(c, stdout);
}

/* A JSON string, quotes included; what is not UTF-8 becomes U+FFFD. */
void fl_out_json(struct fl_slice text);

/* Whether all of it is UTF-8. */
bool fl_out_is_utf8(struct fl_slice text);

#endif
