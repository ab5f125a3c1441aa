/* Hashes of keys in twemproxy (nutcracker): checked against 0.5.0 (Debian) answering requests.
 *
 * They are libmemcached's, and three CRCs: crc32 keeps bits 16..30 of a CRC-32, crc32a is all of it,
 * and crc16 is never cut to 16 bits.
 *   hash-tag: two characters. If the first is in the key, and the second behind it with something
 *   in between, that something alone is hashed. */
#include "compat/twemproxy_hash.h"

#include "compat/libmemcached_hash.h"
#include "hash/legacy.h"

#include <string.h>

const char *const fl_twemproxy_functions[] = {"one_at_a_time", "md5", "crc16", "crc32",
	"crc32a", "fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32", "hsieh", "murmur", "jenkins",
	NULL};

enum {
	CRC16 = FL_LMC_HASHES,
	CRC32A
};

/* By the option's value. */
static const unsigned kinds[] = {FL_LMC_DEFAULT, FL_LMC_MD5, CRC16, FL_LMC_CRC, CRC32A,
	FL_LMC_FNV1_64, FL_LMC_FNV1A_64, FL_LMC_FNV1_32, FL_LMC_FNV1A_32, FL_LMC_HSIEH,
	FL_LMC_MURMUR, FL_LMC_JENKINS};

/* XMODEM's polynomial, a byte at a time; the bits beyond 16 stay. */
static uint32_t crc16(const unsigned char *bytes, size_t len)
{
	uint32_t crc = 0;
	for (size_t i = 0; i < len; i++) {
		uint32_t entry = (crc >> 8 ^ bytes[i]) << 8 & 0xff00;
		for (unsigned bit = 0; bit < 8; bit++)
			entry = (entry << 1 ^ (entry & 0x8000 ? 0x1021 : 0)) & 0xffff;
		crc = crc << 8 ^ entry;
	}
	return crc;
}

/* The part of the key that is hashed. */
static struct fl_key tagged(uint64_t tag, const struct fl_key *key)
{
	const char *first, *last, *end;
	if (tag == 0 || key->len == 0)
		return *key;
	end = (const char *)key->bytes + key->len;
	first = memchr(key->bytes, (int)(tag >> 8), key->len);
	if (!first)
		return *key;
	first++;
	last = memchr(first, (int)(tag & 0xff), (size_t)(end - first));
	return last && last > first ? fl_key_bytes(first, (size_t)(last - first)) : *key;
}

bool fl_twemproxy_is_short(const uint64_t *options)
{
	return kinds[options[0]] == FL_LMC_CRC;
}

uint32_t fl_twemproxy_hash(const uint64_t *options, const struct fl_key *key)
{
	struct fl_key part = tagged(options[1], key);
	unsigned kind = kinds[options[0]];
	if (kind == CRC16)
		return crc16(part.bytes, part.len);
	if (kind == CRC32A)
		return fl_crc32(part.bytes, part.len);
	return fl_lmc_hash((enum fl_lmc_hash)kind, part.bytes, part.len);
}
