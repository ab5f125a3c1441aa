/* Hexadecimal digits. */
#ifndef FL_PLAN_HEX_H
#define FL_PLAN_HEX_H

/* Its value, or -1. */
static inline int fl_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
