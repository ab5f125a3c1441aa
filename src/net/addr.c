/* Addresses to text. The text is made here and not by inet_ntop, because it is hashed: two
 * machines must write the same bytes whatever their C library thinks of "::1.2.3.4". */
#include "net/addr.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static const struct sockaddr_in *v4_of(const struct fl_addr *a)
{
	return (const struct sockaddr_in *)&a->ss;
}

static const struct sockaddr_in6 *v6_of(const struct fl_addr *a)
{
	return (const struct sockaddr_in6 *)&a->ss;
}

/* Bytes of the path, its leading NUL included when it is abstract; 0: unnamed. */
static size_t path_length(const struct fl_addr *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->ss;
	size_t head = offsetof(struct sockaddr_un, sun_path);
	if (a->len <= head)
		return 0;
	size_t room = a->len - head;
	if (room > sizeof(un->sun_path))
		room = sizeof(un->sun_path);
	return un->sun_path[0] ? strnlen(un->sun_path, room) : room;
}

void fl_addr_set(struct fl_addr *out, const struct sockaddr *sa, socklen_t len)
{
	*out = (struct fl_addr){.len = len < sizeof(out->ss) ? len : sizeof(out->ss)};
	memcpy(&out->ss, sa, out->len);
	const struct sockaddr_in6 *v6 = v6_of(out);
	if (out->ss.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = v6->sin6_port};
		memcpy(&v4.sin_addr, &v6->sin6_addr.s6_addr[12], 4);
		memset(&out->ss, 0, sizeof(out->ss));
		memcpy(&out->ss, &v4, sizeof(v4));
		out->len = sizeof(v4);
	}
}

uint16_t fl_addr_port(const struct fl_addr *addr)
{
	if (addr->ss.ss_family == AF_INET)
		return ntohs(v4_of(addr)->sin_port);
	if (addr->ss.ss_family == AF_INET6)
		return ntohs(v6_of(addr)->sin6_port);
	return 0;
}

void fl_addr_set_port(struct fl_addr *addr, uint16_t port)
{
	if (addr->ss.ss_family == AF_INET)
		((struct sockaddr_in *)&addr->ss)->sin_port = htons(port);
	else if (addr->ss.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&addr->ss)->sin6_port = htons(port);
}

bool fl_addr_equal(const struct fl_addr *a, const struct fl_addr *b)
{
	if (a->ss.ss_family != b->ss.ss_family || fl_addr_port(a) != fl_addr_port(b))
		return false;
	switch (a->ss.ss_family) {
	case AF_INET:
		return v4_of(a)->sin_addr.s_addr == v4_of(b)->sin_addr.s_addr;
	case AF_INET6:
		return memcmp(&v6_of(a)->sin6_addr, &v6_of(b)->sin6_addr, 16) == 0 &&
		       v6_of(a)->sin6_scope_id == v6_of(b)->sin6_scope_id;
	case AF_UNIX: {
		const struct sockaddr_un *x = (const struct sockaddr_un *)&a->ss;
		const struct sockaddr_un *y = (const struct sockaddr_un *)&b->ss;
		size_t n = path_length(a);
		return n == path_length(b) && memcmp(x->sun_path, y->sun_path, n) == 0;
	}
	default:
		return false;
	}
}

/* ---- text ---- */

#define V6_TEXT 40

/* By hand: it stands on the path of every request whose key is its address. Gives the length. */
static size_t write_v4(const uint8_t ip[4], char out[V6_TEXT])
{
	char *p = out;
	for (int i = 0; i < 4; i++) {
		if (ip[i] >= 100)
			*p++ = (char)('0' + ip[i] / 100);
		if (ip[i] >= 10)
			*p++ = (char)('0' + ip[i] / 10 % 10);
		*p++ = (char)('0' + ip[i] % 10);
		*p++ = '.';
	}
	*--p = '\0';
	return (size_t)(p - out);
}

/* Hexadecimal, without leading zeros. Gives the end. */
static char *write_group(uint16_t group, char *p)
{
	unsigned digits = 1;
	while (digits < 4 && group >> (4 * digits))
		digits++;
	while (digits-- > 0)
		*p++ = "0123456789abcdef"[group >> (4 * digits) & 15];
	return p;
}

/* The longest run of at least two zero groups, the first of equals: [*from, return). */
static int longest_zeros(const uint16_t group[8], int *from)
{
	int best = 1, end = -1;
	for (int i = 0; i < 8; i++) {
		int n = 0;
		while (i + n < 8 && group[i + n] == 0)
			n++;
		if (n > best) {
			best = n;
			*from = i;
			end = i + n;
		}
	}
	return end;
}

static size_t write_v6(const uint8_t ip[16], char out[V6_TEXT])
{
	uint16_t group[8];
	int from = -1;
	char *at = out;
	for (size_t i = 0; i < 8; i++)
		group[i] = (uint16_t)(ip[2 * i] << 8 | ip[2 * i + 1]);
	int end = longest_zeros(group, &from);
	for (int i = 0; i < 8; i++) {
		if (i == from) {
			*at++ = ':';
			if (end == 8)
				*at++ = ':';
			i = end - 1;
			continue;
		}
		if (i > 0)
			*at++ = ':';
		at = write_group(group[i], at);
	}
	*at = '\0';
	return (size_t)(at - out);
}

/* Copies if it fits; the one place that decides about that. */
static size_t give(const char *text, size_t n, char *out, size_t room)
{
	if (n + 1 > room) {
		if (room > 0)
			out[0] = '\0';
		return 0;
	}
	memcpy(out, text, n);
	out[n] = '\0';
	return n;
}

static size_t format_v6(const struct fl_addr *addr, char *text, size_t room)
{
	const struct sockaddr_in6 *v6 = v6_of(addr);
	unsigned port = fl_addr_port(addr);
	char ip[V6_TEXT], zone[IF_NAMESIZE + 12] = "", name[IF_NAMESIZE];
	if (addr->dual)
		return (size_t)snprintf(text, room, ":%u", port);
	(void)write_v6(v6->sin6_addr.s6_addr, ip);
	if (v6->sin6_scope_id && if_indextoname(v6->sin6_scope_id, name))
		(void)snprintf(zone, sizeof(zone), "%%%s", name);
	else if (v6->sin6_scope_id)
		(void)snprintf(zone, sizeof(zone), "%%%u", v6->sin6_scope_id);
	return (size_t)snprintf(text, room, "[%s%s]:%u", ip, zone, port);
}

/* A peer may bind to any bytes; a text has none but printable ones. */
static size_t format_unix(const struct fl_addr *addr, char *text, size_t room)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&addr->ss;
	size_t at = (size_t)snprintf(text, room, "unix:");
	size_t n = path_length(addr);
	for (size_t i = 0; i < n; i++) {
		char c = un->sun_path[i];
		if (i == 0 && c == '\0')
			c = '@';
		text[at++] = (char)((unsigned char)c < 0x20 || c == 0x7f ? '?' : c);
	}
	text[at] = '\0';
	return at;
}

size_t fl_addr_format(const struct fl_addr *addr, char *out, size_t room)
{
	char text[FL_ADDR_TEXT], ip[V6_TEXT];
	size_t n;
	switch (addr->ss.ss_family) {
	case AF_INET:
		(void)write_v4((const uint8_t *)&v4_of(addr)->sin_addr, ip);
		n = (size_t)snprintf(text, sizeof(text), "%s:%u", ip, fl_addr_port(addr));
		break;
	case AF_INET6: {
		struct fl_addr plain;
		fl_addr_set(&plain, (const struct sockaddr *)&addr->ss, addr->len);
		if (plain.ss.ss_family == AF_INET)
			return fl_addr_format(&plain, out, room);
		n = format_v6(addr, text, sizeof(text));
		break;
	}
	case AF_UNIX:
		n = format_unix(addr, text, sizeof(text));
		break;
	default:
		n = (size_t)snprintf(text, sizeof(text), "-");
		break;
	}
	return give(text, n, out, room);
}

static void mask(uint8_t *ip, unsigned bytes, unsigned bits)
{
	for (unsigned i = 0; i < bytes; i++, bits -= bits < 8 ? bits : 8)
		if (bits < 8)
			ip[i] &= (uint8_t)(0xff00 >> bits);
}

/* The first bits of the address; the others are 0. */
static size_t client_v4(const struct sockaddr_in *addr, unsigned bits, char text[V6_TEXT])
{
	uint8_t ip[4];
	memcpy(ip, &addr->sin_addr, sizeof(ip));
	mask(ip, sizeof(ip), bits);
	return write_v4(ip, text);
}

static size_t client_v6(const struct sockaddr_in6 *addr, unsigned bits, char text[V6_TEXT])
{
	uint8_t ip[16];
	memcpy(ip, &addr->sin6_addr, sizeof(ip));
	mask(ip, sizeof(ip), bits);
	return write_v6(ip, text);
}

size_t fl_addr_client_text(
	const struct fl_addr *addr, unsigned v4, unsigned v6, char *out, size_t room)
{
	char text[V6_TEXT];
	struct fl_addr plain;
	size_t n = 0;
	if (addr->ss.ss_family == AF_INET6) {
		fl_addr_set(&plain, (const struct sockaddr *)&addr->ss, addr->len);
		addr = &plain;
	}
	if (addr->ss.ss_family == AF_INET)
		n = client_v4(v4_of(addr), v4, text);
	else if (addr->ss.ss_family == AF_INET6)
		n = client_v6(v6_of(addr), v6, text);
	return give(text, n, out, room);
}
