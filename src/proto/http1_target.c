/* The request target (RFC 9112 3.2) and the authority that it or Host names.
 *
 * Only what can be read in one way passes. Narrower than the grammar on purpose: no userinfo, no
 * percent-encoding in a host (a node might decode it to another host than the one we routed by),
 * no comma (what two joined Host fields look like), no empty label, IP literals only when they
 * are IPv6 addresses, ports of at most five digits. */
#include "proto/http1_priv.h"

#include <arpa/inet.h>

enum {
	HOST_MAX = 255,
	IPV6_MAX = 45,
};

/* Length of the "[address]" that begins `text`, or 0. */
static size_t ip_literal(struct fl_slice text)
{
	char copy[IPV6_MAX + 1];
	struct in6_addr address;
	const char *close = memchr(text.p, ']', text.n);
	size_t n = close ? (size_t)(close - text.p) - 1 : 0;
	if (n == 0 || n > IPV6_MAX || memchr(text.p, '\0', n))
		return 0;
	memcpy(copy, text.p + 1, n);
	copy[n] = '\0';
	return inet_pton(AF_INET6, copy, &address) == 1 ? n + 2 : 0;
}

/* Length of the registered name or IPv4 address that begins `text`, or 0. */
static size_t registered_name(struct fl_slice text)
{
	size_t n = 0;
	for (char before = '.'; n < text.n && fl_http1_is(text.p[n], FL_CH_HOST); n++) {
		if (text.p[n] == '.' && before == '.')
			return 0;
		before = text.p[n];
	}
	return n > HOST_MAX ? 0 : n;
}

/* ":" and digits of a port; the digits may be missing (RFC 3986 3.2.3). */
static bool is_port(struct fl_slice text)
{
	uint64_t port = 0;
	struct fl_slice digits = {text.p + 1, text.n - 1};
	if (text.p[0] != ':' || digits.n > 5)
		return false;
	return digits.n == 0 || (fl_http1_number(digits, &port) == 0 && port <= 65535);
}

int fl_http1_authority(struct fl_slice text, struct fl_slice *host)
{
	if (text.n == 0)
		return -1;
	size_t n = text.p[0] == '[' ? ip_literal(text) : registered_name(text);
	if (n == 0)
		return -1;
	if (n < text.n && !is_port((struct fl_slice){text.p + n, text.n - n}))
		return -1;
	*host = (struct fl_slice){text.p, n};
	return 0;
}

static void split_query(struct fl_slice text, struct fl_http1_head *out)
{
	const char *mark = text.n > 0 ? memchr(text.p, '?', text.n) : NULL;
	out->path = text;
	if (mark) {
		out->path.n = (size_t)(mark - text.p);
		out->query = (struct fl_slice){mark + 1, text.n - out->path.n - 1};
	}
}

static size_t scheme(struct fl_slice target)
{
	if (target.n >= 7 && strncasecmp(target.p, "http://", 7) == 0)
		return 7;
	if (target.n >= 8 && strncasecmp(target.p, "https://", 8) == 0)
		return 8;
	return 0;
}

static int absolute(struct fl_http1_head *out, size_t skip, struct fl_http1_error *err)
{
	struct fl_slice rest = {out->target.p + skip, out->target.n - skip};
	size_t n = 0;
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	out->authority = (struct fl_slice){rest.p, n};
	if (fl_http1_authority(out->authority, &out->host) < 0)
		return fl_http1_refuse(err, 400, "bad authority in the request target");
	split_query((struct fl_slice){rest.p + n, rest.n - n}, out);
	if (out->path.n == 0) {
		/* RFC 9112 3.2.4: an OPTIONS without path and query is about the whole server. */
		bool star = out->method == FL_METHOD_OPTIONS && !out->query.p;
		out->path = star ? FL_SLICE("*") : FL_SLICE("/");
	}
	return 0;
}

int fl_http1_target(struct fl_http1_head *out, struct fl_http1_error *err)
{
	struct fl_slice target = out->target;
	size_t skip = scheme(target);
	if (target.p[0] == '/') {
		split_query(target, out);
		return 0;
	}
	if (skip > 0)
		return absolute(out, skip, err);
	if (target.n == 1 && target.p[0] == '*' && out->method == FL_METHOD_OPTIONS) {
		out->path = target;
		return 0;
	}
	return fl_http1_refuse(err, 400, "request target is neither a path nor an http(s) URI");
}
