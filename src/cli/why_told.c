/* The two ways of learning why. */
#include "cli/why.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

void fl_told_fini(struct fl_told *told)
{
	free(told->nodes);
	told->nodes = NULL;
}

/* ---- from a pool ---- */

static void take_candidate(struct fl_told_node *n, const struct fl_candidate *c)
{
	*n = (struct fl_told_node){.name = c->node.member->name,
		.zone = c->node.member->zone,
		.admin = fl_admin_name(c->node.admin),
		.health = fl_health_name(c->node.health),
		.rank = c->rank,
		.verdict = (int)c->verdict,
		.weight = c->node.member->weight,
		.backup = c->node.member->backup,
		.ramp = c->ramp};
}

int fl_told_pool(
	struct fl_told *out, struct fl_why **why, struct fl_pool *pool, struct fl_slice key)
{
	struct fl_key k = fl_key_bytes(key.p, key.n);
	int rc = fl_pool_why(why, pool, &k, 0);

	if (rc != FL_OK)
		return rc;
	const struct fl_view *view = (*why)->view;
	const fl_placement *p = view->tier[0].placement;
	*out = (struct fl_told){.key = key,
		.pool = fl_pool_name(pool),
		.algorithm = fl_pool_spec(pool),
		.owner = (*why)->taken ? (*why)->taken->name : NULL,
		.digest = view->digest,
		.mask_digest = view->mask_digest,
		.hashed = fl_placement_capabilities(p) & FL_BY_HASH,
		.located = (*why)->located,
		.position = (*why)->position,
		.placement = p,
		.count = (*why)->count};
	if (out->hashed)
		out->hash = fl_placement_hash(p, key.p, key.n);
	out->nodes = calloc(out->count + 1, sizeof(*out->nodes));
	if (!out->nodes)
		return FL_ENOMEM;
	for (size_t i = 0; i < out->count; i++)
		take_candidate(&out->nodes[i], &(*why)->candidates[i]);
	return FL_OK;
}

/* ---- from an answer ---- */

static bool take_hex(const json_t *object, const char *name, uint64_t *out)
{
	const char *text = json_string_value(json_object_get(object, name));
	char *end;

	if (!text)
		return false;
	*out = strtoull(text, &end, 16);
	return *text && !*end;
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static int verdict_of(const char *name)
{
	for (int v = FL_VERDICT_TAKEN; name && v <= FL_VERDICT_DISABLED; v++)
		if (strcmp(fl_verdict_name((enum fl_verdict)v), name) == 0)
			return v;
	return -1;
}

static bool take_node(struct fl_told_node *n, const json_t *c)
{
	*n = (struct fl_told_node){.name = text_of(c, "name"),
		.zone = text_of(c, "zone"),
		.admin = text_of(c, "admin"),
		.health = text_of(c, "health"),
		.rank = (size_t)json_integer_value(json_object_get(c, "rank")),
		.verdict = verdict_of(text_of(c, "verdict")),
		.weight = json_integer_value(json_object_get(c, "weight")),
		.backup = json_is_true(json_object_get(c, "backup")),
		.ramp = json_number_value(json_object_get(c, "ramp"))};
	return n->name && n->admin && n->health && n->verdict >= 0;
}

static bool take_position(struct fl_told *out, const json_t *position)
{
	const char *part = text_of(position, "part");

	out->located = part != NULL;
	if (!part)
		return json_is_null(position);
	out->position = (struct fl_position){.part = part,
		.index = (uint64_t)json_integer_value(json_object_get(position, "index")),
		.count = (uint64_t)json_integer_value(json_object_get(position, "count"))};
	return take_hex(position, "first", &out->position.first) &&
	       take_hex(position, "last", &out->position.last) &&
	       take_hex(position, "hash", &out->position.hash);
}

static bool take_head(struct fl_told *out, const json_t *answer)
{
	out->live = true;
	out->pool = text_of(answer, "pool");
	out->algorithm = text_of(answer, "algorithm");
	out->owner = text_of(answer, "owner");
	out->epoch = (uint64_t)json_integer_value(json_object_get(answer, "epoch"));
	out->hashed = take_hex(answer, "hash", &out->hash);
	return out->pool && out->algorithm && take_hex(answer, "digest", &out->digest) &&
	       take_hex(answer, "mask_digest", &out->mask_digest) &&
	       take_position(out, json_object_get(answer, "position"));
}

int fl_told_answer(
	struct fl_told *out, const json_t *answer, struct fl_slice key, struct fl_error *err)
{
	const json_t *list = json_object_get(answer, "candidates");
	struct fl_told told = {.key = key, .count = json_array_size(list)};
	bool whole = json_is_array(list) && take_head(&told, answer);

	told.nodes = calloc(told.count + 1, sizeof(*told.nodes));
	if (!told.nodes)
		return fl_error_set(err, FL_ENOMEM, "out of memory");
	for (size_t i = 0; i < told.count; i++)
		whole = whole && take_node(&told.nodes[i], json_array_get(list, i));
	if (!whole) {
		fl_told_fini(&told);
		return fl_error_set(err, FL_EINVAL,
			"the balancer's answer is not understood: is it another version?");
	}
	*out = told;
	return FL_OK;
}
