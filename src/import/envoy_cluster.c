/* A cluster as a pool: the endpoints of its load_assignment, in Envoy's order, each under the name
 * that Envoy hashes for it: the metadata envoy.lb hash_key, else the host name if
 * use_hostname_for_hashing, else "ip:port" as Envoy prints it.
 *
 * Envoy knows priorities, localities and degraded hosts; a pool here has nodes and backups. All of
 * priority 0 become nodes, the others backups. Weights are relative, in Envoy too, and it divides
 * them by their sum: a common factor can be taken out without moving a key. */
#include "import/envoy.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define MOST_WEIGHT UINT32_MAX

struct reading {
	struct fl_yaml *y;
	struct fl_import_pool *pool;
	bool by_hostname, by_name; /* hosts are hashed by host name; are found by DNS */
	bool weighted_localities;
	int64_t id;
};

/* ---- addresses ---- */

/* A host's address as Envoy prints it, and as Fairlead wants it; `host`: the host of it. */
struct place {
	const char *text, *address, *host;
	bool is_name;
};

static bool socket_place(struct fl_yaml *y, const struct fl_conf_node *node, struct place *p)
{
	const struct fl_conf_node *port_node = fl_yaml_get(node, "port_value");
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	unsigned port;

	p->host = fl_yaml_text(y, fl_yaml_get(node, "address"));
	port = (unsigned)fl_yaml_number(y, port_node, 0, 65535, 0);
	if (!p->host || !port_node) {
		fl_yaml_fail(y, node, "socket_address wants an address and a port_value");
		return false;
	}
	if (inet_pton(AF_INET6, p->host, bytes) == 1 &&
		inet_ntop(AF_INET6, bytes, text, sizeof(text)))
		p->text = fl_import_format(y->m, "[%s]:%u", text, port);
	else
		p->text = fl_import_format(y->m, "%s:%u", p->host, port);
	p->is_name = inet_pton(AF_INET, p->host, bytes) != 1 &&
	             inet_pton(AF_INET6, p->host, bytes) != 1;
	p->address = p->text;
	return p->text != NULL;
}

static bool read_place(struct fl_yaml *y, const struct fl_conf_node *endpoint, struct place *p)
{
	const struct fl_conf_node *socket = fl_yaml_at(endpoint, "address.socket_address");
	const struct fl_conf_node *path = fl_yaml_at(endpoint, "address.pipe.path");

	*p = (struct place){0};
	if (socket)
		return socket_place(y, socket, p);
	p->text = p->host = fl_yaml_text(y, path);
	if (!p->text) {
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, endpoint,
			"has neither a socket_address nor a pipe");
		return false;
	}
	p->address = fl_import_format(y->m, "unix:%s", p->text);
	return p->address != NULL;
}

/* ---- what is hashed ---- */

/* A number or a word of YAML's own is no text to Envoy, and so no hash key. */
static bool is_plain_text(const struct fl_conf_node *node)
{
	char *end;

	if (node->quoted || !strchr("+-.0123456789tf", node->text[0]))
		return true;
	(void)strtod(node->text, &end);
	return *end && strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0;
}

static const char *metadata_key(struct fl_yaml *y, const struct fl_conf_node *item)
{
	const struct fl_conf_node *all = fl_yaml_at(item, "metadata.filter_metadata");
	const struct fl_conf_node *key = fl_yaml_get(fl_conf_get(all, "envoy.lb"), "hash_key");

	if (!key || key->kind != FL_CONF_SCALAR)
		return NULL;
	if (is_plain_text(key))
		return *key->text ? key->text : NULL;
	fl_yaml_note(y, FL_IMPORT_CARRIED, false, key,
		"is no text to Envoy, which then hashes the address; quote it to change that");
	return NULL;
}

static const char *hash_key(const struct reading *r, const struct fl_conf_node *item,
	const struct fl_conf_node *endpoint, const struct place *p)
{
	const char *key = metadata_key(r->y, item);
	const char *hostname = fl_yaml_text(r->y, fl_yaml_get(endpoint, "hostname"));

	if (key)
		return key;
	if (r->by_hostname && !hostname && r->by_name)
		hostname = p->host;
	if (r->by_hostname && hostname && *hostname)
		return hostname;
	if (r->by_hostname && r->pool->compat)
		fl_yaml_note(r->y, FL_IMPORT_NOT_CARRIED, true, endpoint,
			"has no hostname, so that Envoy hashes nothing; here its address");
	else if (p->is_name && r->pool->compat)
		fl_yaml_note(r->y, FL_IMPORT_NOT_CARRIED, true, endpoint,
			"Envoy hashes what \"%.80s\" resolves to; here the name, and one node. "
			"use_hostname_for_hashing would be carried",
			p->host);
	return p->text;
}

/* ---- endpoints ---- */

static void set_state(
	struct fl_yaml *y, const struct fl_conf_node *item, struct fl_import_node *node)
{
	static const char *const out[] = {"UNHEALTHY", "DRAINING", "TIMEOUT", NULL};
	const struct fl_conf_node *status = fl_yaml_get(item, "health_status");
	const char *text = fl_yaml_text(y, status);

	for (size_t i = 0; text && out[i]; i++)
		node->drain |= strcmp(text, out[i]) == 0;
	if (text && strcmp(text, "DEGRADED") == 0) {
		node->backup = true;
		fl_yaml_note(y, FL_IMPORT_CARRIED, false, status,
			"is a backup here: used when all others are out; Envoy begins earlier");
	}
}

static const char *const host_fields[] = {
	"endpoint", "health_status", "metadata", "load_balancing_weight", NULL};
static const char *const endpoint_fields[] = {"address", "hostname", NULL};

static void read_host(struct reading *r, const struct fl_conf_node *item, bool backup)
{
	const struct fl_conf_node *endpoint = fl_yaml_get(item, "endpoint");
	struct fl_yaml *y = r->y;
	struct fl_import_node *node;
	struct place p;

	if (!fl_yaml_is_map(y, item))
		return;
	if (!endpoint) {
		fl_yaml_note(
			y, FL_IMPORT_NOT_CARRIED, true, item, "has no endpoint of its own");
		return;
	}
	if (!read_place(y, endpoint, &p))
		return;
	r->id++;
	node = fl_import_add_node(y->m, r->pool, fl_yaml_place(y, endpoint),
		fl_slice_of(hash_key(r, item, endpoint, &p)), fl_slice_of(p.address));
	if (!node)
		return;
	node->id = r->pool->compat && strcmp(r->pool->compat, "envoy-ring") == 0 ? r->id : 0;
	node->weight = fl_yaml_number(
		y, fl_yaml_get(item, "load_balancing_weight"), 1, MOST_WEIGHT, 1);
	node->backup = backup;
	set_state(y, item, node);
	fl_yaml_rest(y, item, host_fields);
	fl_yaml_rest(y, endpoint, endpoint_fields);
}

static const char *const locality_fields[] = {
	"locality", "priority", "load_balancing_weight", "lb_endpoints", NULL};

static void read_locality(struct reading *r, const struct fl_conf_node *item)
{
	const struct fl_conf_node *where = fl_yaml_get(item, "locality");
	const struct fl_conf_node *priority = fl_yaml_get(item, "priority");
	const struct fl_conf_node *weight = fl_yaml_get(item, "load_balancing_weight");
	bool backup = fl_yaml_number(r->y, priority, 0, 128, 0) > 0;
	const struct fl_conf_node *host = fl_yaml_list(r->y, item, "lb_endpoints");

	if (backup)
		fl_yaml_note(r->y, FL_IMPORT_CARRIED, false, priority,
			"its hosts are backups: used when all of priority 0 are out; Envoy "
			"begins "
			"to use them when fewer than about 72 %% are left");
	if (weight && r->weighted_localities)
		fl_yaml_note(r->y, FL_IMPORT_NOT_CARRIED, true, weight,
			"localities have no weights here; multiply it into those of the hosts");
	if (where)
		fl_yaml_note(
			r->y, FL_IMPORT_NOT_CARRIED, false, where, "takes no part in hashing");
	for (; host; host = host->next)
		read_host(r, host, backup);
	fl_yaml_rest(r->y, item, locality_fields);
}

/* ---- weights ---- */

static uint64_t common_factor(const struct fl_import_pool *pool, bool backup)
{
	uint64_t factor = 0;

	for (const struct fl_import_node *n = pool->nodes; n; n = n->next) {
		uint64_t a = n->backup == backup ? n->weight : 0;
		while (factor) {
			uint64_t rest = a % factor;
			a = factor;
			factor = rest;
		}
		factor = a;
	}
	return factor;
}

/* Weights within bounds, by taking out their common factor if that is enough; of the nodes or of
 * the backups, which Envoy places on a ring or a table of their own. */
static void fit_weights(struct fl_yaml *y, struct fl_import_pool *pool, bool backup,
	const struct fl_conf_node *cluster)
{
	uint64_t most = 0, factor = 1;

	for (const struct fl_import_node *n = pool->nodes; n; n = n->next)
		if (n->backup == backup && n->weight > most)
			most = n->weight;
	if (most > FL_MAX_WEIGHT)
		factor = common_factor(pool, backup);
	if (most / factor > FL_MAX_WEIGHT)
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, fl_yaml_named(cluster),
			"a weight here is at most %d; the larger ones are cut to that",
			FL_MAX_WEIGHT);
	for (struct fl_import_node *n = pool->nodes; n; n = n->next) {
		n->weight /= n->backup == backup ? factor : 1;
		if (n->backup == backup && n->weight > FL_MAX_WEIGHT)
			n->weight = FL_MAX_WEIGHT;
	}
}

/* ---- health ---- */

static const char *const check_fields[] = {"interval", "unhealthy_threshold",
	"healthy_threshold", "http_health_check", "tcp_health_check", NULL};
static const char *const http_check_fields[] = {"path", NULL};

static void read_check(
	struct fl_yaml *y, struct fl_import_health *health, const struct fl_conf_node *check)
{
	const struct fl_conf_node *http = fl_yaml_get(check, "http_health_check");
	const struct fl_conf_node *tcp = fl_yaml_get(check, "tcp_health_check");
	const char *path = fl_yaml_text(y, fl_yaml_get(http, "path"));

	if ((!http && !tcp) || (http && (!path || !fl_import_is_path(path)))) {
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, false, check,
			"checks here are HTTP, with a path, or TCP");
		return;
	}
	health->given = true;
	health->http_path = path ? fl_import_copy(y->m, fl_slice_of(path)) : NULL;
	health->interval_ms = fl_yaml_duration(y, fl_yaml_get(check, "interval"));
	health->rise =
		(unsigned)fl_yaml_number(y, fl_yaml_get(check, "healthy_threshold"), 1, 100, 0);
	health->fall = (unsigned)fl_yaml_number(
		y, fl_yaml_get(check, "unhealthy_threshold"), 1, 100, 0);
	if (health->interval_ms &&
		(health->interval_ms < 100 || health->interval_ms > 3600000)) {
		health->interval_ms = 0;
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, false, fl_yaml_get(check, "interval"),
			"an interval here is from 100ms to 1h");
	}
	fl_yaml_rest(y, check, check_fields);
	fl_yaml_rest(y, http, http_check_fields);
}

/* ---- the cluster ---- */

static const char *const cluster_fields[] = {"name", "type", "lb_policy", "ring_hash_lb_config",
	"maglev_lb_config", "load_balancing_policy", "common_lb_config", "load_assignment",
	"health_checks", "transport_socket", "lb_subset_config", NULL};
static const char *const common_fields[] = {
	"consistent_hashing_lb_config", "locality_weighted_lb_config", NULL};

static void read_around(
	struct fl_yaml *y, struct fl_import_pool *pool, const struct fl_conf_node *cluster)
{
	const struct fl_conf_node *tls = fl_yaml_get(cluster, "transport_socket");
	const struct fl_conf_node *check = fl_yaml_list(y, cluster, "health_checks");
	const struct fl_conf_node *subset = fl_yaml_get(cluster, "lb_subset_config");

	if (subset)
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, subset,
			"keys here are placed on all nodes of a pool");
	if (check)
		read_check(y, &pool->health, check);
	for (check = check ? check->next : NULL; check; check = check->next)
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, false, check, "a pool has one check");
	if (tls)
		fl_yaml_note(
			y, FL_IMPORT_LOOKUP, false, tls, "serve speaks plain HTTP to nodes");
	fl_yaml_rest(y, cluster, cluster_fields);
	fl_yaml_rest(y, fl_yaml_get(cluster, "common_lb_config"), common_fields);
}

struct fl_import_pool *fl_envoy_read_cluster(
	struct fl_yaml *y, const struct fl_conf_node *cluster, size_t *hosts)
{
	const struct fl_conf_node *type = fl_yaml_get(cluster, "type");
	const char *found = fl_yaml_text(y, type);
	const char *name = fl_yaml_text(y, fl_yaml_get(cluster, "name"));
	const struct fl_conf_node *assigned = fl_yaml_get(cluster, "load_assignment");
	const struct fl_conf_node *item = fl_yaml_list(y, assigned, "endpoints");
	struct reading r = {.y = y};

	if (!item) {
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true,
			type ? type : fl_yaml_named(cluster),
			"the hosts of \"%.80s\" are not in this file", name ? name : "");
		return NULL;
	}
	r.pool = fl_import_add_pool(y->m, fl_yaml_place(y, cluster), fl_slice_of(name));
	if (!r.pool)
		return NULL;
	fl_envoy_read_lb(y, r.pool, cluster, &r.by_hostname);
	r.by_name = found &&
	            (strcmp(found, "STRICT_DNS") == 0 || strcmp(found, "LOGICAL_DNS") == 0);
	r.weighted_localities =
		fl_yaml_at(cluster, "common_lb_config.locality_weighted_lb_config") != NULL;
	for (; item; item = item->next)
		if (fl_yaml_is_map(y, item))
			read_locality(&r, item);
	*hosts += (size_t)r.id;
	fit_weights(y, r.pool, false, cluster);
	fit_weights(y, r.pool, true, cluster);
	read_around(y, r.pool, cluster);
	return r.pool;
}
