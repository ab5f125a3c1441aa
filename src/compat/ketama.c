/* compat:ketama: RJ/ketama, the libketama of 2007 with its file of servers and megabytes. Checked
 * against its source at 18cf9a7, compiled as it is, and ketama_get_server().
 *
 * Server i of n with weight w of W in all has floor(f32(f32(w / W) * 40.0 * n)) digests of
 * "ADDRESS-J", J from 0, and each gives four points (ketama_points.h). The two float32 roundings
 * are part of it: with equal weights most n make 160 points a server, some, as 61 and 122, 156. An
 * address is the text of the file with its port, ours the node's name, to the letter. A key's
 * position is the first word of its MD5; it belongs to the first point at or after it, wrapping.
 *
 * Points of two servers at one place: libketama leaves that to qsort; here the server that was
 * given first has them. (Among 2,000 recorded keys and 47 servers none was.)
 *
 * A server that is down: libketama knows nothing of that, its users rewrite the file. A mask here
 * steps over a server's points, and moves its keys alone. A server that is taken out of the list
 * changes n and W and so everybody's number of points, if not by much when weights are equal.
 *
 * Cost: MD5 of the key, which is nearly all of it, and a ring lookup. */
#include "compat/compat.h"

#include "compat/circle.h"
#include "compat/ketama_points.h"
#include "hash/digest.h"

#include <stdlib.h>

static uint64_t position(unsigned kind, const void *bytes, size_t len)
{
	(void)kind;
	return fl_ketama_position(fl_md5_first32(bytes, len));
}

static uint32_t digests_of(const struct fl_placement *p, const struct fl_node *node)
{
	float share = fl_float32((float)node->weight / (float)p->weight);
	double each = (double)share * 40.0; /* exact, and so is the next product */
	/* The conversion rounds down, as floorf does of what is not negative; below 2^26. */
	return (uint32_t)fl_float32((float)(each * (double)p->eligible));
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	static const struct fl_circle how = {.position = position};
	uint64_t points = 0;
	size_t count = 0;
	for (uint32_t i = 0; i < p->count; i++)
		points += 4 * (uint64_t)digests_of(p, &p->nodes[i]);
	int rc = fl_ketama_check(p, points, err);
	if (rc != FL_OK)
		return rc;
	struct fl_point *list = malloc((points + 1) * sizeof(*list));
	if (!list)
		return FL_ENOMEM;
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		const struct fl_node *node = fl_place_at(p, slot);
		if (node && node->weight > 0)
			count += fl_ketama_points(
				node->name, digests_of(p, node), slot, list + count);
	}
	rc = fl_circle_build(p, list, count, &how);
	free(list);
	return rc;
}

const struct fl_algorithm fl_compat_ketama = {
	.info = {"compat:ketama", "RJ/ketama: four points from each MD5 of \"server:port-i\".",
		"", FL_WEIGHTS | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{NULL, 0, 0, 0, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_MD5_HEAD,
	.by_slot = true,
	.build = build,
	FL_CIRCLE_ROW,
};
