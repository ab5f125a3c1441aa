/* SpookyHash V2 (Jenkins's public description), one call for a whole message. */
#ifndef FL_HASH_SPOOKY_H
#define FL_HASH_SPOOKY_H

#include <stddef.h>
#include <stdint.h>

/* The low 32 bits of the 128-bit hash with both seeds = `seed`. `bytes` may be NULL when len is 0.
 * Words count as little-endian on every machine. */
uint32_t fl_spooky32(const void *bytes, size_t len, uint32_t seed);

#endif
