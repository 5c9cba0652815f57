/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/chain.h"
#include "base/file.h"
#include "base/hasher.h"
#include "image/qcow2.h"
#include "tests/unit/lib/tools.h"
#include "tests/unit/lib/unlock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH 3
#define MIB G_GUINT64_CONSTANT (1048576)

/* A chain of three generated layers; the top one has the largest disk. */
typedef struct
{
  char *dir;
  char *overlay;
  char *paths[DEPTH];
  LmBlob items[DEPTH];
  GPtrArray *layers;
  LmCache *cache;
} Fixture;

static const guint64 good_sizes[DEPTH] = { 4, 4, 8 };

/* Renames @file to its name in the cache. */
static void
put (Fixture *f, guint i, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = lm_file_read (file, G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  lm_hasher_update (hasher, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  LmBlob *item = &f->items[i];
  lm_hasher_peek (hasher, &item->digest);
  item->size = g_bytes_get_size (bytes);
  g_free (f->paths[i]);
  f->paths[i] = lm_cache_get_path (f->cache, LM_BLOB_LAYER, &item->digest);
  g_assert_cmpint (rename (file, unlock_file (f->paths[i])), ==, 0);
}

/* Creates the layer @i and those above it, each over the one below. */
static void
make_layers (Fixture *f, guint i, const char *kind, const guint64 *sizes)
{
  g_autofree char *file = g_build_filename (f->dir, "made.qcow2", NULL);
  for (; i < DEPTH; i++)
    {
      g_autofree char *parent = i > 0 ? lm_digest_to_string (&f->items[i - 1].digest) : g_strdup ("sha256:00");
      g_autofree char *size = g_strdup_printf ("%" G_GUINT64_FORMAT, sizes[i] * MIB);
      const char *made = kind != NULL ? kind : i > 0 ? "good-v3-child" : "good-v3";
      g_free (tools_mkqcow2 (made, file, "--parent", parent + strlen ("sha256:"), "--size", size, NULL));
      put (f, i, file);
      f->items[i].has_parent = i > 0;
      if (i > 0)
        f->items[i].parent = f->items[i - 1].digest;
      kind = NULL;
    }
}

static void
setup (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("lm-chain-XXXXXX", &error);
  g_assert_no_error (error);
  f->overlay = g_build_filename (f->dir, "overlay.qcow2", NULL);
  f->cache = lm_cache_open (f->dir, NULL, &error);
  g_assert_no_error (error);
  f->layers = g_ptr_array_new ();
  for (guint i = 0; i < DEPTH; i++)
    {
      f->items[i].name = (char *) "layer";
      g_ptr_array_add (f->layers, &f->items[i]);
    }
  make_layers (f, 0, NULL, good_sizes);
}

static void
teardown (Fixture *f, gconstpointer data)
{
  g_ptr_array_unref (f->layers);
  lm_cache_close (f->cache);
  for (guint i = 0; i < DEPTH; i++)
    g_free (f->paths[i]);
  g_assert_true (lm_file_remove_tree (unlock_tree (f->dir), NULL));
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

  /* QEMU finds the whole chain starting from the overlay. */
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
  g_assert_cmpint (unlink (unlock_file (f->paths[0])), ==, 0);
  assert_refused (f, LM_CHAIN_ERROR_MISSING);
}

/* Truncated, overwritten and replaced files, verified before or not. */
static void
test_damaged (Fixture *f, gconstpointer data)
{
  static const char *const damages[] = { "cut", "longer", "overwritten", "replaced" };
  for (guint verified = 0; verified < 2; verified++)
    for (gsize i = 0; i < G_N_ELEMENTS (damages); i++)
      {
        g_autoptr (GError) error = NULL;
        g_autofree char *text = NULL;
        gsize size;
        g_assert_true (g_file_get_contents (f->paths[1], &text, &size, NULL));
        if (verified)
          g_assert_true (lm_chain_check (f->cache, f->layers, NULL, NULL, &error));
        g_assert_no_error (error);
        g_autofree char *bad = g_memdup2 (text, size);
        bad[size - 1] ^= 1;
        if (i < 2)
          g_assert_cmpint (truncate (unlock_file (f->paths[1]), i == 0 ? 1000 : (off_t) size + 1), ==, 0);
        else if (i == 2)
          {
            FILE *file = fopen (unlock_file (f->paths[1]), "r+");
            g_assert_cmpuint (fwrite (bad, 1, size, file), ==, size);
            g_assert_cmpint (fclose (file), ==, 0);
          }
        else
          g_assert_true (g_file_set_contents (unlock_file (f->paths[1]), bad, (gssize) size, NULL));
        assert_refused (f, LM_CHAIN_ERROR_MISSING);
        g_assert_true (g_file_set_contents (unlock_file (f->paths[1]), text, (gssize) size, NULL));
        g_assert_true (lm_chain_check (f->cache, f->layers, NULL, NULL, &error));
        g_assert_no_error (error);
      }
}

/* A file with the right digest is accepted even if a catalog gives another size. */
static void
test_wrong_size (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->items[1].size--;
  g_assert_true (lm_chain_check (f->cache, f->layers, NULL, NULL, &error));
  g_assert_no_error (error);
}

/* Data of a parent beyond the end of a child's disk would be lost. */
static void
test_smaller (Fixture *f, gconstpointer data)
{
  static const struct
  {
    guint64 sizes[DEPTH];
    gboolean good;
  } cases[] = { { { 4, 4, 4 }, TRUE },  { { 4, 8, 8 }, TRUE },  { { 8, 4, 8 }, FALSE },
                { { 4, 8, 6 }, FALSE }, { { 8, 8, 4 }, FALSE }, { { 2, 1, 1 }, FALSE } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 size = 0;
      make_layers (f, 0, NULL, cases[i].sizes);
      g_assert_true (lm_chain_check (f->cache, f->layers, &size, NULL, &error) == cases[i].good);
      if (cases[i].good)
        {
          g_assert_cmpuint (size, ==, cases[i].sizes[DEPTH - 1] * MIB);
          continue;
        }
      g_assert_nonnull (strstr (error->message, "data would be lost"));
      assert_refused (f, LM_CHAIN_ERROR_BROKEN);
    }
}

static void
test_wrong_parent (Fixture *f, gconstpointer data)
{
  make_layers (f, 1, "backing-passwd", good_sizes);
  assert_refused (f, LM_CHAIN_ERROR_BROKEN);
  make_layers (f, 1, "backing-wrong-parent", good_sizes);
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
  ADD ("damaged", test_damaged);
  ADD ("wrong-size", test_wrong_size);
  ADD ("smaller", test_smaller);
  ADD ("wrong-parent", test_wrong_parent);
  ADD ("no-chain", test_no_chain);
  return g_test_run ();
}
