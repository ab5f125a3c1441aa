/* A placement as bytes, to be kept in a file or sent to another process.
 *
 * All numbers are little-endian. Names and zones have their length before them and no NUL.
 *
 *     8 bytes  "FLSTATE1": what it is, and the version of this layout
 *     u64      bytes in all, the checksum included
 *     u32      version of the mapping
 *     u16      length of the spec, then the spec: every option with its value, in their order, and
 *              ",secret=***" at the end if keys are hashed under a secret, which is not saved
 *     u32      nodes; for each, by ascending name:
 *                  u16 length, name, u32 weight, u32 slot, u16 length of the zone + 1 (0: it
 *                  has none), zone
 *     u32      slots on the removal stack, then each as u32, the one removed last at the end
 *     u64      digest of the placement
 *     u64      XXH3 of all bytes before
 *
 * One placement has one form: two states are equal byte for byte exactly when name for name all
 * that is listed above is. The checksum finds accidents. What an enemy writes is caught by the
 * checks that any list of nodes goes through, and by these: every length is held against what is
 * left, names must ascend, the spec must be in its one form, the removal stack must hold exactly
 * the slots that own nothing, and the digest must be that of the placement which comes out.
 * Memory and time are bounded by the size given and by the spec's own limits. */
#include "lib/state.h"

#include "base/assert.h"
#include "base/error.h"
#include "hash/mix.h"
#include "hash/salt.h"
#include "hash/xxh3.h"
#include "lib/spec.h"
#include "place/place.h"
#include "place/placement_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC      "FLSTATE1"
#define MAGIC_SIZE 8
#define LEAST      (MAGIC_SIZE + 8 + 4 + 2 + 4 + 4 + 8 + 8)
#define LEAST_NODE (2 + 1 + 4 + 4 + 2)

/* ---- writing ---- */

struct writer {
	unsigned char *to; /* NULL: only counts */
	size_t size;
};

static void put(struct writer *w, const void *bytes, size_t size)
{
	if (w->to)
		memcpy(w->to + w->size, bytes, size);
	w->size += size;
}

static void put_number(struct writer *w, uint64_t number, size_t size)
{
	unsigned char bytes[8];
	fl_store64_le(bytes, number);
	put(w, bytes, size);
}

static void put_node(struct writer *w, const struct fl_node *node)
{
	size_t name = strlen(node->name), zone = node->zone ? strlen(node->zone) : 0;
	put_number(w, name, 2);
	put(w, node->name, name);
	put_number(w, (uint64_t)node->weight, 4);
	put_number(w, node->slot, 4);
	put_number(w, node->zone ? zone + 1 : 0, 2);
	put(w, node->zone ? node->zone : "", zone);
}

/* All but the checksum. `size` is the whole, when it is known. */
static void put_placement(struct writer *w, const fl_placement *p, size_t size)
{
	char spec[FL_SPEC_TEXT];
	fl_spec_print(spec, p->algorithm, p->options, p->secret.given);
	put(w, MAGIC, MAGIC_SIZE);
	put_number(w, size, 8);
	put_number(w, FL_MAPPING_VERSION, 4);
	put_number(w, strlen(spec), 2);
	put(w, spec, strlen(spec));
	put_number(w, p->count, 4);
	for (uint32_t i = 0; i < p->count; i++)
		put_node(w, &p->nodes[i]);
	put_number(w, p->removed.count, 4);
	for (uint32_t i = 0; i < p->removed.count; i++)
		put_number(w, p->removed.slot[i], 4);
	put_number(w, p->digest, 8);
}

size_t fl_placement_save(const fl_placement *p, void *buffer, size_t room)
{
	struct writer count = {NULL, 0}, w = {buffer, 0};
	put_placement(&count, p, 0);
	size_t size = count.size + 8;
	if (!buffer || room < size)
		return size;
	put_placement(&w, p, size);
	put_number(&w, fl_xxh3(buffer, w.size, FL_SALT_DIGEST), 8);
	return size;
}

/* ---- reading ---- */

struct reader {
	const unsigned char *at;
	size_t left;
	bool bad; /* it ended too early, once; numbers are 0 from then on */
};

static const unsigned char *take(struct reader *r, size_t size)
{
	const unsigned char *at = r->at;
	if (r->bad || size > r->left) {
		r->bad = true;
		return NULL;
	}
	r->at += size;
	r->left -= size;
	return at;
}

static uint64_t take_number(struct reader *r, size_t size)
{
	unsigned char bytes[8] = {0};
	const unsigned char *at = take(r, size);
	if (at)
		memcpy(bytes, at, size);
	return fl_load64_le(bytes);
}

/* `size` bytes as a text at *to, which moves on; they hold no NUL, or the state is bad. */
static const char *take_text(struct reader *r, size_t size, char **to)
{
	char *text = *to;
	const unsigned char *at = take(r, size);
	if (!at || (size > 0 && memchr(at, 0, size))) {
		r->bad = true;
		return NULL;
	}
	if (size > 0)
		memcpy(text, at, size);
	text[size] = '\0';
	*to = text + size + 1;
	return text;
}

/* What is read on the way. */
struct loaded {
	struct fl_spec spec;
	bool secret; /* there was one; spec has it once the caller has said it */
	struct fl_node *nodes;
	char *text; /* of the names and zones */
	uint32_t count;
	uint32_t *removed;
	uint32_t removed_count;
	uint64_t digest;
};

static void loaded_fini(struct loaded *l)
{
	free(l->nodes);
	free(l->text);
	free(l->removed);
}

static int damaged(const char *what, struct fl_error *err)
{
	return fl_error_set(err, FL_EINVAL, "the saved state is damaged: %s", what);
}

static int check_frame(const unsigned char *bytes, size_t size, struct fl_error *err)
{
	if (size < LEAST || memcmp(bytes, MAGIC, MAGIC_SIZE - 1) != 0)
		return fl_error_set(err, FL_EINVAL,
			"these %zu bytes are not the state of a placement", size);
	if (bytes[MAGIC_SIZE - 1] != MAGIC[MAGIC_SIZE - 1])
		return fl_error_set(err, FL_ENOTSUP,
			"the saved state has a layout that this library does not know");
	uint64_t whole = fl_load64_le(bytes + MAGIC_SIZE);
	if (whole != size)
		return fl_error_set(err, FL_EINVAL,
			"the saved state is damaged: %zu bytes, and it says that it has %llu",
			size, (unsigned long long)whole);
	if (fl_load64_le(bytes + size - 8) != fl_xxh3(bytes, size - 8, FL_SALT_DIGEST))
		return damaged("its checksum does not fit", err);
	return FL_OK;
}

static int read_spec(struct reader *r, struct loaded *l, struct fl_error *err)
{
	char text[FL_SPEC_TEXT], again[FL_SPEC_TEXT], *to = text;
	uint64_t mapping = take_number(r, 4), size = take_number(r, 2);
	if (!r->bad && mapping != FL_MAPPING_VERSION)
		return fl_error_set(err, FL_ENOTSUP,
			"the saved state is of mapping version %llu; this library has %d",
			(unsigned long long)mapping, FL_MAPPING_VERSION);
	if (r->bad || size >= sizeof(text) || !take_text(r, size, &to))
		return damaged("it has no spec", err);
	size_t bare = strlen(text) - strlen(FL_SPEC_HIDDEN);
	l->secret = bare < strlen(text) && strcmp(text + bare, FL_SPEC_HIDDEN) == 0;
	(void)snprintf(again, sizeof(again), "%.*s", (int)(l->secret ? bare : size), text);
	int rc = fl_spec_parse(&l->spec, again, err);
	if (rc != FL_OK)
		return rc;
	fl_spec_print(again, l->spec.algorithm, l->spec.options, l->secret);
	return strcmp(text, again) == 0
	               ? FL_OK
	               : damaged("its spec is not in the form it is saved in", err);
}

static void read_node(struct reader *r, struct fl_node *node, char **text)
{
	node->name = take_text(r, take_number(r, 2), text);
	uint64_t weight = take_number(r, 4), slot = take_number(r, 4), zone;
	/* Both are checked with the membership; but "any slot" is none that could be saved. */
	node->weight = weight <= FL_MAX_WEIGHT ? (int32_t)weight : -1;
	node->slot = slot < FL_NONE ? (uint32_t)slot : FL_NONE - 1;
	zone = take_number(r, 2);
	node->zone = zone > 0 ? take_text(r, zone - 1, text) : NULL;
}

static int read_nodes(struct reader *r, struct loaded *l, struct fl_error *err)
{
	uint64_t count = take_number(r, 4);
	char *text;
	if (count > r->left / LEAST_NODE)
		return damaged("it is too short for its nodes", err);
	l->nodes = calloc(count + 1, sizeof(*l->nodes));
	l->text = text = malloc(r->left + 2 * count + 1);
	if (!l->nodes || !text)
		return fl_error_set(err, FL_ENOMEM, "no memory for a saved state");
	for (; l->count < count && !r->bad; l->count++) {
		struct fl_node *node = &l->nodes[l->count];
		read_node(r, node, &text);
		if (!r->bad && l->count > 0 && strcmp(node[-1].name, node->name) >= 0)
			return damaged("its nodes are not sorted by name", err);
	}
	return r->bad ? damaged("it ends within a node", err) : FL_OK;
}

static int read_removed(struct reader *r, struct loaded *l, struct fl_error *err)
{
	uint64_t count = take_number(r, 4);
	FL_ASSERT(l->spec.algorithm); /* the analyzer cannot see that read_spec did that */
	bool lifo = l->spec.algorithm->lifo;
	if (r->bad || count > r->left / 4 || (count > 0 && !lifo))
		return damaged("it has too many removed slots", err);
	if (!lifo)
		return FL_OK;
	l->removed = malloc((count + 1) * sizeof(*l->removed));
	if (!l->removed)
		return fl_error_set(err, FL_ENOMEM, "no memory for a saved state");
	for (uint64_t i = 0; i < count; i++)
		l->removed[i] = (uint32_t)take_number(r, 4);
	l->removed_count = (uint32_t)count;
	return FL_OK;
}

static int read_all(
	struct loaded *l, const unsigned char *bytes, size_t size, struct fl_error *err)
{
	struct reader r = {bytes + MAGIC_SIZE + 8, size - MAGIC_SIZE - 16, false};
	int rc = read_spec(&r, l, err);
	if (rc == FL_OK)
		rc = read_nodes(&r, l, err);
	if (rc == FL_OK)
		rc = read_removed(&r, l, err);
	if (rc != FL_OK)
		return rc;
	l->digest = take_number(&r, 8);
	return r.bad || r.left > 0 ? damaged("its lengths do not fit", err) : FL_OK;
}

/* Also takes the secret from it. */
static int check_wanted(struct loaded *l, const char *wanted, struct fl_error *err)
{
	char have[FL_SPEC_TEXT], shown[FL_SPEC_TEXT];
	struct fl_spec spec;
	fl_spec_print(have, l->spec.algorithm, l->spec.options, l->secret);
	if (!wanted && l->secret)
		return fl_error_set(err, FL_EINVAL,
			"the saved state is of \"%.100s\"; expected a spec that has the secret",
			have);
	if (!wanted)
		return FL_OK;
	int rc = fl_spec_parse(&spec, wanted, err);
	if (rc != FL_OK)
		return rc;
	l->spec.secret = spec.secret;
	if (spec.algorithm == l->spec.algorithm && spec.secret.given == l->secret &&
		memcmp(spec.options, l->spec.options, sizeof(spec.options)) == 0)
		return FL_OK;
	fl_spec_hide(shown, wanted);
	return fl_error_set(err, FL_EINVAL,
		"the saved state is of \"%.100s\", not of \"%.100s\"", have, shown);
}

int fl_state_read(fl_placement **out, uint64_t *digest, const char *spec, const void *state,
	size_t size, struct fl_error *err)
{
	struct loaded l = {.nodes = NULL};
	if (!state)
		return fl_error_set(err, FL_EINVAL, "no state is given");
	int rc = check_frame(state, size, err);
	if (rc == FL_OK)
		rc = read_all(&l, state, size, err);
	if (rc == FL_OK)
		rc = check_wanted(&l, spec, err);
	if (rc == FL_OK) {
		struct fl_recipe recipe = {l.spec.algorithm, l.spec.options, l.spec.secret,
			l.removed, l.removed_count};
		rc = fl_place_new(out, &recipe, l.nodes, l.count, err);
	}
	if (rc == FL_OK)
		*digest = l.digest;
	loaded_fini(&l);
	return rc;
}

int fl_placement_load(fl_placement **out, const char *spec, const void *state, size_t size,
	struct fl_error *err)
{
	fl_placement *p = NULL;
	uint64_t digest = 0;
	int rc = fl_state_read(&p, &digest, spec, state, size, err);
	if (rc != FL_OK)
		return rc;
	FL_ASSERT(p);
	if (p->digest != digest) {
		bool secret = p->secret.given;
		fl_place_unref(p);
		return secret ? fl_error_set(err, FL_EINVAL,
					"the saved state is not of this secret, or damaged")
		              : damaged("its digest is not that of what it holds", err);
	}
	*out = p;
	return FL_OK;
}
