/* Recorded mappings: tests/golden/X.csv holds sections of
 *     # provenance: who said so
 *     # spec: what fl_placement_new takes
 *     # nodes: NAME[=WEIGHT] ...      in the order they are given
 *     # keys: N [FILE]                the first N lines of tests/golden/FILE, or else of keys.txt
 * and then one character a key, the owner's number in that order (0-9, a-z, then A-Z). */
#ifndef FL_TEST_GOLDEN_H
#define FL_TEST_GOLDEN_H

#include "fairlead/fairlead.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct golden {
	char spec[128];
	char text[2048]; /* the nodes' names, cut into words */
	struct fl_node nodes[62];
	char keys_file[64];
	size_t node_count, keys;
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

static inline void golden_nodes(struct golden *g, const char *list)
{
	snprintf(g->text, sizeof(g->text), "%s", list);
	g->node_count = 0;
	for (char *word = strtok(g->text, " "); word; word = strtok(NULL, " ")) {
		char *weight = strchr(word, '=');
		if (weight)
			*weight++ = '\0';
		g->nodes[g->node_count++] =
			(struct fl_node){word, weight ? atoi(weight) : 1, FL_NONE, NULL};
	}
}

static inline void golden_keys_line(struct golden *g, const char *text)
{
	const char *file = strchr(text, ' ');
	g->keys = (size_t)atol(text);
	snprintf(g->keys_file, sizeof(g->keys_file), "%s", file ? file + 1 : "keys.txt");
}

/* The next section from *at on, or false at the end. owners is allocated. */
static inline bool golden_next(struct golden *g, char **at)
{
	size_t have = 0;
	g->keys = 0;
	g->owners = NULL;
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
		else if (strncmp(line, "# keys: ", 8) == 0)
			golden_keys_line(g, line + 8);
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

/* How many keys of all sections of `name` have another owner; prints the first few. */
static inline size_t golden_mismatches(const char *name, size_t *sections, size_t *checked)
{
	struct golden_keys keys;
	struct golden g;
	char *text = golden_read(name), *at = text;
	size_t bad = 0;
	for (*sections = *checked = 0; golden_next(&g, &at); ++*sections) {
		fl_placement *p;
		golden_keys_load(&keys, g.keys_file);
		struct fl_error err;
		if (fl_placement_new(&p, g.spec, g.nodes, g.node_count, &err) != FL_OK) {
			printf("%s: %s\n", g.spec, err.text);
			abort();
		}
		for (size_t i = 0; i < g.keys; i++, ++*checked) {
			uint32_t slot = fl_lookup(p, keys.key[i], keys.len[i]);
			if (slot == (uint32_t)golden_digit(g.owners[i]))
				continue;
			if (bad++ < 5)
				printf("%s: key %zu: slot %u, recorded %c\n", g.spec, i, slot,
					g.owners[i]);
		}
		fl_placement_unref(p);
		free(g.owners);
		free(keys.text);
	}
	free(text);
	return bad;
}

#endif
