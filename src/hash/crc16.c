/* Four bits at a time: a table of 16 remainders instead of one of 256. */
#include "hash/crc16.h"

static const uint16_t remainders[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6,
	0x70e7, 0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};

uint16_t fl_crc16_xmodem(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	unsigned crc = 0;
	for (size_t i = 0; i < len; i++) {
		crc = (crc << 4 & 0xffff) ^ remainders[crc >> 12 ^ p[i] >> 4];
		crc = (crc << 4 & 0xffff) ^ remainders[crc >> 12 ^ (p[i] & 15u)];
	}
	return (uint16_t)crc;
}
