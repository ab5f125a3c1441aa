/* Documents made from the program's own tables, so that they cannot be wrong about it: what
 * `fairlead help TOPIC` prints, and what is installed as man page and completions. */
#ifndef FL_CLI_TOPICS_H
#define FL_CLI_TOPICS_H

#include <stdio.h>

struct fl_topic {
	const char *name;
	const char *summary;
	void (*print)(FILE *out);
};

/* All topics, in the order of the help; a row whose name is NULL at the end. */
extern const struct fl_topic fl_topics[];

/* The man page fairlead(1), in mdoc. */
void fl_man_print(FILE *out);

/* Completions: of verbs, their options, topics, algorithms, other systems' mappings. */
void fl_completion_bash(FILE *out);
void fl_completion_zsh(FILE *out);
void fl_completion_fish(FILE *out);

#endif
