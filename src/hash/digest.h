/* Cryptographic digests, from libmd. Here they only reproduce what deployed systems compute;
 * nothing secret rests on them. */
#ifndef FL_HASH_DIGEST_H
#define FL_HASH_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define FL_MD5_SIZE    16
#define FL_SHA1_SIZE   20
#define FL_SHA256_SIZE 32

/* `bytes` may be NULL when len is 0. MD5 of up to 55 bytes, as most keys are, takes one block and
 * is computed without libmd's buffering: a quarter faster. */
void fl_md5(const void *bytes, size_t len, unsigned char out[FL_MD5_SIZE]);
/* The first four bytes, little-endian: all that ketama looks at of a key. */
uint32_t fl_md5_first32(const void *bytes, size_t len);
void fl_sha1(const void *bytes, size_t len, unsigned char out[FL_SHA1_SIZE]);
void fl_sha256(const void *bytes, size_t len, unsigned char out[FL_SHA256_SIZE]);

#endif
