/* CRC-32 (fl_crc32 of hash/legacy.h) in pieces. */
#ifndef FL_HASH_CRC32_H
#define FL_HASH_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The CRC-32 of what `crc` is the one of with these bytes behind it; 0 is that of nothing.
 * `bytes` may be NULL when len is 0. Any thread. */
uint32_t fl_crc32_add(uint32_t crc, const void *bytes, size_t len);

#endif
