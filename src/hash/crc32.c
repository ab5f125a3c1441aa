#include "hash/crc32.h"

#include <zlib.h>

uint32_t fl_crc32_add(uint32_t crc, const void *bytes, size_t len)
{
	return len ? (uint32_t)crc32_z(crc, bytes, len) : crc;
}
