/* compat:python-ring: the ring of countless Python tutorials, checked against CPython's hashlib
 * and bisect.
 *
 * A point is the MD5 of "SERVER-I" for I = 0..replicas-1, taken as a 128-bit big-endian number
 * mod 2^32: its last four bytes. A key's position is made the same way. bisect_right: the key
 * belongs to the first point strictly after it, wrapping. The ring is a dictionary by position,
 * so of two points at one place the one that was put in later has it; servers are put in by
 * ascending slot (the order they were given in, unless slots were asked for).
 *
 * Points that are covered by another stay in our ring behind it: so a masked server's keys go
 * where they would go without it, and removing a server moves only its keys.
 *
 * Cost: an MD5 of the key and a ring lookup. Positions have 32 bits; ours are those, shifted up.
 */
#include "compat/compat.h"

#include "base/error.h"
#include "compat/circle.h"
#include "hash/digest.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t position(unsigned kind, const void *bytes, size_t len)
{
	unsigned char sum[FL_MD5_SIZE];
	(void)kind;
	fl_md5(bytes, len, sum);
	return ((uint64_t)sum[12] << 56) | ((uint64_t)sum[13] << 48) |
	       ((uint64_t)sum[14] << 40) | ((uint64_t)sum[15] << 32);
}

static size_t put_points(const struct fl_node *node, uint64_t replicas, struct fl_point *to)
{
	char text[FL_MAX_NAME + 24];
	for (uint64_t i = 0; i < replicas; i++) {
		int n = snprintf(
			text, sizeof(text), "%s-%llu", node->name, (unsigned long long)i);
		to[i] = (struct fl_point){position(0, text, (size_t)n), node->slot};
	}
	return replicas;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	static const struct fl_circle how = {.points.strict = true, .position = position};
	uint64_t replicas = p->options[0];
	size_t count = 0;
	struct fl_point *list;
	int rc;
	if (p->eligible * replicas > FL_MAX_POINTS)
		return fl_error_set(err, FL_ELIMIT,
			"%u servers with %llu replicas make more than %u points", p->eligible,
			(unsigned long long)replicas, FL_MAX_POINTS);
	list = malloc(p->eligible * replicas * sizeof(*list));
	if (!list)
		return FL_ENOMEM;
	/* The last one put in wins a tie, and of equals the first in the list is found. */
	for (uint32_t slot = p->slots; slot-- > 0;) {
		const struct fl_node *node = fl_place_at(p, slot);
		if (node && node->weight > 0)
			count += put_points(node, replicas, list + count);
	}
	rc = fl_circle_build(p, list, count, &how);
	free(list);
	return rc;
}

const struct fl_algorithm fl_compat_python_ring = {
	.info = {"compat:python-ring",
		"The MD5 ring of Python tutorials: md5(\"server-i\"), bisect_right.",
		"replicas=3",
		FL_EXACT_MASK | FL_MINIMAL_ANY | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{"replicas", 3, 1, 65535, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = 1,
	.key_hash = FL_KEY_MD5_TAIL,
	.by_slot = true,
	.build = build,
	FL_CIRCLE_ROW,
};
