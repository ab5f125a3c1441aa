/* What load.c tells of its options. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include "requests.h"

#include <stdbool.h>
#include <stdint.h>

struct load_options {
	struct requests_options requests;
	int connections;
	double seconds, rate; /* no rate: 0, a closed loop */
	int64_t expect;       /* bytes of a body; -1: any number */
	bool idle;            /* nothing is measured */
	bool held;            /* nor are answers waited for */
	bool gate;
};

/* Says what is wrong and exits, if anything is. */
struct load_options read_options(int argc, char **argv);

#endif
