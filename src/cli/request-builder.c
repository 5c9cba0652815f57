/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/request-builder.h"
#include "base/error.h"
#include "base/file.h"
#include "base/size.h"
#include "catalog/selection.h"
#include "cli/args.h"
#include "cli/output.h"
#include "image/seed-input.h"

#include <string.h>

#define MIN_MEMORY (16 * LM_SIZE_MIB)
#define MAX_MEMORY (16 * 1024 * LM_SIZE_GIB)
#define MAX_VCPUS 1024
#define MAX_SEED_FILE (1024 * 1024)
#define DEFAULT_WAIT 300
#define MAX_WAIT (24 * 3600)

struct _LmRequestBuilder
{
  LmLaunchRequest *request;
  GCancellable *cancellable;
  GStrvBuilder *selections;
  GStrvBuilder *ssh_keys;
};

typedef gboolean (*SetText) (LmRequestBuilder *self, const char *text, GError **error);
typedef gboolean (*SetPairs) (LmRequestBuilder *self, const LmOptionPair *pairs, guint count, GError **error);

LmRequestBuilder *
lm_request_builder_new (GCancellable *cancellable)
{
  LmRequestBuilder *self = g_new0 (LmRequestBuilder, 1);
  self->request = lm_launch_request_new ();
  self->request->wait_seconds = DEFAULT_WAIT;
  self->cancellable = g_object_ref (cancellable);
  self->selections = g_strv_builder_new ();
  self->ssh_keys = g_strv_builder_new ();
  return self;
}

void
lm_request_builder_free (LmRequestBuilder *self)
{
  if (self == NULL)
    return;
  lm_launch_request_free (self->request);
  g_object_unref (self->cancellable);
  g_strv_builder_unref (self->selections);
  g_strv_builder_unref (self->ssh_keys);
  g_free (self);
}

gboolean
lm_request_builder_set_name (LmRequestBuilder *self, const char *name, GError **error)
{
  g_free (self->request->name);
  self->request->name = g_strdup (name);
  return lm_domain_name_check (name, error);
}

gboolean
lm_request_builder_add_selection (LmRequestBuilder *self, const char *text, GError **error)
{
  g_autoptr (LmSelection) selection = lm_selection_parse (text, error);
  if (selection == NULL)
    return FALSE;
  g_strv_builder_add (self->selections, text);
  return TRUE;
}

static void
set_string (char **slot, const char *text)
{
  g_free (*slot);
  *slot = g_strdup (text);
}

static gboolean
parse_size_in_range (const char *text, guint64 unit, guint64 min, guint64 max, guint64 *out_size, GError **error)
{
  g_autoptr (GError) failure = NULL;
  guint64 size;
  if (!lm_size_parse (text, unit, &size, &failure))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s", failure->message);
  if (size < min || size > max)
    {
      g_autofree char *low = lm_size_format (min);
      g_autofree char *high = lm_size_format (max);
      return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s is not between %s and %s", text, low, high);
    }
  *out_size = size;
  return TRUE;
}

static gboolean
parse_count (const char *text, guint64 max, guint *out_number, GError **error)
{
  guint64 number;
  if (!g_ascii_string_to_unsigned (text, 10, 1, max, &number, NULL))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "\"%s\": expected a number from 1 to %" G_GUINT64_FORMAT,
                     text, max);
  *out_number = (guint) number;
  return TRUE;
}

static gboolean
set_memory (LmRequestBuilder *self, const char *text, GError **error)
{
  return parse_size_in_range (text, LM_SIZE_MIB, MIN_MEMORY, MAX_MEMORY, &self->request->memory, error);
}

static gboolean
set_vcpus (LmRequestBuilder *self, const char *text, GError **error)
{
  return parse_count (text, MAX_VCPUS, &self->request->vcpus, error);
}

static gboolean
set_cpu (LmRequestBuilder *self, const char *text, GError **error)
{
  set_string (&self->request->cpu, text);
  return lm_domain_cpu_check (text, error);
}

static gboolean
set_virt_type (LmRequestBuilder *self, const char *text, GError **error)
{
  set_string (&self->request->virt_type, text);
  return lm_domain_virt_type_check (text, error);
}

static gboolean
set_osinfo (LmRequestBuilder *self, const char *text, GError **error)
{
  set_string (&self->request->osinfo, text);
  return TRUE;
}

static gboolean
set_template (LmRequestBuilder *self, const char *text, GError **error)
{
  set_string (&self->request->template, text);
  return TRUE;
}

static gboolean
set_wait (LmRequestBuilder *self, const char *text, GError **error)
{
  self->request->wait = TRUE;
  return parse_count (text, MAX_WAIT, &self->request->wait_seconds, error);
}

static gboolean
set_disk_pairs (LmRequestBuilder *self, const LmOptionPair *pairs, guint count, GError **error)
{
  for (guint i = 0; i < count; i++)
    {
      if (strcmp (pairs[i].key, "size") != 0)
        return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "unknown key \"%s\"; use size=", pairs[i].key);
      if (i > 0)
        return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "size is given twice");
      if (!parse_size_in_range (pairs[i].value, LM_SIZE_GIB, LM_SIZE_MIB, LM_DOMAIN_DISK_MAX, &self->request->disk, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_network (LmRequestBuilder *self, LmDomainNetwork *network)
{
  if (network == NULL)
    return FALSE;
  if (self->request->networks == NULL)
    self->request->networks = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_network_free);
  g_ptr_array_add (self->request->networks, network);
  return TRUE;
}

static gboolean
add_network_text (LmRequestBuilder *self, const char *text, GError **error)
{
  return add_network (self, lm_domain_network_parse (text, error));
}

static gboolean
add_network_pairs (LmRequestBuilder *self, const LmOptionPair *pairs, guint count, GError **error)
{
  g_autoptr (LmDomainNetwork) network = lm_domain_network_new ();
  for (guint i = 0; i < count; i++)
    if (!lm_domain_network_set (network, pairs[i].key, pairs[i].value, error))
      return FALSE;
  return add_network (self, g_steal_pointer (&network));
}

static gboolean
add_publish (LmRequestBuilder *self, const char *text, GError **error)
{
  LmDomainPublish *publish = lm_domain_publish_parse (text, error);
  if (publish == NULL)
    return FALSE;
  g_ptr_array_add (self->request->publish, publish);
  return TRUE;
}

static gboolean
set_graphics (LmRequestBuilder *self, LmDomainGraphics *graphics)
{
  if (graphics == NULL)
    return FALSE;
  lm_domain_graphics_free (self->request->graphics);
  self->request->graphics = graphics;
  return TRUE;
}

static gboolean
set_graphics_text (LmRequestBuilder *self, const char *text, GError **error)
{
  return set_graphics (self, lm_domain_graphics_parse (text, error));
}

static gboolean
set_graphics_pairs (LmRequestBuilder *self, const LmOptionPair *pairs, guint count, GError **error)
{
  g_autoptr (LmDomainGraphics) graphics = lm_domain_graphics_new ();
  for (guint i = 0; i < count; i++)
    if (!lm_domain_graphics_set (graphics, pairs[i].key, pairs[i].value, error))
      return FALSE;
  return lm_domain_graphics_check (graphics, error) && set_graphics (self, g_steal_pointer (&graphics));
}

static GBytes *
read_seed_file (LmRequestBuilder *self, const char *path, GError **error)
{
  g_autoptr (GError) failure = NULL;
  GBytes *bytes = lm_file_read (path, MAX_SEED_FILE, self->cancellable, &failure);
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_propagate_error (error, g_steal_pointer (&failure));
  else if (bytes == NULL)
    return lm_throw_null (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s", failure->message);
  return bytes;
}

/* Reads the file @path as the part @key of the cloud-init seed. */
static gboolean
add_seed_file (LmRequestBuilder *self, const char *key, const char *path, GError **error)
{
  LmLaunchRequest *request = self->request;
  g_autofree char *warning = NULL;
  g_autoptr (GBytes) bytes = read_seed_file (self, path, error);
  if (bytes == NULL)
    return FALSE;
  if (strcmp (key, "ssh-key") == 0)
    {
      g_auto (GStrv) keys = lm_seed_input_keys (path, bytes, error);
      if (keys != NULL)
        g_strv_builder_addv (self->ssh_keys, (const char **) keys);
      return keys != NULL;
    }
  GBytes **slot = strcmp (key, "user-data") == 0   ? &request->user_data
                  : strcmp (key, "meta-data") == 0 ? &request->meta_data
                                                   : &request->network_config;
  if (*slot != NULL)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "is given twice");
  *slot = slot == &request->user_data   ? lm_seed_input_user_data (path, bytes, &warning, error)
          : slot == &request->meta_data ? lm_seed_input_meta_data (path, bytes, error)
                                        : lm_seed_input_network_config (path, bytes, &warning, error);
  if (warning != NULL)
    lm_output_warning ("%s", warning);
  return *slot != NULL;
}

static gboolean
add_cloud_init_pairs (LmRequestBuilder *self, const LmOptionPair *pairs, guint count, GError **error)
{
  static const char *const keys[] = { "user-data", "meta-data", "network-config", "ssh-key", NULL };
  self->request->cloud_init = TRUE;
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (GError) failure = NULL;
      if (!g_strv_contains (keys, pairs[i].key))
        return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE,
                         "unknown key \"%s\"; use user-data=, meta-data=, network-config= or ssh-key=", pairs[i].key);
      if (add_seed_file (self, pairs[i].key, pairs[i].value, &failure))
        continue;
      if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s: %s", pairs[i].key, failure->message);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return TRUE;
}

/* An option without @set_text is KEY=VALUE,... on the command line; one without
 * @set_pairs cannot be a mapping in a spec file. */
static const struct
{
  const char *name;
  SetText set_text;
  SetPairs set_pairs;
} value_setters[] = {
  { "memory", set_memory, NULL },
  { "vcpus", set_vcpus, NULL },
  { "cpu", set_cpu, NULL },
  { "virt-type", set_virt_type, NULL },
  { "disk", NULL, set_disk_pairs },
  { "network", add_network_text, add_network_pairs },
  { "publish", add_publish, NULL },
  { "graphics", set_graphics_text, set_graphics_pairs },
  { "osinfo", set_osinfo, NULL },
  { "template", set_template, NULL },
  { "cloud-init", NULL, add_cloud_init_pairs },
  { "wait", set_wait, NULL },
};

static guint
find_setter (const char *name)
{
  guint i = 0;
  while (i < G_N_ELEMENTS (value_setters) && strcmp (value_setters[i].name, name) != 0)
    i++;
  g_assert (i < G_N_ELEMENTS (value_setters));
  return i;
}

/* Splits @text at single commas; a double comma stands for a comma. */
static char **
split_at_commas (const char *text)
{
  g_autoptr (GStrvBuilder) parts = g_strv_builder_new ();
  g_autoptr (GString) part = g_string_new (NULL);
  for (const char *c = text; *c != '\0'; c++)
    if (c[0] != ',')
      g_string_append_c (part, *c);
    else if (c[1] == ',')
      g_string_append_c (part, *c++);
    else
      {
        g_strv_builder_add (parts, part->str);
        g_string_truncate (part, 0);
      }
  g_strv_builder_add (parts, part->str);
  return g_strv_builder_end (parts);
}

gboolean
lm_request_builder_set_text (LmRequestBuilder *self, const char *name, const char *text, GError **error)
{
  guint setter = find_setter (name);
  if (value_setters[setter].set_text != NULL)
    return value_setters[setter].set_text (self, text, error);
  g_auto (GStrv) parts = split_at_commas (text);
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (LmOptionPair));
  for (char **part = parts; *part; part++)
    {
      char *equals = strchr (*part, '=');
      if (equals == NULL || equals == *part || equals[1] == '\0')
        return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "\"%s\" is not KEY=VALUE", *part);
      *equals = '\0';
      const LmOptionPair pair = { *part, equals + 1 };
      g_array_append_val (pairs, pair);
    }
  return value_setters[setter].set_pairs (self, (const LmOptionPair *) (void *) pairs->data, pairs->len, error);
}

gboolean
lm_request_builder_set_pairs (LmRequestBuilder *self, const char *name, const LmOptionPair *pairs, guint count, GError **error)
{
  guint setter = find_setter (name);
  if (value_setters[setter].set_pairs == NULL)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "expected a single value, not a mapping");
  return value_setters[setter].set_pairs (self, pairs, count, error);
}

void
lm_request_builder_set_flag (LmRequestBuilder *self, const char *name)
{
  LmLaunchRequest *request = self->request;
  gboolean *flag = strcmp (name, "autostart") == 0   ? &request->autostart
                   : strcmp (name, "transient") == 0 ? &request->transient
                   : strcmp (name, "ephemeral") == 0 ? &request->ephemeral
                   : strcmp (name, "wait") == 0      ? &request->wait
                                                     : NULL;
  g_assert (flag != NULL);
  *flag = TRUE;
}

LmLaunchRequest *
lm_request_builder_end (LmRequestBuilder *self, GError **error)
{
  LmLaunchRequest *request = self->request;
  request->selections = g_strv_builder_end (self->selections);
  request->ssh_keys = g_strv_builder_end (self->ssh_keys);
  if (request->name == NULL || request->selections[0] == NULL)
    return lm_throw_null (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE,
                          "a name and at least one selection are required: NAME SELECTION...");
  if (request->transient && request->autostart)
    return lm_throw_null (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--transient and --autostart cannot be combined");
  if ((request->networks != NULL && !lm_domain_network_check (request->networks, error))
      || !lm_domain_publish_check (request->publish, error))
    return NULL;
  return g_steal_pointer (&self->request);
}
