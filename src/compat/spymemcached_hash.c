/* Java computes in 64 bits and takes the low 32; for the 32-bit constants that is the same. */
#include "compat/spymemcached_hash.h"

#include "compat/utf16.h"
#include "hash/digest.h"
#include "hash/legacy.h"

#include <stdbool.h>

const char *const fl_spy_hash_names[FL_SPY_HASHES + 1] = {
	"ketama", "native", "crc", "fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32", NULL};

/* Each unit is multiplied in, and added or xored, before or after. */
struct steps {
	uint64_t start, prime;
	bool add, first; /* instead of xor; the unit before the multiplication */
};

static const struct steps steps[FL_SPY_HASHES] = {
	[FL_SPY_NATIVE] = {0, 31, true, false},
	[FL_SPY_FNV1_64] = {0xcbf29ce484222325u, 0x100000001b3u, false, false},
	[FL_SPY_FNV1A_64] = {0xcbf29ce484222325u, 0x100000001b3u, false, true},
	[FL_SPY_FNV1_32] = {0x811c9dc5u, 0x01000193u, false, false},
	[FL_SPY_FNV1A_32] = {0x811c9dc5u, 0x01000193u, false, true},
};

static uint64_t take(const struct steps *s, uint64_t h, uint64_t unit)
{
	if (s->first)
		return (h ^ unit) * s->prime;
	h *= s->prime;
	return s->add ? h + unit : h ^ unit;
}

static uint32_t over_units(const struct steps *s, const unsigned char *p, size_t len)
{
	uint64_t h = s->start;
	while (len > 0) {
		unsigned char units[4];
		size_t used, n = fl_utf16le_next(p, len, units, &used);
		for (size_t i = 0; i < n; i += 2)
			h = take(s, h, units[i] | (uint64_t)units[i + 1] << 8);
		p += used;
		len -= used;
	}
	return (uint32_t)h;
}

uint32_t fl_spy_hash(unsigned kind, const void *bytes, size_t len)
{
	if (kind == FL_SPY_KETAMA)
		return fl_md5_first32(bytes, len);
	if (kind == FL_SPY_CRC)
		return fl_crc32(bytes, len) >> 16 & 0x7fff;
	return over_units(&steps[kind], bytes, len);
}
