#include "compat/nginx_ring.h"

#include "base/error.h"
#include "hash/crc32.h"
#include "hash/legacy.h"

#include <stdlib.h>

#define POINTS 160 /* a unit of weight */

uint64_t fl_nginx_position(unsigned kind, const void *bytes, size_t len)
{
	(void)kind;
	return (uint64_t)fl_crc32(bytes, len) << 32;
}

static size_t put_points(
	const struct fl_server *s, const struct fl_node *node, struct fl_point *to)
{
	size_t count = (size_t)node->weight * POINTS;
	uint32_t base = fl_crc32(s->host, s->host_size), point = 0;
	base = fl_crc32_add(base, "", 1);
	base = fl_crc32_add(base, s->port, s->port_size);
	for (size_t i = 0; i < count; i++) {
		unsigned char before[4] = {(unsigned char)point, (unsigned char)(point >> 8),
			(unsigned char)(point >> 16), (unsigned char)(point >> 24)};
		point = fl_crc32_add(base, before, sizeof(before));
		to[i] = (struct fl_point){(uint64_t)point << 32, node->slot};
	}
	return count;
}

int fl_nginx_ring_build(struct fl_placement *p,
	bool (*take_apart)(struct fl_server *out, const char *name), const char *wanted,
	uint64_t (*position)(unsigned kind, const void *bytes, size_t len),
	struct fl_error *err)
{
	const struct fl_circle how = {.position = position};
	struct fl_point *list;
	size_t count = 0;
	int rc = FL_OK;
	if (p->weight > FL_MAX_POINTS / POINTS)
		return fl_error_set(err, FL_ELIMIT,
			"weights of %llu in all with %d points each make more than %u points",
			(unsigned long long)p->weight, POINTS, FL_MAX_POINTS);
	list = malloc(p->weight * POINTS * sizeof(*list));
	if (!list)
		return FL_ENOMEM;
	for (uint32_t i = 0; rc == FL_OK && i < p->count; i++) {
		struct fl_server s;
		if (!take_apart(&s, p->nodes[i].name))
			rc = fl_error_set(err, FL_EINVAL, "node \"%.100s\": expected %s",
				p->nodes[i].name, wanted);
		else
			count += put_points(&s, &p->nodes[i], list + count);
	}
	if (rc == FL_OK)
		rc = fl_circle_build(p, list, count, &how);
	free(list);
	return rc;
}
