// The public header from C++: it compiles, links, and the inline helpers work.
#include "fairlead/fairlead.h"

#include <cstdio>
#include <string>
#include <vector>

int main()
{
	std::vector<fl_node> nodes = {{"a", 1, FL_NONE, nullptr}, {"b", 2, FL_NONE, "zone"}};
	fl_placement *p = nullptr;
	fl_error err = {};
	if (fl_placement_new(&p, "ring", nodes.data(), nodes.size(), &err) != FL_OK) {
		std::fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	std::string key = "user:42";
	fl_key bytes = fl_key_bytes(key.data(), key.size());
	fl_key hash = fl_key_hash(fl_placement_hash(p, key.data(), key.size()));
	uint32_t one = FL_NONE, two = FL_NONE;
	bool same = fl_pick(p, &bytes, nullptr, &one) == FL_OK &&
	            fl_pick(p, &hash, nullptr, &two) == FL_OK && one == two &&
	            one == fl_lookup(p, key.data(), key.size()) &&
	            fl_placement_node(p, one) != nullptr;
	fl_placement_unref(p);
	return same ? 0 : 1;
}
