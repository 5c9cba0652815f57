/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The only place that starts a process. argv only, never a shell; LC_ALL=C;
 * stdin from /dev/null; no descriptor but 0-2 is inherited; the child dies
 * with lamina (PR_SET_PDEATHSIG); SIGXFSZ is ignored, so that a limit on file
 * sizes is an error to it and not its death. Each command is traced (LM_TRACE_RUN)
 * shell-quoted, ready to paste. */
#include <gio/gio.h>

typedef struct
{
  guint cpu_seconds;  /* RLIMIT_CPU; 0: none */
  guint64 memory;     /* RLIMIT_AS, bytes; 0: none */
  guint time_seconds; /* wall clock, then SIGKILL; 0: none */
  gsize output;       /* most bytes kept of stdout (more is an error); 0: 1 MiB */
} LmRunLimits;

typedef enum
{
  LM_RUN_ERROR_NOT_FOUND, /* no such program */
  LM_RUN_ERROR_STATUS,    /* it exited with a status other than 0, for no reason named below */
  LM_RUN_ERROR_SIGNAL,    /* a signal killed it, a limit perhaps */
  LM_RUN_ERROR_TIMED_OUT,
  LM_RUN_ERROR_NO_SPACE,  /* by its stderr: the file system, a quota or the limit on file sizes */
  LM_RUN_ERROR_RESOURCES, /* by its stderr: descriptors, memory or processes ran out, or an I/O error */
  LM_RUN_ERROR_OUTPUT,    /* it wrote more than the limit */
  LM_RUN_ERROR_FAILED,    /* it could not be started or watched */
} LmRunError;

#define LM_RUN_ERROR lm_run_error_quark ()
GQuark lm_run_error_quark (void);

/** lm_run: runs @argv (argv[0] looked up in PATH) to its end. @limits may be
 * NULL. *out_stdout, NUL-terminated, may be NULL. The message of an error
 * carries the last lines of its stderr. Blocks; @cancellable kills it. */
gboolean lm_run (const char *const *argv, const LmRunLimits *limits, char **out_stdout, GCancellable *cancellable,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
