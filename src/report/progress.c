/* The rate is that of the last seconds, smoothed, as long runs change their pace; the remaining
 * time follows from it. */
#include "report/progress.h"

#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define QUIET  0.5 /* seconds before the first drawing */
#define PAUSE  0.1 /* between two */
#define WINDOW 1.0 /* over which a rate is measured */
#define WEIGHT 0.4 /* of the newest rate */

enum {
	PLAIN_WIDTH = 80,
	MOST_BAR = 30,
	LEAST_BAR = 6,
};

void fl_progress_wanted(FILE *out, struct fl_progress_options *options)
{
	const char *term = getenv("TERM");
	struct winsize size;
	int fd = fileno(out);

	*options = (struct fl_progress_options){0};
	options->shown = isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
	if (!options->shown)
		return;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		options->width = size.ws_col;
	(void)setlocale(LC_CTYPE, "");
	options->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void fl_progress_begin(struct fl_progress *p, FILE *out,
	const struct fl_progress_options *options, const char *what, uint64_t total, double now)
{
	*p = (struct fl_progress){.out = out,
		.options = *options,
		.what = what,
		.total = total,
		.began = now,
		.drawn = now + QUIET - PAUSE,
		.from = now};
	if (p->options.width == 0)
		p->options.width = PLAIN_WIDTH;
}

static void measure(struct fl_progress *p, double now)
{
	double passed = now - p->from;

	if (passed < WINDOW && p->rate > 0)
		return;
	double rate = passed > 0 ? (double)(p->done - p->from_done) / passed : 0;
	p->rate = p->rate > 0 ? WEIGHT * rate + (1 - WEIGHT) * p->rate : rate;
	if (passed < WINDOW)
		return; /* a first guess, from the beginning on */
	p->from = now;
	p->from_done = p->done;
}

/* 1.2M, 345k: three digits do. */
static void short_number(char *out, size_t size, double value)
{
	static const char units[] = " kMGTP";
	size_t i = 0;

	while (value >= 999.5 && i + 2 < sizeof(units)) {
		value /= 1000;
		i++;
	}
	int n = snprintf(out, size, "%.*f", value < 10 && i ? 1 : 0, value);
	if (i && n > 0 && (size_t)n + 1 < size) {
		out[n] = units[i];
		out[n + 1] = '\0';
	}
}

static void left_text(const struct fl_progress *p, char *out, size_t size)
{
	double left =
		p->rate > 0 && p->total > p->done ? (double)(p->total - p->done) / p->rate : -1;

	if (left < 0 || left > 359999)
		*out = '\0';
	else if (left < 60)
		(void)snprintf(out, size, "  %.0f s left", ceil(left));
	else if (left < 3600)
		(void)snprintf(out, size, "  %.0f min %02.0f s left", floor(left / 60),
			fmod(left, 60));
	else
		(void)snprintf(out, size, "  %.0f h %02.0f min left", floor(left / 3600),
			floor(fmod(left, 3600) / 60));
}

static void put_bar(const struct fl_progress *p, size_t width)
{
	double part = (double)p->done / (double)p->total;
	size_t full = (size_t)(part * (double)width);

	(void)putc(' ', p->out);
	for (size_t i = 0; i < width; i++)
		(void)fputs(i < full          ? p->options.utf8 ? "━" : "#"
			    : p->options.utf8 ? "─"
					      : "-",
			p->out);
}

/* One line, shorter than the terminal, whose last column would wrap. What does not fit is left
 * out: the bar first, then all but the share. */
static void draw(struct fl_progress *p)
{
	char rate[32] = "", speed[64] = "", left[64], share[16] = "", text[160];
	size_t room = p->options.width - 1;

	if (p->rate > 0) {
		short_number(rate, sizeof(rate), p->rate);
		(void)snprintf(speed, sizeof(speed), "  %s/s", rate);
	}
	left_text(p, left, sizeof(left));
	if (p->total)
		(void)snprintf(share, sizeof(share), " %3.0f %%",
			floor(100 * (double)p->done / (double)p->total));
	size_t what = strlen(p->what);
	size_t tail = strlen(share) + strlen(speed) + strlen(left);
	(void)fputs("\r", p->out);
	if (what + tail > room) {
		(void)fprintf(p->out, "%.*s\x1b[K", (int)room, *share ? share + 1 : p->what);
		return;
	}
	(void)fputs(p->what, p->out);
	size_t spare = room - what - tail;
	if (p->total && spare > LEAST_BAR)
		put_bar(p, spare - 1 > MOST_BAR ? MOST_BAR : spare - 1);
	(void)snprintf(text, sizeof(text), "%s%s%s", share, speed, left);
	(void)fprintf(p->out, "%s\x1b[K", text);
}

void fl_progress_at(struct fl_progress *p, uint64_t done, double now)
{
	p->done = p->total && done > p->total ? p->total : done;
	if (!p->options.shown || now - p->drawn < PAUSE)
		return;
	measure(p, now);
	draw(p);
	(void)fflush(p->out);
	p->drawn = now;
	p->on_screen = true;
}

void fl_progress_end(struct fl_progress *p)
{
	if (!p->on_screen)
		return;
	(void)fputs("\r\x1b[K", p->out);
	(void)fflush(p->out);
	p->on_screen = false;
}
