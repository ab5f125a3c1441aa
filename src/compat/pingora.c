/* compat:pingora: the ring of Cloudflare's Pingora (pingora-ketama 0.8.0, its first version),
 * checked against that code compiled as it is.
 *
 * nginx's ring (nginx_ring.h), but over socket addresses: the host is the address in its shortest
 * form, IPv6 without brackets, and the port is always there. So a node's name must be an address
 * and a port, "10.0.0.1:80" or "[::1]:80", and how it is spelt does not matter. The key is the
 * bytes as they are.
 *
 * A mask steps over a node's points: what Pingora does with a backend that its caller refuses.
 * Points of two servers at one place belong to the smaller name; Pingora sorts by its own order
 * of addresses, which differs.
 *
 * Cost and moves: as nginx-consistent. */
#include "compat/compat.h"

#include "compat/address.h"
#include "compat/nginx_ring.h"

#include <stdio.h>
#include <string.h>

static bool take_apart(struct fl_server *out, const char *name)
{
	struct fl_address address;
	if (!fl_address_parse(&address, name) || address.port < 0)
		return false;
	fl_address_print(&address, out->text);
	out->host = out->text;
	out->host_size = strlen(out->text);
	out->port = out->text + out->host_size + 1;
	out->port_size = (size_t)snprintf(out->text + out->host_size + 1,
		sizeof(out->text) - out->host_size - 1, "%d", (int)address.port);
	return true;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	return fl_nginx_ring_build(p, take_apart,
		"an address with its port, such as 10.0.0.1:80 or [::1]:80", fl_nginx_position,
		err);
}

const struct fl_algorithm fl_compat_pingora = {
	.info = {"compat:pingora", "Pingora's ring: nginx's, over addresses with ports.", "",
		FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT | FL_WEIGHTS |
			FL_ORDER_FREE | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{NULL, 0, 0, 0, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_CRC32,
	.build = build,
	FL_CIRCLE_ROW,
};
