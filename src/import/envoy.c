/* Envoy's static configuration (v3): static_resources with its clusters, and its listeners with
 * their HTTP connection managers and TCP proxies. What comes over xDS is not in the file and is
 * noted as such. Grade: the mappings as compat/envoy_ring.c and envoy_maglev.c say; hash policies
 * and routes as read in Envoy's source. */
#include "import/envoy.h"

#include "import/systems.h"

/* ---- clusters ---- */

static void read_clusters(struct fl_envoy *e, const struct fl_conf_node *resources)
{
	const struct fl_conf_node *item = fl_yaml_list(&e->y, resources, "clusters");
	size_t most = item ? fl_yaml_get(resources, "clusters")->count : 0;

	if (most > FL_ENVOY_MOST_CLUSTERS) {
		fl_yaml_fail(
			&e->y, item, "there are more than %d clusters", FL_ENVOY_MOST_CLUSTERS);
		return;
	}
	e->clusters = fl_conf_alloc(e->y.conf, (most + 1) * sizeof(*e->clusters));
	for (; e->clusters && item; item = item->next) {
		struct fl_envoy_cluster *c = &e->clusters[e->count];
		c->node = item;
		c->name = fl_yaml_text(&e->y, fl_yaml_get(item, "name"));
		if (!fl_yaml_is_map(&e->y, item))
			continue;
		if (!c->name) {
			fl_yaml_fail(&e->y, item, "a cluster wants a name");
			continue;
		}
		c->pool = fl_envoy_read_cluster(&e->y, item, &e->hosts);
		e->count++;
	}
}

static void note_unused(struct fl_envoy *e)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct fl_envoy_cluster *c = &e->clusters[i];
		if (c->pool && c->pool->compat && !c->uses)
			fl_yaml_note(&e->y, FL_IMPORT_LOOKUP, false,
				fl_yaml_get(c->node, "name"),
				"no route in this file says where its key comes from");
	}
}

/* ---- filters ---- */

static const char *type_of(struct fl_yaml *y, const struct fl_conf_node *config)
{
	const char *type = fl_yaml_text(y, fl_conf_get(config, "@type"));
	const char *dot = type ? strrchr(type, '.') : NULL;

	return dot ? dot + 1 : "";
}

static const char *const manager_fields[] = {"@type", "stat_prefix", "route_config", "rds",
	"scoped_routes", "http_filters", "use_remote_address", "codec_type", NULL};

static void note_http_filters(struct fl_yaml *y, const struct fl_conf_node *manager)
{
	const struct fl_conf_node *item = fl_yaml_list(y, manager, "http_filters");

	for (; item; item = item->next) {
		const struct fl_conf_node *name = fl_yaml_get(item, "name");
		const char *text = fl_yaml_text(y, name);
		if (text && !strstr(text, "router"))
			fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, false, name,
				"has no counterpart here");
	}
}

static void read_manager(struct fl_envoy *e, const struct fl_conf_node *manager,
	const struct fl_import_listener *listener)
{
	static const char *const remote[] = {"rds", "scoped_routes", NULL};
	const struct fl_conf_node *config = fl_yaml_get(manager, "route_config");

	e->own_remote_address = fl_yaml_true(&e->y, fl_yaml_get(manager, "use_remote_address"));
	if (config)
		fl_envoy_read_routes(e, config, listener);
	for (size_t i = 0; remote[i]; i++)
		if (fl_yaml_get(manager, remote[i]))
			fl_yaml_note(&e->y, FL_IMPORT_NOT_CARRIED, true,
				fl_yaml_get(manager, remote[i]),
				"its routes are not in this file");
	note_http_filters(&e->y, manager);
	fl_yaml_rest(&e->y, manager, manager_fields);
}

/* Nothing serves it, but the key that leads to its cluster is known. */
static void read_tcp_proxy(struct fl_envoy *e, const struct fl_conf_node *proxy)
{
	const struct fl_conf_node *cluster = fl_yaml_get(proxy, "cluster");
	const char *name = fl_yaml_text(&e->y, cluster);
	struct fl_envoy_policy policy;

	e->own_remote_address = true;
	fl_envoy_read_policy(e, fl_yaml_list(&e->y, proxy, "hash_policy"), &policy);
	if (name && fl_envoy_pool(e, cluster, name, &policy))
		fl_yaml_note(
			&e->y, FL_IMPORT_LOOKUP, false, cluster, "serve does not balance TCP");
}

static void read_filter(struct fl_envoy *e, const struct fl_conf_node *filter,
	const struct fl_import_listener *listener)
{
	const struct fl_conf_node *config = fl_yaml_get(filter, "typed_config");
	const char *type = type_of(&e->y, config);

	if (strcmp(type, "HttpConnectionManager") == 0)
		read_manager(e, config, listener);
	else if (strcmp(type, "TcpProxy") == 0)
		read_tcp_proxy(e, config);
	else
		fl_yaml_note(&e->y, FL_IMPORT_NOT_CARRIED, false,
			fl_yaml_get(filter, "name") ? fl_yaml_get(filter, "name") : filter,
			"has no counterpart here");
}

/* ---- listeners ---- */

/* Where it listens, in Fairlead's words; NULL: it cannot. */
static const char *bind_of(struct fl_yaml *y, const struct fl_conf_node *listener)
{
	const struct fl_conf_node *socket = fl_yaml_at(listener, "address.socket_address");
	const char *path = fl_yaml_text(y, fl_yaml_at(listener, "address.pipe.path"));
	const char *address = fl_yaml_text(y, fl_yaml_get(socket, "address"));
	const char *protocol = fl_yaml_text(y, fl_yaml_get(socket, "protocol"));
	unsigned port =
		(unsigned)fl_yaml_number(y, fl_yaml_get(socket, "port_value"), 0, 65535, 0);

	if (path)
		return fl_import_format(y->m, "unix:%s", path);
	if (!address || (protocol && strcmp(protocol, "TCP") != 0))
		return NULL;
	if (strcmp(address, "::") == 0 && fl_yaml_true(y, fl_yaml_get(socket, "ipv4_compat")))
		return fl_import_format(y->m, ":%u", port);
	return fl_import_format(
		y->m, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, port);
}

static bool is_http(struct fl_yaml *y, const struct fl_conf_node *chain)
{
	const struct fl_conf_node *item = fl_yaml_list(y, chain, "filters");

	for (; item; item = item->next)
		if (strcmp(type_of(y, fl_yaml_get(item, "typed_config")),
			    "HttpConnectionManager") == 0)
			return true;
	return false;
}

/* A listener for a chain that serve can have, else NULL with a note. */
static const struct fl_import_listener *listen_for(struct fl_yaml *y,
	const struct fl_conf_node *listener, const struct fl_conf_node *chain)
{
	const struct fl_conf_node *tls = fl_yaml_get(chain, "transport_socket");
	const char *name = fl_yaml_text(y, fl_yaml_get(listener, "name"));
	const char *bind = bind_of(y, listener);

	if (!is_http(y, chain))
		return NULL;
	if (tls || !bind) {
		fl_yaml_note(y, FL_IMPORT_LOOKUP, false, tls ? tls : listener, "%s",
			tls ? "serve does not speak TLS"
			    : "serve listens at TCP ports and UNIX sockets");
		return NULL;
	}
	return fl_import_add_listener(y->m, fl_yaml_place(y, listener),
		fl_slice_of(name ? name : bind), fl_slice_of(bind));
}

static const char *const chain_fields[] = {
	"name", "filters", "transport_socket", "filter_chain_match", NULL};

static void read_chain(struct fl_envoy *e, const struct fl_conf_node *listener,
	const struct fl_conf_node *chain, bool alone)
{
	const struct fl_import_listener *l = listen_for(&e->y, listener, chain);
	const struct fl_conf_node *item = fl_yaml_list(&e->y, chain, "filters");
	const struct fl_conf_node *match = fl_yaml_get(chain, "filter_chain_match");

	for (; item; item = item->next)
		read_filter(e, item, l);
	if (match)
		fl_yaml_note(&e->y, FL_IMPORT_NOT_CARRIED, !alone && l, match,
			"connections are not told apart here: the routes of all chains are one "
			"set");
	fl_yaml_rest(&e->y, chain, chain_fields);
}

static const char *const listener_fields[] = {
	"name", "address", "filter_chains", "default_filter_chain", "stat_prefix", NULL};

static void read_listener(struct fl_envoy *e, const struct fl_conf_node *listener)
{
	const struct fl_conf_node *first = fl_yaml_list(&e->y, listener, "filter_chains");
	const struct fl_conf_node *fallback = fl_yaml_get(listener, "default_filter_chain");
	bool alone = first ? !first->next && !fallback : true;

	for (const struct fl_conf_node *chain = first; chain; chain = chain->next)
		if (fl_yaml_is_map(&e->y, chain))
			read_chain(e, listener, chain, alone);
	if (fallback && fl_yaml_is_map(&e->y, fallback))
		read_chain(e, listener, fallback, alone);
	fl_yaml_rest(&e->y, listener, listener_fields);
}

/* ---- the file ---- */

static const char *const root_fields[] = {
	"static_resources", "dynamic_resources", "node", "admin", NULL};
static const char *const resource_fields[] = {"listeners", "clusters", NULL};

static void read_file(struct fl_envoy *e)
{
	const struct fl_conf_node *resources = fl_yaml_get(e->y.root, "static_resources");
	const struct fl_conf_node *dynamic = fl_yaml_get(e->y.root, "dynamic_resources");
	const struct fl_conf_node *item;

	if (!resources || !fl_yaml_is_map(&e->y, resources)) {
		fl_yaml_fail(&e->y, e->y.root, "Envoy's file wants static_resources");
		return;
	}
	read_clusters(e, resources);
	item = fl_yaml_list(&e->y, resources, "listeners");
	for (; item; item = item->next)
		if (fl_yaml_is_map(&e->y, item))
			read_listener(e, item);
	note_unused(e);
	if (dynamic)
		fl_yaml_note(&e->y, FL_IMPORT_NOT_CARRIED, true, dynamic,
			"what comes from a control plane is not in this file");
	fl_yaml_rest(&e->y, e->y.root, root_fields);
	fl_yaml_rest(&e->y, resources, resource_fields);
}

int fl_import_envoy(struct fl_import *m, const struct fl_import_input *in, struct fl_error *err)
{
	struct fl_envoy e = {.count = 0};
	int rc = fl_yaml_open(&e.y, m, in, err);

	if (rc == FL_OK)
		read_file(&e);
	fl_yaml_close(&e.y);
	return rc != FL_OK ? rc : e.y.rc;
}

/* ---- recognising it ---- */

bool fl_import_is_envoy(struct fl_slice bytes)
{
	return bytes.n > 0 && (memmem(bytes.p, bytes.n, "static_resources", 16) ||
				      memmem(bytes.p, bytes.n, "staticResources", 15));
}
