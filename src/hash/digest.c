#include "hash/digest.h"

#include "hash/mix.h"

#include <md5.h>
#include <sha.h>
#include <sha2.h>
#include <string.h>

#define MD5_BLOCK 64
#define ONE_BLOCK                                                                              \
	(MD5_BLOCK - 8 - 1) /* bytes that leave room for the end mark and the length */

/* The state after len <= ONE_BLOCK bytes and their padding. */
static void md5_short(const void *bytes, size_t len, uint32_t state[4])
{
	unsigned char block[MD5_BLOCK] = {0};
	if (len)
		memcpy(block, bytes, len);
	block[len] = 0x80;
	block[MD5_BLOCK - 8] = (unsigned char)(len << 3);
	block[MD5_BLOCK - 7] = (unsigned char)(len >> 5);
	state[0] = 0x67452301u;
	state[1] = 0xefcdab89u;
	state[2] = 0x98badcfeu;
	state[3] = 0x10325476u;
	MD5Transform(state, block);
}

static void md5_long(const void *bytes, size_t len, unsigned char out[FL_MD5_SIZE])
{
	MD5_CTX c;
	MD5Init(&c);
	MD5Update(&c, bytes, len);
	MD5Final(out, &c);
}

void fl_md5(const void *bytes, size_t len, unsigned char out[FL_MD5_SIZE])
{
	uint32_t state[4];
	if (len > ONE_BLOCK) {
		md5_long(bytes, len, out);
		return;
	}
	md5_short(bytes, len, state);
	fl_store64_le(out, state[0] | (uint64_t)state[1] << 32);
	fl_store64_le(out + 8, state[2] | (uint64_t)state[3] << 32);
}

uint32_t fl_md5_first32(const void *bytes, size_t len)
{
	unsigned char sum[FL_MD5_SIZE];
	uint32_t state[4];
	if (len > ONE_BLOCK) {
		md5_long(bytes, len, sum);
		return fl_load32_le(sum);
	}
	md5_short(bytes, len, state);
	return state[0];
}

void fl_sha1(const void *bytes, size_t len, unsigned char out[FL_SHA1_SIZE])
{
	SHA1_CTX c;
	SHA1Init(&c);
	if (len)
		SHA1Update(&c, bytes, len);
	SHA1Final(out, &c);
}

void fl_sha256(const void *bytes, size_t len, unsigned char out[FL_SHA256_SIZE])
{
	SHA2_CTX c;
	SHA256Init(&c);
	if (len)
		SHA256Update(&c, bytes, len);
	SHA256Final(out, &c);
}
