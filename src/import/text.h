/* Texts of a peer's file, shown. */
#ifndef FL_IMPORT_TEXT_H
#define FL_IMPORT_TEXT_H

#include "base/text.h"

/* Appends `text` with "?" for what is not UTF-8 and for what a terminal or a line reader would act
 * on. */
void fl_import_plain(struct fl_text *out, struct fl_slice text);

#endif
