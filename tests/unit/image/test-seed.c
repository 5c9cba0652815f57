/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/seed.h"
#include "base/file.h"
#include "tests/unit/lib/tools.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UUID "5f0c3fd4-5ab6-4e5c-9f3a-0e1b0d9b1c11"
#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJnV9B0Cp+Y3obRVCZkTtxizI0l9D5kO5FjH6vhCM96N user@host: \"x\" #1"
#define KEY2 \
  "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBIuCD1J7HeS1y0yd8r" \
  "u0cB4fet/3eH1ldAUVCVcKtZ3Mc6kU+lrJ8buL0nqz5pKEFhu089uXqBaV1Qn+KDOXAqg= second"
#define STRINGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
assert_bytes (GBytes *bytes, const char *expected)
{
  g_assert_nonnull (bytes);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), expected, strlen (expected));
}

static LmSeedFiles *
render (const LmSeedSpec *spec)
{
  g_autoptr (GError) error = NULL;
  LmSeedFiles *files = lm_seed_render (spec, &error);
  g_assert_no_error (error);
  g_assert_nonnull (files);
  return files;
}

static void
test_keys_only (void)
{
  const LmSeedSpec spec = { .uuid = UUID, .name = "web1", .ssh_keys = STRINGS (KEY, KEY2) };
  g_autoptr (LmSeedFiles) files = render (&spec);
  assert_bytes (files->user_data, "#cloud-config\n"
                                  "{\n  \"ssh_authorized_keys\" : [\n"
                                  "    \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJnV9B0Cp+Y3obRVCZkTtxizI0l9D5kO5FjH6vhCM96N user@host: \\\"x\\\" #1\",\n"
                                  "    \"" KEY2 "\"\n  ]\n}\n");
  assert_bytes (files->meta_data,
                "{\n  \"instance-id\" : \"" UUID "\",\n  \"local-hostname\" : \"web1\"\n}\n");
  g_assert_null (files->network_config);
}

static void
test_user_data_and_keys (void)
{
  g_autoptr (GBytes) user = g_bytes_new_static ("#!/bin/sh\n", 10);
  g_autoptr (GBytes) meta = g_bytes_new_static ("x: y\n", 5);
  const LmSeedSpec spec = { .uuid = UUID, .name = "web1", .user_data = user, .network_config = meta,
                            .ssh_keys = STRINGS (KEY2) };
  g_autoptr (LmSeedFiles) files = render (&spec);
  assert_bytes (files->user_data, "#!/bin/sh\n");
  assert_bytes (files->network_config, "x: y\n");
  assert_bytes (files->meta_data, "{\n  \"instance-id\" : \"" UUID "\",\n  \"local-hostname\" : \"web1\",\n"
                                  "  \"public-keys\" : [\n    \"" KEY2 "\"\n  ]\n}\n");

  const LmSeedSpec meta_given = { .uuid = UUID, .name = "web1", .meta_data = meta, .ssh_keys = STRINGS (KEY2) };
  g_autoptr (LmSeedFiles) with_meta = render (&meta_given);
  assert_bytes (with_meta->meta_data, "x: y\n");

  const LmSeedSpec both = { .uuid = UUID, .name = "web1", .user_data = user, .meta_data = meta,
                            .ssh_keys = STRINGS (KEY2) };
  g_autoptr (GError) error = NULL;
  g_assert_null (lm_seed_render (&both, &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID);
}

static void
test_refused (void)
{
  g_autofree char *long_key = g_strnfill (20000, 'a');
  const char *const bad[] = { "",
                              "\n# only a comment\n",
                              "-----BEGIN OPENSSH PRIVATE KEY-----\n",
                              "word",
                              KEY2 "\rruncmd: [reboot]",
                              KEY2 "\n" KEY2,
                              KEY2 " \x1b[31m",
                              KEY2 " \xff\xfe",
                              long_key };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const LmSeedSpec spec = { .uuid = UUID, .name = "web1", .ssh_keys = STRINGS (bad[i]) };
      g_autoptr (GError) error = NULL;
      g_assert_null (lm_seed_render (&spec, &error));
      g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID);
    }
  g_autofree char *large = g_strnfill (LM_SEED_FILE_MAX + 1, '#');
  g_autoptr (GBytes) bytes = g_bytes_new (large, LM_SEED_FILE_MAX + 1);
  const LmSeedSpec spec = { .uuid = UUID, .name = "web1", .network_config = bytes };
  g_autoptr (GError) error = NULL;
  g_assert_null (lm_seed_render (&spec, &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID);
}

static void
test_hostname (void)
{
  static const char *const names[][2] = {
    { "web1", "web1" },           { "web_1", "web-1" }, { "a.b-c", "a.b-c" },
    { "-x-", "x" },               { "\"\n", "localhost" },  { "b\xc3\xbc" "cher", "b--cher" },
    { "x: {y}", "x---y" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const LmSeedSpec spec = { .uuid = UUID, .name = names[i][0] };
      g_autoptr (LmSeedFiles) files = render (&spec);
      g_autofree char *expected = g_strdup_printf (
          "{\n  \"instance-id\" : \"" UUID "\",\n  \"local-hostname\" : \"%s\"\n}\n", names[i][1]);
      assert_bytes (files->meta_data, expected);
    }
}

static void
test_argv (void)
{
  g_auto (GStrv) argv = lm_seed_argv ("/w", "/o");
  g_autofree char *line = g_strjoinv (" ", argv);
  g_assert_cmpstr (line, ==, "xorriso -no_rc -as mkisofs --modification-date=2000010100000000 "
                             "--set_all_file_dates 2000010100000000 -quiet -V cidata -J -r -no-pad -o /o /w");
}

/* Writes a seed and reads it with other programs. */
static void
test_write (void)
{
  if (!tools_have ("xorriso"))
    return;
  g_autoptr (GError) error = NULL;
  g_autofree char *top = g_dir_make_tmp ("lm-seed-XXXXXX", &error);
  g_autofree char *dir = g_build_filename (top, "a =b*[c]'d", NULL);
  g_autofree char *path = g_build_filename (dir, "seed.iso", NULL);
  g_assert_true (lm_file_make_dir (dir, 0755, &error));
  g_autoptr (GBytes) network = g_bytes_new_static ("version: 2\n", 11);
  const LmSeedSpec spec = { .uuid = UUID, .name = "web1", .ssh_keys = STRINGS (KEY), .network_config = network };
  g_assert_true (lm_seed_write (&spec, path, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (GBytes) first = lm_file_read (path, 1 << 20, NULL, &error);
  g_assert_no_error (error);
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0600);

  g_usleep (1100 * 1000);
  g_assert_true (lm_seed_write (&spec, path, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (GBytes) second = lm_file_read (path, 1 << 20, NULL, &error);
  g_assert_true (g_bytes_equal (first, second));

  g_autofree char *blkid = g_find_program_in_path ("/usr/sbin/blkid");
  if (blkid != NULL)
    {
      const char *const argv[] = { blkid, "-p", "-s", "LABEL", "-s", "TYPE", "-o", "export", path, NULL };
      g_autofree char *out = tools_run (argv);
      g_assert_nonnull (strstr (out, "LABEL=cidata\n"));
      g_assert_nonnull (strstr (out, "TYPE=iso9660\n"));
    }
  g_autofree char *back = g_build_filename (top, "back", NULL);
  const char *const extract[] = { "xorriso", "-no_rc", "-osirrox", "on", "-indev", path, "-extract", "/", back, NULL };
  g_free (tools_run (extract));
  g_autoptr (LmSeedFiles) files = render (&spec);
  const struct
  {
    const char *name;
    GBytes *bytes;
  } expected[] = { { "user-data", files->user_data },
                   { "meta-data", files->meta_data },
                   { "network-config", network } };
  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autofree char *file = g_build_filename (back, expected[i].name, NULL);
      g_autoptr (GBytes) got = lm_file_read (file, 1 << 20, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (g_bytes_equal (got, expected[i].bytes));
    }
  g_assert_cmpint (chmod (back, 0755), ==, 0);
  g_assert_true (lm_file_remove_tree (top, &error));
  g_assert_no_error (error);
}

/* A failure leaves nothing, and an existing seed is kept. */
static void
test_failure (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lm-seed-XXXXXX", &error);
  g_autofree char *path = g_build_filename (dir, "seed.iso", NULL);
  g_autofree char *path_before = g_strdup (g_getenv ("PATH"));
  const LmSeedSpec spec = { .uuid = UUID, .name = "web1" };
  g_assert_true (lm_file_write (path, "old", 3, 0600, &error));

  g_setenv ("PATH", "/no/such/directory", TRUE);
  g_assert_false (lm_seed_write (&spec, path, NULL, &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "xorriso"));
  g_clear_error (&error);
  g_setenv ("PATH", path_before, TRUE);

  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  g_assert_false (lm_seed_write (&spec, path, cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  g_autofree char *nowhere = g_build_filename (dir, "missing", "seed.iso", NULL);
  g_assert_false (lm_seed_write (&spec, nowhere, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);

  g_autofree char *xorriso = g_find_program_in_path ("xorriso");
  if (xorriso != NULL)
    {
      g_setenv ("LAMINA_TEST_FAULT", "seed-before-publish=eio", TRUE);
      g_assert_false (lm_seed_write (&spec, path, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      g_unsetenv ("LAMINA_TEST_FAULT");
      g_clear_error (&error);
    }
  g_autoptr (GBytes) old = lm_file_read (path, 10, NULL, &error);
  assert_bytes (old, "old");
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir (dir), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/seed/keys-only", test_keys_only);
  g_test_add_func ("/seed/user-data-and-keys", test_user_data_and_keys);
  g_test_add_func ("/seed/refused", test_refused);
  g_test_add_func ("/seed/hostname", test_hostname);
  g_test_add_func ("/seed/argv", test_argv);
  g_test_add_func ("/seed/write", test_write);
  g_test_add_func ("/seed/failure", test_failure);
  return g_test_run ();
}
