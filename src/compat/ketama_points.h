/* Points in the way of ketama: MD5 of "SERVER-I", whose 16 bytes are four little-endian words, each
 * a point. A position is such a word, in the upper half of ours. */
#ifndef FL_COMPAT_KETAMA_POINTS_H
#define FL_COMPAT_KETAMA_POINTS_H

#include "place/points.h"

#define FL_SERVER_TEXT (FL_MAX_NAME + 32) /* a name, a slash, a port */

static inline uint64_t fl_ketama_position(uint32_t word)
{
	return (uint64_t)word << 32;
}

/* Those of "server-0" to "server-(digests - 1)", to `to`; gives 4 * digests. */
size_t fl_ketama_points(
	const char *server, uint32_t digests, uint32_t slot, struct fl_point *to);

/* float32 arithmetic as SSE has it, also where the compiler keeps more than 24 bits. */
static inline float fl_float32(float x)
{
	volatile float rounded = x;
	return rounded;
}

/* How many digests a node has of p's eligible ones in weighted ketama, in single precision:
 * floor(f32(f32(w / W) * 160 / 4 * n + 1e-10)) for weight w of W in all and n nodes. */
uint32_t fl_ketama_digests(const struct fl_placement *p, const struct fl_node *node);

/* FL_ELIMIT with a text when there would be too many points, else FL_OK. */
int fl_ketama_check(const struct fl_placement *p, uint64_t points, struct fl_error *err);

#endif
