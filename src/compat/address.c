#include "compat/address.h"

#include <arpa/inet.h>
#include <string.h>

size_t fl_address_read(const void *text, size_t len, unsigned char bytes[16])
{
	char copy[FL_ADDRESS_TEXT];
	if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len))
		return 0;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1)
		return 4;
	return inet_pton(AF_INET6, copy, bytes) == 1 ? 16 : 0;
}

/* Digits of a port and nothing else. */
static bool read_port(const char *text, int32_t *out)
{
	int32_t port = 0;
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		port = 10 * port + (*text - '0');
		if (port > UINT16_MAX)
			return false;
	}
	*out = port;
	return true;
}

bool fl_address_parse(struct fl_address *out, const char *text)
{
	bool brackets = *text == '[';
	const char *host = text + brackets;
	const char *end = strchr(host, brackets ? ']' : ':'), *rest;
	struct fl_address a = {.port = -1};
	/* Without brackets, a second colon says that all of it is an IPv6 address. */
	if (!brackets && (!end || strchr(end + 1, ':')))
		end = host + strlen(host);
	if (!end)
		return false;
	rest = end + brackets;
	if (*rest != '\0' && (*rest != ':' || !read_port(rest + 1, &a.port)))
		return false;
	a.size = fl_address_read(host, (size_t)(end - host), a.bytes);
	if (a.size == 0 || (brackets && a.size == 4))
		return false;
	*out = a;
	return true;
}

void fl_address_print(const struct fl_address *a, char text[FL_ADDRESS_TEXT])
{
	/* Cannot fail: the family is known and there is room. */
	(void)inet_ntop(a->size == 4 ? AF_INET : AF_INET6, a->bytes, text, FL_ADDRESS_TEXT);
}
