/* Checked against libmemcached 1.1.4 (Debian's), but for hsieh, which that build leaves out, and
 * which was checked against twemproxy's. `crc` keeps 15 bits of CRC-32. */
#include "compat/libmemcached_hash.h"

#include "hash/digest.h"
#include "hash/legacy.h"

#define SEED 0xdeadbeefu /* times the length, for murmur and murmur3 */

const char *const fl_lmc_hash_names[FL_LMC_HASHES + 1] = {"default", "md5", "crc", "fnv1_64",
	"fnv1a_64", "fnv1_32", "fnv1a_32", "hsieh", "murmur", "jenkins", "murmur3", NULL};

uint32_t fl_lmc_hash(enum fl_lmc_hash kind, const void *bytes, size_t len)
{
	switch (kind) {
	case FL_LMC_MD5:
		return fl_md5_first32(bytes, len);
	case FL_LMC_CRC:
		return fl_crc32(bytes, len) >> 16 & 0x7fff;
	case FL_LMC_FNV1_64:
		return fl_fnv1_64_low_signed(bytes, len);
	case FL_LMC_FNV1A_64:
		return fl_fnv1a_64_cut_signed(bytes, len);
	case FL_LMC_FNV1_32:
		return fl_fnv1_32_signed(bytes, len);
	case FL_LMC_FNV1A_32:
		return fl_fnv1a_32_signed(bytes, len);
	case FL_LMC_HSIEH:
		return fl_hsieh(bytes, len);
	case FL_LMC_MURMUR:
		return fl_murmur2_32(bytes, len, SEED * (uint32_t)len);
	case FL_LMC_JENKINS:
		return fl_lookup3(bytes, len, 13);
	case FL_LMC_MURMUR3:
		return fl_murmur3_32(bytes, len, SEED * (uint32_t)len);
	case FL_LMC_DEFAULT:
	case FL_LMC_HASHES:
		break;
	}
	return fl_one_at_a_time_signed(bytes, len);
}
