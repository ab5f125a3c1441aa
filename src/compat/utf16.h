/* What a Java String made of UTF-8 bytes holds, and how Java orders Strings. */
#ifndef FL_COMPAT_UTF16_H
#define FL_COMPAT_UTF16_H

#include <stddef.h>
#include <stdint.h>

/* Decodes one character from bytes[0..len), len >= 1, and writes it as UTF-16LE (2 or 4 bytes)
 * into out; *used gets how many bytes it took. Each longest beginning of a valid sequence that
 * goes wrong becomes one U+FFFD, as Java's decoder has it. Gives the size of the output. */
size_t fl_utf16le_next(
	const unsigned char *bytes, size_t len, unsigned char out[4], size_t *used);

/* Order of two NUL-terminated UTF-8 texts by UTF-16 code units: < 0, 0, > 0. */
int fl_utf16_compare(const char *a, const char *b);

#endif
