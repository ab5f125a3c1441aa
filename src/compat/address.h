/* Addresses as text, in keys and in nodes' names: balancers hash the bytes behind them. */
#ifndef FL_COMPAT_ADDRESS_H
#define FL_COMPAT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_ADDRESS_TEXT 46 /* room for an address and its NUL */

struct fl_address {
	unsigned char bytes[16]; /* in network order */
	size_t size;             /* 4 or 16 */
	int32_t port;            /* -1: the text has none */
};

/* Reads text[0..len) as an IPv4 or IPv6 address without a port into bytes[]. Gives its size, 4 or
 * 16, or 0 when it is none. Any thread. */
size_t fl_address_read(const void *text, size_t len, unsigned char bytes[16]);

/* Reads "10.0.0.1", "10.0.0.1:80", "::1", "[::1]" or "[::1]:80". False: it is none of these. */
bool fl_address_parse(struct fl_address *out, const char *text);

/* Writes the address without its port in the one form that RFC 5952 allows. */
void fl_address_print(const struct fl_address *a, char text[FL_ADDRESS_TEXT]);

#endif
