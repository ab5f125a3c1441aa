/* Which server libmemcached chooses: memcached_generate_hash, without any server being asked.
 *
 *   libmemcached KIND POINTS HASH WEIGHTED HOST PORT WEIGHT ...  < keys, one a line
 *
 * KIND is modula, sorted (modula, SORT_HOSTS), consistent, weighted (KETAMA_WEIGHTED) or spy. POINTS
 * and HASH are names of key hashes, set before and after the servers are added ("-": not set).
 * Prints HOST PORT for each key. */
#include <libmemcached/memcached.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	memcached_hash_t value;
} hashes[] = {
	{"default", MEMCACHED_HASH_DEFAULT},
	{"md5", MEMCACHED_HASH_MD5},
	{"crc", MEMCACHED_HASH_CRC},
	{"fnv1_64", MEMCACHED_HASH_FNV1_64},
	{"fnv1a_64", MEMCACHED_HASH_FNV1A_64},
	{"fnv1_32", MEMCACHED_HASH_FNV1_32},
	{"fnv1a_32", MEMCACHED_HASH_FNV1A_32},
	{"jenkins", MEMCACHED_HASH_JENKINS},
	{"murmur", MEMCACHED_HASH_MURMUR},
	{"murmur3", MEMCACHED_HASH_MURMUR3},
};

static void must(memcached_st *m, memcached_return_t rc, const char *what)
{
	if (rc == MEMCACHED_SUCCESS)
		return;
	fprintf(stderr, "%s: %s\n", what, memcached_strerror(m, rc));
	exit(2);
}

static void set(memcached_st *m, memcached_behavior_t what, uint64_t value)
{
	must(m, memcached_behavior_set(m, what, value), "behavior");
}

static void set_hash(memcached_st *m, const char *name)
{
	if (strcmp(name, "-") == 0)
		return;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (strcmp(hashes[i].name, name) == 0) {
			set(m, MEMCACHED_BEHAVIOR_HASH, hashes[i].value);
			return;
		}
	fprintf(stderr, "no hash %s\n", name);
	exit(2);
}

static void set_kind(memcached_st *m, const char *kind)
{
	if (strcmp(kind, "weighted") == 0)
		set(m, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
	else if (strcmp(kind, "consistent") == 0)
		set(m, MEMCACHED_BEHAVIOR_DISTRIBUTION, MEMCACHED_DISTRIBUTION_CONSISTENT);
	else if (strcmp(kind, "spy") == 0)
		set(m, MEMCACHED_BEHAVIOR_DISTRIBUTION,
			MEMCACHED_DISTRIBUTION_CONSISTENT_KETAMA_SPY);
	else
		set(m, MEMCACHED_BEHAVIOR_DISTRIBUTION, MEMCACHED_DISTRIBUTION_MODULA);
	if (strcmp(kind, "sorted") == 0)
		set(m, MEMCACHED_BEHAVIOR_SORT_HOSTS, 1);
}

int main(int argc, char **argv)
{
	memcached_st *m = memcached_create(NULL);
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (!m || argc < 8)
		return 2;
	if (strcmp(argv[4], "yes") == 0)
		set(m, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
	set_kind(m, argv[1]);
	set_hash(m, argv[2]);
	for (int i = 5; i + 2 < argc; i += 3)
		must(m,
			memcached_server_add_with_weight(m, argv[i],
				(in_port_t)atoi(argv[i + 1]), (uint32_t)atoi(argv[i + 2])),
			argv[i]);
	set_hash(m, argv[3]);
	while ((n = getline(&line, &room, stdin)) > 0) {
		uint32_t at =
			memcached_generate_hash(m, line, (size_t)n - (line[n - 1] == '\n'));
		const memcached_instance_st *s = memcached_server_instance_by_position(m, at);

		printf("%s %u\n", memcached_server_name(s), memcached_server_port(s));
	}
	free(line);
	memcached_free(m);
	return 0;
}
