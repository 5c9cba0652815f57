/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "ops/machine-domain.h"
#include "ops/remove.h"
#include "ops/usage.h"
#include "tests/unit/lib/cancel.h"
#include "tests/unit/lib/tools.h"
#include "tests/unit/ops/fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHER_UUID "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
#define DISK "<disk type='file'><driver name='qemu' type='qcow2'/><source file='%s'/><target dev='vda' bus='virtio'/></disk>"

static void
write_text (const char *path, const char *text)
{
  g_assert_true (lm_file_write (path, text, strlen (text), 0600, NULL));
}

/* Checks that neither rm nor --replace changes the machine, and that both messages have @what. */
static void
assert_kept (OpsFixture *f, const LmMachine *machine, GQuark domain, int code, const char *what)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) before = lm_file_list_dir (machine->dir, NULL);
  g_autofree char *xml G_GNUC_UNUSED = NULL;
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (LmLaunchRequest) request = fixture_request (f, machine->name, "e");
      request->replace = TRUE;
      if (i == 0)
        g_assert_false (lm_remove (&f->host, f->virt, machine->name, NULL, &error));
      else
        g_assert_null (lm_launch (&f->host, f->virt, request, NULL, &error));
      g_assert_error (error, domain, code);
      if (strstr (error->message, what) == NULL)
        g_error ("no \"%s\" in: %s", what, error->message);
      g_clear_error (&error);
      g_assert_true (fixture_is_running (f, machine->uuid));
      g_autoptr (GPtrArray) after = lm_file_list_dir (machine->dir, NULL);
      g_assert_cmpuint (after->len, ==, before->len);
    }
}

static void
assert_removed (OpsFixture *f, const LmMachine *machine)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_remove (&f->host, f->virt, machine->name, NULL, &error));
  g_assert_no_error (error);
  g_assert_null (lm_virt_find_uuid (f->virt, machine->uuid, NULL));
  g_assert_false (g_file_test (machine->dir, G_FILE_TEST_EXISTS));
}

static void
undefine (LmVirt *virt, const char *uuid)
{
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (virt, uuid, NULL);
  (void) !lm_virt_domain_destroy (domain, NULL);
  g_assert_true (lm_virt_domain_undefine (domain, FALSE, NULL) || lm_virt_find_uuid (virt, uuid, NULL) == NULL);
}

/* Adds all possible files to the record. */
static void
name_all_files (LmMachine *machine)
{
  static const char *const names[] = { "overlay.qcow2", "record.json", "ready", "seed.iso", "kernel", "initrd",
                                       "nvram.fd", "console.log", NULL };
  g_strfreev (machine->files);
  machine->files = g_strdupv ((char **) names);
  g_assert_true (lm_machine_save (machine, NULL));
}

/* All files of lamina, libvirt and killed runs are removed, and so is the lock. */
static void
test_own_files (OpsFixture *f, gconstpointer data)
{
  static const char *const names[] = { "seed.iso", "kernel", "initrd", "nvram.fd", "console.log", "console.log.0",
                                       "console.log.12", "overlay.qcow2.lamina-tmp.aB3xYz", "kernel.lamina-tmp.aB3xYz",
                                       "record.json.lamina-tmp.aB3xYz", "ready", "ready.lamina-tmp.aB3xYz" };
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  name_all_files (machine);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (machine->dir, names[i], NULL);
      write_text (path, "");
    }
  g_autofree char *work = g_build_filename (machine->dir, "seed.iso.lamina-tmp.aB3xYz", "content", NULL);
  g_autofree char *file = g_build_filename (work, "user-data", NULL);
  g_assert_true (lm_file_make_dir (work, 0700, NULL));
  write_text (file, "");
  assert_removed (f, machine);
  g_autofree char *lock = g_build_filename (f->state_dir, "machines", "m.lock", NULL);
  g_assert_false (g_file_test (lock, G_FILE_TEST_EXISTS));
}

static void
test_foreign_files (OpsFixture *f, gconstpointer data)
{
  static const char *const names[] = { "overlay-clone.qcow2", "overlay.qcow2.backup", "overlay.snap01", "kernel.old",
                                       "kernel.backup", "record.json.backup", "ready.before",
                                       "console.log.old", ".hidden", "seed.iso~", "notes \n" };
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  name_all_files (machine);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (machine->dir, names[i], NULL);
      g_autofree char *shown = g_strescape (names[i], NULL);
      write_text (path, "");
      assert_kept (f, machine, LM_USAGE_ERROR, LM_USAGE_ERROR_FOREIGN, shown);
      g_assert_cmpint (unlink (path), ==, 0);
    }
  assert_removed (f, machine);
}

/* Files with names of lamina's files that this machine does not have, and
 * directories with names of files or vice versa. */
static void
test_foreign_kinds (OpsFixture *f, gconstpointer data)
{
  static const struct
  {
    const char *name;
    gboolean is_dir;
    gboolean foreign; /* also if the record names all files */
  } cases[] = {
    { "seed.iso", FALSE, FALSE },       { "seed.iso", TRUE, TRUE },
    { "nvram.fd", FALSE, FALSE },       { "nvram.fd", TRUE, TRUE },
    { "kernel", FALSE, FALSE },         { "initrd", TRUE, TRUE },
    { "console.log.3", FALSE, FALSE },  { "console.log.3", TRUE, TRUE },
    { "seed.iso.lamina-tmp.aB3xYz", TRUE, FALSE }, { "seed.iso.lamina-tmp.aB3xYz", FALSE, TRUE },
    { "ready", TRUE, TRUE },            { "overlay.qcow2.lamina-tmp.aB3xYz", TRUE, TRUE },
  };
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (cases); i++)
    {
      gsize n = i % G_N_ELEMENTS (cases);
      g_autofree char *path = g_build_filename (machine->dir, cases[n].name, NULL);
      g_autofree char *content = g_build_filename (path, "content", NULL);
      if (i == G_N_ELEMENTS (cases))
        name_all_files (machine);
      if (i >= G_N_ELEMENTS (cases) && !cases[n].foreign)
        continue;
      g_assert_true (!cases[n].is_dir || lm_file_make_dir (path, 0700, NULL));
      write_text (cases[n].is_dir ? content : path, "");
      assert_kept (f, machine, LM_USAGE_ERROR, LM_USAGE_ERROR_FOREIGN, cases[n].name);
      /* Nor is it removed by functions that do not check who uses the files. */
      lm_machine_remove_temporaries (machine);
      g_assert_true (g_file_test (cases[n].is_dir ? content : path, G_FILE_TEST_EXISTS));
      g_assert_true (lm_file_remove_tree (cases[n].is_dir ? path : "/nonexistent", NULL));
      g_assert_true (cases[n].is_dir || unlink (path) == 0);
    }
  assert_removed (f, machine);
}

/* Files in the machine's directory that the domain XML refers to belong to the machine. */
static void
test_named_files (OpsFixture *f, gconstpointer data)
{
  fixture_write_template (f, "<loader readonly='yes' type='pflash'>/code.fd</loader><nvram>@NVRAM@</nvram>");
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autoptr (LmMachine) read = lm_machine_load (f->state_dir, machine->uuid, NULL);
  g_autofree char *files = g_strjoinv (" ", read->files);
  g_assert_cmpstr (files, ==, "overlay.qcow2 record.json ready nvram.fd");
  write_text (machine->nvram, "");
  assert_removed (f, machine);
}

/* Checks a domain with @devices, in which %s is replaced by @path, shut off and running. */
static void
check_use (OpsFixture *f, LmVirt *virt, const LmMachine *machine, const char *devices, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (devices, "%s", -1);
  g_autofree char *filled = g_strjoinv (path, parts);
  fixture_define (virt, "other", OTHER_UUID, filled);
  assert_kept (f, machine, LM_USAGE_ERROR, LM_USAGE_ERROR_IN_USE, "the domain other");
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (virt, OTHER_UUID, NULL);
  g_assert_true (lm_virt_domain_start (domain, NULL));
  assert_kept (f, machine, LM_USAGE_ERROR, LM_USAGE_ERROR_IN_USE, "the domain other");
  undefine (virt, OTHER_UUID);
}

static void
test_domains (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autofree char *seed = g_build_filename (machine->dir, "seed.iso", NULL);
  name_all_files (machine);
  write_text (seed, "");
  check_use (f, f->virt, machine, DISK, machine->overlay);
  check_use (f, f->virt, machine, DISK, seed);
  check_use (f, f->virt, machine, "<filesystem type='mount'><source dir='%s'/><target dir='x'/></filesystem>", machine->dir);
  check_use (f, f->virt, machine, "<serial type='file'><source path='%s'/></serial>", machine->console_log);

  /* By another path: through a symbolic link to the state directory, and a hard link. */
  g_autofree char *link_to = g_build_filename (f->top, "link", NULL);
  g_autofree char *other_name = g_build_filename (link_to, "machines", machine->uuid, "overlay.qcow2", NULL);
  g_autofree char *hard = g_build_filename (f->top, "hard", NULL);
  g_autofree char *soft = g_build_filename (f->top, "soft", NULL);
  g_assert_cmpint (symlink (f->state_dir, link_to), ==, 0);
  g_assert_cmpint (link (machine->overlay, hard), ==, 0);
  g_assert_cmpint (symlink (machine->overlay, soft), ==, 0);
  check_use (f, f->virt, machine, DISK, other_name);
  check_use (f, f->virt, machine, DISK, hard);
  check_use (f, f->virt, machine, DISK, soft);

  /* Other files, other domains, and files that cannot be reached do not count as use. */
  fixture_define (f->virt, "other", OTHER_UUID,
                  "<disk type='file'><source file='/nowhere/x'/><target dev='vda'/></disk>"
                  "<disk type='volume'><source pool='nowhere' volume='x'/><target dev='vdb'/></disk>");
  assert_removed (f, machine);
}

/* Creates the overlay @path over @backing. */
static void
make_overlay (const char *path, const char *backing)
{
  const char *argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-u", "-b", backing, path, "1M", NULL };
  g_free (tools_run (argv));
}

static void
test_backing_chains (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autoptr (LmMachine) second = fixture_launch (f, "second", "c");
  g_autofree char *one = g_build_filename (f->top, "one.qcow2", NULL);
  g_autofree char *two = g_build_filename (f->top, "two.qcow2", NULL);
  make_overlay (one, machine->overlay);
  make_overlay (two, "one.qcow2"); /* relative to its own directory */
  check_use (f, f->virt, machine, DISK, two);
  g_autofree char *json = g_strdup_printf ("json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":\"%s\"}}",
                                           machine->overlay);
  make_overlay (two, json);
  check_use (f, f->virt, machine, DISK, two);
  g_autofree char *file = g_strconcat ("file:", machine->overlay, NULL);
  make_overlay (two, file);
  check_use (f, f->virt, machine, DISK, two);

  /* Used by no domain, but in the directory of another machine. */
  g_autofree char *clone = g_build_filename (second->dir, "clone.qcow2", NULL);
  make_overlay (clone, machine->overlay);
  assert_kept (f, machine, LM_USAGE_ERROR, LM_USAGE_ERROR_IN_USE, "clone.qcow2");
  g_assert_cmpint (unlink (clone), ==, 0);

  /* A circular chain is no problem. */
  make_overlay (one, two);
  make_overlay (two, one);
  g_autofree char *devices = g_strdup_printf (DISK, two);
  fixture_define (f->virt, "other", OTHER_UUID, devices);
  assert_removed (f, machine);
}

/* Images of other formats at @disk that use the overlay by another path, which only they contain. */
static void
check_formats (OpsFixture *f, const LmMachine *machine, const char *disk)
{
  static const char *const formats[][2] = {
    { "qcow", "backing_fmt=qcow2,backing_file=" },
    { "qed", "backing_fmt=qcow2,backing_file=" },
    { "qcow2", "data_file=" },
    { "vmdk", NULL }, /* text that refers to its extent */
  };
  g_autofree char *hard = g_build_filename (f->top, "hard", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_autofree char *option = formats[i][1] != NULL ? g_strconcat (formats[i][1], hard, NULL) : NULL;
      const char *argv[] = { "qemu-img", "create", "-q", "-u", "-f", formats[i][0], "-o", option, disk, "1M", NULL };
      if (option != NULL)
        g_free (tools_run (argv));
      else
        write_text (disk, "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n"
                          "RW 64 FLAT \"hard\" 0\n");
      (void) unlink (hard);
      g_assert_cmpint (link (machine->overlay, hard), ==, 0);
      check_use (f, f->virt, machine, DISK, disk);
      g_assert_cmpint (unlink (hard), ==, 0);
    }
  /* A name in options can be one that QEMU interprets. */
  g_autofree char *options = g_strdup_printf ("json:{\"filename\":\"file:%s\"}", hard);
  g_assert_cmpint (link (machine->overlay, hard), ==, 0);
  make_overlay (disk, options);
  check_use (f, f->virt, machine, DISK, disk);
  g_assert_cmpint (unlink (hard), ==, 0);
}

/* qemu-img reads what lamina's reader refuses; if neither can read an image, it may
 * use the machine's files. */
static void
test_other_formats (OpsFixture *f, gconstpointer data)
{
  static const char damaged[][512] = { "QFI\xfb\0\0\0\2", "QFI\xfb\0\0\0\1", "QED\0\1\2\3", "KDMV\1\2\3",
                                         "# Disk DescriptorFile\n \r\n\n#\nversion=1\r\ncreateType=x" };
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autofree char *disk = g_build_filename (f->top, "disk", NULL);
  check_formats (f, machine, disk);
  g_autofree char *devices = g_strdup_printf (DISK, disk);
  fixture_define (f->virt, "other", OTHER_UUID, devices);
  for (gsize i = 0; i < G_N_ELEMENTS (damaged); i++)
    {
      g_assert_true (lm_file_write (disk, damaged[i], 512, 0600, NULL));
      assert_kept (f, machine, LM_USAGE_ERROR, LM_USAGE_ERROR_UNKNOWN, disk);
    }
  undefine (f->virt, OTHER_UUID);

  /* Data that a guest wrote to a raw disk or its console is not an image. */
  g_autoptr (LmMachine) second = fixture_launch (f, "second", "c");
  g_autofree char *raw = g_strdup_printf ("<disk type='file'><driver name='qemu' type='raw'/><source file='%s'/>"
                                          "<target dev='vda' bus='virtio'/></disk><serial type='pty'><log file='%s'/></serial>",
                                          disk, second->console_log);
  g_autofree char *old_log = g_strconcat (second->console_log, ".0", NULL);
  fixture_define (f->virt, "other", OTHER_UUID, raw);
  write_text (second->console_log, "KDMV");
  write_text (old_log, "KDMV");
  write_text (second->nvram, "KDMV");
  /* Nor is a file that lamina wrote, or text that is not a list of extents. */
  g_autofree char *half = g_strconcat (second->ready_file, ".lamina-tmp.Abc123", NULL);
  g_autofree char *notes = g_build_filename (second->dir, "notes.txt", NULL);
  write_text (second->ready_file, "KDMV");
  write_text (second->kernel, "KDMV");
  write_text (second->initrd, "KDMV");
  write_text (half, "KDMV");
  write_text (notes, "an image of version=1 and with createType=x");
  g_strfreev (second->requested);
  second->requested = g_strsplit ("createType", " ", -1);
  g_assert_true (lm_machine_save (second, NULL));
  assert_removed (f, machine);
}

/* Runs lm_remove() or a launch with --replace, and cancels it after half a second. */
static void
assert_cancelled (OpsFixture *f, const LmMachine *machine, gboolean replace)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (LmLaunchRequest) request = fixture_request (f, machine->name, "e");
  request->replace = replace;
  gint64 begin = g_get_monotonic_time ();
  GThread *thread = cancel_after (cancellable, 500);
  if (replace)
    g_assert_null (lm_launch (&f->host, f->virt, request, cancellable, &error));
  else
    g_assert_false (lm_remove (&f->host, f->virt, machine->name, cancellable, &error));
  g_thread_join (thread);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 10 * G_USEC_PER_SEC);
  g_assert_true (fixture_is_running (f, machine->uuid));
}

/* qemu-img waits for a pipe that nobody writes to; the user can cancel that. */
static void
test_cancelled (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autofree char *disk = g_build_filename (f->top, "disk", NULL);
  g_autofree char *pipe = g_build_filename (f->top, "pipe", NULL);
  g_autofree char *devices = g_strdup_printf (DISK, disk);
  write_text (disk, "version=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\nRW 64 FLAT \"pipe\" 0\n");
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  fixture_define (f->virt, "other", OTHER_UUID, devices);
  assert_cancelled (f, machine, FALSE);
  assert_cancelled (f, machine, TRUE);
}

/* The domains of connections in other records are checked as well. */
static void
test_connections (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error G_GNUC_UNUSED = NULL;
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autofree char *file = g_build_filename (f->top, "node.xml", NULL);
  g_autofree char *text = g_strdup_printf (
    "<node><domain type='test'><name>far</name><uuid>" OTHER_UUID "</uuid><memory>8192</memory>"
    "<os><type arch='i686'>hvm</type></os><devices>" DISK "</devices></domain></node>", machine->overlay);
  write_text (file, text);
  g_autoptr (LmMachine) other = lm_machine_new (f->state_dir, "other", NULL);
  other->state = LM_MACHINE_STATE_COMPLETE;
  other->uri = g_strconcat ("test://", file, NULL);
  g_assert_true (lm_machine_save (other, NULL));
  assert_kept (f, machine, LM_USAGE_ERROR, LM_USAGE_ERROR_IN_USE, "the domain far (test:///");

  /* If a connection does not answer, it may use the files ... */
  g_assert_cmpint (unlink (file), ==, 0);
  assert_kept (f, machine, LM_USAGE_ERROR, LM_USAGE_ERROR_UNKNOWN, "whether a domain uses its files: cannot connect to libvirt at test:");

  /* ... but for another host there is only a warning. */
  g_free (other->uri);
  other->uri = g_strdup ("test+tcp://127.0.0.1:1/default");
  g_assert_true (lm_machine_save (other, NULL));
  g_ptr_array_set_size (f->warnings, 0);
  assert_removed (f, machine);
  g_assert_cmpuint (f->warnings->len, ==, 1);
}

static void
test_volumes (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autofree char *file = g_build_filename (f->top, "node.xml", NULL);
  g_autofree char *text = g_strdup_printf (
    "<node><pool type='dir'><name>pool</name><target><path>%s</path></target></pool></node>", machine->dir);
  write_text (file, text);
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = g_strconcat ("test://", file, NULL);
  g_autoptr (LmVirt) virt = lm_virt_connect (uri, NULL, &error);
  g_assert_no_error (error);
  fixture_define (virt, "other", OTHER_UUID,
                  "<disk type='volume'><source pool='pool' volume='overlay.qcow2'/><target dev='vda'/></disk>");
  g_assert_false (lm_usage_check (&f->host, virt, machine, NULL, &error));
  g_assert_error (error, LM_USAGE_ERROR, LM_USAGE_ERROR_IN_USE);
}

/* A record with the UUID of a foreign domain has no effect on that domain. */
static void
test_planted_record (OpsFixture *f, gconstpointer data)
{
  static const char *const metadata[] = {
    "",
    "<metadata><lamina:machine xmlns:lamina='urn:lamina:domain:1'/></metadata>",
    "<metadata><lamina:machine xmlns:lamina='urn:lamina:domain:1'>"
    "<lamina:overlay path='/elsewhere/machines/" OTHER_UUID "/overlay.qcow2'/></lamina:machine></metadata>",
  };
  static const LmMachineState states[]
    = { LM_MACHINE_STATE_CREATING, LM_MACHINE_STATE_COMPLETE, LM_MACHINE_STATE_REPLACED };
  g_autoptr (GError) error = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (metadata); i++)
    for (guint state = 0; state < G_N_ELEMENTS (states); state++)
      {
        g_autofree char *xml = g_strdup_printf ("<domain type='test'><name>m</name><uuid>" OTHER_UUID "</uuid>%s"
                                                "<memory>8192</memory><os><type arch='i686'>hvm</type></os></domain>",
                                                metadata[i]);
        g_autoptr (LmVirtDomain) domain = lm_virt_define (f->virt, xml, "m", OTHER_UUID, &error);
        g_assert_true (lm_virt_domain_start (domain, &error));
        g_autoptr (LmMachine) planted = lm_machine_new (f->state_dir, "m", OTHER_UUID);
        planted->uri = g_strdup (FIXTURE_URI);
        planted->state = states[state];
        planted->replaced_xml = g_strdup (xml);
        g_assert_true (lm_machine_save (planted, &error));
        assert_kept (f, planted, LM_MACHINE_DOMAIN_ERROR, LM_MACHINE_DOMAIN_ERROR_FOREIGN, "metadata");
        g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "c");
        g_assert_null (lm_launch (&f->host, f->virt, request, NULL, &error));
        g_assert_error (error, LM_MACHINE_DOMAIN_ERROR, LM_MACHINE_DOMAIN_ERROR_FOREIGN);
        g_clear_error (&error);
        undefine (f->virt, OTHER_UUID);
        g_assert_true (lm_machine_erase (planted, &error));
      }
}

/* The machine may have been created with another path to the state directory. */
static void
test_other_name_of_state_dir (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autofree char *link_to = g_build_filename (f->top, "link", NULL);
  g_assert_cmpint (symlink (f->state_dir, link_to), ==, 0);
  f->host.state_dir = link_to;
  assert_removed (f, machine);
  f->host.state_dir = f->state_dir;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!tools_have ("qemu-img"))
    return 0;
#define ADD(name) g_test_add ("/remove/" #name, OpsFixture, NULL, fixture_setup, test_##name, fixture_teardown)
  ADD (own_files);
  ADD (foreign_files);
  ADD (foreign_kinds);
  ADD (named_files);
  ADD (domains);
  ADD (backing_chains);
  ADD (other_formats);
  ADD (cancelled);
  ADD (connections);
  ADD (volumes);
  ADD (planted_record);
  ADD (other_name_of_state_dir);
#undef ADD
  return g_test_run ();
}
