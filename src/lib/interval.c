#include "lib/interval.h"

/* IEEE square root by Newton's method, so that the library needs no libm. */
double fl_root(double x)
{
	double r = x > 1 ? x : 1;
	if (x <= 0)
		return 0;
	for (int i = 0; i < 64; i++)
		r = 0.5 * (r + x / r);
	return r;
}

double fl_wilson_reach(double p, double n)
{
	const double z = FL_Z99, zz = z * z;
	double middle = (p + zz / (2 * n)) / (1 + zz / n);
	double half = z / (1 + zz / n) * fl_root(p * (1 - p) / n + zz / (4 * n * n));
	return half + (middle > p ? middle - p : p - middle);
}
