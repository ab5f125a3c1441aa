/* The 32-bit hash functions of deployed systems, bit for bit. Two of them may share a name and
 * differ: what ours are called says which one is meant. `_signed`: bytes from 0x80 on are taken for
 * negative numbers, as programs have it that read them through `char` on x86; where char is
 * unsigned, as on ARM, those programs give other answers for them, and ours the same as here.
 * `bytes` may be NULL when len is 0. */
#ifndef FL_HASH_LEGACY_H
#define FL_HASH_LEGACY_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 of IEEE 802.3, as zlib and nginx have it. */
uint32_t fl_crc32(const void *bytes, size_t len);

/* Jenkins's one-at-a-time. */
uint32_t fl_one_at_a_time_signed(const void *bytes, size_t len);

/* FNV-1 and FNV-1a of 32 bits; FNV-1 of 64 bits, of which the low half. */
uint32_t fl_fnv1_32_signed(const void *bytes, size_t len);
uint32_t fl_fnv1a_32_signed(const void *bytes, size_t len);
uint32_t fl_fnv1_64_low_signed(const void *bytes, size_t len);

/* What libmemcached and twemproxy call 64-bit FNV-1a: that of 32 bits, with the low halves of the
 * constants for 64. */
uint32_t fl_fnv1a_64_cut_signed(const void *bytes, size_t len);

/* MurmurHash2, the 32-bit one; words are little-endian. */
uint32_t fl_murmur2_32(const void *bytes, size_t len, uint32_t seed);

/* MurmurHash3, x86_32. */
uint32_t fl_murmur3_32(const void *bytes, size_t len, uint32_t seed);

/* Jenkins's lookup3, hashlittle(). */
uint32_t fl_lookup3(const void *bytes, size_t len, uint32_t initial);

/* Hsieh's SuperFastHash, begun with 0; of three bytes left over, the third is signed. */
uint32_t fl_hsieh(const void *bytes, size_t len);

#endif
