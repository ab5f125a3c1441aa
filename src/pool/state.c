/* What follows from what the operator wants and what checks say: one table, no code.
 *
 * Only `disabled` takes a node out of the build. Everything else is a mask, so that flapping
 * never churns a placement. A token (a session pinned to a node) is honoured as long as the node
 * is thought to be able to answer, drain or not. An ejected node keeps its connections: a refused
 * connect says nothing about the answers that are under way. */
#include "pool/state.h"

#include "base/assert.h"

#define ADMINS  (FL_ADMIN_DISABLED + 1)
#define HEALTHS (FL_HEALTH_EJECTED + 1)

/* clang-format off */
static const struct fl_effective table[ADMINS][HEALTHS] = {
	/*                           built  owner  counted tokens keeps */
	[FL_ADMIN_ENABLED] = {
		[FL_HEALTH_UP] =      {true,  true,  true,  true,  true},
		[FL_HEALTH_DOWN] =    {true,  false, false, false, false},
		[FL_HEALTH_EJECTED] = {true,  false, false, false, true},
	},
	[FL_ADMIN_DRAIN] = {
		[FL_HEALTH_UP] =      {true,  false, false, true,  true},
		[FL_HEALTH_DOWN] =    {true,  false, false, false, false},
		[FL_HEALTH_EJECTED] = {true,  false, false, false, true},
	},
	[FL_ADMIN_DISABLED] = {
		[FL_HEALTH_UP] =      {false, false, false, false, false},
		[FL_HEALTH_DOWN] =    {false, false, false, false, false},
		[FL_HEALTH_EJECTED] = {false, false, false, false, false},
	},
};
/* clang-format on */

struct fl_effective fl_state_effective(enum fl_admin_state admin, enum fl_health_state health)
{
	FL_ASSERT((unsigned)admin < ADMINS && (unsigned)health < HEALTHS);
	return table[admin][health];
}

const char *fl_admin_name(enum fl_admin_state admin)
{
	static const char *const names[ADMINS] = {"enabled", "drain", "disabled"};

	return (unsigned)admin < ADMINS ? names[admin] : "?";
}

const char *fl_health_name(enum fl_health_state health)
{
	static const char *const names[HEALTHS] = {"up", "down", "ejected"};

	return (unsigned)health < HEALTHS ? names[health] : "?";
}
