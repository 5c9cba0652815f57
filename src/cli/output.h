/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Output for people: tables and sizes; and the one place where text from files or
 * the network is made safe for a terminal. */
#include <json-glib/json-glib.h>

/* A table whose columns are as wide as their longest cell, two spaces apart. */
typedef struct _LmTable LmTable;

/** lm_table_new: returns a table without rows. @titles is NULL-terminated; a title
 * that begins with ">" marks a right-aligned column. */
LmTable *lm_table_new (const char *const *titles);
/** lm_table_add: adds a row with as many cells as there are titles; NULL is printed as "-". */
void lm_table_add (LmTable *table, const char *const *cells);
/** lm_table_free: frees @table, which may be NULL, without printing it. */
void lm_table_free (LmTable *table);
/** lm_table_print: prints @table to stdout and frees it. */
void lm_table_print (LmTable *table);

/** lm_output_json: closes the object with which the document in @builder begins and
 * prints the document to stdout. */
void lm_output_json (JsonBuilder *builder);

/** lm_output_safe: returns @text with "?" in place of everything that
 * lm_text_find_unprintable() finds or that is not UTF-8, so that it can neither
 * move the cursor of a terminal nor change how other text looks; newly allocated. */
char *lm_output_safe (const char *text);

/** lm_output_message: like lm_output_safe(), and also without credentials: a
 * message may repeat a URL that the user wrote where none is expected; newly
 * allocated. */
char *lm_output_message (const char *text);

/** lm_output_warning: prints a line "lamina: warning: ..." to stderr. */
void lm_output_warning (const char *format, ...) G_GNUC_PRINTF (1, 2);
