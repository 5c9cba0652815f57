/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/trace.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/status.h"
#include "cli/unknown-verb.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With fewer, libraries abort the process. Most verbs need more, and say so. */
#define MIN_FILES 16

static const LmOption no_options[] = { { NULL } };

/* Opens missing standard descriptors, so that the next file opened does not become
 * standard output and receive what is printed. They are opened with the wrong
 * access mode, so that using a descriptor that was missing still fails. */
static void
open_missing_standard_fds (void)
{
  static const int flags[] = { O_WRONLY, O_RDONLY, O_RDONLY };
  for (int fd = 0; fd < (int) G_N_ELEMENTS (flags); fd++)
    if (fcntl (fd, F_GETFD) < 0 && open ("/dev/null", flags[fd]) != fd)
      _exit (LM_STATUS_FAILED);
}

static void
fill_signals (sigset_t *set)
{
  sigemptyset (set);
  sigaddset (set, SIGINT);
  sigaddset (set, SIGTERM);
  sigaddset (set, SIGHUP);
}

/* SIGINT, SIGTERM and SIGHUP cancel the operation, which then undoes what it did. A
 * second one ends lamina immediately. A thread waits for the signals, because
 * little is allowed in a signal handler. */
static gpointer
watch_signals (gpointer data)
{
  GCancellable *cancellable = data;
  sigset_t set;
  fill_signals (&set);
  int number;
  if (sigwait (&set, &number) == 0)
    {
      g_cancellable_cancel (cancellable);
      sigwait (&set, &number);
      _exit (128 + number);
    }
  return NULL;
}

static void
start_signal_thread (GCancellable *cancellable)
{
  sigset_t set;
  fill_signals (&set);
  /* Both conditions are reported as errors of write() as well. */
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  GThread *thread = g_thread_try_new ("signals", watch_signals, cancellable, NULL);
  if (thread != NULL)
    {
      g_object_ref (cancellable);
      g_thread_unref (thread);
    }
  else
    /* Without the thread a signal ends lamina immediately, like SIGKILL; the next run recovers. */
    pthread_sigmask (SIG_UNBLOCK, &set, NULL);
}

static gboolean
check_words (const LmVerb *verb, LmArgs *args, GError **error)
{
  guint n = lm_args_n_words (args);
  if (n >= verb->min_words && n <= verb->max_words)
    return TRUE;
  return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "too %s words; usage: lamina %s%s%s",
                   n < verb->min_words ? "few" : "many", verb->name, verb->synopsis ? " " : "",
                   verb->synopsis ? verb->synopsis : "");
}

static gboolean
run_verb (const LmVerb *verb, LmArgs *args, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  if (!lm_fd_check_room (MIN_FILES, error))
    return FALSE;
  g_autoptr (GPtrArray) problems = verb->reports_settings ? g_ptr_array_new_with_free_func (g_free) : NULL;
  g_autoptr (LmSettings) settings = lm_settings_load (args, warnings, problems, cancellable, error);
  for (guint i = 0; problems == NULL && i < warnings->len; i++)
    lm_output_warning ("%s", (const char *) g_ptr_array_index (warnings, i));
  if (settings == NULL)
    return FALSE;
  LmInvocation invocation = { args, settings, cancellable, problems, problems != NULL ? warnings : NULL };
  return verb->run (&invocation, error);
}

/* Earlier writes may have failed as well. */
static gboolean
flush_output (GError **error)
{
  gboolean failed = ferror (stdout);
  if (fflush (stdout) != 0)
    return lm_throw_errno (error, "cannot write to standard output");
  return !failed || lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_OUTPUT, "cannot write to standard output");
}

/* Options are allowed before the verb, and between and after its words. */
static gboolean
dispatch_verb (int argc, char **argv, GCancellable *cancellable, GError **error)
{
  const LmOption *before[] = { lm_global_options, NULL };
  g_autoptr (LmArgs) early = lm_args_new (before);
  int used;
  if (!lm_args_parse (early, argc, argv, TRUE, &used, error))
    return FALSE;
  if (lm_args_has (early, "version"))
    {
      lm_help_print_version ();
      return TRUE;
    }
  if (used >= argc)
    {
      if (!lm_args_has (early, "help"))
        return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "no verb given; \"lamina --help\" lists them");
      lm_help_print_all ();
      return TRUE;
    }

  guint name_words;
  const LmVerb *verb = lm_verb_find ((const char *const *) argv + used, &name_words);
  if (verb == NULL)
    {
      const char *next = argv[used + 1];
      if ((g_strcmp0 (next, "--help") == 0 || g_strcmp0 (next, "-h") == 0) && lm_help_print_group (argv[used]))
        return TRUE;
      return lm_unknown_verb_throw ((const char *const *) argv + used, error);
    }
  const LmOption *tables[] = { lm_global_options, verb->options ? verb->options : no_options, NULL };
  g_autoptr (LmArgs) args = lm_args_new (tables);
  int first = used + (int) name_words - 1;
  int ignored;
  /* The words for completion can be options of other verbs. */
  gboolean raw = verb == &lm_verb_complete;
  if (!lm_args_parse (args, used, argv, TRUE, &ignored, error))
    return FALSE;
  if (raw)
    for (int i = first + 1; i < argc; i++)
      lm_args_add_word (args, argv[i]);
  else if (!lm_args_parse (args, argc - first, argv + first, FALSE, NULL, error))
    return FALSE;
  if (lm_args_has (args, "version"))
    {
      lm_help_print_version ();
      return TRUE;
    }
  if (lm_args_has (args, "help"))
    {
      lm_help_print_verb (verb);
      return TRUE;
    }
  lm_trace_init (lm_args_has (args, "verbose") ? LM_TRACE_RUN : 0);
  return check_words (verb, args, error) && run_verb (verb, args, cancellable, error);
}

int
main (int argc, char **argv)
{
  open_missing_standard_fds ();
  setlocale (LC_ALL, "");
  g_set_prgname ("lamina");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  start_signal_thread (cancellable);
  g_autoptr (GError) error = NULL;
  if (dispatch_verb (argc, argv, cancellable, &error) && flush_output (&error))
    return LM_STATUS_DONE;
  gboolean cancelled = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_autofree char *safe = lm_output_message (cancelled ? "interrupted" : error->message);
  /* In a log or a pipe, the result comes first, as on a terminal. */
  (void) fflush (stdout);
  fprintf (stderr, "lamina: %s\n", safe);
  return (int) lm_status_of_error (error);
}
