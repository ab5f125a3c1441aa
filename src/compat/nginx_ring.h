/* The points of nginx's consistent ring, which others copied with small differences: CRC-32 of
 * host, NUL, port and the point before as four little-endian bytes (zero before the first), 160 a
 * weight. A key belongs to the first point at or after its own CRC-32, wrapping. */
#ifndef FL_COMPAT_NGINX_RING_H
#define FL_COMPAT_NGINX_RING_H

#include "compat/circle.h"

/* A node's name as a system takes it apart; the texts need not end with a NUL. */
struct fl_server {
	const char *host, *port;
	size_t host_size, port_size;
	char text[64]; /* for those that have to be written anew */
};

/* Makes p's state. `take_apart` gives false for a name that the system cannot have, and `wanted`
 * says what a name must be (for the error). Points at one place are in the order of the names.
 * Errors: FL_EINVAL, FL_ELIMIT, FL_ENOMEM. */
int fl_nginx_ring_build(struct fl_placement *p,
	bool (*take_apart)(struct fl_server *out, const char *name), const char *wanted,
	uint64_t (*position)(unsigned kind, const void *bytes, size_t len),
	struct fl_error *err);

/* The position of a key: its CRC-32, shifted up. There is one kind. */
uint64_t fl_nginx_position(unsigned kind, const void *bytes, size_t len);

#endif
