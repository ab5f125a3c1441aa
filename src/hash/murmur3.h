/* MurmurHash3, x64 128-bit variant (Appleby's public description), as a stream: bytes may come
 * in several pieces, and a state may be copied to continue in two ways. */
#ifndef FL_HASH_MURMUR3_H
#define FL_HASH_MURMUR3_H

#include <stddef.h>
#include <stdint.h>

struct fl_murmur3 {
	uint64_t h1, h2;
	uint64_t length;
	unsigned char tail[16]; /* length % 16 bytes that wait for a full block */
};

void fl_murmur3_init(struct fl_murmur3 *m, uint32_t seed);
void fl_murmur3_add(struct fl_murmur3 *m, const void *bytes, size_t len);

/* out[0] is h1, out[1] h2. The state is not changed. */
void fl_murmur3_sum(const struct fl_murmur3 *m, uint64_t out[2]);

#endif
