/* Pools for tests: nodes from one line of text, picks by number. */
#ifndef FL_TESTS_POOL_HELP_H
#define FL_TESTS_POOL_HELP_H

#include "pool/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define HELP_NODES 64

struct help_conf {
	struct fl_pool_conf conf;
	struct fl_node_conf nodes[HELP_NODES];
	char text[2048];
};

/* "a b*3 c@z1 d#5 e+ f!drain": a weight, a zone, a slot, a backup, a state. Every node has the
 * address "NAME:1" (with "~" behind it, "NAME:2"). */
static inline void help_conf(struct help_conf *h, const char *spec, const char *nodes)
{
	char *save = NULL;

	memset(h, 0, sizeof(*h));
	(void)snprintf(h->text, sizeof(h->text), "%s", nodes);
	h->conf = (struct fl_pool_conf){.name = "p", .spec = spec, .nodes = h->nodes};
	for (char *w = strtok_r(h->text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		struct fl_node_conf *n = &h->nodes[h->conf.count++];
		static char addresses[HELP_NODES][32];
		char *at = w + strcspn(w, "*@#+!~"), mark = *at;

		*n = (struct fl_node_conf){.name = w, .weight = 1, .slot = -1};
		*at = '\0';
		(void)snprintf(addresses[h->conf.count - 1], sizeof(addresses[0]), "%s:%d", w,
			mark == '~' ? 2 : 1);
		n->address = addresses[h->conf.count - 1];
		if (mark == '*')
			n->weight = strtol(at + 1, NULL, 10);
		else if (mark == '@')
			n->zone = at + 1;
		else if (mark == '#')
			n->slot = strtol(at + 1, NULL, 10);
		else if (mark == '+')
			n->backup = true;
		else if (mark == '!')
			n->admin = strcmp(at + 1, "drain") == 0 ? FL_ADMIN_DRAIN
			                                        : FL_ADMIN_DISABLED;
	}
}

static inline int help_apply(
	struct fl_pool *pool, const char *spec, const char *nodes, uint64_t now_ms)
{
	struct help_conf h;

	help_conf(&h, spec, nodes);
	return fl_pool_apply(pool, &h.conf, now_ms, NULL);
}

/* A pool "p" of these nodes. */
static inline struct fl_pool *help_pool(const char *spec, const char *nodes)
{
	struct fl_pool *pool = NULL;

	assert_int_equal(fl_pool_new(&pool, "p", 2), FL_OK);
	assert_int_equal(help_apply(pool, spec, nodes, 1000), FL_OK);
	return pool;
}

static inline struct fl_key help_key(char buf[32], unsigned i)
{
	return fl_key_bytes(buf, (size_t)snprintf(buf, 32, "key-%u", i));
}

/* The name of the node that has key i, "-" when there is none. */
static inline const char *help_pick(const struct fl_view *v, unsigned i, uint64_t now_ms)
{
	struct fl_member *m = NULL;
	char buf[32];
	struct fl_key key = help_key(buf, i);

	assert_int_equal(fl_view_pick(v, &key, now_ms, &m), FL_OK);
	return m ? m->name : "-";
}

/* The slot of `node` in tier t of the current view, or FL_NONE. */
static inline uint32_t help_slot(struct fl_pool *pool, unsigned t, const char *node)
{
	const struct fl_tier *tier = &fl_pool_view(pool)->tier[t];

	return tier->placement ? fl_placement_find(tier->placement, node) : FL_NONE;
}

static inline struct fl_member *help_member(struct fl_pool *pool, const char *node)
{
	for (unsigned t = 0; t < FL_TIERS; t++) {
		uint32_t slot = help_slot(pool, t, node);

		if (slot != FL_NONE)
			return fl_pool_view(pool)->tier[t].members[slot];
	}
	return NULL;
}

#endif
