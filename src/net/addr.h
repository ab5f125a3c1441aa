/* Socket addresses: from text, to text, and the client's part of them as key bytes.
 *
 * Written forms: "10.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", ":80" or "*:80" (any address,
 * IPv6 and IPv4 in one socket), "unix:/path", "unix:@abstract", and "host:80", which is a name.
 * An IPv4 address mapped into IPv6 is the IPv4 address, everywhere. Any thread. */
#ifndef FL_NET_ADDR_H
#define FL_NET_ADDR_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define FL_ADDR_TEXT 128 /* room for any address as text, NUL included */
#define FL_HOST_TEXT 256 /* room for any host name, NUL included */

struct fl_addr {
	struct sockaddr_storage ss;
	socklen_t len;
	bool dual; /* the IPv6 wildcard, IPv4 included; only a listener cares */
};

struct fl_endpoint {
	bool is_name;
	struct fl_addr addr;     /* unless is_name */
	char host[FL_HOST_TEXT]; /* if is_name: as written */
	uint16_t port;           /* 0 for unix sockets */
};

/* An address or a name with a port. FL_EINVAL with a text that says what is wrong; `out` is
 * untouched then. `err` may be NULL. */
int fl_endpoint_parse(struct fl_endpoint *out, const char *text, struct fl_error *err);

/* The same, addresses only; FL_ENOENT for a well-formed name, which has to be resolved. */
int fl_addr_parse(struct fl_addr *out, const char *text, struct fl_error *err);

/* An IPv4 or IPv6 address alone, without port and brackets, as logs have it; a zone is passed over.
 * False, and `out` untouched, for any other text. */
bool fl_addr_parse_ip(struct fl_addr *out, const char *text, size_t n);

/* Copies what the kernel gave; IPv4 mapped into IPv6 becomes IPv4. */
void fl_addr_set(struct fl_addr *out, const struct sockaddr *sa, socklen_t len);

/* The port, 0 for unix sockets; setting does nothing there. */
uint16_t fl_addr_port(const struct fl_addr *addr);
void fl_addr_set_port(struct fl_addr *addr, uint16_t port);

/* The same place: family, address, port, zone, path. `dual` does not count. */
bool fl_addr_equal(const struct fl_addr *a, const struct fl_addr *b);

/* Canonical text (RFC 5952) with the port, readable by fl_addr_parse; "unix:" for an unnamed
 * unix socket, "-" for what has no family. Writes up to `room` bytes, NUL included, and returns
 * the length without it; 0 when it does not fit. FL_ADDR_TEXT always fits. */
size_t fl_addr_format(const struct fl_addr *addr, char *out, size_t room);

/* The client's address as key bytes: the first `v4` or `v6` bits of it (at most 32 and 128; the
 * rest zero) as canonical text, without port and zone. Returns as fl_addr_format; 0 and an empty
 * text for unix sockets, which have no such thing. */
size_t fl_addr_client_text(
	const struct fl_addr *addr, unsigned v4, unsigned v6, char *out, size_t room);

#endif
