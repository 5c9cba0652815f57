/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/request.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/spec-file.h"
#include "domain/device.h"
#include "catalog/selection.h"
#include "base/size.h"

#include <string.h>

#define MIN_MEMORY (16 * LM_SIZE_MIB)
#define MAX_MEMORY (16 * 1024 * LM_SIZE_GIB)
#define MAX_DISK (64 * 1024 * LM_SIZE_GIB)
#define MAX_VCPUS 1024
#define MAX_SEED_FILE (1024 * 1024)

/* Splits "KEY=VALUE" in place. */
static gboolean
split_pair (const char *option, char *pair, const char **out_value, GError **error)
{
  char *equals = strchr (pair, '=');
  if (equals == NULL || equals == pair || equals[1] == '\0')
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--%s: \"%s\" is not KEY=VALUE", option, pair);
  *equals = '\0';
  *out_value = equals + 1;
  return TRUE;
}

static gboolean
read_size (LmArgs *args, const char *name, const char *text, guint64 unit, guint64 min, guint64 max, guint64 *out_size, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (!lm_size_parse (text, unit, out_size, &failure))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--%s: %s", name, failure->message);
  if (*out_size < min || *out_size > max)
    {
      g_autofree char *low = lm_size_format (min);
      g_autofree char *high = lm_size_format (max);
      return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--%s: %s is not within %s and %s", name, text, low, high);
    }
  return TRUE;
}

static gboolean
read_disk (LmArgs *args, LmLaunchRequest *request, GError **error)
{
  const char *text = lm_args_get (args, "disk");
  if (text == NULL)
    return TRUE;
  g_auto (GStrv) pairs = g_strsplit (text, ",", -1);
  for (char **pair = pairs; *pair; pair++)
    {
      const char *value;
      if (!split_pair ("disk", *pair, &value, error))
        return FALSE;
      if (strcmp (*pair, "size") != 0)
        return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--disk: \"%s\" is unknown; \"size=\" is what it takes", *pair);
      if (!read_size (args, "disk", value, LM_SIZE_GIB, LM_SIZE_MIB, MAX_DISK, &request->disk, error))
        return FALSE;
    }
  return TRUE;
}

static GBytes *
read_seed_file (const char *key, const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  GBytes *bytes = lm_file_read (path, MAX_SEED_FILE, cancellable, &failure);
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_propagate_error (error, g_steal_pointer (&failure));
  else if (bytes == NULL)
    return lm_throw_null (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--cloud-init %s: %s", key, failure->message);
  return bytes;
}

/* A file of public keys, one a line, as ~/.ssh/authorized_keys has them. */
static gboolean
read_ssh_keys (GStrvBuilder *keys, const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) bytes = read_seed_file ("ssh-key", path, cancellable, error);
  if (bytes == NULL)
    return FALSE;
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  g_autofree char *text = g_strndup (data ? data : "", size);
  if (strstr (text, "PRIVATE KEY") != NULL)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE,
                     "--cloud-init ssh-key: %s is a private key; give the public one (%s.pub?)", path, path);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint found = 0;
  for (char **line = lines; *line; line++)
    {
      g_strstrip (*line);
      if (**line == '\0' || **line == '#')
        continue;
      g_strv_builder_add (keys, *line);
      found++;
    }
  if (found == 0)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--cloud-init ssh-key: %s holds no key", path);
  return TRUE;
}

static gboolean
read_cloud_init_pair (LmLaunchRequest *request, GStrvBuilder *keys, const char *key, const char *path,
                      GCancellable *cancellable, GError **error)
{
  GBytes **slot = strcmp (key, "user-data") == 0        ? &request->user_data
                  : strcmp (key, "meta-data") == 0      ? &request->meta_data
                  : strcmp (key, "network-config") == 0 ? &request->network_config
                                                        : NULL;
  if (strcmp (key, "ssh-key") == 0)
    return read_ssh_keys (keys, path, cancellable, error);
  if (slot == NULL)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE,
                     "--cloud-init: \"%s\" is unknown; it takes user-data=, meta-data=, network-config= and ssh-key=", key);
  if (*slot != NULL)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--cloud-init: %s is given twice", key);
  *slot = read_seed_file (key, path, cancellable, error);
  return *slot != NULL;
}

static gboolean
read_cloud_init (const LmInvocation *invocation, LmLaunchRequest *request, GError **error)
{
  g_autoptr (GStrvBuilder) keys = g_strv_builder_new ();
  for (const char *const *value = lm_args_get_all (invocation->args, "cloud-init"); *value; value++)
    {
      request->cloud_init = TRUE;
      g_auto (GStrv) pairs = g_strsplit (*value, ",", -1);
      for (char **pair = pairs; *pair; pair++)
        {
          const char *path;
          if (!split_pair ("cloud-init", *pair, &path, error)
              || !read_cloud_init_pair (request, keys, *pair, path, invocation->cancellable, error))
            return FALSE;
        }
    }
  request->ssh_keys = g_strv_builder_end (keys);
  return TRUE;
}

static gboolean
read_devices (LmArgs *args, LmLaunchRequest *request, GError **error)
{
  request->networks = lm_args_has (args, "network") ? g_strdupv ((char **) lm_args_get_all (args, "network")) : NULL;
  for (char **network = request->networks; network && *network; network++)
    {
      g_autoptr (LmDomainNetwork) parsed = lm_domain_network_parse (*network, error);
      if (parsed == NULL)
        return FALSE;
    }
  for (const char *const *value = lm_args_get_all (args, "publish"); *value; value++)
    {
      LmDomainPublish *publish = lm_domain_publish_parse (*value, error);
      if (publish == NULL)
        return FALSE;
      g_ptr_array_add (request->publish, publish);
    }
  if (!lm_domain_publish_check (request->publish, error))
    return FALSE;
  request->graphics = g_strdup (lm_args_get (args, "graphics"));
  if (request->graphics != NULL)
    {
      g_autoptr (LmDomainGraphics) parsed = lm_domain_graphics_parse (request->graphics, error);
      if (parsed == NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_compute (const LmInvocation *invocation, LmLaunchRequest *request, GError **error)
{
  LmArgs *args = invocation->args;
  const char *memory = lm_args_get (args, "memory");
  if (memory && !read_size (args, "memory", memory, LM_SIZE_MIB, MIN_MEMORY, MAX_MEMORY, &request->memory, error))
    return FALSE;
  guint64 vcpus;
  if (!lm_args_get_uint (args, "vcpus", 1, MAX_VCPUS, 0, &vcpus, error))
    return FALSE;
  request->vcpus = (guint) vcpus;
  request->cpu = g_strdup (lm_args_get (args, "cpu"));
  const char *virt_type = lm_args_get (args, "virt-type");
  request->virt_type = g_strdup (virt_type ? virt_type : invocation->settings->virt_type);
  if (request->virt_type && !lm_domain_virt_type_check (request->virt_type, error))
    return FALSE;
  return request->cpu == NULL || lm_domain_cpu_check (request->cpu, error);
}

LmLaunchRequest *
lm_request_read (const LmInvocation *invocation, GError **error)
{
  LmArgs *args = invocation->args;
  const char *file = lm_args_get (args, "file");
  if (file && !lm_spec_file_merge (args, file, invocation->cancellable, error))
    return NULL;
  if (lm_args_n_words (args) < 2)
    return lm_throw_null (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "a name and at least one selection are needed: %s",
                          file ? "neither the command line nor the file has both" : "NAME SELECTION...");

  const char *const *words = lm_args_words (args);
  g_autoptr (LmLaunchRequest) request = lm_launch_request_new ();
  request->name = g_strdup (words[0]);
  if (!lm_domain_name_check (request->name, error))
    return NULL;
  for (const char *const *word = words + 1; *word; word++)
    {
      g_autoptr (LmSelection) selection = lm_selection_parse (*word, error);
      if (selection == NULL)
        return NULL;
    }
  request->selections = g_strdupv ((char **) words + 1);
  if (!read_compute (invocation, request, error) || !read_disk (args, request, error) || !read_devices (args, request, error)
      || !read_cloud_init (invocation, request, error))
    return NULL;
  const char *template = lm_args_get (args, "template");
  request->template = g_strdup (template ? template : invocation->settings->template);
  request->osinfo = g_strdup (lm_args_get (args, "osinfo"));
  request->autostart = lm_args_has (args, "autostart");
  request->replace = lm_args_has (args, "replace");
  return g_steal_pointer (&request);
}
