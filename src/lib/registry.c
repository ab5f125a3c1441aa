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
