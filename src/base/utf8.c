#include "base/utf8.h"

size_t fl_utf8_decode(const char *p, size_t len, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t first = len ? (unsigned char)*p : 0;
	size_t n = first < 0x80   ? 1
	           : first < 0xc0 ? 0
	           : first < 0xe0 ? 2
	           : first < 0xf0 ? 3
	                          : 4;
	uint32_t value = n == 1 ? first : first & (0x7fu >> n);

	if (n == 0 || n > len || first > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3fu);
	}
	if (value < least[n] || (value >= 0xd800 && value < 0xe000) || value > 0x10ffff)
		return 0;
	*code = value;
	return n;
}

bool fl_utf8_acts(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
	       code == 0x2029 || code == 0x200e || code == 0x200f ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}
