/* The table, the targets beside what was measured, and the same as JSON. */
#include "fairlead/fairlead.h"
#include "place.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void cpu_name(char *out, size_t size)
{
	char line[300];
	FILE *f = fopen("/proc/cpuinfo", "r");
	snprintf(out, size, "unknown processor");
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) == 0 && colon) {
			snprintf(out, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
			break;
		}
	}
	if (f)
		fclose(f);
}

static const char *vectors(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
		return "AVX-512";
	if (__builtin_cpu_supports("avx2"))
		return "AVX2";
#endif
	return "baseline vectors";
}

void print_machine(FILE *f)
{
	char cpu[200];
	struct utsname u;
	cpu_name(cpu, sizeof(cpu));
	if (uname(&u) < 0)
		snprintf(u.machine, sizeof(u.machine), "?");
	fprintf(f, "%s, %ld CPUs, %s, %s; gcc " __VERSION__ "; fairlead %s", cpu,
		sysconf(_SC_NPROCESSORS_ONLN), u.machine, vectors(), fl_version());
}

void print_header(void)
{
	printf("%-34s %6s %8s %8s %8s %9s %9s %9s %11s %8s %8s\n", "", "nodes", "ns", "latency",
		"batch", "16 bytes", "build ms", "change ms", "bytes", "peak", "excess%");
}

static void cell(double v, int width, int decimals, const char *mark)
{
	int n = (int)strlen(mark);
	if (isnan(v))
		printf(" %*s", width, "-");
	else
		printf(" %*.*f%s", width - n, decimals, v, mark);
}

void print_subject(const struct subject *s)
{
	const char *mark = s->sampled ? "~" : "";
	printf("%-34.34s %6u", s->name, s->nodes);
	cell(s->value[THROUGHPUT], 8, 2, "");
	cell(s->value[LATENCY], 8, 2, "");
	cell(s->value[BATCH], 8, 2, "");
	cell(s->value[BYTES16], 9, 2, "");
	cell(s->value[BUILD], 9, 3, "");
	cell(s->value[CHANGE], 9, 3, "");
	cell(s->value[MEMORY], 11, 0, "");
	cell(s->value[PEAK], 8, 3, mark);
	cell(s->value[EXCESS], 8, 3, mark);
	printf("\n");
}

void json_subjects(FILE *f, struct subject **all, size_t count)
{
	fprintf(f, "  \"rows\": [\n");
	for (size_t i = 0; i < count; i++) {
		const struct subject *s = all[i];
		fprintf(f,
			"    {\"name\": \"%s\", \"nodes\": %u, \"peer\": %s, \"sampled\": %s",
			s->name, s->nodes, s->peer ? "true" : "false",
			s->sampled ? "true" : "false");
		for (int m = 0; m < METRICS; m++) {
			if (isnan(s->value[m]))
				fprintf(f, ", \"%s\": null", metric_names[m]);
			else
				fprintf(f, ", \"%s\": %.6g", metric_names[m], s->value[m]);
		}
		fprintf(f, "}%s\n", i + 1 < count ? "," : "");
	}
	fprintf(f, "  ],\n");
}

struct subject *find_subject(
	struct subject **all, size_t count, const char *name, uint32_t nodes)
{
	for (size_t i = 0; i < count; i++) {
		if (all[i]->nodes == nodes && strcmp(all[i]->name, name) == 0)
			return all[i];
	}
	return NULL;
}

/* ---- targets ---- */

struct target {
	const char *text, *name;
	uint32_t nodes;
	enum metric metric;
	double bound;
	/* When set: the bound is a factor of this subject's figure. */
	const char *against;
	enum metric against_metric;
	bool least; /* the factor is how much less it has to be: against / ours >= bound */
};

static const struct target targets[] = {
	{"table 2^16, ns a lookup", "table", 100, THROUGHPUT, 1.5, NULL, 0, false},
	{"table 2^20, ns a lookup", "table,rows=1048576", 100, THROUGHPUT, 3, NULL, 0, false},
	{"table 2^16 over one load", "table", 100, THROUGHPUT, 1.2, "one load of 2^16 rows",
		THROUGHPUT, false},
	{"table 2^20 over one load", "table,rows=1048576", 100, THROUGHPUT, 1.2,
		"one load of 2^20 rows", THROUGHPUT, false},
	{"table 2^16, ns a key in a batch", "table", 100, BATCH, 1.5, NULL, 0, false},
	{"table 2^20, ns a key in a batch", "table,rows=1048576", 100, BATCH, 3, NULL, 0,
		false},
	{"ring n=100, ns a lookup", "ring", 100, THROUGHPUT, 4, NULL, 0, false},
	{"ring n=1000, ns a lookup", "ring", 1000, THROUGHPUT, 5, NULL, 0, false},
	{"ring n=100, ns a key in a batch", "ring", 100, BATCH, 4, NULL, 0, false},
	{"ring n=1000, ns a key in a batch", "ring", 1000, BATCH, 5, NULL, 0, false},
	{"ring n=1000, times faster than binary search", "ring", 1000, THROUGHPUT, 15,
		"textbook ring, binary search", THROUGHPUT, true},
	{"ring n=1000, ms to build", "ring", 1000, BUILD, 3, NULL, 0, false},
	{"ring n=1000, ms a change", "ring", 1000, CHANGE, 1, NULL, 0, false},
	{"rendezvous n=100, ns a lookup", "rendezvous", 100, THROUGHPUT, 25, NULL, 0, false},
	{"rendezvous n=1000, ns a lookup", "rendezvous", 1000, THROUGHPUT, 160, NULL, 0, false},
	{"rendezvous n=100 weighted, ns a lookup", "rendezvous weighted", 100, THROUGHPUT, 60,
		NULL, 0, false},
	{"jumpback n=10, ns a key in a batch", "jumpback", 10, BATCH, 3.1, NULL, 0, false},
	{"jumpback n=100, ns a key in a batch", "jumpback", 100, BATCH, 3.1, NULL, 0, false},
	{"jumpback n=1000, ns a key in a batch", "jumpback", 1000, BATCH, 3.1, NULL, 0, false},
	{"jumpback n=1025, ns a key in a batch", "jumpback", 1025, BATCH, 3.1, NULL, 0, false},
	{"jumpback n=10000, ns a key in a batch", "jumpback", 10000, BATCH, 3.1, NULL, 0,
		false},
	{"compat:ketama n=10, ns a 16-byte key", "compat:ketama", 10, BYTES16, 125, NULL, 0,
		false},
	{"compat:ketama n=100, ns a 16-byte key", "compat:ketama", 100, BYTES16, 125, NULL, 0,
		false},
	{"compat:ketama n=1000, ns a 16-byte key", "compat:ketama", 1000, BYTES16, 125, NULL, 0,
		false},
	{"compat:ketama n=10000, ns a 16-byte key", "compat:ketama", 10000, BYTES16, 125, NULL,
		0, false},
	{"compat:ketama n=100, times faster than libmemcached weighted", "compat:ketama", 100,
		BYTES16, 2, "libmemcached ketama weighted", BYTES16, true},
	{"the same by compat:libmemcached-ketama-weighted",
		"compat:libmemcached-ketama-weighted", 100, BYTES16, 2,
		"libmemcached ketama weighted", BYTES16, true},
};

/* The bounds of what is vectors alone were set on a processor with AVX-512. */
static bool set_for_avx512(const struct target *t)
{
	return strncmp(t->name, "rendezvous", 10) == 0 || strncmp(t->name, "jumpback", 8) == 0;
}

static void verdict(
	const char *text, double got, double bound, bool least, bool wide, FILE *json)
{
	static bool some;
	bool met = least ? got >= bound : got <= bound;
	printf("  %-62s %8.3f  %s %-7g %s", text, got, least ? ">=" : "<=", bound,
		met ? "met" : "MISSED");
	if (wide)
		printf(" (set with AVX-512; here: %s)", vectors());
	printf("\n");
	if (json)
		fprintf(json,
			"%s\n    {\"target\": \"%s\", \"measured\": %.6g, \"bound\": %g, "
			"\"met\": %s, \"set_with\": %s, \"vectors\": \"%s\"}",
			some ? "," : "", text, got, bound, met ? "true" : "false",
			wide ? "\"AVX-512\"" : "null", vectors());
	some = true;
}

static void judge(const struct target *t, struct subject **all, size_t count, FILE *json)
{
	const struct subject *s = find_subject(all, count, t->name, t->nodes), *other = NULL;
	if (!s || isnan(s->value[t->metric]))
		return;
	double got = s->value[t->metric];
	if (t->against) {
		other = find_subject(all, count, t->against, t->nodes);
		if (!other || isnan(other->value[t->against_metric]))
			return;
		got = t->least ? other->value[t->against_metric] / got
		               : got / other->value[t->against_metric];
	}
	verdict(t->text, got, t->bound, t->least, set_for_avx512(t), json);
}

static void judge_bounded(FILE *json)
{
	double excess, peak;
	every_removal("bounded-table,epsilon=5%", 100, &excess, &peak);
	if (isnan(excess))
		return;
	verdict("bounded table n=100, 2^16, eps .05: highest peak", peak, 1.05, false, false,
		json);
	verdict("bounded table, extra moves, % over every single removal", excess, 0.05, false,
		false, json);
}

void print_targets(struct subject **all, size_t count, const struct settings *set, FILE *json)
{
	const struct fl_algorithm_info *a = NULL;
	printf("\ntargets\n");
	if (json)
		fprintf(json, "  \"targets\": [");
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		judge(&targets[i], all, count, json);
	while ((a = fl_algorithm_next(a))) {
		if (strcmp(a->name, "bounded-table") == 0 && !set->only)
			judge_bounded(json);
	}
	if (json)
		fprintf(json, "\n  ],\n");
}
