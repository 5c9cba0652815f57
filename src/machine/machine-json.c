/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/machine-json.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json-value.h"

#include <string.h>

#define VERSION_KEY "lamina-record"
#define RECORD_VERSION 1

/* URLs are not redacted, because they are used to fetch the file again. */
static void
add_blob_json (JsonBuilder *builder, const LmBlob *blob)
{
  lm_json_add_digest (builder, "digest", &blob->digest);
  lm_json_add_uint (builder, "size", blob->size);
  lm_json_add_strv (builder, "urls", blob->urls);
}

static void
add_boot_file_json (JsonBuilder *builder, const char *key, const LmBlob *blob)
{
  if (blob == NULL)
    return;
  json_builder_set_member_name (builder, key);
  json_builder_begin_object (builder);
  add_blob_json (builder, blob);
  json_builder_end_object (builder);
}

static void
add_layer_json (JsonBuilder *builder, const LmDomainLayer *layer)
{
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", layer->blob.name);
  lm_json_add_string (builder, "version", layer->version);
  lm_json_add_string (builder, "group", layer->group);
  lm_json_add_string (builder, "source", layer->source);
  add_blob_json (builder, &layer->blob);
  lm_json_add_string (builder, "path", layer->path);
  json_builder_end_object (builder);
}

static void
add_publish_json (JsonBuilder *builder, const LmDomainPublish *publish)
{
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "address", publish->address);
  lm_json_add_uint (builder, "port", publish->port);
  lm_json_add_uint (builder, "guest_port", publish->guest_port);
  json_builder_end_object (builder);
}

char *
lm_machine_to_json (const LmMachine *machine)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_uint (builder, VERSION_KEY, RECORD_VERSION);
  lm_json_add_string (builder, "name", machine->name);
  lm_json_add_string (builder, "uuid", machine->uuid);
  lm_json_add_string (builder, "uri", machine->uri);
  lm_json_add_string (builder, "state", lm_machine_state_name (machine->state));
  lm_json_add_bool (builder, "transient", machine->transient);
  lm_json_add_bool (builder, "ephemeral", machine->ephemeral);
  lm_json_add_uint (builder, "created", machine->created);
  lm_json_add_strv (builder, "requested", machine->requested);
  lm_json_add_strv (builder, "resolved", machine->resolved);
  json_builder_set_member_name (builder, "layers");
  json_builder_begin_array (builder);
  for (guint i = 0; i < machine->layers->len; i++)
    add_layer_json (builder, g_ptr_array_index (machine->layers, i));
  json_builder_end_array (builder);
  add_boot_file_json (builder, "kernel", machine->kernel_blob);
  add_boot_file_json (builder, "initrd", machine->initrd_blob);
  json_builder_set_member_name (builder, "publish");
  json_builder_begin_array (builder);
  for (guint i = 0; i < machine->publish->len; i++)
    add_publish_json (builder, g_ptr_array_index (machine->publish, i));
  json_builder_end_array (builder);
  lm_json_add_string (builder, "ready", machine->ready);
  lm_json_add_uint (builder, "disk", machine->disk);
  if (machine->files != NULL)
    lm_json_add_strv (builder, "files", machine->files);
  if (machine->state != LM_MACHINE_STATE_COMPLETE && machine->replaced_by != NULL)
    {
      lm_json_add_string (builder, "replaced_by", machine->replaced_by);
      lm_json_add_string (builder, "replaced_xml", machine->replaced_xml);
      lm_json_add_bool (builder, "replaced_autostart", machine->replaced_autostart);
      lm_json_add_bool (builder, "replaced_active", machine->replaced_active);
    }
  json_builder_end_object (builder);
  return lm_json_finish (builder);
}

static char *
dup_json_string (const LmJsonValue *object, const char *key)
{
  return g_strdup (lm_json_get_string (object, key));
}

/* Reads a number from 0 to @max; 0 if it is missing. */
static gboolean
read_number_json (const LmJsonValue *object, const char *key, guint64 max, guint64 *out_number, GError **error)
{
  const gint64 number = lm_json_get_int (object, key, lm_json_get_member (object, key) ? -1 : 0);
  if (number < 0 || (guint64) number > max)
    return lm_throw (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT, "its %s is not a number from 0 to %" G_GUINT64_FORMAT,
                     key, max);
  *out_number = (guint64) number;
  return TRUE;
}

static gboolean
read_blob_json (const LmJsonValue *object, LmBlob *blob, GError **error)
{
  if (!lm_digest_parse (lm_json_get_string (object, "digest"), &blob->digest, error)
      || !read_number_json (object, "size", LM_BLOB_SIZE_MAX, &blob->size, error))
    return FALSE;
  blob->urls = lm_json_get_strv (object, "urls");
  return TRUE;
}

static gboolean
read_boot_file_json (const LmJsonValue *root, const char *key, LmBlob **out_blob, GError **error)
{
  const LmJsonValue *object = lm_json_get_member (root, key);
  if (!lm_json_is_object (object))
    return TRUE;
  g_autoptr (LmBlob) blob = g_new0 (LmBlob, 1);
  blob->kind = LM_BLOB_FILE;
  blob->name = g_strdup (key);
  if (!read_blob_json (object, blob, error))
    return FALSE;
  *out_blob = g_steal_pointer (&blob);
  return TRUE;
}

static gboolean
read_layers_json (LmMachine *machine, const LmJsonValue *root, GError **error)
{
  const LmJsonValue *object = lm_json_get_first (lm_json_get_array (root, "layers"));
  for (guint i = 0; object != NULL; i++, object = lm_json_get_next (object))
    {
      if (!lm_json_is_object (object))
        return lm_throw (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT, "layer %u is not an object", i);
      g_autoptr (LmDomainLayer) layer = lm_domain_layer_new ();
      if (!read_blob_json (object, &layer->blob, error))
        return FALSE;
      layer->blob.name = dup_json_string (object, "name");
      layer->version = dup_json_string (object, "version");
      layer->group = dup_json_string (object, "group");
      layer->source = dup_json_string (object, "source");
      layer->path = dup_json_string (object, "path");
      if (layer->blob.name == NULL || layer->version == NULL || layer->path == NULL)
        return lm_throw (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT, "layer %u has no name, version or path", i);
      layer->blob.kind = LM_BLOB_LAYER;
      layer->blob.has_parent = i > 0;
      if (i > 0)
        layer->blob.parent = ((LmDomainLayer *) machine->layers->pdata[i - 1])->blob.digest;
      g_ptr_array_add (machine->layers, g_steal_pointer (&layer));
    }
  return TRUE;
}

static gboolean
read_publish_json (LmMachine *machine, const LmJsonValue *root, GError **error)
{
  const LmJsonValue *object = lm_json_get_first (lm_json_get_array (root, "publish"));
  for (; object != NULL; object = lm_json_get_next (object))
    {
      if (!lm_json_is_object (object))
        continue;
      guint64 port, guest_port;
      if (!read_number_json (object, "port", G_MAXUINT16, &port, error)
          || !read_number_json (object, "guest_port", G_MAXUINT16, &guest_port, error))
        return FALSE;
      LmDomainPublish *publish = lm_domain_publish_new ();
      publish->address = dup_json_string (object, "address");
      publish->port = (guint16) port;
      publish->guest_port = (guint16) guest_port;
      g_ptr_array_add (machine->publish, publish);
    }
  return TRUE;
}

gboolean
lm_machine_from_json (LmMachine *machine, GBytes *bytes, GError **error)
{
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  g_autoptr (LmJson) json = lm_json_parse (text, size, error);
  if (json == NULL)
    return FALSE;
  const LmJsonValue *root = lm_json_get_root (json);
  if (!lm_json_is_object (root))
    return lm_throw (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT, "not a JSON object");
  if (lm_json_get_int (root, VERSION_KEY, 0) != RECORD_VERSION)
    return lm_throw (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT,
                     "written by another version of lamina (" VERSION_KEY " is not %d)", RECORD_VERSION);
  g_autofree char *uuid = dup_json_string (root, "uuid");
  g_autofree char *name = dup_json_string (root, "name");
  if (g_strcmp0 (uuid, machine->uuid) != 0)
    return lm_throw (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT, "its uuid is not that of its directory");
  if (!lm_domain_name_check (name ? name : "", error))
    return FALSE;
  if (!lm_machine_state_parse (lm_json_get_string (root, "state"), &machine->state))
    return lm_throw (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT, "its state is unknown");
  g_free (machine->name);
  machine->name = g_steal_pointer (&name);
  machine->uri = dup_json_string (root, "uri");
  machine->transient = lm_json_get_bool (root, "transient");
  machine->ephemeral = lm_json_get_bool (root, "ephemeral");
  machine->requested = lm_json_get_strv (root, "requested");
  machine->resolved = lm_json_get_strv (root, "resolved");
  machine->ready = dup_json_string (root, "ready");
  machine->files = lm_json_get_array (root, "files") != NULL ? lm_json_get_strv (root, "files") : NULL;
  machine->replaced_by = dup_json_string (root, "replaced_by");
  machine->replaced_xml = dup_json_string (root, "replaced_xml");
  machine->replaced_autostart = lm_json_get_bool (root, "replaced_autostart");
  machine->replaced_active = lm_json_get_bool (root, "replaced_active");
  guint64 created;
  if (!read_number_json (root, "created", G_MAXINT64, &created, error)
      || !read_number_json (root, "disk", LM_DOMAIN_DISK_MAX, &machine->disk, error))
    return FALSE;
  machine->created = (gint64) created;
  return read_publish_json (machine, root, error) && read_boot_file_json (root, "kernel", &machine->kernel_blob, error)
         && read_boot_file_json (root, "initrd", &machine->initrd_blob, error) && read_layers_json (machine, root, error);
}
