/* compat:spymemcached and compat:spymemcached-arraymod: the two node locators of the Java client
 * spymemcached. Checked against spymemcached 2.12.3 (Debian's): KetamaNodeLocator with KETAMA_HASH and
 * FNV1A_32_HASH, both forms of names; ArrayModNodeLocator with NATIVE_HASH by its formula only. The
 * other hashes follow its source.
 *
 * The ring. With ketama, 40 digests of MD5 of "SERVER-I" and four points each (ketama_points.h); with
 * any other hash 160 points, the hash of "SERVER-I". It is a map by position, so of two points at one
 * place the one that was put in later has it: of two servers, the one given later. A key belongs to
 * the first point at or after its hash, wrapping. Points that are covered stay behind the other's, as
 * in python_ring.c: removing or masking a server moves its keys alone.
 *
 * SERVER with format=spymemcached is an InetSocketAddress as text, less a slash in front: with a host
 * name "host/ip:port", without one "ip:port", and a node's name here is that text to the letter. With
 * format=libmemcached it is "host", or "host:port" for ports other than 11211.
 *
 * arraymod: the hash mod the number of servers, in the order they were given: spymemcached's default,
 * with hash=native.
 *
 * Not reproduced: what is tried for a server that is down. The ring there hashes the key again with a
 * number before it, seven times at most, and a request may still fail; here its points are stepped
 * over. (The array goes on to the next server, here too.) Keys that are not UTF-8, which no Java
 * String can be. Weights, which this version's ring takes only by a subclass. */
#include "compat/compat.h"

#include "compat/array.h"
#include "compat/circle.h"
#include "compat/ketama_points.h"
#include "compat/libmemcached_server.h"
#include "compat/spymemcached_hash.h"

#include <stdio.h>
#include <stdlib.h>

#define DIGESTS  40
#define EACH     160 /* points of a server */
#define CRC_BITS 15

enum {
	OPTION_HASH,
	OPTION_FORMAT
};

static const char *const formats[] = {"spymemcached", "libmemcached", NULL};

static unsigned shift_of(unsigned kind)
{
	return kind == FL_SPY_CRC ? 64 - CRC_BITS : 32;
}

static uint64_t position(unsigned kind, const void *bytes, size_t len)
{
	return (uint64_t)fl_spy_hash(kind, bytes, len) << shift_of(kind);
}

static void server_text(
	char out[FL_SERVER_TEXT], const struct fl_placement *p, const char *name)
{
	if (p->options[OPTION_FORMAT] == 1)
		fl_lmc_server_text(out, name);
	else
		(void)snprintf(out, FL_SERVER_TEXT, "%s", name[0] == '/' ? name + 1 : name);
}

static size_t put_server(
	const struct fl_placement *p, const struct fl_node *node, struct fl_point *to)
{
	char server[FL_SERVER_TEXT], text[FL_SERVER_TEXT + 8];
	unsigned kind = (unsigned)p->options[OPTION_HASH];
	server_text(server, p, node->name);
	if (kind == FL_SPY_KETAMA)
		return fl_ketama_points(server, DIGESTS, node->slot, to);
	for (unsigned i = 0; i < EACH; i++) {
		int size = snprintf(text, sizeof(text), "%s-%u", server, i);
		to[i] = (struct fl_point){position(kind, text, (size_t)size), node->slot};
	}
	return EACH;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	const struct fl_circle how = {
		.position = position, .kind = (unsigned)p->options[OPTION_HASH]};
	uint64_t points = (uint64_t)p->eligible * EACH;
	size_t count = 0;
	int rc = fl_ketama_check(p, points, err);
	if (rc != FL_OK)
		return rc;
	struct fl_point *list = malloc((points + 1) * sizeof(*list));
	if (!list)
		return FL_ENOMEM;
	/* The last one put in wins a tie, and of equals the first in the list is found. */
	for (uint32_t slot = p->slots; slot-- > 0;) {
		const struct fl_node *node = fl_place_at(p, slot);
		if (node && node->weight > 0)
			count += put_server(p, node, list + count);
	}
	rc = fl_circle_build(p, list, count, &how);
	free(list);
	return rc;
}

const struct fl_algorithm fl_compat_spymemcached = {
	.info = {"compat:spymemcached",
		"spymemcached's KetamaNodeLocator: 160 points of \"host/ip:port-i\".",
		"hash=ketama,format=spymemcached",
		FL_EXACT_MASK | FL_MINIMAL_ANY | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{.name = "hash", .max = FL_SPY_HASHES - 1, .choices = fl_spy_hash_names},
		{.name = "format", .max = 1, .choices = formats}},
	.seed = OPTION_HASH,
	.max_weight = 1,
	.key_hash = FL_KEY_SPYMEMCACHED,
	.by_slot = true,
	.build = build,
	FL_CIRCLE_ROW,
};

/* ---- the array ---- */

static int build_array(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return fl_array_build(p, fl_spy_hash, (unsigned)p->options[OPTION_HASH], NULL);
}

const struct fl_algorithm fl_compat_spymemcached_arraymod = {
	.info = {"compat:spymemcached-arraymod",
		"spymemcached's default: the key's hash mod the number of servers.",
		"hash=native", FL_HISTORY_FREE},
	.options = {{.name = "hash",
		.def = FL_SPY_NATIVE,
		.max = FL_SPY_HASHES - 1,
		.choices = fl_spy_hash_names}},
	.seed = OPTION_HASH,
	.max_weight = 1,
	.key_hash = FL_KEY_SPYMEMCACHED,
	.by_slot = true,
	.build = build_array,
	.free = fl_array_free,
	.pick = fl_array_pick,
	.owners = fl_array_owners,
	.memory = fl_array_memory,
};
