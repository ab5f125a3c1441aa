// rooms: lib
/* Answers questions about placements, for the model that checks them. One command a line:
 *     place SPEC                 forgets all nodes; prints nothing
 *     node HEXNAME WEIGHT SLOT   one more
 *     build                      prints "ok" or the error's code and text
 *     mask [SLOT...]             excludes these from now on; prints nothing
 *     key HEXBYTES K             prints the pick, then the first K owners, as slots
 * "-" stands for no bytes. Slots of nobody are printed as "none". Exit 2: a line it cannot read. */
#include "fairlead/fairlead.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST  4096
#define WORDS (FL_MAX_NODES / 64)

static char spec[256];
static char names[MOST][FL_MAX_NAME + 1];
static struct fl_node nodes[MOST];
static size_t count;
static fl_placement *placement;
static uint64_t masked[WORDS];
static bool any_masked; /* if not, picks go the short way, without a mask */

static _Noreturn void bad(const char *line)
{
	fprintf(stderr, "answers: cannot read \"%s\"\n", line);
	exit(2);
}

/* Gives the number of bytes; text ends at a space, a line's end or a NUL. */
static size_t from_hex(const char *text, unsigned char *out, size_t room)
{
	size_t n = 0;
	if (*text == '-')
		return 0;
	for (unsigned byte; n < room && sscanf(text, "%2x", &byte) == 1; text += 2) {
		out[n++] = (unsigned char)byte;
		if (text[2] == ' ' || text[2] == '\0')
			break;
	}
	return n;
}

static void forget(void)
{
	fl_placement_unref(placement);
	placement = NULL;
	count = 0;
	memset(masked, 0, sizeof(masked));
	any_masked = false;
}

static void add_node(const char *line)
{
	char hex[2 * FL_MAX_NAME + 2];
	long weight;
	unsigned long slot;
	if (count == MOST || sscanf(line, "node %511s %ld %lu", hex, &weight, &slot) != 3)
		bad(line);
	size_t size = from_hex(hex, (unsigned char *)names[count], FL_MAX_NAME);
	names[count][size] = '\0';
	nodes[count] = (struct fl_node){names[count], (int32_t)weight, (uint32_t)slot, NULL};
	count++;
}

static void build(void)
{
	struct fl_error err;
	int rc = fl_placement_new(&placement, spec, nodes, count, &err);
	if (rc == FL_OK)
		puts("ok");
	else
		printf("%d %s\n", rc, err.text);
}

static void set_mask(const char *at)
{
	int used = 0;
	unsigned long slot;
	memset(masked, 0, sizeof(masked));
	any_masked = false;
	for (; sscanf(at, "%lu%n", &slot, &used) == 1 && slot < FL_MAX_NODES; at += used) {
		masked[slot / 64] |= (uint64_t)1 << (slot % 64);
		any_masked = true;
	}
}

static void put_slot(uint32_t slot, const char *before)
{
	if (slot == FL_NONE)
		printf("%snone", before);
	else
		printf("%s%lu", before, (unsigned long)slot);
}

static void answer(const char *line)
{
	static unsigned char bytes[4096];
	static uint32_t slots[FL_MAX_NODES];
	const char *last = strrchr(line, ' ');
	struct fl_mask mask = {masked, WORDS};
	unsigned long k = last ? strtoul(last, NULL, 10) : 0;
	uint32_t slot = FL_NONE;
	int found;
	if (!placement || strlen(line) < 7 || k > FL_MAX_NODES)
		bad(line);
	struct fl_key key = fl_key_bytes(bytes, from_hex(line + 4, bytes, sizeof(bytes)));
	found = fl_pick(placement, &key, any_masked ? &mask : NULL, &slot);
	if (found == FL_OK)
		found = fl_owners(placement, &key, &mask, slots, k);
	if (found < 0) {
		printf("%d\n", found);
		return;
	}
	put_slot(slot, "");
	for (int i = 0; i < found; i++)
		put_slot(slots[i], " ");
	putchar('\n');
}

int main(void)
{
	static char line[16384];
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "place ", 6) == 0) {
			forget();
			if (strlen(line + 6) >= sizeof(spec))
				bad(line);
			memcpy(spec, line + 6, strlen(line + 6) + 1);
		} else if (strncmp(line, "node ", 5) == 0)
			add_node(line);
		else if (strcmp(line, "build") == 0)
			build();
		else if (strncmp(line, "mask", 4) == 0)
			set_mask(line + 4);
		else if (strncmp(line, "key ", 4) == 0)
			answer(line);
		else
			bad(line);
	}
	forget();
	return 0;
}
