/* One pool that lives through all changes, as the balancer's does, so that algorithms whose
 * placement depends on history are foretold as well. */
#include "cli/demo_oracle.h"

#include "base/error.h"
#include "cli/demo_balancer.h"
#include "cli/demo_traffic.h"
#include "conf/conf.h"
#include "daemon/config.h"
#include "pool/pool.h"

#include <stdlib.h>
#include <string.h>

struct fl_demo_oracle {
	struct fl_pool *pool;
	fl_placement *modulo;
	double fair[FL_DEMO_NODES];
};

int fl_demo_oracle_new(struct fl_demo_oracle **out)
{
	struct fl_demo_oracle *o = calloc(1, sizeof(*o));

	if (!o)
		return FL_ENOMEM;
	int rc = fl_pool_new(&o->pool, FL_DEMO_POOL, 1);
	if (rc < 0) {
		free(o);
		return rc;
	}
	*out = o;
	return FL_OK;
}

void fl_demo_oracle_free(struct fl_demo_oracle *o)
{
	if (!o)
		return;
	fl_placement_unref(o->modulo);
	fl_pool_unref(o->pool);
	free(o);
}

static uint8_t number_of(const char *name)
{
	for (uint8_t i = 0; i < FL_DEMO_NODES; i++)
		if (strcmp(name, fl_demo_node_name(i)) == 0)
			return i;
	return FL_DEMO_NOBODY;
}

static void set_fair(struct fl_demo_oracle *o, const struct fl_pool_conf *conf)
{
	double all = 0;

	memset(o->fair, 0, sizeof(o->fair));
	for (size_t i = 0; i < conf->count; i++)
		all += (double)conf->nodes[i].weight;
	for (size_t i = 0; i < conf->count; i++) {
		uint8_t node = number_of(conf->nodes[i].name);
		if (node != FL_DEMO_NOBODY && all > 0)
			o->fair[node] = (double)conf->nodes[i].weight / all;
	}
}

static int set_modulo(
	struct fl_demo_oracle *o, const struct fl_pool_conf *conf, struct fl_error *err)
{
	struct fl_node *nodes = calloc(conf->count + 1, sizeof(*nodes));
	fl_placement *modulo = NULL;

	if (!nodes)
		return fl_error_set(err, FL_ENOMEM, "no memory");
	for (size_t i = 0; i < conf->count; i++)
		nodes[i] = (struct fl_node){conf->nodes[i].name, 1, FL_NONE, NULL};
	int rc = fl_placement_new(&modulo, "modulo", nodes, conf->count, err);
	free(nodes);
	if (rc < 0)
		return rc;
	fl_placement_unref(o->modulo);
	o->modulo = modulo;
	return FL_OK;
}

static int apply(struct fl_demo_oracle *o, const struct fl_config *config, struct fl_error *err)
{
	const struct fl_config_pool *pool = fl_config_pool(config, FL_DEMO_POOL);

	if (!pool)
		return fl_error_set(err, FL_ENOENT, "the file has no pool " FL_DEMO_POOL);
	int rc = fl_pool_apply(o->pool, &pool->pool, 0, err);
	if (rc == FL_OK)
		rc = set_modulo(o, &pool->pool, err);
	if (rc == FL_OK)
		set_fair(o, &pool->pool);
	return rc;
}

int fl_demo_oracle_read(struct fl_demo_oracle *o, const char *file, struct fl_error *err)
{
	struct fl_config *config = NULL;
	int rc = fl_config_load_for(&config, file, FL_CONFIG_LOOKUP);

	if (rc == 0)
		rc = apply(o, config, err);
	else
		rc = fl_error_set(err, FL_EINVAL, "%s",
			config && config->conf && fl_conf_errors(config->conf)
				? fl_conf_error_text(config->conf, 0)
				: "no memory");
	fl_config_free(config);
	return rc;
}

uint8_t fl_demo_oracle_owner(const struct fl_demo_oracle *o, size_t i)
{
	struct fl_demo_key text;
	const char *bytes = fl_demo_key(&text, i);
	struct fl_key key = fl_key_bytes(bytes, strlen(bytes));
	struct fl_member *member = NULL;

	if (fl_view_pick(fl_pool_view(o->pool), &key, 0, &member) < 0 || !member)
		return FL_DEMO_NOBODY;
	return number_of(member->name);
}

uint8_t fl_demo_oracle_modulo(const struct fl_demo_oracle *o, size_t i)
{
	struct fl_demo_key text;
	const char *bytes = fl_demo_key(&text, i);
	uint32_t slot = fl_lookup(o->modulo, bytes, strlen(bytes));

	if (slot == FL_NONE)
		return FL_DEMO_NOBODY;
	return number_of(fl_placement_node(o->modulo, slot)->name);
}

double fl_demo_oracle_fair(const struct fl_demo_oracle *o, size_t i)
{
	return o->fair[i];
}

double fl_demo_oracle_moved(const struct fl_demo_oracle *o)
{
	const struct fl_pool_report *report = fl_pool_report(o->pool);

	return report && report->movement ? report->movement->moved : 0;
}

uint32_t fl_demo_oracle_capabilities(const struct fl_demo_oracle *o)
{
	return fl_placement_capabilities(fl_pool_view(o->pool)->tier[0].placement);
}
