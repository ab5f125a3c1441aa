// rooms: cli
/* An answer of a balancer that is verified; the first byte chooses where the node is looked for.
 * Invariants: the cuts do not matter; a whole answer names a node and a refused one says why. */
#include "cli/verify_answer.h"

#include "base/assert.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_all(struct fl_verify_answer *a, const char *p, size_t n, size_t step)
{
	int rc = 0;

	fl_verify_answer_start(a);
	while (rc == 0 && n > 0) {
		size_t piece = step < n ? step : n;
		char *exact = malloc(piece);

		FL_ASSERT(exact);
		memcpy(exact, p, piece);
		rc = fl_verify_answer_feed(a, exact, piece);
		free(exact);
		p += piece;
		n -= piece;
	}
	if (rc == 0)
		rc = fl_verify_answer_end(a);
	FL_ASSERT(rc == 1 ? a->node[0] != '\0' : rc == -1 && a->why[0] != '\0');
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_verify_finder finder = {.header = NULL};
	struct fl_verify_answer whole, cut;
	const char *p = (const char *)data + 1;

	if (size == 0)
		return 0;
	if (data[0] & 1)
		finder.header = "X-Node";
	if (data[0] & 2)
		FL_ASSERT(fl_verify_finder_pattern(&finder, "<([^>]*)>", NULL) == FL_OK);
	fl_verify_answer_init(&whole, &finder);
	fl_verify_answer_init(&cut, &finder);
	int rc = read_all(&whole, p, size - 1, size);
	FL_ASSERT(rc == read_all(&cut, p, size - 1, 1 + (data[0] >> 2) % 16));
	FL_ASSERT(rc < 0 || strcmp(whole.node, cut.node) == 0);
	fl_verify_answer_fini(&whole);
	fl_verify_answer_fini(&cut);
	fl_verify_finder_fini(&finder);
	return 0;
}
