#include "hash/stream.h"

#include "hash/digest.h"
#include "hash/mix.h"

void fl_stream_init(struct fl_stream *s, enum fl_stream_kind kind)
{
	s->kind = kind;
	switch (kind) {
	case FL_STREAM_MURMUR3_128:
		fl_murmur3_init(&s->u.murmur3, 0);
		break;
	case FL_STREAM_MD5:
		MD5Init(&s->u.md5);
		break;
	case FL_STREAM_SHA256:
		SHA256Init(&s->u.sha256);
		break;
	case FL_STREAM_XXH64:
		(void)XXH64_reset(&s->u.xxh64, 0);
		break;
	}
}

void fl_stream_add(struct fl_stream *s, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	switch (s->kind) {
	case FL_STREAM_MURMUR3_128:
		fl_murmur3_add(&s->u.murmur3, bytes, len);
		break;
	case FL_STREAM_MD5:
		MD5Update(&s->u.md5, bytes, len);
		break;
	case FL_STREAM_SHA256:
		SHA256Update(&s->u.sha256, bytes, len);
		break;
	case FL_STREAM_XXH64:
		(void)XXH64_update(&s->u.xxh64, bytes, len);
		break;
	}
}

uint64_t fl_stream_first64(struct fl_stream *s)
{
	unsigned char sum[FL_SHA256_SIZE];
	uint64_t both[2];
	switch (s->kind) {
	case FL_STREAM_MURMUR3_128:
		fl_murmur3_sum(&s->u.murmur3, both);
		return both[0];
	case FL_STREAM_MD5:
		MD5Final(sum, &s->u.md5);
		break;
	case FL_STREAM_SHA256:
		SHA256Final(sum, &s->u.sha256);
		break;
	case FL_STREAM_XXH64:
		return XXH64_digest(&s->u.xxh64);
	}
	return fl_load64_le(sum);
}
