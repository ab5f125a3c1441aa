/* Recorded mappings: tests/golden/X.csv holds sections of
 *     # provenance: who said so
 *     # spec: what fl_placement_new takes
 *     # nodes: NAME[=WEIGHT][,id=N] ...   in the order they are given; "\," is a comma
 *     # down: NAME ...                some of them, masked; may be missing
 *     # keys: N [FILE]                the first N lines of tests/golden/FILE, or keys.txt
 * and then one character a key, the owner's number in that order (0-9, a-z, A-Z). */
#ifndef FL_TEST_GOLDEN_H
#define FL_TEST_GOLDEN_H

#include "fairlead/fairlead.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct golden {
	char spec[128];
	char text[2048]; /* the nodes' names, cut into words */
	struct fl_node nodes[62];
	size_t node_count, keys;
	char down[256], file[64];
	char *owners;
};

struct golden_keys {
	char *text;
	const char *key[4096];
	size_t len[4096], count;
};

static inline char *golden_read(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/golden/%s", FL_TEST_DIR, name);
	FILE *f = fopen(path, "rb");
	char *text = calloc(1, 1 << 20);
	if (!f || !text || fread(text, 1, (1 << 20) - 1, f) == 0)
		abort();
	fclose(f);
	return text;
}

static inline void golden_keys_load(struct golden_keys *k, const char *file)
{
	k->text = golden_read(file);
	k->count = 0;
	for (char *at = k->text; *at;) {
		char *end = strchr(at, '\n');
		k->key[k->count] = at;
		k->len[k->count++] = (size_t)(end - at);
		at = end + 1;
	}
}

static inline void golden_unescape(char *word)
{
	char *to = word;
	for (const char *from = word; *from; from++) {
		if (from[0] != '\\' || from[1] != ',')
			*to++ = *from;
	}
	*to = '\0';
}

static inline void golden_nodes(struct golden *g, const char *list)
{
	snprintf(g->text, sizeof(g->text), "%s", list);
	g->node_count = 0;
	for (char *word = strtok(g->text, " "); word; word = strtok(NULL, " ")) {
		char *id = strstr(word, ",id="), *weight;
		if (id)
			*id = '\0';
		weight = strchr(word, '=');
		if (weight)
			*weight++ = '\0';
		golden_unescape(word);
		g->nodes[g->node_count++] = (struct fl_node){word, weight ? atoi(weight) : 1,
			id ? (uint32_t)atoi(id + 4) - 1 : FL_NONE, NULL};
	}
}

/* The next section from *at on, or false at the end. owners is allocated. */
static inline bool golden_next(struct golden *g, char **at)
{
	size_t have = 0;
	g->keys = 0;
	g->owners = NULL;
	g->down[0] = '\0';
	snprintf(g->file, sizeof(g->file), "keys.txt");
	while (**at) {
		char *line = *at, *end = strchr(line, '\n');
		if (*line == '#' && g->owners)
			break;
		*end = '\0';
		*at = end + 1;
		if (strncmp(line, "# spec: ", 8) == 0)
			snprintf(g->spec, sizeof(g->spec), "%s", line + 8);
		else if (strncmp(line, "# nodes: ", 9) == 0)
			golden_nodes(g, line + 9);
		else if (strncmp(line, "# down: ", 8) == 0)
			snprintf(g->down, sizeof(g->down), "%s", line + 8);
		else if (strncmp(line, "# keys: ", 8) == 0)
			(void)sscanf(line + 8, "%zu %63s", &g->keys, g->file);
		if (*line == '#')
			continue;
		if (!g->owners && !(g->owners = calloc(1, g->keys + 1)))
			abort();
		if (have + strlen(line) > g->keys)
			abort();
		memcpy(g->owners + have, line, strlen(line));
		have += strlen(line);
	}
	return g->owners != NULL && have == g->keys;
}

static inline int golden_digit(char c)
{
	if (c <= '9')
		return c - '0';
	return c >= 'a' ? c - 'a' + 10 : c - 'A' + 36;
}

static inline struct fl_mask golden_mask(struct golden *g, const fl_placement *p)
{
	static uint64_t words[FL_MAX_NODES / 64];
	memset(words, 0, sizeof(words));
	for (char *name = strtok(g->down, " "); name; name = strtok(NULL, " ")) {
		uint32_t slot = fl_placement_find(p, name);
		if (slot == FL_NONE)
			abort();
		words[slot / 64] |= (uint64_t)1 << (slot % 64);
	}
	return (struct fl_mask){words, FL_MAX_NODES / 64};
}

/* How many keys of the section have another owner; prints the first few. */
static inline size_t golden_section(struct golden *g)
{
	struct golden_keys keys;
	struct fl_mask mask;
	struct fl_error err;
	fl_placement *p;
	size_t bad = 0;
	bool down = g->down[0] != '\0';
	if (fl_placement_new(&p, g->spec, g->nodes, g->node_count, &err) != FL_OK) {
		printf("%s: %s\n", g->spec, err.text);
		abort();
	}
	golden_keys_load(&keys, g->file);
	mask = golden_mask(g, p);
	for (size_t i = 0; i < g->keys; i++) {
		const char *recorded = g->nodes[golden_digit(g->owners[i])].name;
		struct fl_key key = fl_key_bytes(keys.key[i], keys.len[i]);
		uint32_t slot = FL_NONE;
		(void)fl_pick(p, &key, down ? &mask : NULL, &slot);
		if (slot != FL_NONE && strcmp(fl_placement_node(p, slot)->name, recorded) == 0)
			continue;
		if (bad++ < 5)
			printf("%s: key %zu: slot %u, recorded %s\n", g->spec, i, slot,
				recorded);
	}
	fl_placement_unref(p);
	free(keys.text);
	return bad;
}

/* The same of all sections of `name`. */
static inline size_t golden_mismatches(const char *name, size_t *sections, size_t *checked)
{
	struct golden g;
	char *text = golden_read(name), *at = text;
	size_t bad = 0;
	for (*sections = *checked = 0; golden_next(&g, &at); ++*sections) {
		bad += golden_section(&g);
		*checked += g.keys;
		free(g.owners);
	}
	free(text);
	return bad;
}

#endif
