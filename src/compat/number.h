/* Keys of systems whose mapping starts from a number that somebody else made. */
#ifndef FL_COMPAT_NUMBER_H
#define FL_COMPAT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when the bytes are one decimal number of 64 bits, from -2^63 to 2^64 - 1, digits only but
 * for one '-': *out gets it, a negative one modulo 2^64. */
bool fl_number_parse(const void *bytes, size_t len, uint64_t *out);

/* That number, or for any other bytes their XXH3: a key always has an owner. */
uint64_t fl_number_of(const void *bytes, size_t len);

#endif
