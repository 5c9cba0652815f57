/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Output for people: tables and sizes; and the one place where text that came
 * from a file or the network is made safe for a terminal. */
#include <json-glib/json-glib.h>

/* Columns in the width of their longest cell, two spaces apart. */
typedef struct _LmTable LmTable;

/** lm_table_new: @titles is NULL-terminated; a title that starts with ">" is
 * that of a right-aligned column. */
LmTable *lm_table_new (const char *const *titles);
/** lm_table_add: a row of as many cells as there are titles; NULL is "-". */
void lm_table_add (LmTable *table, const char *const *cells);
/** lm_table_print: prints on stdout and frees. */
void lm_table_print (LmTable *table);

/** lm_output_json: prints the document that @builder has begun as an object,
 * having ended it, on stdout. */
void lm_output_json (JsonBuilder *builder);

/** lm_output_safe: @text with "?" in place of all that lm_text_find_unprintable()
 * finds and of what is not UTF-8, so that it can neither move a terminal's cursor
 * nor change how other text looks; newly allocated. */
char *lm_output_safe (const char *text);

/** lm_output_message: @text as lm_output_safe(), and without credentials: a
 * message may repeat a URL that the user wrote where none belongs; newly allocated. */
char *lm_output_message (const char *text);

/** lm_output_warning: one line "lamina: warning: ..." on stderr. */
void lm_output_warning (const char *format, ...) G_GNUC_PRINTF (1, 2);
