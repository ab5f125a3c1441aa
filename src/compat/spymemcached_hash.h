/* The hash functions of the Java client spymemcached. Strings there are of UTF-16 units, and FNV and
 * `native` (String.hashCode) go over those; ketama and crc over UTF-8. */
#ifndef FL_COMPAT_SPYMEMCACHED_HASH_H
#define FL_COMPAT_SPYMEMCACHED_HASH_H

#include <stddef.h>
#include <stdint.h>

enum fl_spy_hash {
	FL_SPY_KETAMA, /* MD5 */
	FL_SPY_NATIVE,
	FL_SPY_CRC, /* 15 bits */
	FL_SPY_FNV1_64,
	FL_SPY_FNV1A_64,
	FL_SPY_FNV1_32,
	FL_SPY_FNV1A_32,
	FL_SPY_HASHES
};

extern const char *const fl_spy_hash_names[FL_SPY_HASHES + 1]; /* ends with NULL */

uint32_t fl_spy_hash(unsigned kind, const void *bytes, size_t len);

#endif
