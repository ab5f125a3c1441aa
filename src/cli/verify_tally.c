/* Names are compared as pointers: each answer is looked up once among the names that the pool's
 * nodes go by, and gives the member's own name. */
#include "cli/verify_tally.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_MOST ((size_t)1 << 20)
#define PLACES     (2 * FL_VERIFY_PAIRS)

enum rank {
	MAPPED,
	NAMED,
	ADDRESSED,
};

/* A text that an answer may be, and the node that it stands for. */
struct fl_verify_name {
	struct fl_slice text;
	enum rank rank;
	const char *node; /* NULL: two nodes share the address */
};

static int compare_text(struct fl_slice a, struct fl_slice b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int compare_names(const void *a, const void *b)
{
	const struct fl_verify_name *x = a, *y = b;
	int order = compare_text(x->text, y->text);

	return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

/* ---- whom an answer names ---- */

static void add_name(
	struct fl_verify_tally *t, struct fl_slice text, enum rank rank, const char *node)
{
	t->names[t->name_count++] = (struct fl_verify_name){text, rank, node};
}

static void add_members(struct fl_verify_tally *t, const struct fl_tier *tier)
{
	for (uint32_t s = 0; s < tier->slots; s++) {
		const struct fl_member *m = tier->members[s];

		if (!m)
			continue;
		add_name(t, fl_slice_of(m->name), NAMED, m->name);
		if (m->address)
			add_name(t, fl_slice_of(m->address), ADDRESSED, m->name);
	}
}

static const char *member_name(const struct fl_verify_tally *t, const char *name)
{
	for (size_t i = 0; i < t->name_count; i++)
		if (t->names[i].rank == NAMED && strcmp(t->names[i].node, name) == 0)
			return t->names[i].node;
	return NULL;
}

/* Of one text only the best rank stays; of an address that is two nodes', no node. */
static int unite_names(struct fl_verify_tally *t, struct fl_error *err)
{
	size_t kept = 0;

	qsort(t->names, t->name_count, sizeof(*t->names), compare_names);
	for (size_t i = 0; i < t->name_count; i++) {
		struct fl_verify_name *last = kept ? &t->names[kept - 1] : NULL;
		const struct fl_verify_name *n = &t->names[i];

		if (!last || !fl_slice_eq(last->text, n->text))
			t->names[kept++] = *n;
		else if (last->rank == n->rank && n->rank == MAPPED)
			return fl_error_set(err, FL_EINVAL, "\"%.*s\" is mapped twice",
				n->text.n > 60 ? 60 : (int)n->text.n, n->text.p);
		else if (last->rank == n->rank)
			last->node = NULL;
	}
	t->name_count = kept;
	return FL_OK;
}

static int add_maps(struct fl_verify_tally *t, const struct fl_verify_map *maps,
	size_t map_count, struct fl_error *err)
{
	for (size_t i = 0; i < map_count; i++) {
		const char *node = member_name(t, maps[i].node);

		if (!node)
			return fl_error_set(err, FL_EINVAL, "there is no node called \"%.60s\"",
				maps[i].node);
		add_name(t, maps[i].answer, MAPPED, node);
	}
	return FL_OK;
}

int fl_verify_tally_init(struct fl_verify_tally *t, const struct fl_view *view,
	const struct fl_verify_map *maps, size_t map_count, struct fl_error *err)
{
	size_t most = map_count + 1;
	int rc;

	*t = (struct fl_verify_tally){.matches = 0};
	fl_arena_init(&t->arena, ARENA_MOST);
	for (unsigned i = 0; i < FL_TIERS; i++)
		most += 2 * (size_t)view->tier[i].slots;
	t->names = calloc(most, sizeof(*t->names));
	t->pairs = calloc(PLACES, sizeof(*t->pairs));
	if (!t->names || !t->pairs)
		return fl_error_set(err, FL_ENOMEM, "out of memory");
	for (unsigned i = 0; i < FL_TIERS; i++)
		add_members(t, &view->tier[i]);
	rc = add_maps(t, maps, map_count, err);
	return rc == FL_OK ? unite_names(t, err) : rc;
}

void fl_verify_tally_fini(struct fl_verify_tally *t)
{
	free(t->names);
	free(t->pairs);
	fl_arena_fini(&t->arena);
}

/* An answer that names no node keeps its text, for the first few different ones. */
static const char *stranger(struct fl_verify_tally *t, const char *answer)
{
	const char *copy = NULL;

	t->strangers++;
	for (size_t i = 0; i < t->strange_count; i++)
		if (strcmp(t->strange[i], answer) == 0)
			return t->strange[i];
	if (t->strange_count < FL_VERIFY_STRANGE)
		copy = fl_arena_copy(&t->arena, answer, strlen(answer) + 1);
	if (!copy)
		return "(others)";
	t->strange[t->strange_count++] = copy;
	return copy;
}

static const char *named_by(struct fl_verify_tally *t, const char *answer)
{
	struct fl_verify_name wanted = {.text = fl_slice_of(answer)};
	size_t low = 0, high = t->name_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_text(wanted.text, t->names[middle].text);

		if (order == 0 && t->names[middle].node)
			return t->names[middle].node;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return stranger(t, answer);
}

/* ---- counting ---- */

static void count_pair(struct fl_verify_tally *t, const char *expected, const char *got)
{
	size_t at = ((uintptr_t)expected * 31 + (uintptr_t)got) / 8 % PLACES;
	struct fl_verify_pair *p = &t->pairs[at];

	while (p->keys && (p->expected != expected || p->got != got)) {
		at = (at + 1) % PLACES;
		p = &t->pairs[at];
	}
	if (!p->keys && t->pair_count == FL_VERIFY_PAIRS) {
		t->unpaired++;
		return;
	}
	t->pair_count += !p->keys;
	p->expected = expected;
	p->got = got;
	p->keys++;
}

void fl_verify_tally_answer(struct fl_verify_tally *t, struct fl_slice key,
	const char *expected, const char *answer)
{
	const char *got = named_by(t, answer);

	if (strcmp(expected, got) == 0) {
		t->matches++;
		return;
	}
	t->mismatches++;
	count_pair(t, expected, got);
	if (t->example_count < FL_VERIFY_EXAMPLES)
		t->examples[t->example_count++] =
			(struct fl_verify_example){key, expected, got};
}

void fl_verify_tally_fail(
	struct fl_verify_tally *t, struct fl_slice key, const char *why, bool unsent)
{
	struct fl_verify_reason *r = t->reasons;
	size_t i = 0;

	if (unsent)
		t->unsent++;
	else
		t->failed++;
	while (i < t->reason_count && (strcmp(r[i].why, why) != 0 || r[i].unsent != unsent))
		i++;
	if (i == FL_VERIFY_REASONS)
		return;
	if (i == t->reason_count) {
		t->reason_count++;
		r[i] = (struct fl_verify_reason){.key = key, .unsent = unsent};
		(void)snprintf(r[i].why, sizeof(r[i].why), "%s", why);
	}
	r[i].keys++;
}

/* By their names where they have as many keys: the same order in every run. */
static int compare_pairs(const void *a, const void *b)
{
	const struct fl_verify_pair *x = a, *y = b;
	int order;

	if (x->keys != y->keys)
		return x->keys < y->keys ? 1 : -1;
	if (x->keys == 0)
		return 0;
	order = strcmp(x->expected, y->expected);
	return order ? order : strcmp(x->got, y->got);
}

size_t fl_verify_tally_pairs(struct fl_verify_tally *t)
{
	qsort(t->pairs, PLACES, sizeof(*t->pairs), compare_pairs);
	return t->pair_count;
}
