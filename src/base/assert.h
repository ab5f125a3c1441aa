/* Assertions in three grades.
 *
 * FL_ASSERT: a bug in Fairlead; always on, because going on would corrupt something.
 * FL_DEBUG_ASSERT: the same, too expensive for release builds.
 * FL_MUST: a call that cannot fail where it stands; says so, and stops if it does. */
#ifndef FL_BASE_ASSERT_H
#define FL_BASE_ASSERT_H

_Noreturn void fl_assert_failed(const char *what, const char *file, int line, const char *func);

#define FL_ASSERT(cond)                                                                        \
	do {                                                                                   \
		if (__builtin_expect(!(cond), 0))                                              \
			fl_assert_failed(#cond, __FILE__, __LINE__, __func__);                 \
	} while (0)

#define FL_MUST(call) FL_ASSERT((call) == 0)

#ifdef FAIRLEAD_DEBUG
#define FL_DEBUG_ASSERT(cond) FL_ASSERT(cond)
#else
#define FL_DEBUG_ASSERT(cond)                                                                  \
	do {                                                                                   \
		(void)sizeof(cond);                                                            \
	} while (0)
#endif

#endif
