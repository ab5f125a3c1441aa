/* Where do the copies of an object go, and who serves it while a node is down? */
#include <fairlead/fairlead.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COPIES 3

static void show(const fl_placement *p, const char *object, const struct fl_mask *down)
{
	struct fl_key key = fl_key_bytes(object, strlen(object));
	uint32_t slots[COPIES];
	int n = fl_owners(p, &key, down, slots, COPIES);
	printf("%s:", object);
	for (int i = 0; i < n; i++)
		printf(" %s", fl_placement_node(p, slots[i])->name);
	printf("\n");
}

int main(void)
{
	static const char *const objects[] = {"photo/1", "photo/2", "photo/3"};
	struct fl_node nodes[] = {
		{"disk-1", 4, FL_NONE, NULL}, /* weights: terabytes */
		{"disk-2", 4, FL_NONE, NULL},
		{"disk-3", 8, FL_NONE, NULL},
		{"disk-4", 8, FL_NONE, NULL},
	};
	struct fl_error err;
	fl_placement *p;
	if (fl_placement_new(&p, "rendezvous", nodes, 4, &err) != FL_OK) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (int i = 0; i < 3; i++)
		show(p, objects[i], NULL);

	/* A node that is down for a moment is masked: nothing is built again, and only the
	 * objects that it had change their first copy. */
	uint64_t word = (uint64_t)1 << fl_placement_find(p, "disk-3");
	struct fl_mask down = {&word, 1};
	printf("without disk-3\n");
	for (int i = 0; i < 3; i++)
		show(p, objects[i], &down);

	/* Programs with equal digests agree on every object. */
	printf("digest %016" PRIx64 "\n", fl_placement_digest(p));
	fl_placement_unref(p);
	return 0;
}
