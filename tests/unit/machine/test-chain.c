/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/chain.h"
#include "base/file.h"
#include "image/qcow2.h"
#include "tests/unit/lib/tools.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH 3
#define MIB G_GUINT64_CONSTANT (1048576)

/* A chain of three made layers; the middle one has the largest disk. */
typedef struct
{
  char *dir;
  char *overlay;
  LmPlanItem items[DEPTH];
  LmPlan plan;
} Fixture;

static const guint64 sizes[DEPTH] = { 4, 8, 6 };

static void
make_layer (Fixture *f, guint i, const char *kind)
{
  g_autofree char *parent = i > 0 ? lm_digest_to_string (&f->items[i - 1].digest) : g_strdup ("sha256:00");
  g_autofree char *size = g_strdup_printf ("%" G_GUINT64_FORMAT, sizes[i] * MIB);
  g_free (tools_mkqcow2 (kind, f->items[i].path, "--parent", parent + strlen ("sha256:"), "--size", size, NULL));
}

static void
setup (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("lm-chain-XXXXXX", &error);
  g_assert_no_error (error);
  f->overlay = g_build_filename (f->dir, "overlay.qcow2", NULL);
  f->plan.layers = g_ptr_array_new ();
  for (guint i = 0; i < DEPTH; i++)
    {
      LmPlanItem *item = &f->items[i];
      memset (item->digest.bytes, (int) (i + 1) * 17, LM_DIGEST_SIZE);
      g_autofree char *name = lm_digest_file_name (&item->digest, ".qcow2");
      item->path = g_build_filename (f->dir, name, NULL);
      item->name = (char *) "layer";
      item->has_parent = i > 0;
      if (i > 0)
        item->parent = f->items[i - 1].digest;
      make_layer (f, i, i > 0 ? "good-v3-child" : "good-v3");
      struct stat st;
      g_assert_cmpint (stat (item->path, &st), ==, 0);
      item->size = (guint64) st.st_size;
      g_ptr_array_add (f->plan.layers, item);
    }
}

static void
teardown (Fixture *f, gconstpointer data)
{
  g_ptr_array_unref (f->plan.layers);
  for (guint i = 0; i < DEPTH; i++)
    g_free (f->items[i].path);
  g_assert_true (lm_file_remove_tree (f->dir, NULL));
  g_free (f->overlay);
  g_free (f->dir);
}

static void
test_make (Fixture *f, gconstpointer data)
{
  if (!tools_have ("qemu-img"))
    return;
  g_autoptr (GError) error = NULL;
  guint64 size = 0;
  g_assert_true (lm_chain_make_overlay (&f->plan, f->overlay, 0, &size, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, 8 * MIB);
  LmQcow2Header header;
  g_assert_true (lm_qcow2_read (f->overlay, &header, NULL, &error));
  g_assert_cmpstr (header.backing_name, ==, f->items[DEPTH - 1].path);
  g_assert_true (lm_chain_make_overlay (&f->plan, f->overlay, 0, &size, NULL, &error));
  g_assert_no_error (error);

  /* QEMU finds the whole chain from the overlay alone. */
  const char *const argv[] = { "qemu-img", "check", "-q", "-f", "qcow2", "--", f->overlay, NULL };
  g_free (tools_run (argv));
}

static void
assert_refused (Fixture *f, LmChainError code)
{
  g_autoptr (GError) error = NULL;
  guint64 size = 0;
  g_assert_false (lm_chain_make_overlay (&f->plan, f->overlay, 0, &size, NULL, &error));
  g_assert_error (error, LM_CHAIN_ERROR, (int) code);
  g_assert_false (g_file_test (f->overlay, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (size, ==, 0);
}

static void
test_missing (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (unlink (f->items[0].path), ==, 0);
  assert_refused (f, LM_CHAIN_ERROR_MISSING);
}

static void
test_cut (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (truncate (f->items[1].path, 1000), ==, 0);
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
}

static void
test_longer (Fixture *f, gconstpointer data)
{
  f->items[1].size--;
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
}

static void
test_wrong_parent (Fixture *f, gconstpointer data)
{
  make_layer (f, 1, "backing-passwd");
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
  make_layer (f, 1, "backing-wrong-parent");
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
}

static void
test_plan_is_no_chain (Fixture *f, gconstpointer data)
{
  f->items[2].parent = f->items[0].digest;
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
  g_ptr_array_remove_index (f->plan.layers, 0);
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
  g_ptr_array_set_size (f->plan.layers, 0);
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
}

static void
test_elsewhere (Fixture *f, gconstpointer data)
{
  g_autofree char *name = g_path_get_basename (f->items[2].path);
  g_autofree char *dir = g_build_filename (f->dir, "other", NULL);
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_assert_true (lm_file_make_dir (dir, 0755, NULL));
  g_assert_cmpint (rename (f->items[2].path, path), ==, 0);
  char *kept = f->items[2].path;
  f->items[2].path = path;
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
  f->items[2].path = kept;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/chain/" name, Fixture, NULL, setup, function, teardown)
  ADD ("make", test_make);
  ADD ("missing", test_missing);
  ADD ("cut", test_cut);
  ADD ("longer", test_longer);
  ADD ("wrong-parent", test_wrong_parent);
  ADD ("plan-is-no-chain", test_plan_is_no_chain);
  ADD ("elsewhere", test_elsewhere);
  return g_test_run ();
}
