/* compat:grpc-ring: the ring_hash_experimental policy of gRPC. Checked against grpc-go's own ring
 * (revision 4793ad047, balancer/ringhash/ring.go) with stub types around it; gRPC's C++ and Java
 * follow the same design (gRFC A42).
 *
 * The ring: scaled_ring.c with XXH64, over the endpoints in the order of their hash keys, bytes
 * ascending; a name is that hash key, "ip:port" unless told otherwise (gRFC A76). `min` and `max`
 * are minRingSize and maxRingSize; a client caps both at 4096 unless its cap was raised.
 *
 * key=text: the key's bytes are hashed with XXH64, as for a header; key=hash: the key is the
 * request hash that the xDS config selector gave, in decimal.
 *
 * The ring stays as it is when an endpoint fails; the pick goes on along it to the next one, and
 * so does a mask here. Moves: few keys more than necessary, as the scale depends on all weights;
 * no order, no history. Cost: an XXH64 and a ring lookup. */
#include "compat/compat.h"

#include "compat/scaled_ring.h"

enum {
	OPTION_KEY,
	OPTION_MIN,
	OPTION_MAX
};

static const char *const keys[] = {"text", "hash", NULL};

static int build(struct fl_placement *p, struct fl_error *err)
{
	bool number = p->options[OPTION_KEY] == 1;
	struct fl_scaled_ring ring = {p->options[OPTION_MIN], p->options[OPTION_MAX],
		fl_scaled_ring_xxh64, number, true};
	return fl_scaled_ring_build(p, &ring, err);
}

const struct fl_algorithm fl_compat_grpc_ring = {
	.info = {"compat:grpc-ring",
		"gRPC's ring_hash: points in proportion to normalised weights.",
		"key=text,min=1024,max=4096",
		FL_WEIGHTS | FL_ORDER_FREE | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{"key", 0, 0, 1, FL_ANY_NUMBER, keys},
		{"min", 1024, 1, FL_RING_MOST, FL_ANY_NUMBER, NULL},
		{"max", 4096, 1, FL_RING_MOST, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_XXH64,
	.key_options = 1u << OPTION_KEY,
	.build = build,
	.free = fl_circle_free,
	.pick = fl_circle_pick,
	.owners = fl_circle_owners,
	.arc = fl_circle_arc,
	.part = FL_PART_POINT,
	.position = fl_circle_position,
	.memory = fl_circle_memory,
	.starved = fl_circle_starved,
};
