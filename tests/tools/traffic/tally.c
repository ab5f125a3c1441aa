/* Counting and telling. */
#include "traffic/tally.h"

void tally_init(struct tally *t, uint64_t keys)
{
	memset(t, 0, sizeof(*t));
	t->owner = calloc(keys, sizeof(*t->owner));
	t->keys = keys;
	if (!t->owner)
		abort();
}

void tally_fini(struct tally *t)
{
	free(t->owner);
	t->owner = NULL;
}

static unsigned node_index(struct tally *t, const char *name)
{
	for (unsigned i = 0; i < t->node_count; i++)
		if (strcmp(t->nodes[i].name, name) == 0)
			return i;
	if (t->node_count == TALLY_NODES) {
		fprintf(stderr, "traffic: more than %d nodes answer\n", TALLY_NODES);
		exit(2);
	}
	snprintf(t->nodes[t->node_count].name, sizeof(t->nodes[0].name), "%s", name);
	return t->node_count++;
}

/* 16 buckets a power of two: within 6 %. */
static unsigned bucket_of(uint64_t us)
{
	unsigned high, index;

	if (us < 16)
		return (unsigned)us;
	high = 63 - (unsigned)__builtin_clzll(us);
	index = (high - 3) * 16 + (unsigned)((us >> (high - 4)) & 15);
	return index < TALLY_BUCKETS ? index : TALLY_BUCKETS - 1;
}

static uint64_t bucket_value(unsigned index)
{
	if (index < 16)
		return index;
	return (uint64_t)(16 + index % 16) << (index / 16 - 1);
}

void tally_ok(struct tally *t, const struct ask *ask, const char *node, uint64_t microseconds)
{
	unsigned index = node_index(t, node);
	uint16_t *owner = &t->owner[ask->key];

	t->ok++;
	t->nodes[index].answers++;
	if (*owner && *owner != index + 1)
		t->moved++;
	*owner = (uint16_t)(index + 1);
	t->bucket[bucket_of(microseconds)]++;
}

void tally_example(
	struct tally *t, const char *outcome, const struct ask *ask, const char *seen)
{
	if (t->examples == TALLY_EXAMPLES)
		return;
	snprintf(t->example[t->examples++], sizeof(t->example[0]),
		"%s: %s request r%lu key u%llu HTTP/1.%d body %llu%s%s answer %llu%s%s: %s",
		outcome, ask->method, ask->n, (unsigned long long)ask->key, ask->http10 ? 0 : 1,
		(unsigned long long)ask->body_len, ask->body_chunked ? " chunked" : "",
		ask->expects ? " expects" : "", (unsigned long long)ask->size,
		ask->chunked_answer ? " chunked" : "", ask->echo ? " echo" : "", seen);
}

static uint64_t quantile(const struct tally *t, double q)
{
	double want = q * (double)t->ok, seen = 0;

	for (unsigned i = 0; i < TALLY_BUCKETS; i++) {
		seen += (double)t->bucket[i];
		if (seen >= want && seen > 0)
			return bucket_value(i);
	}
	return 0;
}

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			printf("\\u%04x", (unsigned char)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void print_json(const struct tally *t, double seconds)
{
	printf("{\"ok\": %lu, \"failed\": %lu, \"truncated\": %lu, \"refused\": %lu, "
	       "\"reopened\": %lu, \"connections\": %lu, \"moved\": %lu, \"seconds\": %.3f, "
	       "\"p50_us\": %llu, \"p99_us\": %llu, \"max_us\": %llu, \"nodes\": {",
		t->ok, t->failed, t->truncated, t->refused, t->reopened, t->connections,
		t->moved, seconds, (unsigned long long)quantile(t, 0.5),
		(unsigned long long)quantile(t, 0.99), (unsigned long long)quantile(t, 1));
	for (unsigned i = 0; i < t->node_count; i++) {
		printf("%s", i ? ", " : "");
		print_string(t->nodes[i].name);
		printf(": %lu", t->nodes[i].answers);
	}
	printf("}, \"examples\": [");
	for (unsigned i = 0; i < t->examples; i++) {
		printf("%s", i ? ", " : "");
		print_string(t->example[i]);
	}
	printf("]}\n");
}

void tally_print(const struct tally *t, bool json, double seconds)
{
	if (json) {
		print_json(t, seconds);
		return;
	}
	printf("ok %lu  failed %lu  truncated %lu  refused %lu  reopened %lu  moved %lu\n",
		t->ok, t->failed, t->truncated, t->refused, t->reopened, t->moved);
	printf("%lu connections, %.3f s, p50 %llu us, p99 %llu us\n", t->connections, seconds,
		(unsigned long long)quantile(t, 0.5), (unsigned long long)quantile(t, 0.99));
	for (unsigned i = 0; i < t->node_count; i++)
		printf("node %s %lu\n", t->nodes[i].name, t->nodes[i].answers);
	for (unsigned i = 0; i < t->examples; i++)
		printf("%s\n", t->example[i]);
}

int tally_map(const struct tally *t, const char *path)
{
	FILE *f = fopen(path, "w");
	int broken;

	if (!f)
		return -1;
	for (uint64_t k = 0; k < t->keys; k++)
		if (t->owner[k])
			fprintf(f, "u%llu\t%s\n", (unsigned long long)k,
				t->nodes[t->owner[k] - 1].name);
	broken = ferror(f);
	return fclose(f) || broken ? -1 : 0;
}
