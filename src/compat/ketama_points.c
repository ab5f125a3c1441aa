#include "compat/ketama_points.h"

#include "base/error.h"
#include "hash/digest.h"
#include "hash/mix.h"

#include <stdio.h>

size_t fl_ketama_points(
	const char *server, uint32_t digests, uint32_t slot, struct fl_point *to)
{
	char text[FL_SERVER_TEXT + 16];
	unsigned char sum[FL_MD5_SIZE];
	size_t n = 0;
	for (uint32_t i = 0; i < digests; i++) {
		int size = snprintf(text, sizeof(text), "%s-%u", server, i);
		fl_md5(text, (size_t)size, sum);
		for (unsigned word = 0; word < 4; word++)
			to[n++] = (struct fl_point){
				fl_ketama_position(fl_load32_le(sum + 4 * word)), slot};
	}
	return n;
}

uint32_t fl_ketama_digests(const struct fl_placement *p, const struct fl_node *node)
{
	float share = fl_float32((float)node->weight / (float)p->weight);
	float each = fl_float32(fl_float32(share * 160.0f) / 4.0f);
	float all = fl_float32(each * (float)p->eligible);
	return (uint32_t)fl_float32((float)((double)all + 0.0000000001));
}

int fl_ketama_check(const struct fl_placement *p, uint64_t points, struct fl_error *err)
{
	if (points <= FL_MAX_POINTS)
		return FL_OK;
	return fl_error_set(err, FL_ELIMIT, "%u servers make %llu points in %s, more than %u",
		p->eligible, (unsigned long long)points, p->algorithm->info.name,
		FL_MAX_POINTS);
}
