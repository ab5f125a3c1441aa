// The library from C++: a placement owned by a unique_ptr, errors as exceptions.
#include <fairlead/fairlead.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{
struct Unref {
	void operator()(fl_placement *p) const
	{
		fl_placement_unref(p);
	}
};
using Placement = std::unique_ptr<fl_placement, Unref>;

Placement place(const std::string &spec, const std::vector<std::string> &names)
{
	std::vector<fl_node> nodes;
	for (const std::string &name : names)
		nodes.push_back({name.c_str(), 1, FL_NONE, nullptr});
	fl_placement *p = nullptr;
	fl_error err = {};
	if (fl_placement_new(&p, spec.c_str(), nodes.data(), nodes.size(), &err) != FL_OK)
		throw std::runtime_error(err.text);
	return Placement(p);
}

std::string owner(const Placement &p, const std::string &key)
{
	uint32_t slot = fl_lookup(p.get(), key.data(), key.size());
	return slot == FL_NONE ? "" : fl_placement_node(p.get(), slot)->name;
}
} // namespace

int main()
{
	Placement p = place("table", {"app-1", "app-2", "app-3"});
	for (const char *session : {"anna", "ben", "chris"})
		std::printf("%s -> %s\n", session, owner(p, session).c_str());
	try {
		place("no-such-algorithm", {"a"});
	} catch (const std::runtime_error &e) {
		std::printf("refused: %s\n", e.what());
		return owner(p, "anna").empty() ? 1 : 0;
	}
	return 1;
}
