/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "doctor/check.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/immutable.h"
#include "source/source.h"
#include "tests/unit/lib/unlock.h"
#include "tests/unit/ops/fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A host whose /proc, /sys, /etc and /run are directories of the test. */
typedef struct
{
  OpsFixture ops;
  char *root;
  char *run, *proc, *sys, *apparmor, *hooks, *program, *config;
  LmDoctorPlaces places;
  LmDoctor doctor;
  pid_t daemon;
} Fixture;

static void
free_diagnosis (LmDiagnosis *diagnosis)
{
  g_free (diagnosis->what);
  g_free (diagnosis->command);
  g_free (diagnosis);
}

static void
write_text (const char *path, const char *text, int mode)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (dir, 0755), ==, 0);
  g_assert_true (lm_file_write (path, text, strlen (text), mode, &error));
  g_assert_no_error (error);
}

/* Writes @text to @name, a path in @dir. */
static void
write_in (const char *dir, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  write_text (path, text, 0644);
}

static void
setup (Fixture *f, gconstpointer data)
{
  fixture_setup (&f->ops, NULL);
  f->root = g_build_filename (f->ops.top, "root", NULL);
  f->run = g_build_filename (f->root, "run", NULL);
  f->proc = g_build_filename (f->root, "proc", NULL);
  f->sys = g_build_filename (f->root, "sys", NULL);
  f->apparmor = g_build_filename (f->root, "apparmor.d", NULL);
  f->hooks = g_build_filename (f->root, "hooks", NULL);
  f->program = g_build_filename (f->root, "libexec", "qemu-hook", NULL);
  f->config = g_build_filename (f->root, "lamina", "lamina.conf", NULL);
  f->places = (LmDoctorPlaces){
    .hook = { f->hooks, f->program, f->run, f->run },
    .kvm_device = "/does/not/exist",
    .proc_dir = f->proc,
    .sys_dir = f->sys,
    .apparmor_dir = f->apparmor,
    .rules_dir = "/rules",
    .config_file = f->config,
  };
  f->doctor = (LmDoctor){ .host = &f->ops.host, .places = &f->places, .virt = f->ops.virt, .check = "x" };
  f->doctor.problems = g_ptr_array_new_with_free_func (g_free);
  f->doctor.records = lm_machine_list (f->ops.state_dir, f->doctor.problems, NULL);
  f->doctor.diagnoses = g_ptr_array_new_with_free_func ((GDestroyNotify) free_diagnosis);
  write_text (f->program, "#!/bin/sh\n", 0755);
}

static void
teardown (Fixture *f, gconstpointer data)
{
  if (f->daemon != 0)
    {
      kill (f->daemon, SIGKILL);
      waitpid (f->daemon, NULL, 0);
    }
  g_unsetenv ("LAMINA_TEST_FREE");
  g_ptr_array_unref (f->doctor.problems);
  g_clear_pointer (&f->doctor.records, g_ptr_array_unref);
  g_ptr_array_unref (f->doctor.diagnoses);
  fixture_teardown (&f->ops, NULL);
  char **strings[] = { &f->root, &f->run, &f->proc, &f->sys, &f->apparmor, &f->hooks, &f->program, &f->config };
  for (gsize i = 0; i < G_N_ELEMENTS (strings); i++)
    g_free (*strings[i]);
}

/* Reads the records again, as at the beginning of an examination. */
static void
read_records (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_ptr_array_set_size (f->doctor.problems, 0);
  g_clear_pointer (&f->doctor.records, g_ptr_array_unref);
  f->doctor.records = lm_machine_list (f->ops.state_dir, f->doctor.problems, &error);
  g_assert_no_error (error);
}

/* Does the check, whose only diagnosis must have @level, @what in its text, and the
 * command @command, or none if NULL. */
static void
assert_only (Fixture *f, void (*check) (LmDoctor *doctor), LmDiagnosisLevel level, const char *what, const char *command)
{
  g_ptr_array_set_size (f->doctor.diagnoses, 0);
  check (&f->doctor);
  g_assert_cmpint (f->doctor.diagnoses->len, >, 0);
  const LmDiagnosis *diagnosis = f->doctor.diagnoses->pdata[0];
  g_test_message ("%s: %s; %s", lm_diagnosis_level_name (diagnosis->level), diagnosis->what,
                  diagnosis->command != NULL ? diagnosis->command : "-");
  g_assert_cmpint (f->doctor.diagnoses->len, ==, 1);
  g_assert_cmpint (diagnosis->level, ==, level);
  g_assert_nonnull (strstr (diagnosis->what, what));
  g_assert_cmpstr (diagnosis->command, ==, command);
}

static void
assert_good (Fixture *f, void (*check) (LmDoctor *doctor))
{
  g_ptr_array_set_size (f->doctor.diagnoses, 0);
  check (&f->doctor);
  g_assert_cmpint (f->doctor.diagnoses->len, ==, 1);
  const LmDiagnosis *diagnosis = f->doctor.diagnoses->pdata[0];
  g_assert_cmpstr (diagnosis->command, ==, NULL);
  g_assert_cmpint (diagnosis->level, ==, LM_DIAGNOSIS_OK);
}

static void
test_kvm (Fixture *f, gconstpointer data)
{
  write_in (f->proc, "cpuinfo", "processor : 0\nflags : fpu vmx sse\n");
  assert_only (f, lm_check_kvm, LM_DIAGNOSIS_WARNING, "there is no", "modprobe kvm_intel");
  write_in (f->proc, "cpuinfo", "flags\t\t: fpu svm hypervisor\n");
  assert_only (f, lm_check_kvm, LM_DIAGNOSIS_WARNING, "there is no", "modprobe kvm_amd");
  write_in (f->proc, "cpuinfo", "flags : fpu hypervisor novmx\n");
  assert_only (f, lm_check_kvm, LM_DIAGNOSIS_WARNING, "nested virtualization", NULL);
  write_in (f->proc, "cpuinfo", "flags : fpu\n");
  assert_only (f, lm_check_kvm, LM_DIAGNOSIS_WARNING, "firmware", NULL);
  f->places.virt_type = "qemu";
  assert_good (f, lm_check_kvm);
}

static void
test_libvirt (Fixture *f, gconstpointer data)
{
  assert_good (f, lm_check_libvirt);
  f->doctor.virt = NULL;
  f->doctor.scope = LM_VIRT_SCOPE_SYSTEM;
  f->doctor.virt_error = g_error_new_literal (LM_VIRT_ERROR, LM_VIRT_ERROR_CONNECT, "no socket");
  assert_only (f, lm_check_libvirt, LM_DIAGNOSIS_ERROR, "no socket", "service libvirtd start");
  write_in (f->run, "systemd/system/x", "");
  assert_only (f, lm_check_libvirt, LM_DIAGNOSIS_ERROR, "no socket", "systemctl start libvirtd");
  assert_only (f, lm_check_machines, LM_DIAGNOSIS_WARNING, "libvirt cannot be reached", NULL);
  assert_only (f, lm_check_domains, LM_DIAGNOSIS_WARNING, "libvirt cannot be reached", NULL);
  g_clear_error (&f->doctor.virt_error);
}

static void
test_state_dir (Fixture *f, gconstpointer data)
{
  g_autofree char *layers = g_build_filename (f->ops.state_dir, "layers", NULL);
  assert_good (f, lm_check_state_dir);
  g_assert_cmpint (g_mkdir_with_parents (layers, 0755), ==, 0);
  assert_good (f, lm_check_state_dir);
  g_assert_cmpint (g_chmod (layers, 0775), ==, 0);
  g_autofree char *command = g_strdup_printf ("chmod go-w %s", layers);
  assert_only (f, lm_check_state_dir, LM_DIAGNOSIS_ERROR, "writable by others", command);
  if (geteuid () == 0)
    {
      g_assert_cmpint (chown (layers, 1, 1), ==, 0);
      g_autofree char *chown = g_strdup_printf ("chown 0 %s", layers);
      assert_only (f, lm_check_state_dir, LM_DIAGNOSIS_ERROR, "belongs to user 1", chown);
    }
  g_assert_cmpint (g_rmdir (layers), ==, 0);
  write_text (layers, "", 0644);
  assert_only (f, lm_check_state_dir, LM_DIAGNOSIS_ERROR, "not a directory", NULL);
}

/* Starts a process that holds the lock of libvirtd's pid file. */
static void
start_daemon (Fixture *f)
{
  g_autofree char *path = g_build_filename (f->run, "libvirtd.pid", NULL);
  int pipe_fds[2];
  char byte;
  write_text (path, "1", 0644);
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

static void
test_apparmor (Fixture *f, gconstpointer data)
{
  assert_good (f, lm_check_apparmor); /* the test driver */
  f->doctor.scope = LM_VIRT_SCOPE_SYSTEM;
  assert_good (f, lm_check_apparmor); /* not running */
  start_daemon (f);
  assert_good (f, lm_check_apparmor); /* no AppArmor */
  g_autofree char *label = g_strdup_printf ("%d/attr/current", (int) f->daemon);
  write_in (f->proc, label, "unconfined\n");
  assert_good (f, lm_check_apparmor);
  write_in (f->proc, label, "libvirtd (enforce)\n");
  g_autofree char *command
    = g_strdup_printf ("cat /rules/apparmor/libvirtd >>%s/local/usr.sbin.libvirtd && apparmor_parser -r %s/usr.sbin.libvirtd",
                       f->apparmor, f->apparmor);
  assert_only (f, lm_check_apparmor, LM_DIAGNOSIS_WARNING, "no rule", command);
  g_autofree char *dir = g_path_get_dirname (f->program);
  g_autofree char *rule = g_strdup_printf ("  %s/* PUx,\n", dir);
  write_in (f->apparmor, "local/usr.sbin.libvirtd", rule);
  assert_good (f, lm_check_apparmor);
}

static void
test_hook (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean changed;
  assert_only (f, lm_check_hook, LM_DIAGNOSIS_WARNING, "not installed", "lamina hook install");
  g_assert_true (lm_hook_install (&f->places.hook, &changed, &error));
  g_assert_no_error (error);
  assert_good (f, lm_check_hook);
}

static void
test_space (Fixture *f, gconstpointer data)
{
  assert_good (f, lm_check_space); /* there is no cache */
  g_assert_cmpint (g_mkdir_with_parents (f->ops.state_dir, 0755), ==, 0);
  g_setenv ("LAMINA_TEST_FREE", "2000000000", TRUE);
  assert_good (f, lm_check_space);
  f->ops.host.min_free = G_GUINT64_CONSTANT (3000000000);
  assert_only (f, lm_check_space, LM_DIAGNOSIS_WARNING, "little space", "lamina cache gc");
  f->ops.host.min_free = 0;
  g_setenv ("LAMINA_TEST_FREE", "1000000000", TRUE);
  assert_only (f, lm_check_space, LM_DIAGNOSIS_WARNING, "little space", "lamina cache gc");
  g_setenv ("LAMINA_TEST_FREE", "10000", TRUE);
  assert_only (f, lm_check_space, LM_DIAGNOSIS_ERROR, "no space", "lamina cache gc");
}

static char *
layer_path (const LmMachine *machine, guint index)
{
  return g_strdup (((const LmDomainLayer *) g_ptr_array_index (machine->layers, index))->path);
}

static void
test_cache (Fixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = fixture_launch (&f->ops, "m", "c");
  g_autofree char *layer = layer_path (machine, 1);
  read_records (f);
  assert_good (f, lm_check_cache);
  assert_good (f, lm_check_images);
  if (lm_immutable_get (AT_FDCWD, layer) == LM_IMMUTABLE_YES)
    {
      unlock_file (layer);
      assert_only (f, lm_check_cache, LM_DIAGNOSIS_WARNING, "not immutable", "lamina cache verify --repair");
      f->ops.host.cache.without_flag = TRUE;
      assert_good (f, lm_check_cache);
    }
  g_assert_cmpint (g_chmod (layer, 0644), ==, 0);
  assert_only (f, lm_check_cache, LM_DIAGNOSIS_ERROR, "mode", "lamina cache verify --repair");
  if (geteuid () == 0)
    {
      g_assert_cmpint (chown (layer, 1, 1), ==, 0);
      assert_only (f, lm_check_cache, LM_DIAGNOSIS_ERROR, "another user", "lamina cache verify --repair");
      g_assert_cmpint (chown (layer, 0, 0), ==, 0);
    }
  g_assert_cmpint (truncate (layer, 10), ==, 0);
  assert_only (f, lm_check_cache, LM_DIAGNOSIS_ERROR, "truncated", "lamina cache verify --repair");
  assert_only (f, lm_check_images, LM_DIAGNOSIS_ERROR, layer, "lamina cache verify --repair");
}

static void
test_images (Fixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = fixture_launch (&f->ops, "m", "c");
  read_records (f);
  assert_good (f, lm_check_images);
  const char *parent = "0000000000000000000000000000000000000000000000000000000000000000";
  fixture_mkqcow2 ("backing-format-none", machine->overlay, parent, "1048576");
  g_autofree char *command
    = g_strdup_printf ("qemu-img rebase -u -f qcow2 -F qcow2 -b sha256-%s.qcow2 %s", parent, machine->overlay);
  assert_only (f, lm_check_images, LM_DIAGNOSIS_ERROR, "the disk of m does not give the format", command);
}

static void
test_database (Fixture *f, gconstpointer data)
{
  assert_good (f, lm_check_database);
  write_in (f->ops.state_dir, "lamina.db", "this is not a database, but long enough to be taken for one; it is longer than a header");
  g_autofree char *remove = g_strdup_printf ("rm -f %s/lamina.db*", f->ops.state_dir);
  assert_only (f, lm_check_database, LM_DIAGNOSIS_WARNING, "is damaged", remove);
  g_autofree char *path = g_build_filename (f->ops.state_dir, "lamina.db", NULL);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_autoptr (LmMachine) machine G_GNUC_UNUSED = fixture_launch (&f->ops, "m", "c");
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  assert_good (f, lm_check_database);
  write_in (f->ops.state_dir, "lamina.db.damaged", "");
  g_autofree char *command = g_strdup_printf ("rm %s/lamina.db.damaged", f->ops.state_dir);
  assert_only (f, lm_check_database, LM_DIAGNOSIS_WARNING, "damaged", command);
}

static void
test_debris (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine = fixture_launch (&f->ops, "m", "c");
  g_autofree char *temporary = lm_file_temporary_name ("record.json");
  g_autofree char *path = g_build_filename (machine->dir, temporary, NULL);
  read_records (f);
  assert_good (f, lm_check_debris);
  write_text (path, "{", 0600);
  assert_only (f, lm_check_debris, LM_DIAGNOSIS_WARNING, "1 incomplete file", "lamina cache gc");
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (flock (fd, LOCK_EX), ==, 0);
  assert_good (f, lm_check_debris); /* a process writes it */
  g_assert_cmpint (g_unlink (path), ==, 0);

  g_autoptr (LmCache) cache = lm_cache_open (f->ops.state_dir, NULL, &error);
  LmDigest digest = lm_digest_of_text ("x");
  g_autofree char *name = lm_digest_file_name (&digest, ".part");
  g_autofree char *part = g_build_filename (f->ops.state_dir, "partial", name, NULL);
  write_text (part, "part", 0600);
  assert_only (f, lm_check_debris, LM_DIAGNOSIS_WARNING, "1 incomplete file", "lamina cache gc");
  g_assert_true (lm_cache_lock_part (cache, &digest, &error));
  assert_good (f, lm_check_debris); /* a process pulls it */
  lm_cache_unlock_part (cache, &digest);
  g_assert_cmpint (g_unlink (part), ==, 0);

  g_assert_true (lm_machine_change_state (machine, LM_MACHINE_STATE_REMOVING, &error));
  g_assert_no_error (error);
  read_records (f);
  assert_only (f, lm_check_debris, LM_DIAGNOSIS_WARNING, "m was being removed", "lamina rm m");
  g_autoptr (LmLock) lock = lm_machine_lock (f->ops.state_dir, "m", 0, NULL, &error);
  g_assert_no_error (error);
  assert_good (f, lm_check_debris); /* a run works on it */
  g_assert_nonnull (lock);
}

static void
test_machines (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine = fixture_launch (&f->ops, "m", "c");
  read_records (f);
  assert_good (f, lm_check_machines);
  assert_good (f, lm_check_domains);
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (f->ops.virt, machine->uuid, &error);
  g_autofree char *xml = lm_virt_domain_xml (domain, &error);
  g_assert_true (lm_virt_domain_destroy (domain, &error));
  g_assert_true (lm_virt_domain_undefine (domain, FALSE, &error));
  assert_only (f, lm_check_machines, LM_DIAGNOSIS_WARNING, machine->uuid, "lamina rm m");
  g_assert_cmpint (g_unlink (machine->overlay), ==, 0);
  assert_only (f, lm_check_machines, LM_DIAGNOSIS_ERROR, "is missing", "lamina rm m");

  /* A domain whose machine was removed by hand; then a record that cannot be read. */
  g_autoptr (LmVirtDomain) again = lm_virt_define (f->ops.virt, xml, "m", machine->uuid, &error);
  g_assert_no_error (error);
  g_assert_nonnull (again);
  g_assert_true (lm_file_remove_tree (machine->dir, &error));
  read_records (f);
  assert_only (f, lm_check_domains, LM_DIAGNOSIS_WARNING, "the domain m has not been started yet, or", "lamina hook install");
  gboolean changed;
  g_assert_true (lm_hook_install (&f->places.hook, &changed, &error));
  assert_only (f, lm_check_domains, LM_DIAGNOSIS_WARNING, "the hook creates a new disk", NULL);
  assert_good (f, lm_check_machines);
  write_in (machine->dir, "record.json", "{");
  read_records (f);
  assert_good (f, lm_check_domains);
  assert_only (f, lm_check_machines, LM_DIAGNOSIS_ERROR, "record.json", NULL);
}

static void
test_sources (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  assert_good (f, lm_check_sources);
  g_assert_true (lm_source_add (f->ops.state_dir, "lab", f->ops.catalog, 100, warnings, NULL, NULL, &error));
  g_assert_no_error (error);
  assert_good (f, lm_check_sources);
  g_assert_cmpint (g_unlink (f->ops.catalog), ==, 0);
  assert_only (f, lm_check_sources, LM_DIAGNOSIS_WARNING, "last good copy", "lamina catalog update lab");
  f->places.offline = TRUE;
  assert_good (f, lm_check_sources);
  f->places.offline = FALSE;
  g_autofree char *copy = g_build_filename (f->ops.state_dir, "catalogs", "lab.catalog", NULL);
  g_assert_cmpint (g_unlink (copy), ==, 0);
  assert_only (f, lm_check_sources, LM_DIAGNOSIS_ERROR, "no copy", "lamina catalog update lab");
}

/* All checks say something, in the same order, and change nothing. */
static void
test_all (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) diagnoses = lm_doctor_examine (&f->ops.host, &f->places, &error);
  g_assert_no_error (error);
  g_assert_cmpint (diagnoses->len, >=, 17);
  g_assert_cmpstr (((LmDiagnosis *) diagnoses->pdata[0])->check, ==, "settings");
  g_assert_cmpstr (((LmDiagnosis *) diagnoses->pdata[diagnoses->len - 1])->check, ==, "sources");
  g_assert_false (g_file_test (f->ops.state_dir, G_FILE_TEST_EXISTS));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  f->ops.host.libvirt.cancellable = cancellable;
  g_cancellable_cancel (cancellable);
  g_assert_null (lm_doctor_examine (&f->ops.host, &f->places, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_names (void)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *const expected[] = { "a", "a and a", "a and 2 others" };
  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_ptr_array_add (names, (gpointer) "a");
      g_autofree char *text = lm_check_name_some (names);
      g_assert_cmpstr (text, ==, expected[i]);
    }
  g_autofree char *plain = lm_check_quote ("rm", "/a/b-c.d");
  g_assert_cmpstr (plain, ==, "rm /a/b-c.d");
  g_autofree char *quoted = lm_check_quote ("rm", "/a b$(c)");
  g_assert_cmpstr (quoted, ==, "rm '/a b$(c)'");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  static const struct
  {
    const char *name;
    void (*run) (Fixture *f, gconstpointer data);
  } tests[] = {
    { "/doctor/kvm", test_kvm },           { "/doctor/libvirt", test_libvirt },   { "/doctor/state-dir", test_state_dir },
    { "/doctor/apparmor", test_apparmor }, { "/doctor/hook", test_hook },         { "/doctor/space", test_space },
    { "/doctor/cache", test_cache },       { "/doctor/images", test_images },     { "/doctor/database", test_database },
    { "/doctor/debris", test_debris },     { "/doctor/machines", test_machines }, { "/doctor/sources", test_sources },
    { "/doctor/all", test_all },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, setup, tests[i].run, teardown);
  g_test_add_func ("/doctor/names", test_names);
  return g_test_run ();
}
