/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A file that the user asked for. It appears under its name when it is complete and durable, or not at all. What a killed
 * run leaves is removed by the next one that writes the same file. */
#include <gio/gio.h>

typedef enum
{
  LM_OUTPUT_FILE_ERROR_EXISTS, /* the file exists and must not be replaced */
} LmOutputFileError;

#define LM_OUTPUT_FILE_ERROR lm_output_file_error_quark ()
GQuark lm_output_file_error_quark (void);

typedef struct _LmOutputFile LmOutputFile;

/** lm_output_file_check: whether @file could be written; to be called before any work. "-" is standard output. @replace:
 * it may exist. Errors: LM_OUTPUT_FILE_ERROR_EXISTS, G_IO_ERROR. */
gboolean lm_output_file_check (const char *file, gboolean replace, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_output_file_open: creates a file of mode 0600 under a temporary name in the directory of @file. Errors: G_IO_ERROR. */
LmOutputFile *lm_output_file_open (const char *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_output_file_free: removes the file unless it was published; NULL is ignored. */
void lm_output_file_free (LmOutputFile *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmOutputFile, lm_output_file_free)

/** lm_output_file_get_shown: returns the name for messages. Owned by @output. */
const char *lm_output_file_get_shown (const LmOutputFile *output);
/** lm_output_file_get_fd: returns the descriptor, open for reading and writing. Owned by @output. */
int lm_output_file_get_fd (const LmOutputFile *output);
/** lm_output_file_get_path: returns the path under which the file is now, for programs that open it by a path; NULL for
 * standard output. Owned by @output. */
const char *lm_output_file_get_path (const LmOutputFile *output);

/** lm_output_file_get_free: gets how many bytes can still be written where the file is. Errors: G_IO_ERROR. */
gboolean lm_output_file_get_free (const LmOutputFile *output, guint64 *out_free, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_output_file_publish: gives the file the mode that any new file has, makes it durable, and gives it its name. To be
 * called while there is no other thread. Errors: LM_OUTPUT_FILE_ERROR_EXISTS, G_IO_ERROR. */
gboolean lm_output_file_publish (LmOutputFile *output, gboolean replace, GError **error) G_GNUC_WARN_UNUSED_RESULT;
