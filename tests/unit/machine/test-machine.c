/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "machine/ready.h"
#include "tests/unit/lib/faulty.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#define DIGEST "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static LmMachine *
make (const char *dir)
{
  static const char *const selections[] = { "os=debian@12", NULL };
  LmMachine *machine = lm_machine_new (dir, "web1", NULL);
  machine->uri = g_strdup ("test:///default");
  machine->state = LM_MACHINE_STATE_REPLACED;
  machine->requested = g_strdupv ((char **) selections);
  machine->resolved = g_strdupv ((char **) selections);
  machine->ready = g_strdup ("login: \"\\\n");
  machine->kernel_blob = g_new0 (LmBlob, 1);
  machine->kernel_blob->size = 9;
  machine->kernel_blob->urls = g_strsplit ("http://lab/vmlinuz?word", " ", -1);
  g_assert_true (lm_digest_parse (DIGEST, &machine->kernel_blob->digest, NULL));
  machine->initrd_blob = lm_blob_dup (machine->kernel_blob);
  machine->initrd_blob->size = 10;
  machine->files = g_strsplit ("overlay.qcow2 seed.iso", " ", -1);
  machine->disk = G_GUINT64_CONSTANT (5) << 32;
  machine->replaced_by = g_uuid_string_random ();
  machine->replaced_xml = g_strdup ("<domain/>\n");
  machine->replaced_autostart = machine->replaced_active = TRUE;
  LmDomainLayer *layer = lm_domain_layer_new ();
  layer->blob.name = g_strdup ("debian");
  layer->version = g_strdup ("12");
  layer->path = g_strdup ("/x");
  layer->blob.size = 7;
  layer->blob.urls = g_strsplit ("http://lab/x http://lab/y", " ", -1);
  g_assert_true (lm_digest_parse (DIGEST, &layer->blob.digest, NULL));
  g_ptr_array_add (machine->layers, layer);
  LmDomainPublish *publish = lm_domain_publish_new ();
  publish->port = 8080;
  publish->guest_port = 80;
  g_ptr_array_add (machine->publish, publish);
  return machine;
}

static void
test_round_trip (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lm-machine-XXXXXX", NULL);
  g_autoptr (LmMachine) machine = make (dir);
  g_assert_true (lm_machine_save (machine, &error));
  g_assert_no_error (error);
  g_autoptr (LmMachine) found = lm_machine_find (dir, "web1", "test:///default", &error);
  g_assert_no_error (error);
  g_autofree char *wrote = lm_machine_to_json (machine);
  g_autofree char *read = lm_machine_to_json (found);
  g_assert_cmpstr (wrote, ==, read);
  g_assert_cmpstr (found->overlay, ==, machine->overlay);

  g_assert_null (lm_machine_find (dir, "web1", "other:///", &error));
  g_assert_error (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (lm_machine_erase (found, &error));
  g_assert_null (lm_machine_find (dir, "web1", NULL, &error));
  g_assert_error (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND);
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* Each possible change of state is saved and read back; if saving fails, the state does not change. */
static void
test_states (void)
{
  g_autofree char *dir = g_dir_make_tmp ("lm-machine-XXXXXX", NULL);
  for (LmMachineState from = LM_MACHINE_STATE_CREATING; from <= LM_MACHINE_STATE_REMOVING; from++)
    for (LmMachineState to = LM_MACHINE_STATE_CREATING; to <= LM_MACHINE_STATE_REMOVING; to++)
      for (guint fails = 0; fails < 2 && lm_machine_state_can_become (from, to); fails++)
        {
          g_autoptr (GError) error = NULL;
          g_autoptr (LmMachine) machine = make (dir);
          machine->state = from;
          g_assert_true (lm_machine_save (machine, NULL));
          g_autofree char *before = lm_machine_to_json (machine);
          if (fails)
            g_setenv ("LAMINA_TEST_FAULT", "record-after-write=eio", TRUE);
          g_assert_true (lm_machine_change_state (machine, to, &error) == !fails);
          g_unsetenv ("LAMINA_TEST_FAULT");
          g_assert_cmpint (machine->state, ==, fails ? from : to);
          g_autoptr (LmMachine) loaded = lm_machine_load (dir, machine->uuid, NULL);
          g_autofree char *after = lm_machine_to_json (loaded);
          g_assert_cmpint (loaded->state, ==, fails ? from : to);
          g_assert_true (g_str_equal (before, after) == fails);
          g_assert_true ((loaded->replaced_xml == NULL) == (loaded->state == LM_MACHINE_STATE_COMPLETE));
        }
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* A damaged record is reported and skipped, and never causes a crash. */
static void
test_damaged (void)
{
  static const char *const damaged[] = {
    "", "{", "[]", "null", "5", "{}", "{\"lamina-record\": 2}", "{\"lamina-record\": \"1\", \"uuid\": {}}",
  };
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lm-machine-XXXXXX", NULL);
  g_autoptr (LmMachine) machine = make (dir);
  g_assert_true (lm_machine_save (machine, &error));
  g_autofree char *record = g_build_filename (machine->dir, "record.json", NULL);
  g_autofree char *good = lm_machine_to_json (machine);
  for (gsize i = 0; i < G_N_ELEMENTS (damaged); i++)
    {
      g_assert_true (lm_file_write (record, damaged[i], strlen (damaged[i]), 0644, &error));
      g_assert_null (lm_machine_load (dir, machine->uuid, &error));
      g_assert_error (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT);
      g_clear_error (&error);
      g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
      g_autoptr (GPtrArray) list = lm_machine_list (dir, warnings, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (list->len, ==, 0);
      g_assert_cmpuint (warnings->len, ==, 1);
    }
  /* Numbers that are none, or that nothing has */
  static const char *const numbers[] = { "size", "disk", "created", "port", "guest_port" };
  static const char *const wrong[] = { "-1", "-9223372036854775808", "4611686018427387904000", "1e30", "\"1\"", "null", "1.5" };
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (wrong); j++)
      {
        g_autofree char *pattern = g_strdup_printf ("\"%s\" : [0-9]+", numbers[i]);
        g_autofree char *with = g_strdup_printf ("\"%s\" : %s", numbers[i], wrong[j]);
        g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, &error);
        g_assert_no_error (error);
        g_autofree char *text = g_regex_replace_literal (regex, good, -1, 0, with, 0, NULL);
        g_assert_cmpstr (text, !=, good);
        g_assert_true (lm_file_write (record, text, strlen (text), 0644, &error));
        g_assert_null (lm_machine_load (dir, machine->uuid, &error));
        g_assert_error (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT);
        g_assert_nonnull (strstr (error->message, numbers[i]));
        g_clear_error (&error);
      }
  /* Each truncation, and a value of the wrong type for each member. */
  for (gsize size = 0; size < strlen (good) - 2; size++)
    {
      g_assert_true (g_file_set_contents (record, good, (gssize) size, NULL));
      g_autoptr (LmMachine) loaded = lm_machine_load (dir, machine->uuid, NULL);
      g_assert_null (loaded);
    }
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

static void
test_uuid_is_no_path (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (lm_machine_load ("/", "../etc", &error));
  g_assert_error (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND);
}

/* A killed run can leave a directory without a record. A disk in it may be in use,
 * however old it is. */
static void
test_sweep (void)
{
  static const char *const files[] = { NULL, "overlay.qcow2", "seed.iso", "clone.qcow2" };
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lm-machine-XXXXXX", NULL);
  g_autoptr (LmMachine) kept = make (dir);
  g_assert_true (lm_machine_save (kept, &error));
  g_assert_no_error (error);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr (LmMachine) machine = make (dir);
      g_autofree char *file = g_build_filename (machine->dir, files[i], NULL);
      g_assert_true (lm_file_make_dir (machine->dir, 0711, &error));
      g_assert_true (files[i] == NULL || lm_file_write (file, "x", 1, 0600, &error));
      struct utimbuf past = { 0, g_get_real_time () / G_USEC_PER_SEC - 2 * 24 * 3600 };
      g_assert_cmpint (utime (machine->dir, &past), ==, 0);
      lm_machine_remove_leftovers (dir);
      g_assert_true (g_file_test (file, G_FILE_TEST_EXISTS) == (i >= 1));
      g_assert_true (g_file_test (machine->dir, G_FILE_TEST_EXISTS) == (i >= 1));

      /* A disk without a record is reported; other machines are found nevertheless. */
      g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
      g_autoptr (GPtrArray) list = lm_machine_list (dir, warnings, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (list->len, ==, 1);
      g_assert_cmpuint (warnings->len, ==, i == 1);
      g_assert_null (lm_machine_find (dir, "other", NULL, &error));
      g_assert_error (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND);
      g_clear_error (&error);
      g_assert_true (lm_file_remove_tree (machine->dir, NULL));
    }
  g_assert_true (g_file_test (kept->dir, G_FILE_TEST_IS_DIR));
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

static guint
count_entries (const char *dir)
{
  g_autofree char *machines = g_build_filename (dir, "machines", NULL);
  g_autoptr (GPtrArray) names = lm_file_list_dir (machines, NULL);
  return names != NULL ? names->len : 0;
}

/* Creates a child process that saves a new machine with @fault, and waits until it has reached it. */
static pid_t
begin_to_save (const char *dir, const char *fault)
{
  pid_t child = fork ();
  if (child == 0)
    {
      g_autoptr (LmMachine) machine = make (dir);
      g_setenv ("LAMINA_TEST_FAULT", fault, TRUE);
      _exit (lm_machine_save (machine, NULL) ? 0 : 1);
    }
  int status;
  g_assert_cmpint (waitpid (child, &status, WUNTRACED), ==, child);
  return child;
}

/* The first record: what a killed run left is removed, what a process is writing
 * now is kept, and an error leaves nothing. */
static void
test_first_record (void)
{
  static const char *const points[] = { "file-write", "file-before-rename" };
  g_autofree char *dir = g_dir_make_tmp ("lm-machine-XXXXXX", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (points); i++)
    {
      g_autofree char *die = g_strconcat (points[i], "=kill", NULL);
      g_autofree char *stop = g_strconcat (points[i], "=stop", NULL);
      g_autofree char *fail = g_strconcat (points[i], "=enospc", NULL);
      begin_to_save (dir, die);
      g_assert_cmpuint (count_entries (dir), ==, 1);
      g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
      g_autoptr (GPtrArray) list = lm_machine_list (dir, warnings, NULL);
      g_assert_cmpuint (list->len + warnings->len, ==, 0);
      lm_machine_remove_leftovers (dir);
      g_assert_cmpuint (count_entries (dir), ==, 0);

      int status;
      pid_t child = begin_to_save (dir, stop);
      lm_machine_remove_leftovers (dir);
      g_assert_cmpint (kill (child, SIGCONT), ==, 0);
      g_assert_cmpint (waitpid (child, &status, 0), ==, child);
      g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
      g_autoptr (LmMachine) saved = lm_machine_find (dir, "web1", NULL, NULL);
      g_assert_nonnull (saved);
      g_assert_true (lm_machine_erase (saved, NULL));

      g_autoptr (LmMachine) machine = make (dir);
      g_setenv ("LAMINA_TEST_FAULT", fail, TRUE);
      g_assert_false (lm_machine_save (machine, NULL));
      g_unsetenv ("LAMINA_TEST_FAULT");
      g_assert_cmpuint (count_entries (dir), ==, 0);
    }
  /* Files that lamina did not create are kept, and so is their directory. */
  g_autofree char *begun = g_build_filename (dir, "machines", "00000000-0000-4000-8000-000000000000.lamina-tmp.Abc123", NULL);
  g_autofree char *other = g_build_filename (begun, "disk.qcow2", NULL);
  g_assert_true (lm_file_make_dir (begun, 0711, NULL));
  g_assert_true (lm_file_write (other, "x", 1, 0600, NULL));
  lm_machine_remove_leftovers (dir);
  g_assert_true (g_file_test (other, G_FILE_TEST_EXISTS));
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

#define CHILDREN 20
#define ROUNDS 3

/* Many processes at the same time, each of which removes leftovers of the others. */
static void
test_parallel (void)
{
  g_autofree char *dir = g_dir_make_tmp ("lm-machine-XXXXXX", NULL);
  pid_t children[CHILDREN];
  for (guint i = 0; i < CHILDREN; i++)
    {
      children[i] = fork ();
      if (children[i] != 0)
        continue;
      /* Otherwise all children would generate the same UUIDs. */
      g_random_set_seed ((guint32) getpid ());
      for (guint round = 0; round < ROUNDS; round++)
        {
          g_autoptr (LmMachine) machine = make (dir);
          g_autoptr (GError) error = NULL;
          lm_machine_remove_leftovers (dir);
          if (!lm_machine_save (machine, &error))
            {
              fprintf (stderr, "# %s\n", error->message);
              _exit (1);
            }
        }
      _exit (0);
    }
  guint failed = 0;
  for (guint i = 0; i < CHILDREN; i++)
    {
      int status;
      g_assert_cmpint (waitpid (children[i], &status, 0), ==, children[i]);
      failed += status != 0;
    }
  g_assert_cmpuint (failed, ==, 0);
  g_assert_cmpuint (count_entries (dir), ==, CHILDREN * ROUNDS);
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* If a record cannot be read, it may be that of the requested machine. */
static void
test_errors (void)
{
  g_autofree char *dir = g_dir_make_tmp ("lm-machine-XXXXXX", NULL);
  g_autoptr (LmMachine) machine = make (dir);
  g_assert_true (lm_machine_save (machine, NULL));
  for (int after = 0; after < 3; after++)
    {
      g_autoptr (GError) error = NULL;
      faulty_readdir_after = after;
      g_assert_null (lm_machine_list (dir, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      g_clear_error (&error);
      faulty_readdir_after = after;
      g_assert_null (lm_machine_find (dir, "web1", NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      faulty_readdir_after = -1;
    }
  struct rlimit before, limit;
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  guint failures = 0;
  for (limit = before, limit.rlim_cur = 3; limit.rlim_cur < 16; limit.rlim_cur++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
      g_autoptr (LmMachine) found = lm_machine_find (dir, "web1", NULL, &error);
      g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
      if (found == NULL)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
      failures += found == NULL;
    }
  g_assert_cmpuint (failures, >, 0);
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* A record that somebody else could have written is not used, whichever file or
 * directory gives that permission. */
static void
test_trust (void)
{
  g_autofree char *dir = g_dir_make_tmp ("lm-machine-XXXXXX", NULL);
  g_autoptr (LmMachine) machine = make (dir);
  g_assert_true (lm_machine_save (machine, NULL));
  g_autofree char *machines = g_build_filename (dir, "machines", NULL);
  g_autofree char *record = g_build_filename (machine->dir, "record.json", NULL);
  const char *const paths[] = { dir, machines, machine->dir, record };
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    for (int chowned = 0; chowned <= (geteuid () == 0); chowned++)
      {
        struct stat st;
        g_assert_cmpint (stat (paths[i], &st), ==, 0);
        g_assert_cmpint (chowned ? chown (paths[i], 12345, 0) : chmod (paths[i], 0777), ==, 0);
        g_autoptr (GError) error = NULL;
        g_assert_null (lm_machine_load (dir, machine->uuid, &error));
        g_assert_nonnull (strstr (error->message, "trusted"));
        g_assert_false (g_error_matches (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND));
        g_clear_error (&error);
        g_assert_null (lm_machine_find (dir, "web1", NULL, &error));
        g_assert_false (g_error_matches (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND));
        /* The lock is taken before anything else; the record of another machine
         * does not prevent that. */
        g_autoptr (LmLock) lock = lm_machine_lock (dir, "web1", 0, NULL, NULL);
        g_assert_true ((lock != NULL) == (i >= 2));
        g_assert_true (i >= 3 || !lm_machine_save (machine, NULL));
        g_assert_cmpint (chowned ? chown (paths[i], 0, 0) : chmod (paths[i], st.st_mode & 07777), ==, 0);
      }
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* URLs may contain passwords, and so may the domain XML of a machine that is being replaced. */
static void
test_private (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lm-machine-XXXXXX", NULL);
  g_autoptr (LmMachine) machine = make (dir);
  LmDomainLayer *layer = g_ptr_array_index (machine->layers, 0);
  g_strfreev (layer->blob.urls);
  layer->blob.urls = g_strsplit ("http://me:secret@lab/x?secret", " ", -1);
  g_autofree char *record = g_build_filename (machine->dir, "record.json", NULL);
  struct stat st;
  g_assert_true (lm_machine_save (machine, &error));
  g_assert_cmpint (stat (record, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0600);
  g_assert_cmpint (stat (machine->dir, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0711);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (record, &text, NULL, NULL));
  /* Not redacted, because it is needed to fetch the file again. */
  g_assert_nonnull (strstr (text, "http://me:secret@lab/x?secret"));
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* Valid for one run of the domain; a file that cannot be read counts as missing. */
static void
test_ready (void)
{
  g_autofree char *dir = g_dir_make_tmp ("machine-XXXXXX", NULL);
  g_autoptr (LmMachine) machine = make (dir);
  g_autoptr (GError) error = NULL;
  LmConsolePosition position = { 1, 2, TRUE };
  g_assert_true (lm_machine_save (machine, &error));
  lm_ready_load (machine, "boot/3", &position);
  g_assert_true (position.inode == 0 && position.offset == 0 && !position.ready);
  position = (LmConsolePosition){ G_MAXUINT64, 12345, TRUE };
  g_assert_true (lm_ready_save (machine, "boot/3", &position, &error));
  g_assert_no_error (error);
  LmConsolePosition other = { 0 };
  lm_ready_load (machine, "boot/3", &other);
  g_assert_true (other.inode == G_MAXUINT64 && other.offset == 12345 && other.ready);
  lm_ready_load (machine, "boot/4", &other);
  g_assert_true (other.inode == 0 && other.offset == 0 && !other.ready);
  const char *const bad[] = { "", "boot/3", "boot/3 1 2", "boot/3 1 2 2", "boot/3 x 2 1", "boot/3 1 -2 1", "boot/3 1 2 1 " };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_true (g_file_set_contents (machine->ready_file, bad[i], -1, NULL));
      other = (LmConsolePosition){ 1, 1, TRUE };
      lm_ready_load (machine, "boot/3", &other);
      g_assert_true (other.inode == 0 && !other.ready);
    }
  /* The log of an earlier run is renamed, and its end is known. */
  g_assert_true (g_file_set_contents (machine->console_log, "login:", -1, NULL));
  lm_ready_rotate_log (machine, &position);
  g_assert_true (position.inode != 0 && position.offset == 6 && !position.ready);
  /* The start may remove the old log, and the new one may get its inode number. */
  LmConsolePosition kept = position;
  lm_ready_check_log (machine, &kept);
  g_assert_true (kept.inode == position.inode && kept.offset == position.offset);
  g_autofree char *old = g_strconcat (machine->console_log, ".0", NULL);
  g_assert_cmpint (rename (old, machine->console_log), ==, 0);
  lm_ready_check_log (machine, &kept);
  g_assert_true (kept.inode == 0 && kept.offset == 0);
  g_assert_cmpint (unlink (machine->console_log), ==, 0);
  lm_ready_rotate_log (machine, &position);
  g_assert_true (position.inode == 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/machine/round-trip", test_round_trip);
  g_test_add_func ("/machine/states", test_states);
  g_test_add_func ("/machine/sweep", test_sweep);
  g_test_add_func ("/machine/first-record", test_first_record);
  g_test_add_func ("/machine/parallel", test_parallel);
  g_test_add_func ("/machine/errors", test_errors);
  g_test_add_func ("/machine/trust", test_trust);
  g_test_add_func ("/machine/private", test_private);
  g_test_add_func ("/machine/damaged", test_damaged);
  g_test_add_func ("/machine/uuid-is-no-path", test_uuid_is_no_path);
  g_test_add_func ("/machine/ready", test_ready);
  return g_test_run ();
}
