/* Specs of all sorts of algorithms, for what must hold over any of them whose order of owners a mask
 * leaves alone (of compat:haproxy-map and compat:twemproxy-modula it does not). */
#ifndef FL_TEST_SPECS_H
#define FL_TEST_SPECS_H

#include "support/nodes.h"

static const char *const test_specs[] = {"table,rows=1024", "table,rows=256,epsilon=5%",
	"ring,points=7", "rendezvous", "modulo", "compat:python-ring,replicas=3",
	"compat:circle-360", "compat:java-rendezvous", "compat:libmemcached-modula,hash=crc",
	"compat:libmemcached-modula,sort_hosts=yes", "compat:libmemcached-consistent",
	"compat:libmemcached-consistent,hash=crc", "compat:libmemcached-ketama-weighted",
	"compat:libmemcached-ketama-spy,hash=murmur3,points=jenkins", "compat:ketama",
	"compat:spymemcached", "compat:spymemcached,hash=crc,format=libmemcached",
	"compat:spymemcached-arraymod", "compat:nginx-consistent", "compat:nginx-hash",
	"compat:haproxy-consistent", "compat:twemproxy-ketama"};

#define TEST_SPECS (sizeof(test_specs) / sizeof(test_specs[0]))

/* Weights as the algorithm of `spec` takes them. */
static inline struct test_nodes test_nodes_for(
	struct test_rng *r, const char *spec, size_t count)
{
	fl_placement *p = test_place(spec, NULL, 0);
	int32_t most = fl_placement_capabilities(p) & FL_WEIGHTS ? 6 : 1;
	fl_placement_unref(p);
	return test_nodes_new(r, count, most);
}

#endif
