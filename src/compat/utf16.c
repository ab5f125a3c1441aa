#include "compat/utf16.h"

/* For a lead byte: how many bytes follow, and the range of the first of them; 0: not a lead. */
static size_t sequence_of(unsigned char lead, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef) {
		if (lead == 0xe0)
			*low = 0xa0;
		if (lead == 0xed)
			*high = 0x9f;
		return 2;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		if (lead == 0xf0)
			*low = 0x90;
		if (lead == 0xf4)
			*high = 0x8f;
		return 3;
	}
	return 0;
}

static uint32_t decode(const unsigned char *bytes, size_t len, size_t *used)
{
	unsigned char low, high;
	size_t follow = sequence_of(bytes[0], &low, &high);
	uint32_t c;
	*used = 1;
	if (bytes[0] < 0x80)
		return bytes[0];
	if (follow == 0)
		return 0xfffd;
	c = bytes[0] & (0x3fu >> follow);
	for (size_t i = 1; i <= follow; i++) {
		if (i >= len || bytes[i] < low || bytes[i] > high)
			return 0xfffd;
		c = c << 6 | (bytes[i] & 0x3fu);
		low = 0x80;
		high = 0xbf;
		*used = i + 1;
	}
	return c;
}

static size_t put_unit(unsigned char *out, uint32_t unit)
{
	out[0] = (unsigned char)unit;
	out[1] = (unsigned char)(unit >> 8);
	return 2;
}

size_t fl_utf16le_next(
	const unsigned char *bytes, size_t len, unsigned char out[4], size_t *used)
{
	uint32_t c = decode(bytes, len, used);
	if (c < 0x10000)
		return put_unit(out, c);
	c -= 0x10000;
	return put_unit(out, 0xd800 | c >> 10) + put_unit(out + 2, 0xdc00 | (c & 0x3ff));
}

/* UTF-8 orders as code points; UTF-16 does too, but that surrogates (lead bytes from 0xf0) come
 * before U+E000..U+FFFF (lead bytes 0xee and 0xef). */
int fl_utf16_compare(const char *a, const char *b)
{
	const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;
	while (*x && *x == *y) {
		x++;
		y++;
	}
	if (*x >= 0xee && *y >= 0xee && (*x >= 0xf0) != (*y >= 0xf0))
		return *x >= 0xf0 ? -1 : 1;
	return (int)*x - (int)*y;
}
