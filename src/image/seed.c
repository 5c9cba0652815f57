/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/seed.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/file.h"
#include "image/seed-input.h"
#include "io/run.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABEL "cidata"
/* A fixed date, so that the same files always give the same disk. */
#define DATE "2000010100000000"
#define HOSTNAME_MAX 63
#define TIME_SECONDS 60

void
lm_seed_files_free (LmSeedFiles *files)
{
  if (files == NULL)
    return;
  g_clear_pointer (&files->user_data, g_bytes_unref);
  g_clear_pointer (&files->meta_data, g_bytes_unref);
  g_clear_pointer (&files->network_config, g_bytes_unref);
  g_free (files);
}

static gboolean
check_keys (const char *const *keys, GError **error)
{
  for (gsize i = 0; keys != NULL && keys[i] != NULL; i++)
    if (!lm_seed_input_check_key (keys[i], error))
      return FALSE;
  return TRUE;
}

/* JSON is YAML and quotes all values. */
static GBytes *
build_bytes (JsonBuilder *builder, const char *prefix)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, TRUE);
  char *whole = g_strconcat (prefix, text, "\n", NULL);
  return g_bytes_new_take (whole, strlen (whole));
}

static void
add_ssh_keys (JsonBuilder *builder, const char *member, const char *const *keys)
{
  json_builder_set_member_name (builder, member);
  json_builder_begin_array (builder);
  for (gsize i = 0; keys != NULL && keys[i] != NULL; i++)
    json_builder_add_string_value (builder, keys[i]);
  json_builder_end_array (builder);
}

static GBytes *
make_user_data (const char *const *keys)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  if (keys != NULL && keys[0] != NULL)
    add_ssh_keys (builder, "ssh_authorized_keys", keys);
  json_builder_end_object (builder);
  return build_bytes (builder, "#cloud-config\n");
}

/* Not every name of a machine is a valid host name (RFC 1123, section 2.1). */
static char *
make_hostname (const char *name)
{
  g_autofree char *host = g_strndup (name, HOSTNAME_MAX);
  for (char *p = host; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && *p != '.')
      *p = '-';
  const char *start = host + strspn (host, "-.");
  gsize length = strlen (start);
  while (length > 0 && strchr ("-.", start[length - 1]) != NULL)
    length--;
  return length > 0 ? g_strndup (start, length) : g_strdup ("localhost");
}

static GBytes *
make_meta_data (const LmSeedSpec *spec, const char *const *keys)
{
  g_autofree char *hostname = make_hostname (spec->name);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "instance-id");
  json_builder_add_string_value (builder, spec->uuid);
  json_builder_set_member_name (builder, "local-hostname");
  json_builder_add_string_value (builder, hostname);
  if (keys != NULL && keys[0] != NULL)
    add_ssh_keys (builder, "public-keys", keys);
  json_builder_end_object (builder);
  return build_bytes (builder, "");
}

static gboolean
check_seed_file_size (GBytes *bytes, const char *what, GError **error)
{
  if (bytes != NULL && g_bytes_get_size (bytes) > LM_SEED_FILE_MAX)
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID, "the %s is larger than %d bytes", what,
                     LM_SEED_FILE_MAX);
  return TRUE;
}

LmSeedFiles *
lm_seed_render (const LmSeedSpec *spec, GError **error)
{
  const char *const *keys = spec->ssh_keys;
  if (!check_keys (keys, error) || !check_seed_file_size (spec->user_data, "user-data", error)
      || !check_seed_file_size (spec->meta_data, "meta-data", error)
      || !check_seed_file_size (spec->network_config, "network-config", error))
    return NULL;
  if (keys != NULL && keys[0] != NULL && spec->user_data != NULL && spec->meta_data != NULL)
    return lm_throw_null (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID,
                          "--cloud-init: an SSH key cannot be added if both user-data and meta-data are given; put it "
                          "into one of them");

  g_autoptr (LmSeedFiles) files = g_new0 (LmSeedFiles, 1);
  files->user_data = spec->user_data != NULL ? g_bytes_ref (spec->user_data) : make_user_data (keys);
  files->meta_data = spec->meta_data != NULL ? g_bytes_ref (spec->meta_data)
                                             : make_meta_data (spec, spec->user_data != NULL ? keys : NULL);
  files->network_config = spec->network_config != NULL ? g_bytes_ref (spec->network_config) : NULL;
  if (!check_seed_file_size (files->user_data, "user-data", error)
      || !check_seed_file_size (files->meta_data, "meta-data", error))
    return NULL;
  return g_steal_pointer (&files);
}

char **
lm_seed_argv (const char *directory, const char *output)
{
  const char *const argv[] = { "xorriso", "-no_rc", "-as", "mkisofs", "--modification-date=" DATE, "--set_all_file_dates", DATE,
                               "-quiet", "-V", LABEL, "-J", "-r", "-no-pad", "-o", output, directory, NULL };
  return g_strdupv ((char **) argv);
}

static gboolean
run_xorriso (const char *directory, const char *output, GCancellable *cancellable, GError **error)
{
  const LmRunLimits limits = { .time_seconds = TIME_SECONDS };
  g_auto (GStrv) argv = lm_seed_argv (directory, output);
  g_autoptr (GError) failure = NULL;
  if (lm_run ((const char *const *) argv, &limits, NULL, cancellable, &failure))
    return TRUE;
  if (g_error_matches (failure, LM_RUN_ERROR, LM_RUN_ERROR_NOT_FOUND))
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED,
                     "cannot create the cloud-init seed: xorriso is not installed; install the package xorriso");
  g_propagate_prefixed_error (error, g_steal_pointer (&failure), "cannot create the cloud-init seed: ");
  return FALSE;
}

static gboolean
write_seed_file (const char *directory, const char *name, GBytes *bytes, GError **error)
{
  if (bytes == NULL)
    return TRUE;
  g_autofree char *path = g_build_filename (directory, name, NULL);
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  lm_autofd int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return lm_throw_errno (error, "cannot create %s", path);
  if (lm_fd_write_all (fd, data, size, error))
    return TRUE;
  g_prefix_error (error, "%s: ", path);
  return FALSE;
}

/* Creates @path from files in @work, a private directory next to it. */
static gboolean
create_seed_in (const char *work, const LmSeedFiles *files, const char *path, GCancellable *cancellable, GError **error)
{
  g_autofree char *content = g_build_filename (work, "content", NULL);
  g_autofree char *output = g_build_filename (work, "seed.iso", NULL);
  if (!lm_file_make_dir (content, 0700, error) || !write_seed_file (content, "user-data", files->user_data, error)
      || !write_seed_file (content, "meta-data", files->meta_data, error)
      || !write_seed_file (content, "network-config", files->network_config, error)
      || !run_xorriso (content, output, cancellable, error))
    return FALSE;
  lm_autofd int fd = open (output, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fchmod (fd, 0600) < 0 || fsync (fd) < 0)
    return lm_throw_errno (error, "cannot finish %s", output);
  if (!lm_fault_point ("seed-before-publish", error))
    return FALSE;
  if (g_rename (output, path) < 0)
    return lm_throw_errno (error, "cannot move the seed to %s", path);
  g_autofree char *directory = g_path_get_dirname (path);
  return lm_file_sync_dir (directory, error);
}

gboolean
lm_seed_write (const LmSeedSpec *spec, const char *path, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (g_path_is_absolute (path), FALSE);
  g_autoptr (LmSeedFiles) files = lm_seed_render (spec, error);
  if (files == NULL)
    return FALSE;
  g_autofree char *work = lm_file_temporary_name (path);
  if (g_mkdir (work, 0700) < 0)
    return lm_throw_errno (error, "cannot create a directory next to %s", path);
  gboolean ok = create_seed_in (work, files, path, cancellable, error);
  /* Anything left over is removed together with the machine's directory. */
  (void) !lm_file_remove_tree (work, NULL);
  return ok;
}
