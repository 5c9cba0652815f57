/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/catalog-json.h"
#include "base/json.h"

#define FORMAT_VERSION 1

static void
add_text (JsonBuilder *builder, const char *key, const char *value)
{
  if (value != NULL)
    lm_json_add_string (builder, key, value);
}

static void
add_list (JsonBuilder *builder, const char *key, char *const *values)
{
  if (values != NULL && *values != NULL)
    lm_json_add_strv (builder, key, values);
}

/* Amounts must have a unit. */
static void
add_amount (JsonBuilder *builder, const char *key, guint64 bytes)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT "B", bytes);
  if (bytes > 0)
    lm_json_add_string (builder, key, text);
}

static void
begin_member (JsonBuilder *builder, const char *key)
{
  json_builder_set_member_name (builder, key);
  json_builder_begin_object (builder);
}

static void
add_file (JsonBuilder *builder, const LmBlob *blob)
{
  if (blob->has_parent)
    lm_json_add_digest (builder, "parent", &blob->parent);
  lm_json_add_digest (builder, "digest", &blob->digest);
  lm_json_add_uint (builder, "size", blob->size);
  lm_json_add_strv (builder, "urls", blob->urls);
}

/* An empty list says that nothing was added, none that nothing is known. */
static void
add_contents (JsonBuilder *builder, const LmBuild *build)
{
  if (build->has_lock)
    lm_json_add_digest (builder, "lock", &build->lock);
  if (build->packages != NULL)
    {
      lm_json_add_strv (builder, "packages", build->packages);
      add_list (builder, "removed", build->removed);
    }
}

static void
add_boot (JsonBuilder *builder, const LmLayer *layer)
{
  if (layer->kernel == NULL && layer->initrd == NULL && layer->cmdline == NULL)
    return;
  begin_member (builder, "boot");
  if (layer->kernel != NULL)
    {
      begin_member (builder, "kernel");
      add_file (builder, layer->kernel);
      json_builder_end_object (builder);
    }
  if (layer->initrd != NULL)
    {
      begin_member (builder, "initrd");
      add_file (builder, layer->initrd);
      json_builder_end_object (builder);
    }
  add_text (builder, "cmdline", layer->cmdline);
  json_builder_end_object (builder);
}

static void
add_layer (JsonBuilder *builder, const LmLayer *layer)
{
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", layer->name);
  lm_json_add_string (builder, "version", layer->version);
  lm_json_add_string (builder, "group", layer->group);
  add_text (builder, "summary", layer->summary);
  add_text (builder, "osinfo", layer->osinfo);
  add_text (builder, "arch", layer->arch);
  add_text (builder, "ready", layer->ready);
  add_text (builder, "origin", layer->origin);
  add_list (builder, "provides", layer->provides);
  add_list (builder, "requires", layer->requires);
  add_list (builder, "conflicts", layer->conflicts);
  if (layer->memory > 0 || layer->disk > 0)
    {
      begin_member (builder, "resources");
      add_amount (builder, "memory", layer->memory);
      add_amount (builder, "disk", layer->disk);
      json_builder_end_object (builder);
    }
  add_boot (builder, layer);
  json_builder_set_member_name (builder, "builds");
  json_builder_begin_array (builder);
  for (guint i = 0; i < layer->builds->len; i++)
    {
      json_builder_begin_object (builder);
      add_file (builder, &lm_layer_get_build (layer, i)->blob);
      add_contents (builder, lm_layer_get_build (layer, i));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
add_group (JsonBuilder *builder, const LmGroup *group)
{
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", group->name);
  add_text (builder, "title", group->title);
  if (group->required)
    lm_json_add_bool (builder, "required", TRUE);
  if (group->multiple)
    lm_json_add_bool (builder, "multiple", TRUE);
  json_builder_end_object (builder);
}

char *
lm_catalog_to_json (const char *name, const GPtrArray *groups, const GPtrArray *layers)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_uint (builder, "lamina-catalog", FORMAT_VERSION);
  add_text (builder, "name", name);
  json_builder_set_member_name (builder, "groups");
  json_builder_begin_array (builder);
  for (guint i = 0; i < groups->len; i++)
    add_group (builder, g_ptr_array_index (groups, i));
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "layers");
  json_builder_begin_array (builder);
  for (guint i = 0; i < layers->len; i++)
    add_layer (builder, g_ptr_array_index (layers, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return lm_json_finish (builder);
}
