/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/hook.h"
#include "base/fd.h"
#include "base/file.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct
{
  char *top;
  char *dir;
  char *program;
  char *run_dir;
  char *path; /* of the installed file */
  LmHookPlaces places;
  pid_t daemon; /* 0 if none */
} Fixture;

static void
write_file (const char *path, const char *text, int mode)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (dir, 0755), ==, 0);
  g_assert_true (lm_file_write (path, text, strlen (text), mode, &error));
  g_assert_no_error (error);
}

static void
setup (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->top = g_dir_make_tmp ("lm-hook-XXXXXX", &error);
  g_assert_no_error (error);
  f->dir = g_build_filename (f->top, "hooks", NULL);
  f->program = g_build_filename (f->top, "it's a hook", NULL);
  f->run_dir = g_build_filename (f->top, "run", NULL);
  f->path = g_build_filename (f->dir, "qemu.d", "lamina", NULL);
  f->places = (LmHookPlaces){ f->dir, f->program, f->run_dir, f->run_dir };
  write_file (f->program, "#!/bin/sh\necho \"$@\"\nexit 7\n", 0755);
}

static void
stop_daemon (Fixture *f)
{
  if (f->daemon == 0)
    return;
  kill (f->daemon, SIGKILL);
  waitpid (f->daemon, NULL, 0);
  f->daemon = 0;
}

static void
teardown (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  stop_daemon (f);
  g_assert_true (lm_file_remove_tree (f->top, &error));
  g_assert_no_error (error);
  g_free (f->top);
  g_free (f->dir);
  g_free (f->program);
  g_free (f->run_dir);
  g_free (f->path);
}

/* Starts a process that holds the lock of the pid file @name, as libvirt's daemons do;
 * the file was written at @started. */
static void
start_daemon_at (Fixture *f, const char *name, struct timespec started)
{
  g_autofree char *path = g_build_filename (f->run_dir, name, NULL);
  int pipe_fds[2];
  char byte;
  write_file (path, "1", 0644);
  const struct timespec times[2] = { started, started };
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
  g_assert_cmpint (pipe (pipe_fds), ==, 0);
  f->daemon = fork ();
  if (f->daemon == 0)
    {
      const struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
      int fd = open (path, O_RDWR | O_CLOEXEC);
      /* A failed test must not leave it behind. */
      if (prctl (PR_SET_PDEATHSIG, SIGKILL) < 0 || fd < 0 || fcntl (fd, F_SETLK, &lock) < 0 || write (pipe_fds[1], "x", 1) != 1)
        _exit (1);
      for (;;)
        pause ();
    }
  lm_fd_close (pipe_fds[1]);
  g_assert_cmpint (read (pipe_fds[0], &byte, 1), ==, 1);
  lm_fd_close (pipe_fds[0]);
}

/* @seconds from now. */
static void
start_daemon (Fixture *f, const char *name, gint64 seconds)
{
  start_daemon_at (f, name, (struct timespec){ g_get_real_time () / G_USEC_PER_SEC + seconds, 0 });
}

static void
install (Fixture *f, gboolean expected)
{
  g_autoptr (GError) error = NULL;
  gboolean changed = !expected;
  g_assert_true (lm_hook_install (&f->places, &changed, &error));
  g_assert_no_error (error);
  g_assert_cmpint (changed, ==, expected);
}

/* Returns the command. */
static char *
assert_state (Fixture *f, LmVirtScope scope, LmHookState state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmHookStatus) status = lm_hook_examine (&f->places, scope, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (lm_hook_state_name (status->state), ==, lm_hook_state_name (state));
  g_assert_cmpstr (status->path, ==, f->path);
  g_assert_nonnull (status->text);
  return g_steal_pointer (&status->command);
}

static void
test_install (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean removed;
  g_autofree char *command = assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_ABSENT);
  g_assert_cmpstr (command, ==, "lamina hook install");
  install (f, TRUE);
  install (f, FALSE);
  g_assert_cmpint (access (f->path, X_OK), ==, 0);
  g_autoptr (GPtrArray) names = lm_file_list_dir (f->dir, &error);
  g_assert_no_error (error);
  g_assert_cmpint (names->len, ==, 1); /* qemu.d: nothing temporary is left */
  g_assert_true (lm_hook_remove (&f->places, &removed, &error));
  g_assert_true (removed);
  g_assert_cmpint (access (f->path, F_OK), <, 0);
  g_assert_true (lm_hook_remove (&f->places, &removed, &error));
  g_assert_false (removed);
  g_assert_no_error (error);
}

/* Runs the installed script with @shell. Returns its exit status. */
static int
run_script (const Fixture *f, const char *shell, char **out_stdout)
{
  g_autoptr (GError) error = NULL;
  const char *const argv[] = { shell, f->path, "vm", "prepare", "begin", "-", NULL };
  int status;
  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, out_stdout, NULL, &status, &error));
  g_assert_no_error (error);
  return WEXITSTATUS (status);
}

static void
test_script (Fixture *f, gconstpointer data)
{
  const char *const shells[] = { "/bin/sh", "/bin/bash" };
  install (f, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (shells); i++)
    {
      g_autofree char *output = NULL;
      write_file (f->program, "#!/bin/sh\necho \"$@\"\nexit 7\n", 0755);
      g_assert_cmpint (run_script (f, shells[i], &output), ==, 7);
      g_assert_cmpstr (output, ==, "vm prepare begin -\n");
      /* It cannot be run, as under AppArmor: other domains must start. */
      write_file (f->program, "#!/does/not/exist\n", 0755);
      g_assert_cmpint (run_script (f, shells[i], NULL), ==, 0);
      g_assert_cmpint (g_unlink (f->program), ==, 0);
      g_assert_cmpint (run_script (f, shells[i], NULL), ==, 0);
    }
}

static void
test_foreign (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean done;
  const char *const kinds[] = { "text", "link", "directory" };
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *dir = g_path_get_dirname (f->path);
      g_mkdir_with_parents (dir, 0755);
      if (i == 0)
        write_file (f->path, "#!/bin/sh\nexit 0\n", 0755);
      else if (i == 1)
        g_assert_cmpint (symlink (f->program, f->path), ==, 0);
      else
        g_assert_cmpint (g_mkdir (f->path, 0755), ==, 0);
      g_assert_false (lm_hook_install (&f->places, &done, &error));
      g_assert_error (error, LM_HOOK_ERROR, LM_HOOK_ERROR_FOREIGN);
      g_clear_error (&error);
      g_assert_false (lm_hook_remove (&f->places, &done, &error));
      g_assert_error (error, LM_HOOK_ERROR, LM_HOOK_ERROR_FOREIGN);
      g_clear_error (&error);
      g_autofree char *command = assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_FOREIGN);
      g_assert_nonnull (command);
      g_assert_cmpint (g_remove (f->path), ==, 0);
    }
}

static void
test_broken (Fixture *f, gconstpointer data)
{
  install (f, TRUE);
  g_autofree char *other = g_build_filename (f->top, "other", NULL);
  write_file (other, "#!/bin/sh\n", 0755);
  f->places.program = other;
  g_free (assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_BROKEN));
  install (f, TRUE);
  g_free (assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_STOPPED));
  g_assert_cmpint (g_unlink (other), ==, 0);
  g_free (assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_BROKEN));
  g_autoptr (GError) error = NULL;
  gboolean changed;
  g_assert_false (lm_hook_install (&f->places, &changed, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
test_daemon (Fixture *f, gconstpointer data)
{
  install (f, TRUE);
  g_free (assert_state (f, LM_VIRT_SCOPE_OTHER, LM_HOOK_UNKNOWN));
  start_daemon (f, "libvirtd.pid", 3600);
  g_assert_null (assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_ACTIVE));
  g_free (assert_state (f, LM_VIRT_SCOPE_SESSION, LM_HOOK_STOPPED));
  stop_daemon (f);
  g_free (assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_STOPPED));
  start_daemon (f, "libvirtd.pid", -3600);
  g_autofree char *service = assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_UNSEEN);
  g_assert_cmpstr (service, ==, "service libvirtd restart");
  g_autofree char *systemd = g_build_filename (f->run_dir, "systemd", "system", NULL);
  g_assert_cmpint (g_mkdir_with_parents (systemd, 0755), ==, 0);
  g_autofree char *unit = assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_UNSEEN);
  g_assert_cmpstr (unit, ==, "systemctl restart libvirtd");
  stop_daemon (f);

  /* The modular daemon, if it has a socket. */
  g_autofree char *socket = g_build_filename (f->run_dir, "libvirt", "virtqemud-sock", NULL);
  write_file (socket, "", 0600);
  start_daemon (f, "virtqemud.pid", -3600);
  g_autofree char *modular = assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_UNSEEN);
  g_assert_cmpstr (modular, ==, "systemctl restart virtqemud");
  stop_daemon (f);
  start_daemon (f, "libvirt/virtqemud.pid", -3600);
  g_autofree char *killed = assert_state (f, LM_VIRT_SCOPE_SESSION, LM_HOOK_UNSEEN);
  g_autofree char *expected = g_strdup_printf ("kill %d", (int) f->daemon);
  g_assert_cmpstr (killed, ==, expected);
}

static gint64
changed_at (const char *path, struct timespec *out_time)
{
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  *out_time = st.st_ctim;
  return (gint64) st.st_ctim.tv_sec * G_GINT64_CONSTANT (1000000000) + st.st_ctim.tv_nsec;
}

/* Starts a daemon just after @earlier was changed, and installs the hook after that. */
static void
install_after_start (Fixture *f, const char *earlier)
{
  g_autoptr (GError) error = NULL;
  struct timespec time, ignored;
  const gint64 before = changed_at (earlier, &time) + 1;
  gboolean removed;
  time.tv_nsec++;
  stop_daemon (f);
  start_daemon_at (f, "libvirtd.pid", time);
  do
    {
      g_assert_true (lm_hook_remove (&f->places, &removed, &error));
      install (f, TRUE);
    }
  while (changed_at (f->path, &ignored) <= before);
}

/* A daemon that found another hook when it started finds lamina's as well. */
static void
test_other_hook (Fixture *f, gconstpointer data)
{
  g_autofree char *single = g_build_filename (f->dir, "qemu", NULL);
  g_autofree char *other = g_build_filename (f->dir, "qemu.d", "other", NULL);
  write_file (other, "#!/bin/sh\n", 0644);
  install_after_start (f, other);
  g_free (assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_UNSEEN)); /* it is not executable */
  write_file (single, "#!/bin/sh\n", 0755);
  g_free (assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_UNSEEN)); /* it came later */
  install_after_start (f, single);
  g_assert_null (assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_ACTIVE));
  g_assert_cmpint (g_unlink (single), ==, 0);
  g_free (assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_UNSEEN));
  g_assert_cmpint (chmod (other, 0755), ==, 0);
  install_after_start (f, other);
  g_assert_null (assert_state (f, LM_VIRT_SCOPE_SYSTEM, LM_HOOK_ACTIVE));
}

static void
test_scope (void)
{
  g_assert_cmpint (lm_virt_scope_of_uri ("qemu:///system"), ==, LM_VIRT_SCOPE_SYSTEM);
  g_assert_cmpint (lm_virt_scope_of_uri ("qemu:///session"), ==, LM_VIRT_SCOPE_SESSION);
  g_assert_cmpint (lm_virt_scope_of_uri ("qemu+ssh://host/system"), ==, LM_VIRT_SCOPE_OTHER);
  g_assert_cmpint (lm_virt_scope_of_uri ("test:///default"), ==, LM_VIRT_SCOPE_OTHER);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/hook/install", Fixture, NULL, setup, test_install, teardown);
  g_test_add ("/hook/script", Fixture, NULL, setup, test_script, teardown);
  g_test_add ("/hook/foreign", Fixture, NULL, setup, test_foreign, teardown);
  g_test_add ("/hook/broken", Fixture, NULL, setup, test_broken, teardown);
  g_test_add ("/hook/daemon", Fixture, NULL, setup, test_daemon, teardown);
  g_test_add ("/hook/other-hook", Fixture, NULL, setup, test_other_hook, teardown);
  g_test_add_func ("/hook/scope", test_scope);
  return g_test_run ();
}
