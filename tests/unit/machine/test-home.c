/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "machine/home.h"

#include <string.h>
#include <unistd.h>

#define UUID "5a1f9c1e-6d0f-4f5c-9f43-0e2f4f1a9b77"
#define OTHER_UUID "00000000-6d0f-4f5c-9f43-0e2f4f1a9b77"

typedef struct
{
  char *dir;
  LmMachine *machine, *other;
  LmDomainSpec *spec;
  LmDomainOutline *outline; /* has no disk at first */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("lm-home-XXXXXX", NULL);
  f->machine = lm_machine_new (f->dir, "m", UUID);
  f->other = lm_machine_new (f->dir, "other", OTHER_UUID);
  g_assert_true (lm_machine_save (f->machine, &error) && lm_machine_save (f->other, &error));
  g_assert_true (lm_file_write (f->machine->overlay, "", 0, 0600, NULL) && lm_file_write (f->other->overlay, "", 0, 0600, NULL));
  f->spec = lm_domain_spec_new ();
  f->outline = lm_domain_outline_parse ("<domain><name>m</name><uuid>" UUID "</uuid></domain>", &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  lm_domain_outline_free (f->outline);
  lm_domain_spec_free (f->spec);
  lm_machine_free (f->other);
  lm_machine_free (f->machine);
  g_assert_true (lm_file_remove_tree (f->dir, NULL));
  g_free (f->dir);
}

static void
set_disk (Fixture *f, const char *path)
{
  g_ptr_array_set_size (f->outline->disks, 0);
  if (path != NULL)
    g_ptr_array_add (f->outline->disks, g_strdup (path));
}

static void
assert_check (Fixture *f, gboolean recorded, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (lm_home_check (f->machine, recorded, f->spec, f->outline, &error), ==, message == NULL);
  if (message == NULL)
    return;
  g_assert_error (error, LM_HOME_ERROR, LM_HOME_ERROR_FOREIGN);
  g_assert_nonnull (strstr (error->message, message));
}

static void
test_guess (Fixture *f, gconstpointer data)
{
  g_assert_null (lm_home_guess (f->spec, f->outline));
  set_disk (f, "relative/machines/" UUID "/overlay.qcow2");
  g_assert_null (lm_home_guess (f->spec, f->outline));
  set_disk (f, f->other->overlay);
  g_assert_null (lm_home_guess (f->spec, f->outline));
  set_disk (f, f->machine->overlay);
  g_autofree char *guessed = lm_home_guess (f->spec, f->outline);
  g_assert_cmpstr (guessed, ==, f->dir);
  /* By a symbolic link to its directory; one to the overlay itself is another disk. */
  g_autofree char *link = g_build_filename (f->dir, "link", NULL);
  g_autofree char *through = g_build_filename (link, "overlay.qcow2", NULL);
  g_autofree char *other = g_build_filename (f->dir, "other.qcow2", NULL);
  g_assert_cmpint (symlink (f->machine->dir, link), ==, 0);
  g_assert_cmpint (symlink (f->machine->overlay, other), ==, 0);
  set_disk (f, through);
  g_autofree char *resolved = lm_home_guess (f->spec, f->outline);
  g_assert_cmpstr (resolved, ==, f->dir);
  set_disk (f, other);
  g_assert_null (lm_home_guess (f->spec, f->outline));
  f->spec->overlay = g_strdup ("/elsewhere/machines/" UUID "/overlay.qcow2");
  g_autofree char *named = lm_home_guess (f->spec, f->outline);
  g_assert_cmpstr (named, ==, "/elsewhere");
}

static void
test_overlay (Fixture *f, gconstpointer data)
{
  g_autofree char *link = g_build_filename (f->dir, "link", NULL);
  g_autofree char *through = g_build_filename (link, "machines", UUID, "overlay.qcow2", NULL);
  g_autofree char *up = g_build_filename (f->machine->dir, "..", UUID, "overlay.qcow2", NULL);
  g_autofree char *double_slash = g_strconcat (f->machine->dir, "//overlay.qcow2", NULL);
  g_assert_cmpint (symlink (f->dir, link), ==, 0);
  const struct
  {
    const char *path;
    gboolean is_overlay;
  } cases[] = { { f->machine->overlay, TRUE }, { through, TRUE }, { double_slash, TRUE }, { up, FALSE },
                { f->other->overlay, FALSE }, { "/nowhere/overlay.qcow2", FALSE } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      set_disk (f, cases[i].path);
      g_test_message ("%s", cases[i].path);
      g_assert_cmpint (lm_home_has_overlay (f->machine, f->outline), ==, cases[i].is_overlay);
    }
  g_assert_cmpint (unlink (f->machine->overlay), ==, 0);
  g_assert_cmpint (symlink (f->other->overlay, f->machine->overlay), ==, 0);
  set_disk (f, f->machine->overlay);
  g_assert_false (lm_home_has_overlay (f->machine, f->outline));
}

static void
test_check (Fixture *f, gconstpointer data)
{
  g_autofree char *up = g_build_filename (f->machine->dir, "..", OTHER_UUID, "overlay.qcow2", NULL);
  g_autofree char *snapshot = g_build_filename (f->machine->dir, "snapshot.qcow2", NULL);
  g_autofree char *moved = g_build_filename ("/elsewhere/machines", UUID, "overlay.qcow2", NULL);
  assert_check (f, TRUE, NULL);
  assert_check (f, FALSE, "one of its disks must be");
  set_disk (f, f->machine->overlay);
  assert_check (f, FALSE, NULL);
  set_disk (f, snapshot);
  assert_check (f, TRUE, NULL);
  set_disk (f, f->other->overlay);
  assert_check (f, TRUE, "in the directory of another machine;");
  set_disk (f, up);
  assert_check (f, TRUE, "in the directory of another machine (/");
  set_disk (f, "/var/tmp/data.img");
  assert_check (f, TRUE, NULL);
  f->spec->overlay = g_strdup (f->other->overlay);
  assert_check (f, TRUE, "that of another machine");
  g_free (f->spec->overlay);
  f->spec->overlay = g_steal_pointer (&moved);
  assert_check (f, TRUE, "written for the state directory /elsewhere");
}

static void
add_layer (GPtrArray *layers, const char *text)
{
  LmDomainLayer *layer = lm_domain_layer_new ();
  layer->blob.digest = lm_digest_of_text (text);
  g_ptr_array_add (layers, layer);
}

static void
test_chain (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  add_layer (f->machine->layers, "base");
  add_layer (f->machine->layers, "top");
  g_assert_true (lm_home_check_chain (f->machine, f->spec, &error)); /* it lists none */
  add_layer (f->spec->layers, "base");
  g_assert_false (lm_home_check_chain (f->machine, f->spec, &error));
  g_assert_error (error, LM_HOME_ERROR, LM_HOME_ERROR_CHANGED);
  g_clear_error (&error);
  add_layer (f->spec->layers, "top");
  g_assert_true (lm_home_check_chain (f->machine, f->spec, &error));
  g_ptr_array_remove_index (f->spec->layers, 0);
  add_layer (f->spec->layers, "base");
  g_assert_false (lm_home_check_chain (f->machine, f->spec, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/home/guess", Fixture, NULL, set_up, test_guess, tear_down);
  g_test_add ("/home/overlay", Fixture, NULL, set_up, test_overlay, tear_down);
  g_test_add ("/home/check", Fixture, NULL, set_up, test_check, tear_down);
  g_test_add ("/home/chain", Fixture, NULL, set_up, test_chain, tear_down);
  return g_test_run ();
}
