/* compat:nginx-consistent: `hash KEY consistent` of nginx's upstreams, http and stream. Checked
 * against nginx 1.22.1 answering requests; the formulas are unchanged up to 1.31.
 *
 * A node's name is the text that stands behind `server`. "unix:" in any case is cut off and the
 * rest is the host; else digits behind a last colon are the port. A default port is not added, so
 * "h" and "h:80" are two mappings, and IPv6 addresses keep their brackets. Points and lookup:
 * nginx_ring.h.
 *   key=text: the bytes of the key as they are ($remote_addr, $arg_k, $request_uri)
 *   key=addr: $binary_remote_addr: 4 bytes for the text of an IPv4 address, 16 for IPv6; a key
 *     that is not an address is hashed as text (nginx has none). A client that a socket of both
 *     families calls ::ffff:1.2.3.4 has 16 bytes in nginx; its key must be written so.
 *
 * A mask is what nginx does with a server that is down, failed or full: its points stay and keys
 * step on to the next one. That is the ring without it, so removing, taking down and masking give
 * one map. Only the order of points of two servers at one place is nginx's own and not told; here
 * the smaller name has it.
 *
 * Not reproduced: what nginx gives to round robin. A key that meets 21 points of servers that are
 * out; here it goes on to the first that is not. An empty key; here it is the key with CRC-32 0.
 * A name in `server` that resolves to several addresses, which share their points; here a node is
 * one.
 *
 * Cost: CRC-32 of the key and a ring lookup. Moves: only a changed node's own keys. */
#include "compat/compat.h"

#include "compat/address.h"
#include "compat/nginx_ring.h"

#include <string.h>
#include <strings.h>

enum {
	KEY_TEXT,
	KEY_ADDR
};

static const char *const keys[] = {"text", "addr", NULL};

static uint64_t position_of_address(unsigned kind, const void *bytes, size_t len)
{
	unsigned char address[16];
	size_t size = fl_address_read(bytes, len, address);
	return fl_nginx_position(kind, size ? address : bytes, size ? size : len);
}

static bool take_apart(struct fl_server *out, const char *name)
{
	size_t size = strlen(name), port = size;
	*out = (struct fl_server){.host = name, .host_size = size, .port = ""};
	if (strncasecmp(name, "unix:", 5) == 0) {
		out->host += 5;
		out->host_size -= 5;
		return true;
	}
	while (port > 0 && name[port - 1] >= '0' && name[port - 1] <= '9')
		port--;
	if (port > 0 && name[port - 1] == ':') {
		out->host_size = port - 1;
		out->port = name + port;
		out->port_size = size - port;
	}
	return true;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	return fl_nginx_ring_build(p, take_apart, "",
		p->options[0] == KEY_ADDR ? position_of_address : fl_nginx_position, err);
}

const struct fl_algorithm fl_compat_nginx_consistent = {
	.info = {"compat:nginx-consistent",
		"nginx's `hash KEY consistent`: a ring of CRC-32 points, 160 a weight.",
		"key=text",
		FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT | FL_WEIGHTS |
			FL_ORDER_FREE | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{"key", KEY_TEXT, 0, KEY_ADDR, FL_ANY_NUMBER, keys}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_NGINX,
	.key_options = 1,
	.build = build,
	FL_CIRCLE_ROW,
};
