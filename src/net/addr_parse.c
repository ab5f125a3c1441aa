/* Text to addresses, strictly: one way to read each text, or an error that says what is wrong.
 * What the C library would also take (octal, "127.1", service names) is refused. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#define SHOWN 80 /* of a wrong text in a message */

static int wrong(struct fl_error *err, const char *text, const char *what)
{
	return fl_error_set(err, FL_EINVAL, "\"%.*s\": %s", SHOWN, text, what);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Decimal, no sign, no leading zeros, up to 65535. */
static bool parse_port(const char *p, uint16_t *out)
{
	unsigned value = 0;
	size_t n = strlen(p);
	if (n == 0 || n > 5 || (n > 1 && p[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(p[i]))
			return false;
		value = value * 10 + (unsigned)(p[i] - '0');
	}
	if (value > 65535)
		return false;
	*out = (uint16_t)value;
	return true;
}

static void set_v6(struct fl_addr *out, const struct sockaddr_in6 *v6)
{
	fl_addr_set(out, (const struct sockaddr *)v6, sizeof(*v6));
}

static int parse_unix(struct fl_endpoint *e, const char *text, struct fl_error *err)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const char *path = text + strlen("unix:");
	size_t n = strlen(path);
	if (n == 0 || strcmp(path, "@") == 0)
		return wrong(err, text, "the path of the unix socket is missing");
	if (n >= sizeof(un.sun_path))
		return wrong(err, text, "the path of a unix socket has at most 107 bytes");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
			return wrong(err, text, "control character in the path");
	memcpy(un.sun_path, path, n);
	/* A path ends in NUL; an abstract name is as long as it says. */
	size_t len = offsetof(struct sockaddr_un, sun_path) + n + (path[0] != '@');
	if (path[0] == '@')
		un.sun_path[0] = '\0';
	fl_addr_set(&e->addr, (const struct sockaddr *)&un, (socklen_t)len);
	return FL_OK;
}

/* An interface, by number or by name. */
static bool parse_zone(const char *zone, uint32_t *out)
{
	uint32_t value = 0;
	size_t n = strlen(zone);
	if (n == 0 || n >= IF_NAMESIZE)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(zone[i]) || value > UINT32_MAX / 10 - 1) {
			*out = if_nametoindex(zone);
			return *out != 0;
		}
		value = value * 10 + (uint32_t)(zone[i] - '0');
	}
	*out = value;
	return value != 0;
}

/* What stands between the brackets. */
static int parse_v6(struct fl_endpoint *e, const char *text, size_t n, struct fl_error *err)
{
	char ip[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};
	if (n >= sizeof(ip))
		return wrong(err, text, "too long for an IPv6 address");
	memcpy(ip, text + 1, n);
	ip[n] = '\0';
	char *zone = strchr(ip, '%');
	if (zone)
		*zone++ = '\0';
	if (inet_pton(AF_INET6, ip, &v6.sin6_addr) != 1)
		return wrong(err, text, "not an IPv6 address in the brackets");
	bool local =
		IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&v6.sin6_addr);
	if (zone && !local)
		return wrong(err, text, "only a link-local address has a zone");
	if (zone && !parse_zone(zone, &v6.sin6_scope_id))
		return wrong(err, text, "no such network interface");
	set_v6(&e->addr, &v6);
	return FL_OK;
}

static int parse_bracketed(struct fl_endpoint *e, const char *text, struct fl_error *err)
{
	const char *end = strchr(text, ']');
	if (!end)
		return wrong(err, text, "']' is missing");
	if (end[1] != ':' || !parse_port(end + 2, &e->port))
		return wrong(err, text, "expected ]:PORT, the port a number up to 65535");
	return parse_v6(e, text, (size_t)(end - text) - 1, err);
}

static bool is_label_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
	       c == '_';
}

/* Labels of 1 to 63 letters, digits, '-' and '_', 253 bytes in all; a last dot is fine. */
static bool is_host_name(const char *host)
{
	size_t n = strlen(host), label = 0;
	if (n > 0 && host[n - 1] == '.')
		n--;
	if (n == 0 || n > 253)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (host[i] == '.' && (label == 0 || host[i - 1] == '-'))
			return false;
		if (host[i] != '.' && !is_label_char(host[i]))
			return false;
		if (host[i] == '-' && label == 0)
			return false;
		label = host[i] == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0 && host[n - 1] != '-';
}

/* A name whose last label is a number would be an address to some programs. */
static bool ends_in_number(const char *host)
{
	size_t n = strlen(host), digits = 0;
	if (n > 0 && host[n - 1] == '.')
		n--;
	while (digits < n && is_digit(host[n - 1 - digits]))
		digits++;
	return digits > 0 && (digits == n || host[n - 1 - digits] == '.');
}

static int parse_host(struct fl_endpoint *e, const char *text, struct fl_error *err)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(e->port)};
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};
	if (e->host[0] == '\0' || strcmp(e->host, "*") == 0) {
		set_v6(&e->addr, &any);
		e->addr.dual = true;
		return FL_OK;
	}
	if (inet_pton(AF_INET, e->host, &v4.sin_addr) == 1) {
		fl_addr_set(&e->addr, (const struct sockaddr *)&v4, sizeof(v4));
		return FL_OK;
	}
	if (ends_in_number(e->host))
		return wrong(err, text, "not an IPv4 address (four numbers up to 255)");
	if (!is_host_name(e->host))
		return wrong(err, text, "neither an address nor a host name");
	e->is_name = true;
	return FL_OK;
}

static int parse_any(struct fl_endpoint *e, const char *text, struct fl_error *err)
{
	if (strncmp(text, "unix:", strlen("unix:")) == 0)
		return parse_unix(e, text, err);
	if (text[0] == '[')
		return parse_bracketed(e, text, err);
	const char *colon = strchr(text, ':');
	if (!colon)
		return wrong(err, text, "the port is missing (ADDRESS:PORT)");
	if (strchr(colon + 1, ':'))
		return wrong(err, text, "an IPv6 address goes into brackets: [::1]:80");
	if (!parse_port(colon + 1, &e->port))
		return wrong(err, text, "the port is not a number up to 65535");
	size_t n = (size_t)(colon - text);
	if (n >= sizeof(e->host))
		return wrong(err, text, "the host name is too long");
	memcpy(e->host, text, n);
	e->host[n] = '\0';
	return parse_host(e, text, err);
}

int fl_endpoint_parse(struct fl_endpoint *out, const char *text, struct fl_error *err)
{
	struct fl_endpoint e = {0};
	int rc = parse_any(&e, text, err);
	if (rc != FL_OK)
		return rc;
	if (!e.is_name)
		e.host[0] = '\0';
	*out = e;
	return FL_OK;
}

int fl_addr_parse(struct fl_addr *out, const char *text, struct fl_error *err)
{
	struct fl_endpoint e;
	int rc = fl_endpoint_parse(&e, text, err);
	if (rc != FL_OK)
		return rc;
	if (e.is_name)
		return fl_error_set(
			err, FL_ENOENT, "\"%.*s\" is a name, not an address", SHOWN, text);
	*out = e.addr;
	return FL_OK;
}

/* Four numbers up to 255 without leading zeros, as inet_pton has it; by hand, because a log has one
 * in each line. */
static bool parse_v4(uint8_t ip[4], const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	for (int i = 0; i < 4; i++) {
		const char *from = p;
		unsigned value = 0;
		for (; p < end && p - from < 3 && is_digit(*p); p++)
			value = value * 10 + (unsigned)(*p - '0');
		if (p == from || value > 255 || (*from == '0' && p - from > 1))
			return false;
		ip[i] = (uint8_t)value;
		if (i < 3 && (p == end || *p++ != '.'))
			return false;
	}
	return p == end;
}

bool fl_addr_parse_ip(struct fl_addr *out, const char *text, size_t n)
{
	char ip[INET6_ADDRSTRLEN];
	uint8_t bytes[4];
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	if (parse_v4(bytes, text, n)) {
		memcpy(&v4.sin_addr, bytes, sizeof(bytes));
		fl_addr_set(out, (const struct sockaddr *)&v4, sizeof(v4));
		return true;
	}
	const char *zone = memchr(text, '%', n);
	if (zone)
		n = (size_t)(zone - text);
	if (n == 0 || n >= sizeof(ip) || memchr(text, '\0', n))
		return false;
	memcpy(ip, text, n);
	ip[n] = '\0';
	if (inet_pton(AF_INET6, ip, &v6.sin6_addr) != 1)
		return false;
	set_v6(out, &v6);
	return true;
}
