/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The only place that starts a process. It takes an argv and never uses a shell;
 * sets LC_ALL=C; connects stdin to /dev/null; passes no descriptors but 0-2; makes
 * the child die with lamina (PR_SET_PDEATHSIG); and ignores SIGXFSZ, so that the
 * limit on file sizes is an error for the child instead of killing it. Each command
 * is traced (LM_TRACE_RUN), quoted for the shell. */
#include <gio/gio.h>

typedef struct
{
  guint cpu_seconds;  /* RLIMIT_CPU; 0 for no limit */
  guint64 memory;     /* RLIMIT_AS, in bytes; 0 for no limit */
  guint time_seconds; /* wall-clock time until SIGKILL; 0 for no limit */
  gsize output;       /* maximum size of stdout in bytes, or of one line of it, more is an error; 0 for 1 MiB */
} LmRunLimits;

typedef enum
{
  LM_RUN_ERROR_NOT_FOUND, /* no such program */
  LM_RUN_ERROR_STATUS,    /* it exited with a status other than 0, not because of NO_SPACE or RESOURCES */
  LM_RUN_ERROR_SIGNAL,    /* a signal killed it, perhaps because of a limit */
  LM_RUN_ERROR_TIMED_OUT,
  LM_RUN_ERROR_NO_SPACE,  /* according to its stderr: file system or quota full, or limit on file sizes */
  LM_RUN_ERROR_RESOURCES, /* according to its stderr: out of descriptors, memory or processes, or an I/O error */
  LM_RUN_ERROR_OUTPUT,    /* it wrote more than the limit to stdout */
  LM_RUN_ERROR_FAILED,    /* it could not be started or monitored */
} LmRunError;

#define LM_RUN_ERROR lm_run_error_quark ()
GQuark lm_run_error_quark (void);

/** lm_run: runs @argv (argv[0] is searched in PATH) to its end. @limits may be
 * NULL. Stores the NUL-terminated stdout in *out_stdout (which may be NULL). An
 * error message contains the last lines of stderr. Blocks; cancelling @cancellable
 * kills the process. Errors: LM_RUN_ERROR, G_IO_ERROR_CANCELLED. */
gboolean lm_run (const char *const *argv, const LmRunLimits *limits, char **out_stdout, GCancellable *cancellable,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Receives a line of stdout, @size bytes without the newline, NUL-terminated; FALSE, with
 * @error set, kills the process. */
typedef gboolean (*LmRunLineFunc) (gpointer user_data, const char *line, gsize size, GError **error);

/** lm_run_lines: like lm_run(), but passes each line of stdout to @func as soon as it is
 * there; limits->output is the maximum of one line. At the end of stdout, what follows the
 * last newline is a line too. @func may have been called before an error. Errors: also those
 * of @func. */
gboolean lm_run_lines (const char *const *argv, const LmRunLimits *limits, LmRunLineFunc func, gpointer user_data,
                       GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
