/* What would move if a node were added? Asked before doing it, and then checked on a million
 * keys, looked up in batches. */
#include <fairlead/fairlead.h>

#include <stdio.h>

#define KEYS  1000000
#define BATCH 1000

/* The share of KEYS numbered keys that have another owner. Slots tell: nodes keep theirs. */
static double changed(const fl_placement *before, const fl_placement *after)
{
	uint64_t hashes[BATCH];
	uint32_t a[BATCH], b[BATCH];
	long moved = 0;
	for (uint64_t from = 0; from < KEYS; from += BATCH) {
		for (uint64_t i = 0; i < BATCH; i++) {
			uint64_t number = from + i;
			hashes[i] = fl_placement_hash(before, &number, sizeof(number));
		}
		fl_pick_batch(before, hashes, BATCH, NULL, a);
		fl_pick_batch(after, hashes, BATCH, NULL, b);
		for (int i = 0; i < BATCH; i++)
			moved += a[i] != b[i];
	}
	return (double)moved / KEYS;
}

int main(void)
{
	struct fl_node nodes[] = {
		{"a", 1, FL_NONE, NULL},
		{"b", 1, FL_NONE, NULL},
		{"c", 1, FL_NONE, NULL},
	};
	struct fl_change more = {FL_ADD, {"d", 1, FL_NONE, NULL}};
	fl_placement *before, *after;
	struct fl_movement *m;
	if (fl_placement_new(&before, "ring,points=200", nodes, 3, NULL) != FL_OK)
		return 1;
	if (fl_placement_derive(&after, before, &more, 1, NULL) != FL_OK ||
		fl_movement_new(&m, before, after, 0, NULL) != FL_OK)
		return 1;
	printf("%.2f %% of the keys move, the least possible is %.2f %%\n", 100 * m->moved,
		100 * m->least);
	for (size_t i = 0; i < m->count; i++)
		printf("%s -> %s: %.2f %%\n", m->flows[i].from, m->flows[i].to,
			100 * m->flows[i].share);
	double seen = changed(before, after);
	printf("%.2f %% of a million keys did\n", 100 * seen);
	int wrong = seen < m->moved - 0.003 || seen > m->moved + 0.003;
	fl_movement_free(m);
	fl_placement_unref(before);
	fl_placement_unref(after);
	return wrong;
}
