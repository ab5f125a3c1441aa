/* Mapping version 1 beyond who has a key: all owners in order, also under masks, and digests, as
 * the models have them. tests/golden/mapping_1.txt, by tests/model/freeze.py, has sections of
 *     place SPEC
 *     nodes NAME[=WEIGHT]@SLOT[/ZONE] ...
 *     digest HEX
 *     owners K [MASKED SLOT...]
 * and behind each line of owners, K characters for each of the first FEW keys: slots, 0-9 and a-z. */
#include "support/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FEW   40
#define SLOTS 16

struct section {
	struct golden_keys keys;
	fl_placement *p;
	char spec[128];
	size_t k, row; /* owners a key; characters of this row that were read */
	uint64_t masked;
	size_t places, digests, owners;
};

static struct fl_node node(char *word)
{
	char *zone = strchr(word, '/'), *slot = strchr(word, '@'), *weight = strchr(word, '=');
	struct fl_node n = {word, 1, (uint32_t)atoi(slot + 1), zone ? zone + 1 : NULL};
	if (weight)
		n.weight = atoi(weight + 1);
	*(weight ? weight : slot) = '\0';
	if (zone)
		*zone = '\0';
	return n;
}

static void build(struct section *s, char *list)
{
	struct fl_node nodes[SLOTS];
	size_t n = 0;
	struct fl_error err = {0};
	for (char *word = strtok(list, " "); word; word = strtok(NULL, " "))
		nodes[n++] = node(word);
	fl_placement_unref(s->p);
	if (fl_placement_new(&s->p, s->spec, nodes, n, &err) != FL_OK)
		fail_msg("%s: %s", s->spec, err.text);
	s->places++;
}

static void begin_owners(struct section *s, char *rest)
{
	s->k = strtoul(rest, &rest, 10);
	assert_true(s->k > 0 && s->k < SLOTS);
	s->row = 0;
	s->masked = 0;
	while (*rest)
		s->masked |= (uint64_t)1 << strtoul(rest, &rest, 10);
}

/* What is expected of key `i`. */
static void check_key(struct section *s, size_t i, const char *expected)
{
	struct fl_key key = fl_key_bytes(s->keys.key[i], s->keys.len[i]);
	struct fl_mask mask = {&s->masked, 1};
	uint32_t slots[SLOTS], slot = FL_NONE;
	assert_int_equal(fl_owners(s->p, &key, &mask, slots, SLOTS), s->k);
	for (size_t j = 0; j < s->k; j++, s->owners++) {
		if (slots[j] != (uint32_t)golden_digit(expected[j]))
			fail_msg("%s: key %zu, owner %zu: slot %u, recorded %c", s->spec, i, j,
				slots[j], expected[j]);
	}
	assert_int_equal(fl_pick(s->p, &key, s->masked ? &mask : NULL, &slot), FL_OK);
	assert_int_equal(slot, slots[0]);
}

/* A key's owners may stand on two lines; `left` are those of the line before. */
static void check_row(struct section *s, const char *line)
{
	static char left[SLOTS + 1];
	static size_t have;
	if (s->row == 0)
		have = 0;
	for (; *line; line++, s->row++) {
		left[have++] = *line;
		if (have == s->k) {
			check_key(s, s->row / s->k, left);
			have = 0;
		}
	}
}

static void take_line(struct section *s, char *line)
{
	if (strncmp(line, "place ", 6) == 0) {
		snprintf(s->spec, sizeof(s->spec), "%s", line + 6);
	} else if (strncmp(line, "nodes ", 6) == 0) {
		build(s, line + 6);
	} else if (strncmp(line, "digest ", 7) == 0) {
		if (fl_placement_digest(s->p) != strtoull(line + 7, NULL, 16))
			fail_msg("%s: %s", s->spec, line);
		s->digests++;
	} else if (strncmp(line, "owners ", 7) == 0) {
		assert_true(!s->k || s->row == s->k * FEW);
		begin_owners(s, line + 7);
	} else {
		assert_null(strchr(line, ' '));
		check_row(s, line);
	}
}

static void test_mapping_1(void **state)
{
	struct section s = {.p = NULL};
	char *text = golden_read("mapping_1.txt"), *at = text;
	(void)state;
	golden_keys_load(&s.keys, "keys.txt");
	while (*at) {
		char *line = at, *end = strchr(line, '\n');
		*end = '\0';
		at = end + 1;
		if (*line != '#')
			take_line(&s, line);
	}
	assert_int_equal(s.row, s.k * FEW);
	assert_int_equal(s.places, 52);
	assert_int_equal(s.digests, 52);
	assert_int_equal(s.owners, 36640);
	fl_placement_unref(s.p);
	free(s.keys.text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mapping_1),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
