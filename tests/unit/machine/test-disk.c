/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/disk.h"
#include "base/file.h"
#include "base/hasher.h"
#include "image/qcow2.h"
#include "machine/chain.h"
#include "tests/unit/lib/tools.h"
#include "tests/unit/lib/unlock.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define UUID "5a1f9c1e-6d0f-4f5c-9f43-0e2f4f1a9b77"
#define MIB G_GUINT64_CONSTANT (1048576)

/* An ephemeral machine of one layer with a disk of 4 MiB. */
typedef struct
{
  char *dir;
  char *layer; /* its path in the cache */
  LmCache *cache;
  LmMachine *machine;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("lm-disk-XXXXXX", NULL);
  g_autofree char *made = g_build_filename (f->dir, "made.qcow2", NULL);
  f->cache = lm_cache_open (f->dir, NULL, &error);
  g_assert_no_error (error);
  g_free (tools_mkqcow2 ("good-v3", made, "--size", "4194304", NULL));
  g_autoptr (GBytes) bytes = lm_file_read (made, G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  lm_hasher_update (hasher, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  LmDomainLayer *layer = lm_domain_layer_new ();
  lm_hasher_peek (hasher, &layer->blob.digest);
  layer->blob.name = g_strdup ("a");
  layer->blob.size = g_bytes_get_size (bytes);
  layer->path = lm_cache_get_path (f->cache, LM_BLOB_LAYER, &layer->blob.digest);
  f->layer = g_strdup (layer->path);
  g_assert_cmpint (rename (made, f->layer), ==, 0);
  f->machine = lm_machine_new (f->dir, "m", UUID);
  f->machine->ephemeral = TRUE;
  g_ptr_array_add (f->machine->layers, layer);
  g_assert_true (lm_machine_save (f->machine, &error));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  lm_machine_free (f->machine);
  lm_cache_close (f->cache);
  g_assert_true (lm_file_remove_tree (unlock_tree (f->dir), NULL));
  g_free (f->layer);
  g_free (f->dir);
}

static void
supply (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  gboolean supplied = lm_disk_supply (f->cache, f->machine, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (supplied);
}

static void
discard (Fixture *f, gboolean kept)
{
  g_autoptr (GError) error = NULL;
  gboolean discarded = lm_disk_discard (f->machine, &error);
  g_assert_no_error (error);
  g_assert_true (discarded);
  g_assert_cmpint (g_file_test (f->machine->overlay, G_FILE_TEST_EXISTS), ==, kept);
}

static guint64
get_inode (const char *path)
{
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  return st.st_ino;
}

/* As a guest does that writes. */
static void
write_disk (const Fixture *f)
{
  const char *argv[] = { "qemu-img", "resize", "-q", "-f", "qcow2", f->machine->overlay, "64M", NULL };
  g_free (tools_run (argv));
}

/* The disk is made if it is missing, as large as is wanted and needed, and never replaced. */
static void
test_supply (Fixture *f, gconstpointer data)
{
  const struct
  {
    guint64 wanted, got;
  } sizes[] = { { 0, 4 * MIB }, { MIB, 4 * MIB }, { 8 * MIB, 8 * MIB } };
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      LmQcow2Header header;
      f->machine->disk = sizes[i].wanted;
      supply (f);
      g_assert_cmpuint (f->machine->disk, ==, sizes[i].got);
      g_assert_true (lm_qcow2_read (f->machine->overlay, &header, NULL, NULL));
      g_assert_cmpuint (header.virtual_size, ==, sizes[i].got);
      g_assert_cmpstr (header.backing_name, ==, f->layer);
      const guint64 inode = get_inode (f->machine->overlay);
      f->machine->disk = 16 * MIB;
      supply (f);
      g_assert_cmpuint (get_inode (f->machine->overlay), ==, inode);
      g_assert_cmpint (unlink (f->machine->overlay), ==, 0);
    }
}

/* The layers are checked also if there is a disk, and something else at its place is no disk. */
static void
test_supply_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *elsewhere = g_build_filename (f->dir, "elsewhere.qcow2", NULL);
  supply (f);
  g_assert_cmpint (rename (f->machine->overlay, elsewhere), ==, 0);
  g_assert_cmpint (symlink (elsewhere, f->machine->overlay), ==, 0);
  g_assert_false (lm_disk_supply (f->cache, f->machine, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE);
  g_clear_error (&error);
  g_assert_cmpint (unlink (f->machine->overlay), ==, 0);
  g_assert_cmpint (rename (elsewhere, f->machine->overlay), ==, 0);
  g_assert_cmpint (unlink (unlock_file (f->layer)), ==, 0);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (lm_disk_supply (f->cache, f->machine, NULL, &error));
      g_assert_error (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_MISSING);
      g_clear_error (&error);
      g_assert_cmpint (unlink (f->machine->overlay), ==, i == 0 ? 0 : -1);
    }
}

/* What a guest wrote goes; what nobody wrote to, or somebody wanted to last, stays. */
static void
test_discard (Fixture *f, gconstpointer data)
{
  discard (f, FALSE);
  supply (f);
  discard (f, TRUE);
  write_disk (f);
  discard (f, FALSE);
  supply (f);
  write_disk (f);
  const char *argv[] = { "qemu-img", "snapshot", "-c", "one", f->machine->overlay, NULL };
  g_free (tools_run (argv));
  discard (f, TRUE);
}

/* A file that is no image is not thrown away, nor is what a symbolic link leads to. */
static void
test_discard_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *elsewhere = g_build_filename (f->dir, "elsewhere.qcow2", NULL);
  g_assert_true (lm_file_write (f->machine->overlay, "text", 4, 0600, NULL));
  g_assert_false (lm_disk_discard (f->machine, &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
  g_clear_error (&error);
  g_assert_cmpint (unlink (f->machine->overlay), ==, 0);
  supply (f);
  write_disk (f);
  g_assert_cmpint (rename (f->machine->overlay, elsewhere), ==, 0);
  g_assert_cmpint (symlink (elsewhere, f->machine->overlay), ==, 0);
  g_assert_false (lm_disk_discard (f->machine, &error));
  g_assert_nonnull (error);
  g_assert_true (g_file_test (elsewhere, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (f->machine->overlay, G_FILE_TEST_IS_SYMLINK));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!tools_have ("qemu-img"))
    return 0;
#define ADD(name, function) g_test_add ("/disk/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("supply", test_supply);
  ADD ("supply-refused", test_supply_refused);
  ADD ("discard", test_discard);
  ADD ("discard-refused", test_discard_refused);
  return g_test_run ();
}
