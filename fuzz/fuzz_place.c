// rooms: lib base
/* Any bytes as a spec, a membership and a series of changes. What must hold: an error leaves its
 * outputs alone and says something; a placement that was derived has the digest and the owners of
 * one built afresh; owners are distinct, unmasked, complete, and begin with the pick. */
#include "fairlead/fairlead.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NODES 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

/* Up to the next zero or newline, NUL-terminated. */
static void word(struct input *in, char *out, size_t room)
{
	size_t n = 0;
	for (uint8_t c = byte(in); c != 0 && c != '\n' && n + 1 < room; c = byte(in))
		out[n++] = (char)c;
	out[n] = '\0';
}

/* Names are few, so that changes hit nodes that are there. */
static struct fl_node node(struct input *in, char name[16])
{
	uint8_t which = byte(in), weight = byte(in), slot = byte(in);
	struct fl_node n = {name, weight % 8, slot & 0x80 ? FL_NONE : slot, NULL};
	snprintf(name, 16, "node%u", which % MOST_NODES);
	if (weight > 250)
		n.weight = (int32_t)weight * 100003 - 25100000;
	return n;
}

/* With the history, where that counts. */
static fl_placement *copy(const fl_placement *p, const char *spec)
{
	static unsigned char state[1 << 20];
	size_t size = fl_placement_save(p, state, sizeof(state));
	fl_placement *q = NULL;
	FL_ASSERT(size <= sizeof(state));
	FL_ASSERT(fl_placement_load(&q, spec, state, size, NULL) == FL_OK);
	return q;
}

static fl_placement *again(const fl_placement *p, const char *spec)
{
	if (!(fl_placement_capabilities(p) & FL_HISTORY_FREE))
		return copy(p, spec);
	struct fl_node nodes[256];
	size_t n = 0;
	fl_placement *q = NULL;
	for (uint32_t slot = fl_placement_slots(p); slot-- > 0;) {
		if (fl_placement_node(p, slot))
			nodes[n++] = *fl_placement_node(p, slot);
	}
	FL_ASSERT(n == fl_placement_count(p));
	FL_ASSERT(fl_placement_new(&q, spec, nodes, n, NULL) == FL_OK);
	return q;
}

static void check_key(const fl_placement *p, const fl_placement *fresh, struct input *in)
{
	char text[2] = {(char)byte(in), (char)byte(in)};
	struct fl_key key = fl_key_bytes(text, sizeof(text));
	uint64_t words[2] = {byte(in) * 0x0101010101010101u, byte(in)};
	struct fl_mask mask = {words, byte(in) % 3};
	uint32_t slots[80], others[80], slot = 0;
	int n = fl_owners(p, &key, &mask, slots, 80);
	FL_ASSERT(n >= 0 && n <= 80);
	FL_ASSERT(fl_owners(fresh, &key, &mask, others, 80) == n);
	FL_ASSERT(memcmp(slots, others, (size_t)n * sizeof(slots[0])) == 0);
	FL_ASSERT(fl_pick(p, &key, &mask, &slot) == FL_OK);
	FL_ASSERT(slot == (n ? slots[0] : FL_NONE));
	for (int i = 0; i < n; i++) {
		FL_ASSERT(fl_placement_node(p, slots[i])->weight > 0);
		FL_ASSERT(slots[i] / 64 >= mask.count ||
			  !(words[slots[i] / 64] >> (slots[i] % 64) & 1));
		for (int j = 0; j < i; j++)
			FL_ASSERT(slots[i] != slots[j]);
	}
	FL_ASSERT(fl_lookup(p, text, 2) == fl_lookup(fresh, text, 2));
}

static void check(const fl_placement *p, const char *spec, struct input *in)
{
	fl_placement *fresh = again(p, spec);
	FL_ASSERT(fl_placement_digest(p) == fl_placement_digest(fresh));
	for (int i = 0; i < 8; i++)
		check_key(p, fresh, in);
	fl_placement_unref(fresh);
}

static fl_placement *change(fl_placement *p, struct input *in)
{
	char names[4][16];
	struct fl_change changes[4];
	struct fl_error err = {0, ""};
	fl_placement *next = NULL;
	size_t n = 1 + byte(in) % 4;
	uint64_t digest = fl_placement_digest(p);
	for (size_t i = 0; i < n; i++) {
		changes[i].kind = (enum fl_change_kind)(byte(in) % 4);
		changes[i].node = node(in, names[i]);
	}
	int rc = fl_placement_derive(&next, p, changes, n, &err);
	FL_ASSERT(fl_placement_digest(p) == digest);
	if (rc != FL_OK) {
		FL_ASSERT(next == NULL && err.code == rc && err.text[0] != '\0');
		return p;
	}
	fl_placement_unref(p);
	return next;
}

/* Big tables and rings are right as well, but slow to try. */
static bool small(const char *spec)
{
	const char *points = strstr(spec, "points=");
	if (strstr(spec, "table"))
		return strstr(spec, "rows=256") != NULL;
	if (strncmp(spec, "maglev", 6) == 0)
		return strcmp(spec, "maglev,rows=251") == 0;
	if (strncmp(spec, "ring", 4) == 0)
		return points && strlen(points) <= 8;
	if (strncmp(spec, "anchor,capacity=", 16) == 0)
		return strlen(spec) <= 16 + 3;
	return !strstr(spec, "replicas");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	char spec[80], names[16][16];
	struct fl_node nodes[16];
	struct fl_error err = {0, ""};
	fl_placement *p = NULL;
	size_t n;
	word(&in, spec, sizeof(spec));
	n = small(spec) ? byte(&in) % 16 : 0;
	for (size_t i = 0; i < n; i++)
		nodes[i] = node(&in, names[i]);
	int rc = fl_placement_new(&p, spec, nodes, n, &err);
	if (rc != FL_OK) {
		FL_ASSERT(p == NULL && err.code == rc && err.text[0] != '\0');
		return 0;
	}
	for (int i = 0; i < 6 && in.left > 0 && n > 0; i++) {
		p = change(p, &in);
		check(p, spec, &in);
	}
	fl_placement_unref(p);
	return 0;
}
