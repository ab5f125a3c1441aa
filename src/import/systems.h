/* The systems whose files can be read: one row each. */
#ifndef FL_IMPORT_SYSTEMS_H
#define FL_IMPORT_SYSTEMS_H

#include "import/import.h"

struct fl_import_row {
	enum fl_import_system system;
	const char *name; /* as --as has it; NULL: the end */
	fl_import_reader *read;
	bool (*is)(struct fl_slice bytes); /* whether it looks like one of its files */
};

extern const struct fl_import_row fl_import_rows[];

/* FL_IMPORT_ANY when there is none of that name. */
enum fl_import_system fl_import_system_of(const char *name);

/* The first line that has more than blanks and a comment that begins with "#", without the blanks
 * before it; empty when there is none. */
struct fl_slice fl_import_first_line(struct fl_slice bytes);

bool fl_import_is_haproxy(struct fl_slice bytes);
bool fl_import_is_nginx(struct fl_slice bytes);
bool fl_import_is_envoy(struct fl_slice bytes);
bool fl_import_is_twemproxy(struct fl_slice bytes);

#endif
