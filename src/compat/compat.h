/* Other systems' mappings, key for key: rows of the same table as the native algorithms. Each
 * file says which system and version, and what of it is reproduced. */
#ifndef FL_COMPAT_COMPAT_H
#define FL_COMPAT_COMPAT_H

#include "place/algorithm.h"

extern const struct fl_algorithm fl_compat_python_ring;
extern const struct fl_algorithm fl_compat_circle_360;
extern const struct fl_algorithm fl_compat_java_rendezvous;
extern const struct fl_algorithm fl_compat_nginx_consistent;
extern const struct fl_algorithm fl_compat_nginx_hash;
extern const struct fl_algorithm fl_compat_nginx_ip_hash;
extern const struct fl_algorithm fl_compat_haproxy_consistent;
extern const struct fl_algorithm fl_compat_haproxy_map;
extern const struct fl_algorithm fl_compat_pingora;
extern const struct fl_algorithm fl_compat_libmemcached_modula;
extern const struct fl_algorithm fl_compat_libmemcached_consistent;
extern const struct fl_algorithm fl_compat_libmemcached_ketama_weighted;
extern const struct fl_algorithm fl_compat_libmemcached_ketama_spy;
extern const struct fl_algorithm fl_compat_ketama;
extern const struct fl_algorithm fl_compat_spymemcached;
extern const struct fl_algorithm fl_compat_spymemcached_arraymod;
extern const struct fl_algorithm fl_compat_twemproxy_ketama;
extern const struct fl_algorithm fl_compat_twemproxy_modula;
extern const struct fl_algorithm fl_compat_mcrouter_ch3;
extern const struct fl_algorithm fl_compat_mcrouter_crc32;
extern const struct fl_algorithm fl_compat_mcrouter_weighted_ch3;
extern const struct fl_algorithm fl_compat_mcrouter_weighted_ch4;
extern const struct fl_algorithm fl_compat_mcrouter_rendezvous;
extern const struct fl_algorithm fl_compat_mcrouter_weighted_rendezvous;
extern const struct fl_algorithm fl_compat_katran_maglev;
extern const struct fl_algorithm fl_compat_cilium_maglev;
extern const struct fl_algorithm fl_compat_envoy_ring;
extern const struct fl_algorithm fl_compat_envoy_maglev;
extern const struct fl_algorithm fl_compat_grpc_ring;
extern const struct fl_algorithm fl_compat_guava;
extern const struct fl_algorithm fl_compat_jump;
extern const struct fl_algorithm fl_compat_redis_cluster;
extern const struct fl_algorithm fl_compat_caddy;
extern const struct fl_algorithm fl_compat_traefik;
extern const struct fl_algorithm fl_compat_varnish_shard;
extern const struct fl_algorithm fl_compat_varnish_shard_alt;
extern const struct fl_algorithm fl_compat_glb;

#endif
