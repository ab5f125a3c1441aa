/* Load balancing of a cluster: lb_policy with its *_lb_config, or load_balancing_policy with the
 * same settings in an extension. Checked for compat:envoy-ring and envoy-maglev; all else places
 * requests by no key. */
#include "import/envoy.h"

#define MOST_RING 8388608
#define MOST_ROWS 5000011

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);

	return n >= k && strcmp(text + n - k, end) == 0;
}

static void number_option(struct fl_yaml *y, struct fl_import_pool *pool,
	const struct fl_conf_node *node, const char *option, uint64_t most)
{
	uint64_t value = fl_yaml_number(y, node, 1, most, 0);

	if (value)
		fl_import_add_option(y->m, pool, option,
			fl_import_format(y->m, "%llu", (unsigned long long)value));
}

/* ---- what both have in common ---- */

/* `hashing` may be the configuration itself, where older versions have the same fields. */
static void read_hashing(
	struct fl_yaml *y, const struct fl_conf_node *hashing, bool *by_hostname)
{
	const struct fl_conf_node *factor = fl_yaml_get(hashing, "hash_balance_factor");

	*by_hostname |= fl_yaml_true(y, fl_yaml_get(hashing, "use_hostname_for_hashing"));
	if (factor)
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, factor,
			"Envoy goes on to the next host when one is over this share of the "
			"load; "
			"here a key stays with its node");
}

/* ---- the two mappings ---- */

static const char *const ring_fields[] = {"minimum_ring_size", "maximum_ring_size",
	"hash_function", "consistent_hashing_lb_config", "use_hostname_for_hashing",
	"hash_balance_factor", "@type", NULL};
static const char *const maglev_fields[] = {
	"table_size", "consistent_hashing_lb_config", "@type", NULL};

static void read_ring(
	struct fl_yaml *y, struct fl_import_pool *pool, const struct fl_conf_node *config)
{
	const struct fl_conf_node *least = fl_yaml_get(config, "minimum_ring_size");
	const struct fl_conf_node *most = fl_yaml_get(config, "maximum_ring_size");
	const struct fl_conf_node *hash = fl_yaml_get(config, "hash_function");
	const char *function = fl_yaml_text(y, hash);

	pool->compat = "envoy-ring";
	number_option(y, pool, least, "min", MOST_RING);
	number_option(y, pool, most, "max", MOST_RING);
	if (most && fl_yaml_number(y, least, 1, MOST_RING, 1024) >
			    fl_yaml_number(y, most, 1, MOST_RING, MOST_RING))
		fl_yaml_fail(y, most, "maximum_ring_size is less than minimum_ring_size");
	if (function && strcmp(function, "MURMUR_HASH_2") == 0)
		fl_import_add_option(y->m, pool, "hash", "MURMUR_HASH_2");
	else if (function && strcmp(function, "XX_HASH") != 0 &&
		 strcmp(function, "DEFAULT_HASH") != 0)
		fl_yaml_fail(y, hash,
			"hash_function wants XX_HASH or MURMUR_HASH_2, not \"%.40s\"",
			function);
	fl_yaml_rest(y, config, ring_fields);
}

static bool is_prime(uint64_t n)
{
	for (uint64_t d = 2; d * d <= n; d++)
		if (n % d == 0)
			return false;
	return n >= 2;
}

static void read_maglev(
	struct fl_yaml *y, struct fl_import_pool *pool, const struct fl_conf_node *config)
{
	const struct fl_conf_node *size = fl_yaml_get(config, "table_size");
	uint64_t rows = fl_yaml_number(y, size, 3, MOST_ROWS, 65537);

	pool->compat = "envoy-maglev";
	number_option(y, pool, size, "rows", MOST_ROWS);
	if (!is_prime(rows))
		fl_yaml_fail(y, size, "table_size wants a prime number");
	fl_yaml_rest(y, config, maglev_fields);
}

/* ---- which one ---- */

static void note_no_key(struct fl_yaml *y, const struct fl_conf_node *at, const char *policy)
{
	fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, false, at,
		"%.40s places requests by no key; here each client has its node", policy);
}

/* load_balancing_policy: Envoy takes the first policy that it knows. */
static void read_extension(struct fl_yaml *y, struct fl_import_pool *pool,
	const struct fl_conf_node *extended, bool *by_hostname)
{
	const struct fl_conf_node *item = fl_yaml_list(y, extended, "policies");
	const struct fl_conf_node *config =
		fl_yaml_at(item, "typed_extension_config.typed_config");
	const char *type = fl_yaml_text(y, fl_yaml_get(config, "@type"));

	if (type && ends_with(type, ".ring_hash.v3.RingHash"))
		read_ring(y, pool, config);
	else if (type && ends_with(type, ".maglev.v3.Maglev"))
		read_maglev(y, pool, config);
	else
		note_no_key(y, extended, "this");
	read_hashing(y, config, by_hostname);
	read_hashing(y, fl_yaml_get(config, "consistent_hashing_lb_config"), by_hostname);
	if (item && item->next)
		fl_yaml_note(y, FL_IMPORT_CARRIED, false, extended,
			"the first policy is taken; the others are for other versions of "
			"Envoy");
}

void fl_envoy_read_lb(struct fl_yaml *y, struct fl_import_pool *pool,
	const struct fl_conf_node *cluster, bool *by_hostname)
{
	const struct fl_conf_node *extended = fl_yaml_get(cluster, "load_balancing_policy");
	const struct fl_conf_node *node = fl_yaml_get(cluster, "lb_policy");
	const char *policy = fl_yaml_text(y, node);

	*by_hostname = false;
	if (extended) {
		read_extension(y, pool, extended, by_hostname);
		return;
	}
	if (policy && strcmp(policy, "RING_HASH") == 0) {
		read_ring(y, pool, fl_yaml_get(cluster, "ring_hash_lb_config"));
	} else if (policy && strcmp(policy, "MAGLEV") == 0) {
		read_maglev(y, pool, fl_yaml_get(cluster, "maglev_lb_config"));
	} else {
		note_no_key(y, node ? node : fl_yaml_named(cluster),
			policy ? policy : "ROUND_ROBIN");
		return;
	}
	read_hashing(y, fl_yaml_at(cluster, "common_lb_config.consistent_hashing_lb_config"),
		by_hostname);
}
