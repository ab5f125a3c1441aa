/* What other programs measure: callgrind counts instructions, `read` how readers scale. */
#include "place.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int spin(const char *spec, uint32_t nodes, size_t loops)
{
	struct subject *s = our_subject(spec, nodes, 1, false);
	if (!s)
		return 1;
	enum metric m = s->run[THROUGHPUT] ? THROUGHPUT : BYTES16;
	volatile uint64_t sum = s->run[m](s->state, loops);
	(void)sum;
	subject_free(s);
	return 0;
}

/* All instructions of one run, or 0. */
static double collected(const char *self, const struct subject *s, size_t loops)
{
	char command[PATH_MAX + 300], line[300];
	double count = 0;
	snprintf(command, sizeof(command),
		"valgrind --tool=callgrind --callgrind-out-file=/dev/null '%s' --spin '%s' %u "
		"%zu 2>&1",
		self, s->name, s->nodes, loops);
	FILE *f = popen(command, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, "Collected : ");
		if (at)
			count = strtod(at + 12, NULL);
	}
	return pclose(f) == 0 ? count : 0;
}

void print_instructions(const char *self, struct subject **all, size_t count, FILE *json)
{
	const size_t few = 1000, many = 11000;
	bool some = false;
	if (system("command -v valgrind >/dev/null 2>&1") != 0) {
		printf("\ninstructions: valgrind is not there\n");
		return;
	}
	printf("\ninstructions a lookup (callgrind; at most AVX2, which is all it knows), "
	       "n=100\n");
	if (json)
		fprintf(json, "  \"instructions\": {");
	for (size_t i = 0; i < count; i++) {
		const struct subject *s = all[i];
		if (s->peer || s->nodes != 100 || strchr(s->name, ' '))
			continue;
		/* The difference leaves out start and build, which are the same in both. */
		double a = collected(self, s, few), b = collected(self, s, many);
		if (a <= 0 || b <= a)
			continue;
		printf("  %-34s %10.1f\n", s->name, (b - a) / (double)(many - few));
		if (json)
			fprintf(json, "%s\n    \"%s\": %.1f", some ? "," : "", s->name,
				(b - a) / (double)(many - few));
		some = true;
	}
	if (json)
		fprintf(json, "\n  },\n");
}

void print_readers(const char *self, bool quick, FILE *json)
{
	char command[2 * PATH_MAX], folder[PATH_MAX], line[200];
	bool some = false;
	snprintf(folder, sizeof(folder), "%s", self);
	snprintf(command, sizeof(command), "'%s/read' --churn %d", dirname(folder),
		quick ? 100 : 500);
	fflush(stdout);
	FILE *f = popen(command, "r");
	if (!f)
		return;
	printf("\nreaders: lookups while a writer publishes as fast as it can\n");
	if (json)
		fprintf(json, "  \"readers\": [");
	while (fgets(line, sizeof(line), f)) {
		char *way = line, *at = strchr(line, ' ');
		if (!at)
			continue;
		*at = 0;
		int threads = (int)strtol(at + 1, &at, 10);
		double lookups = strtod(at, &at), writes = strtod(at, NULL);
		printf("  %-8s %d reader%s %10.2f million lookups/s %12.0f publications/s\n",
			way, threads, threads > 1 ? "s" : " ", lookups / 1e6, writes);
		if (json)
			fprintf(json,
				"%s\n    {\"way\": \"%s\", \"readers\": %d, "
				"\"lookups_per_second\": %.0f, \"publications_per_second\": "
				"%.0f}",
				some ? "," : "", way, threads, lookups, writes);
		some = true;
	}
	pclose(f);
	if (json)
		fprintf(json, "\n  ],\n");
}
