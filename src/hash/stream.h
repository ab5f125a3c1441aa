/* One face for hashes that take their bytes in pieces and can be copied half way: what a system
 * needs that hashes one key together with each of many nodes. */
#ifndef FL_HASH_STREAM_H
#define FL_HASH_STREAM_H

#include "hash/murmur3.h"

#include <md5.h>
#include <sha2.h>
#define XXH_STATIC_LINKING_ONLY /* a state that can be copied */
#include <xxhash.h>

enum fl_stream_kind {
	FL_STREAM_MURMUR3_128, /* seed 0 */
	FL_STREAM_MD5,
	FL_STREAM_SHA256,
	FL_STREAM_XXH64, /* seed 0; the digest is the number itself */
};

/* Copied by assignment. */
struct fl_stream {
	enum fl_stream_kind kind;
	union {
		struct fl_murmur3 murmur3;
		MD5_CTX md5;
		SHA2_CTX sha256;
		XXH64_state_t xxh64;
	} u;
};

void fl_stream_init(struct fl_stream *s, enum fl_stream_kind kind);

/* `bytes` may be NULL when len is 0. */
void fl_stream_add(struct fl_stream *s, const void *bytes, size_t len);

/* The first 8 bytes of the digest as a little-endian number. Ends the stream. */
uint64_t fl_stream_first64(struct fl_stream *s);

#endif
