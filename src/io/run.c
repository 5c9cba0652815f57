/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/run.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-run-error-quark, lm_run_error)

#define DEFAULT_OUTPUT (1024 * 1024)
#define STDERR_KEPT 4096
#define STDERR_LINES 5
#define EXEC_FAILED 127
#define WITHOUT_FD_MS 10
/* The child keeps only the descriptors below this one: 0-2 and the pipe that reports a failed exec. */
#define FIRST_PARENT_FD 4
#define REPORT_FD 3

typedef struct
{
  const char *path;
  char *const *argv;
  char *const *envp;
  const LmRunLimits *limits;
  pid_t parent;
  int out;
  int err;
  int report;
} ChildSpec;

typedef struct
{
  pid_t pid;
  int pidfd; /* -1 if the kernel, a sandbox or valgrind does not provide one */
  int out;
  int err;
} Child;

/* How a child ended: by itself, or why lm_run() stopped it. */
typedef enum
{
  END_EXITED,
  END_TIMED_OUT,
  END_OUTPUT,
  END_CANCELLED,
  END_REFUSED, /* the receiver of its lines did not want them */
} EndReason;

/* What is done with stdout: it is kept, or if @func is set, passed on line by line. */
typedef struct
{
  GString *text; /* what has not been passed on */
  gsize most;    /* of @text */
  LmRunLineFunc func;
  gpointer user_data;
  GError *failure; /* of @func */
} Output;

/* After the end of the child, what it left in the pipe is read in so many parts at most:
 * a process that it left behind might write for ever. */
#define PARTS_AFTER_END 64

static void
set_limit (int resource, guint64 soft, guint64 hard)
{
  struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };
  /* Fails if the current limit is lower already. */
  (void) setrlimit ((__rlimit_resource_t) resource, &limit);
}

/* From here to execve() the child shares the parent's memory: only
 * async-signal-safe calls, no allocation, no writes except to its own stack. */
static int
prepare_child (const ChildSpec *spec, int *report)
{
  struct sigaction by_default = { .sa_handler = SIG_DFL };
  struct sigaction ignore = { .sa_handler = SIG_IGN };
  for (int i = 1; i < NSIG; i++)
    (void) sigaction (i, i == SIGXFSZ ? &ignore : &by_default, NULL);
  sigset_t none;
  sigemptyset (&none);
  (void) sigprocmask (SIG_SETMASK, &none, NULL);

  if (prctl (PR_SET_PDEATHSIG, SIGKILL) < 0)
    return errno;
  /* If the parent has died already, the signal would never be sent. */
  if (getppid () != spec->parent)
    return ESRCH;
  (void) setpgid (0, 0);

  if (dup2 (spec->out, 1) < 0 || dup2 (spec->err, 2) < 0 || dup3 (spec->report, REPORT_FD, O_CLOEXEC) < 0)
    return errno;
  *report = REPORT_FD;
  /* Before open(), which might otherwise find no free descriptor. */
  closefrom (FIRST_PARENT_FD);
  (void) close (0);
  if (open ("/dev/null", O_RDONLY) != 0)
    return errno;

  set_limit (RLIMIT_CORE, 0, 0);
  /* At the soft limit, SIGXCPU shows the reason; the hard limit sends an anonymous SIGKILL. */
  if (spec->limits->cpu_seconds > 0)
    set_limit (RLIMIT_CPU, spec->limits->cpu_seconds, (guint64) spec->limits->cpu_seconds + 1);
  if (spec->limits->memory > 0)
    set_limit (RLIMIT_AS, spec->limits->memory, spec->limits->memory);
  (void) execve (spec->path, spec->argv, spec->envp);
  return errno;
}

/* vfork(), so that a launch does not pay for copying the page tables of a process
 * that holds a large catalog. All signals are blocked meanwhile, so that no handler
 * of the parent runs in the child. */
static pid_t __attribute__ ((noinline))
vfork_child (const ChildSpec *spec)
{
  sigset_t all, before;
  sigfillset (&all);
  (void) pthread_sigmask (SIG_SETMASK, &all, &before);
  pid_t pid = vfork ();
  if (pid == 0)
    {
      int report = spec->report;
      int failure = prepare_child (spec, &report);
      (void) !write (report, &failure, sizeof failure);
      _exit (EXEC_FAILED);
    }
  int saved = errno;
  (void) pthread_sigmask (SIG_SETMASK, &before, NULL);
  errno = saved;
  return pid;
}

/* Creates a pipe whose ends do not collide with the descriptors that the child replaces with dup2(). */
static gboolean
make_pipe (int *out_read, int *out_write)
{
  int low[2];
  if (pipe2 (low, O_CLOEXEC) < 0)
    return FALSE;
  lm_autofd int low_read = low[0];
  lm_autofd int low_write = low[1];
  if (low_read >= FIRST_PARENT_FD && low_write >= FIRST_PARENT_FD)
    {
      *out_read = lm_fd_steal (&low_read);
      *out_write = lm_fd_steal (&low_write);
      return TRUE;
    }
  lm_autofd int high_read = fcntl (low_read, F_DUPFD_CLOEXEC, FIRST_PARENT_FD);
  int high_write = fcntl (low_write, F_DUPFD_CLOEXEC, FIRST_PARENT_FD);
  if (high_read < 0 || high_write < 0)
    return FALSE;
  *out_read = lm_fd_steal (&high_read);
  *out_write = high_write;
  return TRUE;
}

static gboolean
spawn_child (const char *const *argv, const LmRunLimits *limits, Child *child, GError **error)
{
  g_autofree char *path = g_find_program_in_path (argv[0]);
  if (path == NULL)
    return lm_throw (error, LM_RUN_ERROR, LM_RUN_ERROR_NOT_FOUND, "%s: program not found; install it or check PATH",
                     argv[0]);
  g_auto (GStrv) envp = g_environ_setenv (g_get_environ (), "LC_ALL", "C", TRUE);

  lm_autofd int out_read = -1, out_write = -1, err_read = -1, err_write = -1, report_read = -1, report_write = -1;
  if (!make_pipe (&out_read, &out_write) || !make_pipe (&err_read, &err_write)
      || !make_pipe (&report_read, &report_write) || fcntl (out_read, F_SETFL, O_NONBLOCK) < 0
      || fcntl (err_read, F_SETFL, O_NONBLOCK) < 0)
    return lm_throw (error, LM_RUN_ERROR, LM_RUN_ERROR_FAILED, "%s: cannot create a pipe: %s", argv[0],
                     lm_error_text_of_errno (errno));

  ChildSpec spec = { .path = path, .argv = (char *const *) argv, .envp = envp, .limits = limits,
                     .parent = getpid (), .out = out_write, .err = err_write, .report = report_write };
  pid_t pid = vfork_child (&spec);
  if (pid < 0)
    return lm_throw (error, LM_RUN_ERROR, LM_RUN_ERROR_FAILED, "%s: cannot start a process: %s%s", argv[0],
                     g_strerror (errno), errno == EAGAIN ? " (raise the limit: ulimit -u)" : "");
  lm_fd_clear (&report_write);

  int failure = 0;
  gsize got = 0;
  (void) !lm_fd_read_full (report_read, &failure, sizeof failure, &got, NULL);
  if (got == sizeof failure)
    {
      (void) waitpid (pid, NULL, 0);
      return lm_throw (error, LM_RUN_ERROR, LM_RUN_ERROR_FAILED, "%s: cannot run: %s", argv[0],
                       lm_error_text_of_errno (failure));
    }
  *child = (Child){ .pid = pid, .pidfd = pidfd_open (pid, 0), .out = lm_fd_steal (&out_read),
                    .err = lm_fd_steal (&err_read) };
  return TRUE;
}

/* Appends what can be read from @fd without waiting to @into; closes @fd at its end.
 * Whether it stopped because of @most. */
static gboolean
read_available (int *fd, GString *into, gsize most, gboolean keep_tail)
{
  char buffer[16 * 1024];
  while (*fd >= 0 && (keep_tail || into->len <= most))
    {
      ssize_t n = read (*fd, buffer, sizeof buffer);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        return FALSE;
      if (n <= 0)
        {
          lm_fd_clear (fd);
          return FALSE;
        }
      g_string_append_len (into, buffer, n);
      if (keep_tail && into->len > most)
        g_string_erase (into, 0, (gssize) (into->len - most));
    }
  return *fd >= 0;
}

/* Passes on the complete lines of @output, at the end of stdout also the last one without a newline. */
static EndReason
deliver_lines (Output *output, gboolean at_end)
{
  gsize done = 0;
  while (done < output->text->len)
    {
      char *line = output->text->str + done;
      char *newline = memchr (line, '\n', output->text->len - done);
      gsize size = newline != NULL ? (gsize) (newline - line) : output->text->len - done;
      if (newline == NULL && !at_end)
        break;
      if (size > output->most)
        return END_OUTPUT;
      line[size] = '\0';
      if (!output->func (output->user_data, line, size, &output->failure))
        return END_REFUSED;
      done += size + (newline != NULL ? 1 : 0);
    }
  g_string_erase (output->text, 0, (gssize) done);
  return output->text->len > output->most ? END_OUTPUT : END_EXITED;
}

/* Reads what the child has written to stdout. END_EXITED if nothing is wrong with it. */
static EndReason
read_output (Child *child, Output *output, gboolean exited)
{
  EndReason reason = END_EXITED;
  gboolean more = TRUE;
  for (guint parts = exited ? PARTS_AFTER_END : 1; more && parts > 0 && reason == END_EXITED; parts--)
    {
      more = read_available (&child->out, output->text, output->most, FALSE);
      if (output->func != NULL)
        reason = deliver_lines (output, exited && !more);
      else if (output->text->len > output->most)
        reason = END_OUTPUT;
    }
  return reason;
}

/* Returns the timeout for poll(). */
static int
poll_timeout (const Child *child, int cancel_fd, gint64 deadline)
{
  int most = child->pidfd < 0 || cancel_fd < 0 ? WITHOUT_FD_MS : -1;
  if (deadline < 0)
    return most;
  gint64 left = MAX (deadline - g_get_monotonic_time (), 0) / 1000 + 1;
  return most < 0 ? (int) MIN (left, G_MAXINT) : (int) MIN (left, most);
}

static gboolean
has_exited (const Child *child)
{
  siginfo_t info = { 0 };
  return waitid (P_PID, (id_t) child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}

static void
notify_cancelled (GCancellable *cancellable, gpointer data)
{
  (void) eventfd_write (*(int *) data, 1);
}

static EndReason
watch_child (Child *child, const LmRunLimits *limits, Output *output, GString *err, GCancellable *cancellable)
{
  gint64 deadline = limits->time_seconds > 0
                        ? g_get_monotonic_time () + (gint64) limits->time_seconds * G_USEC_PER_SEC
                        : -1;
  /* Not g_cancellable_make_pollfd(), which aborts the process when no descriptor is left. */
  lm_autofd int cancel_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  gulong connection = cancel_fd >= 0 && cancellable != NULL
                          ? g_cancellable_connect (cancellable, G_CALLBACK (notify_cancelled), &cancel_fd, NULL)
                          : 0;
  EndReason reason = END_EXITED;
  for (gboolean exited = FALSE; !exited;)
    {
      struct pollfd fds[] = { { .fd = child->out, .events = POLLIN },
                              { .fd = child->err, .events = POLLIN },
                              { .fd = child->pidfd, .events = POLLIN },
                              { .fd = cancel_fd, .events = POLLIN } };
      (void) poll (fds, G_N_ELEMENTS (fds), poll_timeout (child, cancel_fd, deadline));
      exited = has_exited (child);
      reason = read_output (child, output, exited);
      (void) read_available (&child->err, err, STDERR_KEPT, TRUE);
      if (reason != END_EXITED)
        break;
      if (!exited && g_cancellable_is_cancelled (cancellable))
        reason = END_CANCELLED;
      else if (!exited && deadline >= 0 && g_get_monotonic_time () >= deadline)
        reason = END_TIMED_OUT;
      if (reason != END_EXITED)
        break;
    }
  if (connection != 0)
    g_cancellable_disconnect (cancellable, connection);
  return reason;
}

/* Returns the last lines of stderr as one line for a message, without control characters. */
static char *
get_stderr_tail (const GString *err)
{
  g_autofree char *valid = g_utf8_make_valid (err->str, (gssize) err->len);
  g_auto (GStrv) lines = g_strsplit (g_strstrip (valid), "\n", -1);
  guint count = g_strv_length (lines);
  guint skipped = count > STDERR_LINES ? count - STDERR_LINES : 0;
  char *tail = g_strjoinv ("; ", lines + skipped);
  for (char *p = tail; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      *p = '?';
  return tail;
}

/* Recognizes, by the messages of the C locale, that the program lacked a resource
 * of this host. Its exit status does not tell that. */
static LmRunError
classify_failure (const GString *err, const char **out_hint)
{
  /* QEMU's own message for EFBIG. */
  static const char efbig[] = ": The image size is too large for file format ";
  static const int no_space[] = { ENOSPC, EDQUOT };
  static const int resources[] = { EMFILE, ENFILE, ENOMEM, EAGAIN, EIO };
  g_auto (GStrv) lines = g_strsplit (err->str, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      g_strchomp (*line);
      if (g_str_has_suffix (*line, strerrordesc_np (EFBIG)) || strstr (*line, efbig) != NULL)
        {
          *out_hint = " (raise the limit: ulimit -f)";
          return LM_RUN_ERROR_NO_SPACE;
        }
      for (gsize i = 0; i < G_N_ELEMENTS (no_space); i++)
        if (g_str_has_suffix (*line, strerrordesc_np (no_space[i])))
          return LM_RUN_ERROR_NO_SPACE;
      for (gsize i = 0; i < G_N_ELEMENTS (resources); i++)
        if (g_str_has_suffix (*line, strerrordesc_np (resources[i])))
          return LM_RUN_ERROR_RESOURCES;
      /* From ld.so(8), which opens files and maps memory too. */
      if (strstr (*line, ": error while loading shared libraries: ") != NULL)
        return LM_RUN_ERROR_RESOURCES;
    }
  return LM_RUN_ERROR_STATUS;
}

/* Whether the child succeeded; otherwise @error says how it ended. */
static gboolean
check_exit (const char *name, EndReason reason, const siginfo_t *info, const LmRunLimits *limits, const GString *err,
        GCancellable *cancellable, GError **error)
{
  if (reason == END_CANCELLED && g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (reason == END_EXITED && info->si_code == CLD_EXITED && info->si_status == 0)
    return TRUE;

  g_autofree char *tail = get_stderr_tail (err);
  const char *colon = *tail != '\0' ? ": " : "";
  if (reason == END_OUTPUT)
    return lm_throw (error, LM_RUN_ERROR, LM_RUN_ERROR_OUTPUT, "%s wrote more than allowed%s%s", name, colon, tail);
  if (reason == END_TIMED_OUT)
    return lm_throw (error, LM_RUN_ERROR, LM_RUN_ERROR_TIMED_OUT, "%s was stopped after %u s%s%s", name,
                     limits->time_seconds, colon, tail);
  if (info->si_code == CLD_EXITED)
    {
      const char *hint = "";
      int code = (int) classify_failure (err, &hint);
      return lm_throw (error, LM_RUN_ERROR, code, "%s failed with status %d%s%s%s", name, info->si_status, colon, tail,
                       hint);
    }
  return lm_throw (error, LM_RUN_ERROR, LM_RUN_ERROR_SIGNAL, "%s was killed by signal %d (%s)%s%s", name,
                   info->si_status, g_strsignal (info->si_status), colon, tail);
}

static char *
quote_argv (const char *const *argv)
{
  GString *line = g_string_new (NULL);
  for (gsize i = 0; argv[i] != NULL; i++)
    {
      static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
      g_autofree char *quoted = g_shell_quote (argv[i]);
      gboolean plain = argv[i][0] != '\0' && argv[i][strspn (argv[i], safe)] == '\0';
      g_string_append_printf (line, "%s%s", i > 0 ? " " : "", plain ? argv[i] : quoted);
    }
  return g_string_free (line, FALSE);
}

static gboolean
run_child (const char *const *argv, const LmRunLimits *limits, Output *output, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (argv != NULL && argv[0] != NULL, FALSE);
  static const LmRunLimits no_limits = { 0 };
  if (limits == NULL)
    limits = &no_limits;
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  g_autofree char *line = lm_trace_enabled (LM_TRACE_RUN) ? quote_argv (argv) : NULL;
  gint64 start = g_get_monotonic_time ();
  Child child;
  if (!spawn_child (argv, limits, &child, error))
    return FALSE;
  lm_trace (LM_TRACE_RUN, "[%d] %s", (int) child.pid, line);

  output->most = limits->output > 0 ? limits->output : DEFAULT_OUTPUT;
  g_autoptr (GString) err = g_string_new (NULL);
  EndReason reason = watch_child (&child, limits, output, err, cancellable);
  /* The child has not been reaped yet, so the process group cannot belong to another process. */
  if (reason != END_EXITED && kill (-child.pid, SIGKILL) < 0)
    (void) kill (child.pid, SIGKILL);
  siginfo_t info = { 0 };
  int waited;
  do
    waited = waitid (P_PID, (id_t) child.pid, &info, WEXITED);
  while (waited < 0 && errno == EINTR);
  int wait_errno = errno;
  lm_fd_clear (&child.out);
  lm_fd_clear (&child.err);
  lm_fd_clear (&child.pidfd);
  if (waited < 0)
    return lm_throw (error, LM_RUN_ERROR, LM_RUN_ERROR_FAILED, "%s: cannot wait for it: %s", argv[0],
                     g_strerror (wait_errno));
  lm_trace (LM_TRACE_RUN, "[%d] %s %d after %.1f ms", (int) child.pid,
            info.si_code == CLD_EXITED ? "status" : "signal", info.si_status,
            (double) (g_get_monotonic_time () - start) / 1000.0);

  if (reason == END_REFUSED)
    {
      g_propagate_error (error, g_steal_pointer (&output->failure));
      return FALSE;
    }
  return check_exit (argv[0], reason, &info, limits, err, cancellable, error);
}

gboolean
lm_run (const char *const *argv, const LmRunLimits *limits, char **out_stdout, GCancellable *cancellable,
        GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  Output output = { .text = text };
  if (!run_child (argv, limits, &output, cancellable, error))
    return FALSE;
  if (out_stdout != NULL)
    *out_stdout = g_string_free (g_steal_pointer (&text), FALSE);
  return TRUE;
}

gboolean
lm_run_lines (const char *const *argv, const LmRunLimits *limits, LmRunLineFunc func, gpointer user_data,
              GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (func != NULL, FALSE);
  g_autoptr (GString) text = g_string_new (NULL);
  Output output = { .text = text, .func = func, .user_data = user_data };
  return run_child (argv, limits, &output, cancellable, error);
}
