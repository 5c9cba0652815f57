/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/run.h"
#include "base/file.h"
#include "tests/unit/lib/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SH(script) ((const char *const[]){ "sh", "-c", script, NULL })

static void
assert_fails (const char *const *argv, const LmRunLimits *limits, LmRunError code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL;
  g_assert_false (lm_run (argv, limits, &out, NULL, &error));
  g_assert_error (error, LM_RUN_ERROR, (int) code);
  g_assert_null (out);
  if (text != NULL && strstr (error->message, text) == NULL)
    g_error ("\"%s\" is not in \"%s\"", text, error->message);
}

static void
assert_prints (const char *const *argv, const LmRunLimits *limits, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL;
  g_assert_true (lm_run (argv, limits, &out, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (out, ==, expected);
}

static void
test_environment (void)
{
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
  assert_prints (SH ("echo $LC_ALL; cat"), NULL, "C\n");
  const char *const literal[] = { "printf", "%s|", "$HOME", "a b", "'; exit 1", NULL };
  assert_prints (literal, NULL, "$HOME|a b|'; exit 1|");

  int fd = fcntl (1, F_DUPFD, 77);
  g_assert_cmpint (fd, >=, 77);
  assert_prints (SH ("cd /proc/self/fd; for f in 3 4 5 6 77; do test ! -e /proc/$$/fd/$f || echo $f; done"), NULL, "");
  close (fd);
}

static void
test_errors (void)
{
  assert_fails (SH ("for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3"), NULL, LM_RUN_ERROR_STATUS,
                "status 3: line 3; line 4; line 5; line 6; line 7");
  assert_fails (SH ("printf 'a\\033[31mb' >&2; exit 1"), NULL, LM_RUN_ERROR_STATUS, "a?[31mb");
  assert_fails (SH ("kill -TERM $$"), NULL, LM_RUN_ERROR_SIGNAL, "signal 15");
  const char *const missing[] = { "lamina-no-such-program", NULL };
  assert_fails (missing, NULL, LM_RUN_ERROR_NOT_FOUND, "lamina-no-such-program");

  /* valgrind itself dies of a failing execve(). */
  if (g_getenv ("LAMINA_VALGRIND") != NULL)
    return;
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "not-a-program", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_file_write (path, "#!/no/such/interpreter\n", 23, 0700, &error));
  g_assert_no_error (error);
  const char *const broken[] = { path, NULL };
  assert_fails (broken, NULL, LM_RUN_ERROR_FAILED, "cannot run");
  unlink (path);
}

/* Errors because the host lacks a resource are distinguished from other errors of the program. */
static void
test_lack (void)
{
  static const struct
  {
    const char *script;
    LmRunError code;
  } cases[] = {
    { "echo 'x: y: No space left on device' >&2; exit 1", LM_RUN_ERROR_NO_SPACE },
    { "echo 'x: Disk quota exceeded' >&2; echo later >&2; exit 1", LM_RUN_ERROR_NO_SPACE },
    { "ulimit -f 1; head -c 100000 /dev/zero >\"$TMPDIR/too-large\"", LM_RUN_ERROR_NO_SPACE },
    { "echo \"qemu-img: x: The image size is too large for file format 'qcow2' (try y)\" >&2; exit 1", LM_RUN_ERROR_NO_SPACE },
    { "echo 'x: Too many open files' >&2; exit 1", LM_RUN_ERROR_RESOURCES },
    { "echo 'x: Input/output error' >&2; exit 1", LM_RUN_ERROR_RESOURCES },
    { "echo 'x: Cannot allocate memory' >&2; exit 1", LM_RUN_ERROR_RESOURCES },
    { "echo 'x: fork: Resource temporarily unavailable' >&2; exit 1", LM_RUN_ERROR_RESOURCES },
    { "echo 'x: error while loading shared libraries: y: cannot open' >&2; exit 127", LM_RUN_ERROR_RESOURCES },
    { "echo 'No space left on device: no, that is a name' >&2; exit 1", LM_RUN_ERROR_STATUS },
    { "exit 127", LM_RUN_ERROR_STATUS },
  };
  g_setenv ("TMPDIR", g_get_tmp_dir (), TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_fails (SH (cases[i].script), NULL, cases[i].code, NULL);
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "too-large", NULL);
  unlink (path);
}

/* With any number of free descriptors the program runs, or there is an error;
 * nothing is ever written to a descriptor that was open before. */
static void
test_few_descriptors (void)
{
  if (g_getenv ("LAMINA_VALGRIND") != NULL)
    return;
  enum { MOST = 16 };
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "precious", NULL);
  guint ran = 0;
  for (guint most = 4; most <= MOST; most++)
    {
      pid_t pid = fork ();
      if (pid == 0)
        {
          closefrom (3);
          int fd = open (path, O_RDWR | O_CREAT | O_TRUNC, 0600);
          struct rlimit limit = { most, most };
          g_autoptr (GError) error = NULL;
          g_autoptr (GCancellable) cancellable = g_cancellable_new ();
          gboolean ok = fd == 3 && setrlimit (RLIMIT_NOFILE, &limit) == 0 && lm_run (SH (":"), NULL, NULL, cancellable, &error);
          gboolean said = g_error_matches (error, LM_RUN_ERROR, LM_RUN_ERROR_FAILED) && strstr (error->message, "ulimit -n") != NULL;
          struct stat st;
          _exit (fstat (3, &st) < 0 || st.st_size > 0 ? 2 : ok ? 0 : said ? 1 : 3);
        }
      int status;
      g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
      g_assert_true (WIFEXITED (status));
      g_assert_cmpint (WEXITSTATUS (status), <=, 1);
      ran += WEXITSTATUS (status) == 0;
    }
  g_test_message ("ran with %u of %d limits", ran, MOST - 3);
  g_assert_cmpuint (ran, >=, 3);
  g_assert_cmpuint (ran, <, MOST - 3);
  unlink (path);
}

static void
test_limits (void)
{
  const LmRunLimits limits = { .cpu_seconds = 30, .memory = 2048ULL << 20 };
  assert_prints (SH ("ulimit -t; ulimit -v; ulimit -c"), &limits, "30\n2097152\n0\n");
  const LmRunLimits cpu = { .cpu_seconds = 1 };
  assert_fails (SH ("while :; do :; done"), &cpu, LM_RUN_ERROR_SIGNAL, "CPU");
}

static void
test_output (void)
{
  const LmRunLimits small = { .output = 10 };
  assert_prints (SH ("printf 0123456789"), &small, "0123456789");
  assert_fails (SH ("printf 0123456789a"), &small, LM_RUN_ERROR_OUTPUT, NULL);
  const char *const endless[] = { "yes", NULL };
  assert_fails (endless, NULL, LM_RUN_ERROR_OUTPUT, NULL);
  /* A full stderr must not block the program, and stdout can be larger than the buffer of a pipe. */
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL;
  g_assert_true (lm_run (SH ("head -c 300000 /dev/zero | tr '\\0' e >&2; head -c 300000 /dev/zero | tr '\\0' o"), NULL,
                         &out, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (strlen (out), ==, 300000);
}

/* Waits until the process whose PID is in the file @path has ended or is a zombie. */
static void
assert_dies (const char *path)
{
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_autofree char *status = g_strdup_printf ("/proc/%d/stat", atoi (text));
  for (int i = 0; i < 500; i++)
    {
      g_autofree char *stat = NULL;
      if (!g_file_get_contents (status, &stat, NULL, NULL) || strstr (stat, ") Z ") != NULL)
        return;
      g_usleep (10000);
    }
  g_error ("process %s is still there", text);
}

static void
test_time_kills_all (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "grandchild", NULL);
  g_autofree char *script = g_strdup_printf ("sleep 100 & echo $! > '%s'; wait", path);
  const LmRunLimits limits = { .time_seconds = 1 };
  assert_fails (SH (script), &limits, LM_RUN_ERROR_TIMED_OUT, "after 1 s");
  assert_dies (path);
  unlink (path);
}

/* A process that stays behind with stdout open does not delay lm_run() after the end of its parent. */
static void
test_left_behind (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "left", NULL);
  g_autofree char *script = g_strdup_printf ("sleep 100 & echo $! > '%s'; echo done", path);
  assert_prints (SH (script), NULL, "done\n");
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpint (kill (atoi (text), SIGKILL), ==, 0);
  assert_dies (path);
  unlink (path);
}

static void
test_cancel (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread = cancel_after (cancellable, 100);
  g_assert_false (lm_run (SH ("exec sleep 100"), NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
}

static void
test_dies_with_parent (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "child", NULL);
  g_autofree char *script = g_strdup_printf ("echo $$ > '%s.tmp'; mv '%s.tmp' '%s'; exec sleep 100", path, path, path);
  pid_t pid = fork ();
  if (pid == 0)
    {
      (void) !lm_run (SH (script), NULL, NULL, NULL, NULL);
      _exit (0);
    }
  for (int i = 0; i < 500 && !g_file_test (path, G_FILE_TEST_EXISTS); i++)
    g_usleep (10000);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  assert_dies (path);
  unlink (path);
}

/* Signals that the parent ignores, and descriptors that it lacks, do not affect the child. */
static void
test_odd_parent (void)
{
  pid_t pid = fork ();
  if (pid == 0)
    {
      for (int fd = 0; fd < 3; fd++)
        close (fd);
      g_autofree char *out = NULL;
      gboolean ok = lm_run (SH ("echo here; echo there >&2"), NULL, &out, NULL, NULL);
      _exit (ok && strcmp (out, "here\n") == 0 ? 0 : 1);
    }
  int status;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);

  signal (SIGPIPE, SIG_IGN);
  assert_fails (SH ("kill -PIPE $$"), NULL, LM_RUN_ERROR_SIGNAL, "signal 13");
  signal (SIGPIPE, SIG_DFL);
}

static gpointer
run_many (gpointer data)
{
  for (int i = 0; i < 20; i++)
    {
      g_autofree char *text = g_strdup_printf ("%d-%d", GPOINTER_TO_INT (data), i);
      const char *const argv[] = { "printf", "%s", text, NULL };
      assert_prints (argv, NULL, text);
    }
  return NULL;
}

static void
test_threads (void)
{
  GThread *threads[8];
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("run", run_many, GINT_TO_POINTER (i));
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

typedef struct
{
  GString *text;      /* the lines, each with its length */
  const char *refused; /* this line is not wanted */
  gint64 first;       /* when the first line came */
} Lines;

static gboolean
take_line (gpointer user_data, const char *line, gsize size, GError **error)
{
  Lines *lines = user_data;
  if (lines->first == 0)
    lines->first = g_get_monotonic_time ();
  g_assert_cmpuint (line[size], ==, '\0');
  g_string_append_printf (lines->text, "%" G_GSIZE_FORMAT ":%s|", size, line);
  if (g_strcmp0 (lines->refused, line) != 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "not this one");
  return FALSE;
}

static void
assert_lines (const char *script, const LmRunLimits *limits, const char *refused, const char *expected, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  Lines lines = { .text = text, .refused = refused };
  gboolean ok = lm_run_lines (SH (script), limits, take_line, &lines, NULL, error);
  g_assert_true (ok == (*error == NULL));
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_lines (void)
{
  g_autoptr (GError) error = NULL;
  assert_lines ("echo a; echo; printf 'b\\nlast'", NULL, NULL, "1:a|0:|1:b|4:last|", &error);
  g_assert_no_error (error);
  assert_lines ("true", NULL, NULL, "", &error);
  g_assert_no_error (error);
  /* What came before a failure has been passed on. */
  assert_lines ("echo a; exit 3", NULL, NULL, "1:a|", &error);
  g_assert_error (error, LM_RUN_ERROR, LM_RUN_ERROR_STATUS);
  g_clear_error (&error);
  assert_lines ("echo a; echo b; echo c; exec sleep 100", NULL, "b", "1:a|1:b|", &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

/* The limit is that of one line, not of all. */
static void
test_long_lines (void)
{
  g_autoptr (GError) error = NULL;
  const LmRunLimits limits = { .output = 1000 };
  g_autoptr (GString) text = g_string_new (NULL);
  Lines lines = { .text = text };
  g_assert_true (lm_run_lines (SH ("seq 1 20000"), &limits, take_line, &lines, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (g_str_has_suffix (text->str, "|5:19999|5:20000|"));
  assert_lines ("printf '%01000d\\n' 1 | tr 0 x | cut -c1-3; printf '%01000d\\n' 2 >/dev/null", &limits, NULL, "3:xxx|", &error);
  g_assert_no_error (error);
  assert_lines ("echo a; printf '%01001d\\n' 1; echo b", &limits, NULL, "1:a|", &error);
  g_assert_error (error, LM_RUN_ERROR, LM_RUN_ERROR_OUTPUT);
  g_clear_error (&error);
  assert_lines ("echo a; exec cat /dev/zero", &limits, NULL, "1:a|", &error);
  g_assert_error (error, LM_RUN_ERROR, LM_RUN_ERROR_OUTPUT);
}

/* A line comes while the program still runs. */
static void
test_lines_at_once (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  Lines lines = { .text = text };
  g_assert_true (lm_run_lines (SH ("echo a; sleep 1"), NULL, take_line, &lines, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_get_monotonic_time () - lines.first, >, G_USEC_PER_SEC / 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/run/environment", test_environment);
  g_test_add_func ("/run/errors", test_errors);
  g_test_add_func ("/run/lack", test_lack);
  g_test_add_func ("/run/few-descriptors", test_few_descriptors);
  g_test_add_func ("/run/limits", test_limits);
  g_test_add_func ("/run/output", test_output);
  g_test_add_func ("/run/time-kills-all", test_time_kills_all);
  g_test_add_func ("/run/left-behind", test_left_behind);
  g_test_add_func ("/run/cancel", test_cancel);
  g_test_add_func ("/run/dies-with-parent", test_dies_with_parent);
  g_test_add_func ("/run/odd-parent", test_odd_parent);
  g_test_add_func ("/run/threads", test_threads);
  g_test_add_func ("/run/lines", test_lines);
  g_test_add_func ("/run/long-lines", test_long_lines);
  g_test_add_func ("/run/lines-at-once", test_lines_at_once);
  return g_test_run ();
}
