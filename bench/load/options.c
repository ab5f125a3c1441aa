#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CONNS 100000
#define MAX_KEYS  1000000
#define MAX_DEPTH 1024

static double number(const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= least && value <= most)) {
		fprintf(stderr, "load: \"%s\" is not a number from %.0f to %.0f\n", text, least,
			most);
		exit(2);
	}
	return value;
}

static bool key_in_query(const char *text)
{
	if (strcmp(text, "query") != 0 && strcmp(text, "header") != 0) {
		fprintf(stderr, "load: a key stands in \"query\" or \"header\"\n");
		exit(2);
	}
	return text[0] == 'q';
}

static const struct option long_options[] = {
	{"port", required_argument, NULL, 'p'},
	{"connections", required_argument, NULL, 'c'},
	{"seconds", required_argument, NULL, 's'},
	{"depth", required_argument, NULL, 'd'},
	{"rate", required_argument, NULL, 'r'},
	{"upload", required_argument, NULL, 'u'},
	{"expect", required_argument, NULL, 'e'},
	{"key", required_argument, NULL, 'k'},
	{"keys", required_argument, NULL, 'n'},
	{"fresh", no_argument, NULL, 'f'},
	{"idle", no_argument, NULL, 'i'},
	{"held", no_argument, NULL, 'h'},
	{"gate", no_argument, NULL, 'g'},
	{NULL, 0, NULL, 0},
};

static bool read_option(struct load_options *o, int option, const char *value)
{
	struct requests_options *r = &o->requests;

	switch (option) {
	case 'p':
		r->port = (int)number(value, 1, 65535);
		return true;
	case 'c':
		o->connections = (int)number(value, 1, MAX_CONNS);
		return true;
	case 's':
		o->seconds = number(value, 0, 86400);
		return true;
	case 'd':
		r->depth = (int)number(value, 1, MAX_DEPTH);
		return true;
	case 'r':
		o->rate = number(value, 1, 1e7);
		return true;
	case 'u':
		r->upload = (size_t)number(value, 1, 1 << 30);
		return true;
	case 'e':
		o->expect = (int64_t)number(value, 0, 1e15);
		return true;
	case 'k':
		r->query = key_in_query(value);
		return true;
	case 'n':
		r->keys = (int)number(value, 1, MAX_KEYS);
		return true;
	case 'f':
		r->fresh = true;
		return true;
	case 'i':
		o->idle = true;
		return true;
	case 'h':
		o->idle = o->held = true;
		return true;
	case 'g':
		o->gate = true;
		return true;
	default:
		return false;
	}
}

/* Several requests at once are for connections that live, and for closed loops. */
struct load_options read_options(int argc, char **argv)
{
	struct load_options o = {.requests = {.keys = 1000, .depth = 1},
		.connections = 64,
		.seconds = 1,
		.expect = -1};
	const struct requests_options *r = &o.requests;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		if (!read_option(&o, option, optarg))
			exit(2);
	}
	if (r->port == 0 || optind < argc ||
		(r->depth > 1 && (o.rate > 0 || r->fresh || r->upload > 0))) {
		fprintf(stderr, "usage: load --port PORT [OPTIONS]; --depth goes neither with "
				"--rate, --fresh nor --upload\n");
		exit(2);
	}
	return o;
}
