/* compat:circle-360: the circle of textbook drawings: 360 degrees, one point a server.
 *
 * The degree of a server or a key is its SHA-1, as a big-endian number, mod 360. A key belongs
 * to the first server at a strictly greater degree, wrapping; of servers at one degree, the one
 * with the smaller name. tests/model/ has the same in Python.
 *
 * With so few places servers collide soon and shares are far from equal: it is here to be
 * compared with, and to leave. Degree d is position d * 2^64 / 360, rounded up. */
#include "compat/compat.h"

#include "compat/circle.h"
#include "hash/digest.h"

#include <stdlib.h>
#include <string.h>

#define DEGREES 360u

static uint64_t position(unsigned kind, const void *bytes, size_t len)
{
	/* ceil(2^64 / 360) - 1 and the rest, so that d * 2^64 / 360 needs no wider type. */
	const uint64_t whole = UINT64_MAX / DEGREES, rest = UINT64_MAX % DEGREES + 1;
	unsigned char sum[FL_SHA1_SIZE];
	unsigned degree = 0;
	(void)kind;
	fl_sha1(bytes, len, sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		degree = (degree * 256 + sum[i]) % DEGREES;
	return degree * whole + (degree * rest + DEGREES - 1) / DEGREES;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	static const struct fl_circle how = {.points.strict = true, .position = position};
	struct fl_point *list = malloc(p->eligible * sizeof(*list));
	size_t count = 0;
	int rc;
	(void)err;
	if (!list)
		return FL_ENOMEM;
	for (uint32_t i = 0; i < p->count; i++) {
		const struct fl_node *node = &p->nodes[i];
		if (node->weight > 0)
			list[count++] = (struct fl_point){
				position(0, node->name, strlen(node->name)), node->slot};
	}
	rc = fl_circle_build(p, list, count, &how);
	free(list);
	return rc;
}

const struct fl_algorithm fl_compat_circle_360 = {
	.info = {"compat:circle-360",
		"The textbook circle: SHA-1 mod 360 for servers and keys, one point a server.",
		"",
		FL_EXACT_MASK | FL_MINIMAL_ANY | FL_ORDER_FREE | FL_HISTORY_FREE |
			FL_EXACT_MOVEMENT},
	.options = {{NULL, 0, 0, 0, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = 1,
	.key_hash = FL_KEY_SHA1_360,
	.build = build,
	FL_CIRCLE_ROW,
};
