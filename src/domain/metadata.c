/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/metadata.h"
#include "base/error.h"
#include "base/url.h"

#include <string.h>

G_DEFINE_QUARK (lm-metadata-error-quark, lm_metadata_error)

#define METADATA_NAME "domain metadata"
#define LAYERS_MAX 1024
#define PORTS_MAX 1024
#define ITEMS_MAX 4096

static void
add_url_elements (LmXml *xml, LmXmlNode *node, char *const *urls)
{
  for (guint i = 0; urls != NULL && urls[i] != NULL; i++)
    {
      g_autofree char *url = lm_url_redact (urls[i]);
      lm_xml_add (xml, node, "url", url);
    }
}

static void
set_number (LmXml *xml, LmXmlNode *node, const char *name, guint64 number)
{
  char text[24];
  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, number);
  if (number > 0)
    lm_xml_set (xml, node, name, text);
}

static LmXmlNode *
add_path_element (LmXml *xml, LmXmlNode *root, const char *element, const char *path)
{
  if (path == NULL)
    return NULL;
  LmXmlNode *node = lm_xml_add (xml, root, element, NULL);
  lm_xml_set (xml, node, "path", path);
  return node;
}

static LmXmlNode *
add_blob_element (LmXml *xml, LmXmlNode *root, const char *element, const LmBlob *blob, const char *path)
{
  char text[LM_DIGEST_STRING_SIZE];
  LmXmlNode *node = lm_xml_add (xml, root, element, NULL);
  lm_xml_set (xml, node, "digest", lm_digest_format (&blob->digest, text));
  set_number (xml, node, "size", blob->size);
  lm_xml_set (xml, node, "path", path);
  return node;
}

static void
add_layer_element (LmXml *xml, LmXmlNode *root, const LmDomainLayer *layer)
{
  LmXmlNode *node = add_blob_element (xml, root, "layer", &layer->blob, layer->path);
  lm_xml_set (xml, node, "name", layer->blob.name);
  lm_xml_set (xml, node, "version", layer->version);
  lm_xml_set (xml, node, "group", layer->group);
  lm_xml_set (xml, node, "source", layer->source);
  add_url_elements (xml, node, layer->blob.urls);
}

static void
add_publish_element (LmXml *xml, LmXmlNode *root, const LmDomainPublish *publish)
{
  LmXmlNode *node = lm_xml_add (xml, root, "publish", NULL);
  lm_xml_set (xml, node, "address", publish->address);
  set_number (xml, node, "port", publish->port);
  set_number (xml, node, "guest-port", publish->guest_port);
}

void
lm_metadata_add (LmXml *xml, LmXmlNode *parent, const LmDomainSpec *spec)
{
  LmXmlNode *root = lm_xml_add_ns (xml, parent, LM_METADATA_PREFIX, LM_METADATA_URI, "machine");
  for (guint i = 0; spec->requested != NULL && spec->requested[i] != NULL; i++)
    lm_xml_add (xml, root, "select", spec->requested[i]);
  if (spec->ephemeral)
    lm_xml_add (xml, root, "ephemeral", NULL);
  for (guint i = 0; spec->selections != NULL && spec->selections[i] != NULL; i++)
    lm_xml_add (xml, root, "selection", spec->selections[i]);
  for (guint i = 0; i < spec->layers->len; i++)
    add_layer_element (xml, root, g_ptr_array_index (spec->layers, i));
  if (spec->kernel_blob != NULL)
    add_url_elements (xml, add_blob_element (xml, root, "kernel", spec->kernel_blob, spec->kernel),
                      spec->kernel_blob->urls);
  if (spec->initrd_blob != NULL)
    add_url_elements (xml, add_blob_element (xml, root, "initrd", spec->initrd_blob, spec->initrd),
                      spec->initrd_blob->urls);
  if (spec->cmdline != NULL)
    lm_xml_add (xml, root, "cmdline", spec->cmdline);
  set_number (xml, add_path_element (xml, root, "overlay", spec->overlay), "size", spec->disk);
  add_path_element (xml, root, "seed", spec->seed);
  add_path_element (xml, root, "console", spec->console_log);
  if (spec->ready != NULL)
    lm_xml_add (xml, root, "ready", spec->ready);
  for (guint i = 0; i < spec->publish->len; i++)
    add_publish_element (xml, root, g_ptr_array_index (spec->publish, i));
}

/* Reading. libvirt removes the namespace if asked for the element alone. */

static LmXmlNode *
metadata_child (const LmXmlNode *parent, const char *name)
{
  LmXmlNode *node = lm_xml_child (parent, LM_METADATA_URI, name);
  return node != NULL ? node : lm_xml_child (parent, NULL, name);
}

static LmXmlNode *
metadata_next (const LmXmlNode *node, const char *name)
{
  return lm_xml_next (node, lm_xml_is (node, NULL, name) ? NULL : LM_METADATA_URI, name);
}

static char **
read_text_elements (const LmXmlNode *parent, const char *name)
{
  g_autoptr (GStrvBuilder) texts = g_strv_builder_new ();
  const LmXmlNode *node = metadata_child (parent, name);
  for (guint n = 0; node != NULL && n < ITEMS_MAX; n++, node = metadata_next (node, name))
    {
      g_autofree char *text = lm_xml_text (node);
      g_strv_builder_add (texts, text);
    }
  char **result = g_strv_builder_end (texts);
  if (result[0] == NULL)
    g_clear_pointer (&result, g_strfreev);
  return result;
}

static char *
read_text_element (const LmXmlNode *root, const char *name)
{
  const LmXmlNode *node = metadata_child (root, name);
  return node != NULL ? lm_xml_text (node) : NULL;
}

static char *
read_path_element (const LmXmlNode *root, const char *name)
{
  const LmXmlNode *node = metadata_child (root, name);
  return node != NULL ? lm_xml_attribute (node, "path") : NULL;
}

/* A missing number is 0. */
static gboolean
read_number_attribute (const LmXmlNode *node, const char *name, guint64 max, guint64 *out_number, GError **error)
{
  g_autofree char *text = lm_xml_attribute (node, name);
  guint64 number = 0;
  if (text != NULL && !g_ascii_string_to_unsigned (text, 10, 0, max, &number, NULL))
    return lm_throw (error, LM_METADATA_ERROR, LM_METADATA_ERROR_INVALID, METADATA_NAME ": %s is not a valid number",
                     name);
  *out_number = number;
  return TRUE;
}

/* Reads all of *out except its name, kind and parent. */
static gboolean
read_blob_element (const LmXmlNode *node, LmBlob *out, char **out_path, GError **error)
{
  g_autofree char *digest = lm_xml_attribute (node, "digest");
  g_autoptr (GError) local = NULL;
  if (!lm_digest_parse (digest, &out->digest, &local))
    return lm_throw (error, LM_METADATA_ERROR, LM_METADATA_ERROR_INVALID, METADATA_NAME ": %s", local->message);
  if (!read_number_attribute (node, "size", LM_BLOB_SIZE_MAX, &out->size, error))
    return FALSE;
  *out_path = lm_xml_attribute (node, "path");
  out->urls = read_text_elements (node, "url");
  return TRUE;
}

/* Reads the kernel or initrd, if there is one. */
static gboolean
read_boot_element (const LmXmlNode *root, const char *element, LmBlob **out_blob, char **out_path, GError **error)
{
  const LmXmlNode *node = metadata_child (root, element);
  if (node == NULL)
    return TRUE;
  g_autoptr (LmBlob) blob = g_new0 (LmBlob, 1);
  blob->kind = LM_BLOB_FILE;
  blob->name = g_strdup (element);
  if (!read_blob_element (node, blob, out_path, error))
    return FALSE;
  *out_blob = g_steal_pointer (&blob);
  return TRUE;
}

static LmDomainLayer *
read_layer_element (const LmXmlNode *node, GError **error)
{
  g_autoptr (LmDomainLayer) layer = lm_domain_layer_new ();
  if (!read_blob_element (node, &layer->blob, &layer->path, error))
    return NULL;
  layer->blob.kind = LM_BLOB_LAYER;
  layer->blob.name = lm_xml_attribute (node, "name");
  layer->version = lm_xml_attribute (node, "version");
  layer->group = lm_xml_attribute (node, "group");
  layer->source = lm_xml_attribute (node, "source");
  if (layer->blob.name == NULL || layer->version == NULL)
    return lm_throw_null (error, LM_METADATA_ERROR, LM_METADATA_ERROR_INVALID,
                          METADATA_NAME ": a layer has no name or no version");
  return g_steal_pointer (&layer);
}

static LmDomainPublish *
read_publish_element (const LmXmlNode *node, GError **error)
{
  g_autoptr (LmDomainPublish) publish = lm_domain_publish_new ();
  guint64 port, guest_port;
  if (!read_number_attribute (node, "port", G_MAXUINT16, &port, error)
      || !read_number_attribute (node, "guest-port", G_MAXUINT16, &guest_port, error))
    return NULL;
  publish->address = lm_xml_attribute (node, "address");
  publish->port = (guint16) port;
  publish->guest_port = (guint16) guest_port;
  return g_steal_pointer (&publish);
}

static gboolean
read_layers_and_ports (LmDomainSpec *spec, const LmXmlNode *root, GError **error)
{
  for (const LmXmlNode *node = metadata_child (root, "layer"); node != NULL; node = metadata_next (node, "layer"))
    {
      LmDomainLayer *layer = read_layer_element (node, error);
      if (layer == NULL)
        return FALSE;
      if (spec->layers->len > 0)
        {
          layer->blob.has_parent = TRUE;
          layer->blob.parent = ((LmDomainLayer *) spec->layers->pdata[spec->layers->len - 1])->blob.digest;
        }
      g_ptr_array_add (spec->layers, layer);
      if (spec->layers->len > LAYERS_MAX)
        return lm_throw (error, LM_METADATA_ERROR, LM_METADATA_ERROR_INVALID, METADATA_NAME ": more than %d layers",
                         LAYERS_MAX);
    }
  for (const LmXmlNode *node = metadata_child (root, "publish"); node != NULL; node = metadata_next (node, "publish"))
    {
      LmDomainPublish *publish = read_publish_element (node, error);
      if (publish == NULL)
        return FALSE;
      g_ptr_array_add (spec->publish, publish);
      if (spec->publish->len > PORTS_MAX)
        return lm_throw (error, LM_METADATA_ERROR, LM_METADATA_ERROR_INVALID, METADATA_NAME ": more than %d ports",
                         PORTS_MAX);
    }
  return lm_domain_publish_check (spec->publish, NULL)
         || lm_throw (error, LM_METADATA_ERROR, LM_METADATA_ERROR_INVALID,
                      METADATA_NAME ": a published port is not valid");
}

static LmDomainSpec *
read_machine_element (const LmXmlNode *root, GError **error)
{
  g_autoptr (LmDomainSpec) spec = lm_domain_spec_new ();
  if (!read_layers_and_ports (spec, root, error)
      || !read_boot_element (root, "kernel", &spec->kernel_blob, &spec->kernel, error)
      || !read_boot_element (root, "initrd", &spec->initrd_blob, &spec->initrd, error))
    return NULL;
  const LmXmlNode *overlay = metadata_child (root, "overlay");
  if (overlay != NULL && !read_number_attribute (overlay, "size", LM_DOMAIN_DISK_MAX, &spec->disk, error))
    return NULL;
  spec->requested = read_text_elements (root, "select");
  spec->ephemeral = metadata_child (root, "ephemeral") != NULL;
  spec->selections = read_text_elements (root, "selection");
  spec->cmdline = read_text_element (root, "cmdline");
  spec->ready = read_text_element (root, "ready");
  spec->overlay = read_path_element (root, "overlay");
  spec->seed = read_path_element (root, "seed");
  spec->console_log = read_path_element (root, "console");
  return g_steal_pointer (&spec);
}

LmDomainSpec *
lm_domain_metadata_parse (const char *text, GError **error)
{
  g_autoptr (LmXml) xml = lm_xml_parse (text, strlen (text), METADATA_NAME, error);
  if (xml == NULL)
    return NULL;
  const LmXmlNode *root = lm_xml_root (xml);
  if (lm_xml_is (root, LM_METADATA_URI, "machine") || lm_xml_is (root, NULL, "machine"))
    return read_machine_element (root, error);
  const LmXmlNode *metadata = lm_xml_is (root, NULL, "domain") ? lm_xml_child (root, NULL, "metadata") : NULL;
  const LmXmlNode *machine = metadata != NULL ? lm_xml_child (metadata, LM_METADATA_URI, "machine") : NULL;
  if (machine == NULL)
    return lm_throw_null (error, LM_METADATA_ERROR, LM_METADATA_ERROR_INVALID,
                          METADATA_NAME ": lamina did not make this domain");
  return read_machine_element (machine, error);
}
