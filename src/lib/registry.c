#include "lib/registry.h"

#include "compat/compat.h"
#include "place/place.h"

#include <string.h>

static const struct fl_algorithm *const all[] = {
	&fl_algorithm_table,
	&fl_algorithm_bounded_table,
	&fl_algorithm_ring,
	&fl_algorithm_rendezvous,
	&fl_algorithm_maglev,
	&fl_algorithm_multiprobe,
	&fl_algorithm_jumpback,
	&fl_algorithm_jump,
	&fl_algorithm_anchor,
	&fl_algorithm_dx,
	&fl_algorithm_modulo,
	&fl_compat_python_ring,
	&fl_compat_circle_360,
	&fl_compat_java_rendezvous,
	&fl_compat_nginx_consistent,
	&fl_compat_nginx_hash,
	&fl_compat_nginx_ip_hash,
	&fl_compat_haproxy_consistent,
	&fl_compat_haproxy_map,
	&fl_compat_pingora,
	&fl_compat_libmemcached_modula,
	&fl_compat_libmemcached_consistent,
	&fl_compat_libmemcached_ketama_weighted,
	&fl_compat_libmemcached_ketama_spy,
	&fl_compat_ketama,
	&fl_compat_spymemcached,
	&fl_compat_spymemcached_arraymod,
	&fl_compat_twemproxy_ketama,
	&fl_compat_twemproxy_modula,
	&fl_compat_mcrouter_ch3,
	&fl_compat_mcrouter_crc32,
	&fl_compat_mcrouter_weighted_ch3,
	&fl_compat_mcrouter_weighted_ch4,
	&fl_compat_mcrouter_rendezvous,
	&fl_compat_mcrouter_weighted_rendezvous,
	&fl_compat_katran_maglev,
	&fl_compat_cilium_maglev,
	&fl_compat_envoy_ring,
	&fl_compat_envoy_maglev,
	&fl_compat_grpc_ring,
	&fl_compat_guava,
	&fl_compat_jump,
	&fl_compat_redis_cluster,
	&fl_compat_caddy,
	&fl_compat_traefik,
	&fl_compat_varnish_shard,
	&fl_compat_varnish_shard_alt,
	&fl_compat_glb,
};

#define COUNT (sizeof(all) / sizeof(all[0]))

const struct fl_algorithm *fl_registry_at(size_t i)
{
	return i < COUNT ? all[i] : NULL;
}

const struct fl_algorithm *fl_registry_find(const char *name)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (strcmp(all[i]->info.name, name) == 0)
			return all[i];
	}
	return NULL;
}

const struct fl_algorithm_info *fl_algorithm_next(const struct fl_algorithm_info *prev)
{
	size_t i = 0;
	while (prev && i < COUNT && &all[i]->info != prev)
		i++;
	if (prev)
		i++;
	return i < COUNT ? &all[i]->info : NULL;
}
