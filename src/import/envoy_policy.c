/* hash_policy of a route as the key of a pool.
 *
 * Envoy hashes the value of each policy with XXH64 (seed 0) and combines the hashes: rotate the one
 * before left by 1, then xor. With one policy that is XXH64 of the value, which compat:envoy-* does
 * with a key. A policy that is `terminal` ends the list once there is a hash: where all but the last
 * are terminal, the first that gives a value decides, as in Fairlead's key. A combination is no
 * value of the request, so no key can stand for it. Read in Envoy's source (common/http/hash_policy),
 * not verified by recordings.
 *
 * Differences that stay: of a header that is there several times Envoy hashes all values, sorted,
 * one seeding the next, Fairlead the first; an empty value is a value to Envoy; a request without any
 * value goes to a random host in both. */
#include "import/envoy.h"

/* `at` is where the name stands. */
static void add(struct fl_yaml *y, const struct fl_conf_node *at,
	struct fl_envoy_policy *policy, const char *source, const char *name)
{
	if (name && !fl_import_is_key_name(fl_slice_of(name))) {
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, at, "cannot be a key");
		return;
	}
	policy->sources[policy->count] = source;
	policy->names[policy->count++] = name;
}

/* ---- one policy ---- */

static const char *const header_fields[] = {"header_name", "regex_rewrite", NULL};

static void read_header(
	struct fl_yaml *y, const struct fl_conf_node *header, struct fl_envoy_policy *policy)
{
	const struct fl_conf_node *node = fl_yaml_get(header, "header_name");
	const struct fl_conf_node *rewrite = fl_yaml_get(header, "regex_rewrite");
	const char *name = fl_yaml_text(y, node);

	if (!name) {
		fl_yaml_fail(y, header, "header wants a header_name");
		return;
	}
	if (rewrite)
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, rewrite,
			"Envoy hashes the value rewritten, serve as it is; lookup is right "
			"with "
			"rewritten keys");
	if (strcasecmp(name, ":authority") == 0) {
		add(y, node, policy, "header", "host");
	} else if (strcasecmp(name, ":path") == 0) {
		add(y, node, policy, "uri", NULL);
	} else {
		size_t before = policy->count;
		add(y, node, policy, "header", name);
		if (policy->count > before)
			fl_yaml_note(y, FL_IMPORT_CARRIED, false, node,
				"the same for a header that is there once and not empty; of "
				"several "
				"Envoy hashes all, Fairlead the first");
	}
	fl_yaml_rest(y, header, header_fields);
}

static const char *const cookie_fields[] = {"name", "ttl", "path", "attributes", NULL};

static void read_cookie(
	struct fl_yaml *y, const struct fl_conf_node *cookie, struct fl_envoy_policy *policy)
{
	const struct fl_conf_node *node = fl_yaml_get(cookie, "name");
	const struct fl_conf_node *ttl = fl_yaml_get(cookie, "ttl");
	const char *name = fl_yaml_text(y, node);

	if (!name) {
		fl_yaml_fail(y, cookie, "cookie wants a name");
		return;
	}
	add(y, node, policy, "cookie", name);
	if (ttl)
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, ttl,
			"Envoy makes this cookie for clients that have none; nothing here "
			"does");
	else
		fl_yaml_note(y, FL_IMPORT_CARRIED, false, node,
			"the same for a cookie whose value is not in quotes, which Envoy takes "
			"off");
	fl_yaml_rest(y, cookie, cookie_fields);
}

static void read_source_ip(struct fl_envoy *e, const struct fl_conf_node *properties,
	struct fl_envoy_policy *policy)
{
	const struct fl_conf_node *node = fl_yaml_get(properties, "source_ip");

	if (!fl_yaml_true(&e->y, node))
		return;
	add(&e->y, node, policy, "client_ip", NULL);
	if (!e->own_remote_address)
		fl_yaml_note(&e->y, FL_IMPORT_NOT_CARRIED, true, node,
			"without use_remote_address Envoy takes the address from "
			"X-Forwarded-For; serve takes the connection's");
}

static void read_one(
	struct fl_envoy *e, const struct fl_conf_node *item, struct fl_envoy_policy *policy)
{
	const struct fl_conf_node *header = fl_yaml_get(item, "header");
	const struct fl_conf_node *cookie = fl_yaml_get(item, "cookie");
	const struct fl_conf_node *query = fl_yaml_get(item, "query_parameter");
	const struct fl_conf_node *properties = fl_yaml_get(item, "connection_properties");
	const char *name = fl_yaml_text(&e->y, fl_yaml_get(query, "name"));

	if (header)
		read_header(&e->y, header, policy);
	else if (cookie)
		read_cookie(&e->y, cookie, policy);
	else if (name)
		add(&e->y, query, policy, "query", name);
	else if (properties)
		read_source_ip(e, properties, policy);
	else if (fl_yaml_get(item, "source_ip")) /* as a TCP proxy says it */
		add(&e->y, item, policy, "client_ip", NULL);
	else
		fl_yaml_note(&e->y, FL_IMPORT_NOT_CARRIED, true,
			item->kind == FL_CONF_MAP && item->child ? item->child : item,
			"cannot be a key");
}

/* ---- the list ---- */

void fl_envoy_read_policy(
	struct fl_envoy *e, const struct fl_conf_node *item, struct fl_envoy_policy *policy)
{
	const struct fl_conf_node *open = NULL; /* gives a value, and does not end the list */

	*policy = (struct fl_envoy_policy){.count = 0};
	for (; item; item = item->next) {
		size_t before = policy->count;
		if (!fl_yaml_is_map(&e->y, item))
			return;
		if (before == FL_ENVOY_MOST_SOURCES) {
			fl_yaml_note(&e->y, FL_IMPORT_NOT_CARRIED, true, item,
				"a key has at most %d sources", FL_ENVOY_MOST_SOURCES);
			return;
		}
		read_one(e, item, policy);
		if (open && policy->count > before)
			fl_yaml_note(&e->y, FL_IMPORT_NOT_CARRIED, true, open,
				"Envoy combines its hash with that of the next policy, as it "
				"is "
				"not terminal; here the first that gives a value decides. "
				"lookup "
				"is right for key=hash with the combined hash");
		open = NULL;
		if (policy->count > before &&
			!fl_yaml_true(&e->y, fl_yaml_get(item, "terminal")))
			open = item->child;
	}
}

/* ---- pools by policy ---- */

static bool same_policy(const struct fl_envoy_policy *a, const struct fl_envoy_policy *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const char *x = a->names[i], *y = b->names[i];
		if (strcmp(a->sources[i], b->sources[i]) != 0 || !x != !y ||
			(x && strcmp(x, y) != 0))
			return false;
	}
	return true;
}

static void set_keys(
	struct fl_import *m, struct fl_import_pool *pool, const struct fl_envoy_policy *policy)
{
	for (size_t i = 0; i < policy->count; i++)
		(void)fl_import_add_key(m, pool, policy->sources[i],
			policy->names[i] ? fl_import_copy(m, fl_slice_of(policy->names[i]))
					 : NULL);
	if (policy->count)
		pool->no_key = "random";
}

/* The cluster's own pool for the first policy, a copy of it for each other one. */
static struct fl_import_pool *use(
	struct fl_envoy *e, struct fl_envoy_cluster *c, const struct fl_envoy_policy *policy)
{
	struct fl_envoy_use *u = fl_conf_alloc(e->y.conf, sizeof(*u));

	if (!u)
		return NULL;
	u->pool = c->pool;
	if (c->uses && e->hosts > FL_ENVOY_MOST_HOSTS) {
		fl_yaml_fail(&e->y, c->node,
			"this cluster is reached with too many hash policies: its copies have "
			"more "
			"than %u hosts",
			FL_ENVOY_MOST_HOSTS);
		return NULL;
	}
	if (c->uses) {
		e->y.quiet = true;
		u->pool = fl_envoy_read_cluster(&e->y, c->node, &e->hosts);
		e->y.quiet = false;
	}
	if (!u->pool)
		return NULL;
	u->policy = *policy;
	u->next = c->uses;
	c->uses = u;
	set_keys(e->y.m, u->pool, policy);
	return u->pool;
}

static struct fl_envoy_cluster *find(struct fl_envoy *e, const char *name)
{
	for (size_t i = 0; i < e->count; i++)
		if (strcmp(e->clusters[i].name, name) == 0)
			return &e->clusters[i];
	return NULL;
}

struct fl_import_pool *fl_envoy_pool(struct fl_envoy *e, const struct fl_conf_node *at,
	const char *cluster, const struct fl_envoy_policy *policy)
{
	struct fl_envoy_cluster *c = find(e, cluster);

	if (!c || !c->pool) {
		fl_yaml_note(&e->y, FL_IMPORT_NOT_CARRIED, true, at,
			"the cluster is not in this file, or has no hosts in it");
		return NULL;
	}
	if (!c->pool->compat)
		return c->pool;
	if (!policy->count)
		fl_yaml_note(&e->y, FL_IMPORT_NOT_CARRIED, false, at,
			"there is no hash_policy here, so that Envoy takes a random host; here "
			"each client has its node");
	for (const struct fl_envoy_use *u = c->uses; u; u = u->next)
		if (same_policy(&u->policy, policy))
			return u->pool;
	return use(e, c, policy);
}
