/* compat:libmemcached-modula: libmemcached's default distribution, the key's hash mod the number of
 * servers, in the order they were given. Checked against libmemcached 1.1.4 (Debian's), but for
 * hash=hsieh, which that build leaves out.
 *
 * Weights mean nothing. sort_hosts=yes is BEHAVIOR_SORT_HOSTS: by host, byte for byte, then by port.
 * With hash=crc, of 15 bits, no more than 32768 servers are ever used.
 *
 * A server that is down: libmemcached, AUTO_EJECT_HOSTS or not, keeps it in the list and requests
 * fail. A mask goes on to the next server in the list, where libmemcached puts the first replica;
 * only the masked servers' keys move. Adding or removing a server moves nearly all. */
#include "compat/compat.h"

#include "compat/array.h"
#include "compat/libmemcached_hash.h"
#include "compat/libmemcached_server.h"

enum {
	OPTION_HASH,
	OPTION_SORT
};

static const char *const no_yes[] = {"no", "yes", NULL};

static uint32_t hash(unsigned kind, const void *bytes, size_t len)
{
	return fl_lmc_hash((enum fl_lmc_hash)kind, bytes, len);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return fl_array_build(p, hash, (unsigned)p->options[OPTION_HASH],
		p->options[OPTION_SORT] == 1 ? fl_lmc_server_compare : NULL);
}

const struct fl_algorithm fl_compat_libmemcached_modula = {
	.info = {"compat:libmemcached-modula",
		"libmemcached's default: the key's hash mod the number of servers.",
		"hash=default,sort_hosts=no", FL_HISTORY_FREE},
	.options = {{.name = "hash", .max = FL_LMC_HASHES - 1, .choices = fl_lmc_hash_names},
		{.name = "sort_hosts", .max = 1, .choices = no_yes}},
	.seed = OPTION_HASH,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_LIBMEMCACHED,
	.by_slot = true,
	.build = build,
	.free = fl_array_free,
	.pick = fl_array_pick,
	.owners = fl_array_owners,
	.memory = fl_array_memory,
};
