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
  char *paths[DEPTH];
  LmBlob items[DEPTH];
  GPtrArray *layers;
  LmCache *cache;
} Fixture;

static const guint64 sizes[DEPTH] = { 4, 8, 6 };

static void
make_layer (Fixture *f, guint i, const char *kind)
{
  g_autofree char *parent = i > 0 ? lm_digest_to_string (&f->items[i - 1].digest) : g_strdup ("sha256:00");
  g_autofree char *size = g_strdup_printf ("%" G_GUINT64_FORMAT, sizes[i] * MIB);
  g_free (tools_mkqcow2 (kind, f->paths[i], "--parent", parent + strlen ("sha256:"), "--size", size, NULL));
}

static void
setup (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("lm-chain-XXXXXX", &error);
  g_assert_no_error (error);
  f->overlay = g_build_filename (f->dir, "overlay.qcow2", NULL);
  f->cache = lm_cache_open (f->dir, &error);
  g_assert_no_error (error);
  f->layers = g_ptr_array_new ();
  for (guint i = 0; i < DEPTH; i++)
    {
      LmBlob *item = &f->items[i];
      memset (item->digest.bytes, (int) (i + 1) * 17, LM_DIGEST_SIZE);
      f->paths[i] = lm_cache_get_path (f->cache, LM_BLOB_LAYER, &item->digest);
      item->name = (char *) "layer";
      item->has_parent = i > 0;
      if (i > 0)
        item->parent = f->items[i - 1].digest;
      make_layer (f, i, i > 0 ? "good-v3-child" : "good-v3");
      struct stat st;
      g_assert_cmpint (stat (f->paths[i], &st), ==, 0);
      item->size = (guint64) st.st_size;
      g_ptr_array_add (f->layers, item);
    }
}

static void
teardown (Fixture *f, gconstpointer data)
{
  g_ptr_array_unref (f->layers);
  lm_cache_close (f->cache);
  for (guint i = 0; i < DEPTH; i++)
    g_free (f->paths[i]);
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
  g_assert_true (lm_chain_make_overlay (f->cache, f->layers, f->overlay, 0, &size, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, 8 * MIB);
  LmQcow2Header header;
  g_assert_true (lm_qcow2_read (f->overlay, &header, NULL, &error));
  g_assert_cmpstr (header.backing_name, ==, f->paths[DEPTH - 1]);
  g_assert_true (lm_chain_make_overlay (f->cache, f->layers, f->overlay, 0, &size, NULL, &error));
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
  g_assert_false (lm_chain_make_overlay (f->cache, f->layers, f->overlay, 0, &size, NULL, &error));
  g_assert_error (error, LM_CHAIN_ERROR, (int) code);
  g_assert_false (g_file_test (f->overlay, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (size, ==, 0);
}

static void
test_missing (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (unlink (f->paths[0]), ==, 0);
  assert_refused (f, LM_CHAIN_ERROR_MISSING);
}

static void
test_cut (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (truncate (f->paths[1], 1000), ==, 0);
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
test_no_chain (Fixture *f, gconstpointer data)
{
  f->items[2].parent = f->items[0].digest;
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
  g_ptr_array_remove_index (f->layers, 0);
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
  g_ptr_array_set_size (f->layers, 0);
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
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
  ADD ("no-chain", test_no_chain);
  return g_test_run ();
}
