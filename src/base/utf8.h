/* UTF-8, one character at a time. */
#ifndef FL_BASE_UTF8_H
#define FL_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of the character at `p` (1 to 4) with its code point in *code; 0 when what is there
 * is not UTF-8 (overlong forms, surrogates and cut characters included) or `len` is 0. */
size_t fl_utf8_decode(const char *p, size_t len, uint32_t *code);

/* Whether a terminal or a line reader would act on the character instead of showing it: C0, DEL,
 * C1, the line and paragraph separators, and what turns the direction of text around. */
bool fl_utf8_acts(uint32_t code);

#endif
