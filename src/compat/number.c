#include "compat/number.h"

#include "hash/xxh3.h"

bool fl_number_parse(const void *bytes, size_t len, uint64_t *out)
{
	const unsigned char *p = bytes;
	bool negative = len > 0 && p[0] == '-';
	uint64_t value = 0, most = negative ? (uint64_t)1 << 63 : UINT64_MAX;
	if (len <= negative)
		return false;
	for (size_t i = negative; i < len; i++) {
		unsigned digit = (unsigned)p[i] - '0';
		if (digit > 9 || value > (most - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = negative ? 0 - value : value;
	return true;
}

uint64_t fl_number_of(const void *bytes, size_t len)
{
	uint64_t number;
	return fl_number_parse(bytes, len, &number) ? number : fl_xxh3(bytes, len, 0);
}
