/* How far a figure from a sample may be from the truth. */
#ifndef FL_LIB_INTERVAL_H
#define FL_LIB_INTERVAL_H

#define FL_Z99                                                                                 \
	2.5758293035489004 /* deviations to each side that 99 % of a normal law are within */

/* The square root, without libm and the same everywhere; 0 for what is not positive. */
double fl_root(double x);

/* How far the 99 % interval of Wilson reaches from the measured share p of n samples. */
double fl_wilson_reach(double p, double n);

#endif
