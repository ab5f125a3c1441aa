#include "hash/digest.h"

#include <md5.h>
#include <sha.h>
#include <sha2.h>

void fl_md5(const void *bytes, size_t len, unsigned char out[FL_MD5_SIZE])
{
	MD5_CTX c;
	MD5Init(&c);
	if (len)
		MD5Update(&c, bytes, len);
	MD5Final(out, &c);
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
