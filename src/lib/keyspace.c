#include "lib/keyspace.h"

#include "hash/mix.h"
#include "hash/salt.h"
#include "place/place.h"

/* Rows with one key_hash have the same options in the places that key_options says. */
static bool same_hash(const struct fl_placement *a, const struct fl_placement *b)
{
	if (a->algorithm->key_hash != b->algorithm->key_hash || a->seed != b->seed ||
		a->algorithm->key_hash == FL_KEY_WITH_NODE ||
		a->secret.given != b->secret.given || a->secret.key.k0 != b->secret.key.k0 ||
		a->secret.key.k1 != b->secret.key.k1)
		return false;
	for (unsigned i = 0; i < FL_MAX_OPTIONS; i++) {
		if ((a->algorithm->key_options >> i & 1) && a->options[i] != b->options[i])
			return false;
	}
	return true;
}

bool fl_keyspace_exact(const struct fl_placement *a, const struct fl_placement *b)
{
	return same_hash(a, b) && a->algorithm->arc && b->algorithm->arc;
}

static struct fl_arc arc_of(const struct fl_placement *p, size_t i)
{
	struct fl_arc arc = {UINT64_MAX, FL_NONE};
	if (p->state)
		(void)p->algorithm->arc(p, i, &arc);
	return arc;
}

int fl_keyspace_walk(
	const struct fl_placement *a, const struct fl_placement *b, struct fl_flows *flows)
{
	struct fl_arc x = arc_of(a, 0), y = arc_of(b, 0);
	size_t i = 0, j = 0;
	uint64_t start = 0; /* the first hash that is not counted yet */
	for (;;) {
		uint64_t last = x.last < y.last ? x.last : y.last;
		/* Arcs of coinciding points are empty; only a whole circle's size overflows. */
		if (last + 1 != start || (last == UINT64_MAX && start == 0)) {
			struct fl_keys keys = {last - start + 1, 0};
			keys.high = keys.low == 0;
			if (fl_flows_add(flows, x.slot, y.slot, keys) != FL_OK)
				return FL_ENOMEM;
		}
		if (last == UINT64_MAX)
			return FL_OK;
		start = last + 1;
		if (x.last == last)
			x = arc_of(a, ++i);
		if (y.last == last)
			y = arc_of(b, ++j);
	}
}

static uint32_t try_hash(const struct fl_placement *p, uint64_t hash)
{
	return p->lookup(p, hash);
}

static uint32_t try_text(const struct fl_placement *p, const char *text, size_t size)
{
	struct fl_key key = fl_key_bytes(text, size);
	if (p->lookup)
		return p->lookup(p, fl_place_hash(p, text, size));
	return fl_place_pick(p, &key, NULL);
}

/* Keys as 16 hexadecimal digits: text, because some mappings only know text. */
static void write_text(char text[16], uint64_t value)
{
	for (unsigned i = 0; i < 16; i++)
		text[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
}

int fl_keyspace_sample(const struct fl_placement *a, const struct fl_placement *b,
	size_t samples, struct fl_flows *flows)
{
	bool hashes = same_hash(a, b) && a->lookup && b->lookup;
	struct fl_keys one = {1, 0};
	for (size_t i = 0; i < samples; i++) {
		uint64_t value = fl_mix64(FL_SALT_SAMPLE + i * FL_WEYL);
		uint32_t from, to;
		char text[16];
		if (hashes) {
			from = try_hash(a, value);
			to = a == b ? from : try_hash(b, value);
		} else {
			write_text(text, value);
			from = try_text(a, text, sizeof(text));
			to = a == b ? from : try_text(b, text, sizeof(text));
		}
		if (fl_flows_add(flows, from, to, one) != FL_OK)
			return FL_ENOMEM;
	}
	return FL_OK;
}
