// rooms: lib
/* What a lookup, a build and a change cost, every algorithm beside its peers.
 *
 *   place [--quick] [--json FILE] [--only PART] [--instructions]
 *
 * --only: algorithms with PART in their name, no peers. --quick: within 50 s.
 *
 * One row an algorithm and number of nodes. ns: lookups of hashed keys, independent of each
 * other; latency: each key made from the last answer; batch: a key of fl_pick_batch; 16 bytes:
 * with hashing; all medians of interleaved rounds, in time of the processor. build and change
 * (the mean of removing and adding one node) in ms; bytes of the placement; peak: the largest
 * share over the fair one; excess%: keys moved beyond the least when one node goes, in per cent
 * of all. ~: sampled. Names are the specs; a capacity is twice the nodes, or all there are. What takes
 * too long to build or to look up is left out, and so is what sampling could not tell. */
#include "place/place.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 512

static struct subject *all[MOST];
static size_t count;

struct options {
	struct settings set;
	const char *json;
	bool instructions;
};

/* One number of nodes: built, timed, printed, and its memory given back. */
static void block(uint32_t nodes, const struct settings *set)
{
	size_t from = count;
	count = add_ours(all, count, MOST, nodes, set);
	count = add_peers(all, count, MOST, nodes, set);
	measure(all + from, count - from, set);
	for (size_t i = from; i < count; i++) {
		print_subject(all[i]);
		all[i]->free = all[i]->state ? all[i]->free : NULL;
		if (all[i]->free)
			all[i]->free(all[i]->state);
		all[i]->state = NULL;
	}
	printf("\n");
	fflush(stdout);
}

/* Numbers of nodes next to a power of two are the worst for algorithms that draw below one. */
static void powers(const struct settings *set)
{
	static const uint32_t sizes[] = {1023, 1024, 1025};
	size_t from = count;
	for (size_t i = 0; i < 3; i++) {
		static const char *const specs[] = {"jump", "jumpback"};
		for (size_t k = 0; k < 2; k++) {
			if (!find_subject(all, count, specs[k], 1000))
				continue;
			struct subject *s = our_subject(specs[k], sizes[i], 1, false);
			if (s)
				all[count++] = s;
		}
	}
	measure(all + from, count - from, set);
	for (size_t i = from; i < count; i++)
		print_subject(all[i]);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: place [--quick] [--json FILE] [--only PART] [--instructions]\n");
	return 2;
}

static int parse(struct options *o, int argc, char **argv)
{
	o->set = (struct settings){false, 9, 8e6, 10000, NULL};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--quick") == 0)
			o->set = (struct settings){true, 11, 1e6, 1000, o->set.only};
		else if (strcmp(argv[i], "--instructions") == 0)
			o->instructions = true;
		else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc)
			o->json = argv[++i];
		else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
			o->set.only = argv[++i];
		else
			return usage();
	}
	return 0;
}

static void run(const struct options *o, const char *self, FILE *json)
{
	static const uint32_t sizes[] = {10, 100, 1000, 10000, 100000, 1000000};
	char ketama[2][160];
	size_t blocks = o->set.quick ? 4 : 6;
	print_machine(stdout);
	printf("\n%u interleaved rounds, medians\n\n", o->set.rounds);
	print_header();
	for (size_t i = 0; i < blocks; i++)
		block(sizes[i], &o->set);
	powers(&o->set);
	if (!o->set.only) {
		ketama_at(100, ketama[0], sizeof(ketama[0]));
		ketama_at(101, ketama[1], sizeof(ketama[1]));
		printf("\n%s\n%s\n", ketama[0], ketama[1]);
	}
	if (json) {
		fprintf(json, "{\n  \"machine\": \"");
		print_machine(json);
		fprintf(json, "\",\n  \"rounds\": %u,\n", o->set.rounds);
		if (!o->set.only)
			fprintf(json, "  \"limits\": [\"%s\", \"%s\"],\n", ketama[0],
				ketama[1]);
		json_subjects(json, all, count);
	}
	print_targets(all, count, &o->set, json);
	if (!o->set.only)
		print_readers(self, o->set.quick, json);
	if (o->instructions)
		print_instructions(self, all, count, json);
	if (json)
		fprintf(json, "  \"quick\": %s\n}\n", o->set.quick ? "true" : "false");
}

int main(int argc, char **argv)
{
	struct options o = {0};
	char self[PATH_MAX] = "";
	FILE *json = NULL;
	if (argc == 5 && strcmp(argv[1], "--spin") == 0)
		return spin(argv[2], (uint32_t)strtoul(argv[3], NULL, 10),
			strtoul(argv[4], NULL, 10));
	if (parse(&o, argc, argv) != 0)
		return 2;
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	if (o.json && !(json = fopen(o.json, "w"))) {
		perror(o.json);
		return 1;
	}
	some_hashes(); /* made here, not within the first measurement */
	some_keys();
	run(&o, self, json);
	for (size_t i = 0; i < count; i++)
		subject_free(all[i]);
	if (json && fclose(json) != 0) {
		perror(o.json);
		return 1;
	}
	return 0;
}
