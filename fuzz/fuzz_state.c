// rooms: lib hash base
/* Any bytes as a saved state. What must hold: an error leaves its output alone and says something;
 * what loads is in its one form (it saves as the same bytes, the digest aside), keeps its owners,
 * and can be changed and saved again. An input that begins with "FLSTATE1" is a whole state; any
 * other gets a frame and a checksum that fit, since mutations would hardly ever get past them.
 * The digest is not held against the claim until a load of what was saved. */
#include "fairlead/fairlead.h"

#include "base/assert.h"
#include "hash/mix.h"
#include "hash/salt.h"
#include "hash/xxh3.h"
#include "lib/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAME 16
#define ENDS  16 /* digest and checksum */

/* Big tables and rings load as well, but slowly. */
static bool small(const uint8_t *state, size_t size)
{
	static const char *const allowed[] = {"anchor,capacity=", "dx,capacity=", "modulo,",
		"rendezvous,", "jump,", "jumpback,", "compat:circle-360", "compat:java"};
	const uint8_t *spec = state + FRAME + 6;
	if (size < FRAME + ENDS + 6 + 32)
		return true;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (memcmp(spec, allowed[i], strlen(allowed[i])) == 0)
			return true;
	}
	return false;
}

/* The input between a head and a tail that fit; the digest is left 0. */
static uint8_t *framed(const uint8_t *data, size_t size)
{
	size_t whole = FRAME + size + ENDS;
	uint8_t *state = calloc(1, whole);
	FL_ASSERT(state);
	memcpy(state, "FLSTATE1", 8);
	fl_store64_le(state + 8, whole);
	if (size > 0)
		memcpy(state + FRAME, data, size);
	fl_store64_le(state + whole - 8, fl_xxh3(state, whole - 8, FL_SALT_DIGEST));
	return state;
}

/* What to expect of a state whose spec has a secret: the same with one, else NULL: anything. */
static const char *wanted(const uint8_t *state, size_t size)
{
	static const char hidden[] = ",secret=***";
	static char spec[600];
	size_t len = size < FRAME + 6 ? 0 : state[FRAME + 4] + 256u * state[FRAME + 5];
	size_t mark = strlen(hidden), bare = len - mark;
	if (len < mark || len > 512 || size - FRAME - 6 < len ||
		memcmp(state + FRAME + 6 + bare, hidden, mark) != 0)
		return NULL;
	snprintf(spec, sizeof(spec), "%.*s,secret=000102030405060708090a0b0c0d0e0f", (int)bare,
		(const char *)state + FRAME + 6);
	return spec;
}

static uint8_t *save(const fl_placement *p, size_t *size)
{
	*size = fl_placement_save(p, NULL, 0);
	uint8_t *state = malloc(*size);
	FL_ASSERT(state && fl_placement_save(p, state, *size) == *size);
	return state;
}

/* What is saved loads, and is the same. */
static void check_again(const fl_placement *p)
{
	fl_placement *q = NULL;
	size_t size;
	uint8_t *state = save(p, &size);
	FL_ASSERT(fl_placement_load(&q, wanted(state, size), state, size, NULL) == FL_OK);
	FL_ASSERT(fl_placement_digest(q) == fl_placement_digest(p));
	fl_placement_unref(q);
	free(state);
}

static void check_change(const fl_placement *p)
{
	struct fl_change change = {FL_ADD, {"fuzz's own", 1, FL_NONE, NULL}};
	fl_placement *q = NULL;
	if (fl_placement_derive(&q, p, &change, 1, NULL) == FL_OK)
		check_again(q);
	fl_placement_unref(q);
}

static void check(const fl_placement *p, const uint8_t *state, size_t size)
{
	size_t again;
	uint8_t *saved = save(p, &again);
	FL_ASSERT(again == size && memcmp(saved, state, size - ENDS) == 0);
	free(saved);
	for (unsigned char i = 0; i < 20; i++) {
		struct fl_key key = fl_key_bytes(&i, 1);
		uint32_t slots[8], slot;
		int n = fl_owners(p, &key, NULL, slots, 8);
		FL_ASSERT(fl_pick(p, &key, NULL, &slot) == FL_OK);
		FL_ASSERT(slot == (n ? slots[0] : FL_NONE));
		FL_ASSERT(n == 0 || fl_placement_node(p, slot)->weight > 0);
	}
	check_again(p);
	check_change(p);
}

static void run(const uint8_t *state, size_t size)
{
	struct fl_error err = {0, ""};
	fl_placement *p = NULL;
	uint64_t digest = 0;
	const char *spec = wanted(state, size);
	int rc = fl_state_read(&p, &digest, spec, state, size, &err);
	if (rc != FL_OK)
		FL_ASSERT(p == NULL && err.code == rc && err.text[0] != '\0');
	else
		check(p, state, size);
	fl_placement_unref(p);
	p = NULL;
	if (fl_placement_load(&p, spec, state, size, NULL) == FL_OK)
		FL_ASSERT(fl_placement_digest(p) == digest);
	fl_placement_unref(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool whole = size >= 8 && memcmp(data, "FLSTATE1", 8) == 0;
	size_t total = whole ? size : FRAME + size + ENDS;
	uint8_t *state = whole ? malloc(size) : framed(data, size);
	FL_ASSERT(state);
	if (whole)
		memcpy(state, data, size);
	if (small(state, total))
		run(state, total);
	free(state);
	return 0;
}
