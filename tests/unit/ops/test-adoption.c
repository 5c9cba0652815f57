/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/ops/fixture.h"
#include "base/file.h"
#include "machine/home.h"
#include "ops/adoption.h"
#include "tests/unit/lib/tools.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UUID "5a1f9c1e-6d0f-4f5c-9f43-0e2f4f1a9b77"
#define DISK "<disk type='file'><source file='%s'/><target dev='vda' bus='virtio'/></disk>"

typedef struct
{
  OpsFixture ops;
  LmMachine *place; /* where the machine is, or will be */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  fixture_setup (&f->ops, data);
  f->ops.host.cache.without_flag = TRUE;
  f->place = lm_machine_new (f->ops.state_dir, "hand", UUID);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  lm_machine_free (f->place);
  fixture_teardown (&f->ops, data);
}

/* Starts the domain with @metadata (elements) and the disk @path, as libvirt's hook does. */
static gboolean
adopt_with (Fixture *f, const char *metadata, const char *path, GError **error)
{
  g_autofree char *xml = g_strdup_printf (
    "<domain type='qemu'><name>hand</name><uuid>" UUID "</uuid><metadata>"
    "<lamina:machine xmlns:lamina='urn:lamina:domain:1' version='1'>%s</lamina:machine></metadata>"
    "<devices>" DISK "</devices></domain>", metadata, path);
  return lm_adopt (&f->ops.host, xml, NULL, error);
}

static gboolean
adopt (Fixture *f, const char *selections, GError **error)
{
  g_auto (GStrv) words = g_strsplit (selections, " ", -1);
  g_autofree char *list = g_strjoinv ("</lamina:select><lamina:select>", words);
  g_autofree char *metadata = g_strdup_printf ("<lamina:select>%s</lamina:select>", list);
  return adopt_with (f, metadata, f->place->overlay, error);
}

static void
assert_adopted (Fixture *f, const char *selections)
{
  g_autoptr (GError) error = NULL;
  gboolean adopted = adopt (f, selections, &error);
  g_assert_no_error (error);
  g_assert_true (adopted);
}

static void
assert_refused (Fixture *f, const char *selections, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (adopt (f, selections, &error));
  g_test_message ("%s", error->message);
  g_assert_true (error->domain == LM_ADOPTION_ERROR || error->domain == LM_HOME_ERROR);
  g_assert_nonnull (strstr (error->message, message));
}

static LmMachine *
load (const Fixture *f)
{
  g_autoptr (GError) error = NULL;
  LmMachine *machine = lm_machine_load (f->ops.state_dir, UUID, &error);
  g_assert_no_error (error);
  return machine;
}

static void
assert_no_record (const Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (lm_machine_load (f->ops.state_dir, UUID, &error));
  g_assert_error (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND);
}

/* Makes the machine's overlay over @backing, NULL for none. */
static void
make_overlay (const Fixture *f, const char *backing)
{
  const char *over[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-u", "-b", backing, f->place->overlay, "1M", NULL };
  const char *alone[] = { "qemu-img", "create", "-q", "-f", "qcow2", f->place->overlay, "1M", NULL };
  g_free (tools_run (backing != NULL ? over : alone));
}

static GBytes *
read_overlay (const Fixture *f)
{
  g_autoptr (GError) error = NULL;
  GBytes *bytes = lm_file_read (f->place->overlay, 1 << 30, NULL, &error);
  g_assert_no_error (error);
  return bytes;
}

/* A domain written by hand becomes a machine; its disk is made once. */
static void
test_new (Fixture *f, gconstpointer data)
{
  assert_adopted (f, "a c");
  g_autoptr (LmMachine) machine = load (f);
  g_assert_cmpstr (machine->name, ==, "hand");
  g_assert_cmpint (machine->state, ==, LM_MACHINE_STATE_COMPLETE);
  g_assert_cmpuint (machine->layers->len, ==, 2);
  g_assert_cmpint (truncate (machine->overlay, 1 << 20), ==, 0);
  g_autoptr (GBytes) before = read_overlay (f);
  assert_adopted (f, "a c");
  g_autoptr (GBytes) after = read_overlay (f);
  g_assert_true (g_bytes_equal (before, after));
}

/* What contradicts itself, or the machine that is there, does not start. */
static void
test_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (adopt_with (f, "", f->place->overlay, &error));
  g_assert_error (error, LM_ADOPTION_ERROR, LM_ADOPTION_ERROR_REFUSED);
  g_assert_nonnull (strstr (error->message, "no <lamina:select>"));
  g_clear_error (&error);
  g_assert_false (adopt_with (f, "<lamina:select>a</lamina:select>", "/elsewhere/disk.qcow2", &error));
  g_assert_error (error, LM_HOME_ERROR, LM_HOME_ERROR_FOREIGN);
  assert_no_record (f);
  assert_adopted (f, "a c");
  assert_refused (f, "a e", "selects other layers");
  g_autoptr (LmMachine) machine = load (f);
  g_assert_true (lm_machine_change_state (machine, LM_MACHINE_STATE_REMOVING, NULL));
  assert_refused (f, "a c", "is being removed");
}

/* As long as there is no disk, the metadata can be corrected. */
static void
test_corrected (Fixture *f, gconstpointer data)
{
  assert_adopted (f, "a c");
  g_assert_cmpint (unlink (f->place->overlay), ==, 0);
  assert_adopted (f, "a e");
  g_autoptr (LmMachine) machine = load (f);
  g_assert_cmpstr (((LmDomainLayer *) machine->layers->pdata[1])->blob.name, ==, "e");
}

/* A disk without a record is adopted if it stands on the layer that the metadata names. */
static void
test_found (Fixture *f, gconstpointer data)
{
  g_autofree char *link = g_build_filename (f->ops.top, "link", NULL);
  g_autofree char *record = g_build_filename (f->place->dir, "record.json", NULL);
  g_assert_cmpint (symlink (f->ops.state_dir, link), ==, 0);
  assert_adopted (f, "a c");
  g_autoptr (LmMachine) machine = load (f);
  const char *top = ((LmDomainLayer *) machine->layers->pdata[1])->path;
  g_autofree char *name = g_path_get_basename (top);
  g_autofree char *through = g_build_filename (link, "layers", name, NULL);
  g_autofree char *relative = g_build_filename ("..", "..", "layers", name, NULL);
  const char *const names[] = { top, through, relative };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_test_message ("%s", names[i]);
      g_assert_cmpint (unlink (record), ==, 0);
      make_overlay (f, names[i]);
      g_autoptr (GBytes) before = read_overlay (f);
      assert_adopted (f, "a c");
      g_autoptr (GBytes) after = read_overlay (f);
      g_assert_true (g_bytes_equal (before, after));
      lm_machine_free (load (f));
    }
}

/* Whatever else it stands on, it stays as it is, and nothing is pulled for it. */
static void
test_contradicting (Fixture *f, gconstpointer data)
{
  assert_adopted (f, "a c");
  g_autofree char *record = g_build_filename (f->place->dir, "record.json", NULL);
  g_autofree char *foreign = g_build_filename (f->ops.top, "foreign.qcow2", NULL);
  g_autofree char *layers = g_build_filename (f->ops.state_dir, "layers", NULL);
  g_autoptr (LmMachine) machine = load (f);
  const LmDomainLayer *base = machine->layers->pdata[0], *top = machine->layers->pdata[1];
  g_autofree char *outside = g_strdup_printf ("%s/%s", f->ops.top, strrchr (top->path, '/') + 1);
  g_assert_cmpint (unlink (record), ==, 0);
  const char *const names[] = { base->path, foreign, outside, NULL };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      make_overlay (f, names[i]);
      g_autoptr (GBytes) before = read_overlay (f);
      assert_refused (f, "a c", names[i] != NULL ? names[i] : "stands on no other file");
      assert_refused (f, "a e", "should stand on the layer e 1.0");
      g_autoptr (GBytes) after = read_overlay (f);
      g_assert_true (g_bytes_equal (before, after));
      assert_no_record (f);
    }
  g_autoptr (GPtrArray) cached = lm_file_list_dir (layers, NULL);
  g_assert_cmpuint (cached->len, ==, 2);
  g_assert_true (lm_file_write (f->place->overlay, "raw", 3, 0600, NULL));
  assert_refused (f, "a c", "not a qcow2 file");
  g_assert_cmpint (unlink (f->place->overlay), ==, 0);
  make_overlay (f, top->path);
  g_assert_cmpint (rename (f->place->overlay, foreign), ==, 0);
  g_assert_cmpint (symlink (foreign, f->place->overlay), ==, 0);
  assert_refused (f, "a c", f->place->overlay);
  assert_no_record (f);
}

/* What a killed run left is continued. */
static void
test_killed (Fixture *f, gconstpointer data)
{
  static const char *const points[] = { "adopt-before-record", "adopt-before-overlay" };
  for (gsize i = 0; i < G_N_ELEMENTS (points); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *fault = g_strconcat (points[i], "=eio", NULL);
      g_setenv ("LAMINA_TEST_FAULT", fault, TRUE);
      g_assert_false (adopt (f, "a c", &error));
      g_unsetenv ("LAMINA_TEST_FAULT");
      g_assert_false (g_file_test (f->place->overlay, G_FILE_TEST_EXISTS));
    }
  assert_adopted (f, "a c");
  g_assert_true (g_file_test (f->place->overlay, G_FILE_TEST_IS_REGULAR));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!tools_have ("qemu-img"))
    return 0;
#define ADD(name) g_test_add ("/adoption/" #name, Fixture, NULL, set_up, test_##name, tear_down)
  ADD (new);
  ADD (refused);
  ADD (corrected);
  ADD (found);
  ADD (contradicting);
  ADD (killed);
  return g_test_run ();
}
