/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "machine/machine.h"

#include <string.h>
#include <sys/stat.h>
#include <utime.h>

#define DIGEST "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static LmInstance *
make (const char *dir)
{
  static const char *const selections[] = { "os=debian@12", NULL };
  LmInstance *instance = lm_instance_new (dir, "web1", NULL);
  instance->uri = g_strdup ("test:///default");
  instance->complete = TRUE;
  instance->requested = g_strdupv ((char **) selections);
  instance->resolved = g_strdupv ((char **) selections);
  instance->ready = g_strdup ("login: \"\\\n");
  instance->disk = G_GUINT64_CONSTANT (5) << 32;
  instance->aside = g_strdup ("<domain/>\n");
  instance->aside_autostart = TRUE;
  LmDomainLayer *layer = lm_domain_layer_new ();
  layer->name = g_strdup ("debian");
  layer->version = g_strdup ("12");
  layer->path = g_strdup ("/x");
  layer->size = 7;
  layer->urls = g_strsplit ("http://lab/x http://lab/y", " ", -1);
  g_assert_true (lm_digest_parse (DIGEST, &layer->digest, NULL));
  g_ptr_array_add (instance->layers, layer);
  LmDomainPublish *publish = lm_domain_publish_new ();
  publish->port = 8080;
  publish->guest_port = 80;
  g_ptr_array_add (instance->publish, publish);
  return instance;
}

static void
test_round_trip (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lm-instance-XXXXXX", NULL);
  g_autoptr (LmInstance) instance = make (dir);
  g_assert_true (lm_instance_save (instance, &error));
  g_assert_no_error (error);
  g_autoptr (LmInstance) found = lm_instance_find (dir, "web1", "test:///default", &error);
  g_assert_no_error (error);
  g_autofree char *wrote = lm_instance_to_json (instance);
  g_autofree char *read = lm_instance_to_json (found);
  g_assert_cmpstr (wrote, ==, read);
  g_assert_cmpstr (found->overlay, ==, instance->overlay);

  g_assert_null (lm_instance_find (dir, "web1", "other:///", &error));
  g_assert_error (error, LM_INSTANCE_ERROR, LM_INSTANCE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (lm_instance_erase (found, &error));
  g_assert_null (lm_instance_find (dir, "web1", NULL, &error));
  g_assert_error (error, LM_INSTANCE_ERROR, LM_INSTANCE_ERROR_NOT_FOUND);
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* A damaged record is named and passed over, and never crashes. */
static void
test_damaged (void)
{
  static const char *const damaged[] = {
    "", "{", "[]", "null", "5", "{}", "{\"lamina-record\": 2}", "{\"lamina-record\": \"1\", \"uuid\": {}}",
  };
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lm-instance-XXXXXX", NULL);
  g_autoptr (LmInstance) instance = make (dir);
  g_assert_true (lm_instance_save (instance, &error));
  g_autofree char *record = g_build_filename (instance->dir, "record.json", NULL);
  g_autofree char *good = lm_instance_to_json (instance);
  for (gsize i = 0; i < G_N_ELEMENTS (damaged); i++)
    {
      g_assert_true (lm_file_write (record, damaged[i], strlen (damaged[i]), 0644, &error));
      g_assert_null (lm_instance_load (dir, instance->uuid, &error));
      g_assert_error (error, LM_INSTANCE_ERROR, LM_INSTANCE_ERROR_CORRUPT);
      g_clear_error (&error);
      g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
      g_autoptr (GPtrArray) list = lm_instance_list (dir, warnings, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (list->len, ==, 0);
      g_assert_cmpuint (warnings->len, ==, 1);
    }
  /* Every truncation, and a wrong kind for every value. */
  for (gsize size = 0; size < strlen (good) - 2; size++)
    {
      g_assert_true (g_file_set_contents (record, good, (gssize) size, NULL));
      g_autoptr (LmInstance) loaded = lm_instance_load (dir, instance->uuid, NULL);
      g_assert_null (loaded);
    }
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

static void
test_uuid_is_no_path (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (lm_instance_load ("/", "../etc", &error));
  g_assert_error (error, LM_INSTANCE_ERROR, LM_INSTANCE_ERROR_NOT_FOUND);
}

/* A killed run leaves a directory without a record; another one is at work in
 * its own. */
static void
test_sweep (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lm-instance-XXXXXX", NULL);
  g_autoptr (LmInstance) kept = make (dir);
  g_autoptr (LmInstance) empty = make (dir);
  g_autoptr (LmInstance) fresh = make (dir);
  g_autoptr (LmInstance) stale = make (dir);
  g_assert_true (lm_instance_save (kept, &error));
  g_assert_true (lm_file_make_dir (empty->dir, 0711, &error));
  g_assert_true (lm_file_make_dir (fresh->dir, 0711, &error));
  g_assert_true (lm_file_make_dir (stale->dir, 0711, &error));
  g_assert_true (lm_file_write (fresh->overlay, "x", 1, 0600, &error));
  g_assert_true (lm_file_write (stale->overlay, "x", 1, 0600, &error));
  g_assert_no_error (error);
  struct utimbuf past = { 0, g_get_real_time () / G_USEC_PER_SEC - 2 * 24 * 3600 };
  g_assert_cmpint (utime (stale->dir, &past), ==, 0);
  lm_instance_sweep (dir);
  g_assert_true (g_file_test (kept->dir, G_FILE_TEST_IS_DIR));
  g_assert_false (g_file_test (empty->dir, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (fresh->overlay, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (stale->dir, G_FILE_TEST_EXISTS));
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* URLs may hold passwords; so may the domain's XML that is kept aside. */
static void
test_private (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lm-instance-XXXXXX", NULL);
  g_autoptr (LmInstance) instance = make (dir);
  LmDomainLayer *layer = g_ptr_array_index (instance->layers, 0);
  g_strfreev (layer->urls);
  layer->urls = g_strsplit ("http://me:secret@lab/x?secret", " ", -1);
  g_autofree char *record = g_build_filename (instance->dir, "record.json", NULL);
  struct stat st;
  g_assert_true (lm_instance_save (instance, &error));
  g_assert_cmpint (stat (record, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0600);
  g_assert_cmpint (stat (instance->dir, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0711);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (record, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "//lab"));
  g_assert_null (strstr (text, "secret"));
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/instance/round-trip", test_round_trip);
  g_test_add_func ("/instance/sweep", test_sweep);
  g_test_add_func ("/instance/private", test_private);
  g_test_add_func ("/instance/damaged", test_damaged);
  g_test_add_func ("/instance/uuid-is-no-path", test_uuid_is_no_path);
  return g_test_run ();
}
