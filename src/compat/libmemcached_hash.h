/* libmemcached's hash functions by their names there; twemproxy took most of them over. */
#ifndef FL_COMPAT_LIBMEMCACHED_HASH_H
#define FL_COMPAT_LIBMEMCACHED_HASH_H

#include <stddef.h>
#include <stdint.h>

enum fl_lmc_hash {
	FL_LMC_DEFAULT, /* one at a time */
	FL_LMC_MD5,
	FL_LMC_CRC, /* 15 bits */
	FL_LMC_FNV1_64,
	FL_LMC_FNV1A_64,
	FL_LMC_FNV1_32,
	FL_LMC_FNV1A_32,
	FL_LMC_HSIEH,
	FL_LMC_MURMUR,
	FL_LMC_JENKINS,
	FL_LMC_MURMUR3,
	FL_LMC_HASHES
};

extern const char *const fl_lmc_hash_names[FL_LMC_HASHES + 1]; /* ends with NULL */

uint32_t fl_lmc_hash(enum fl_lmc_hash kind, const void *bytes, size_t len);

#endif
