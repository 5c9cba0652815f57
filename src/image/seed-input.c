/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/seed-input.h"
#include "base/content.h"
#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"

#include <gio/gio.h>
#include <string.h>

#define KEYS_MAX 256
#define UNPACKED_MAX (16 << 20)
#define KEY_LENGTH_MAX (16 * 1024)
#define KEY_FORM "an OpenSSH public key, \"TYPE BASE64 [COMMENT]\""

/* By which first characters cloud-init recognizes user-data, ignoring case and
 * leading white space (INCLUSION_TYPES_MAP). */
static const char *const user_data_heads[] = { "#!", "#include", "#cloud-config", "#cloud-boothook", "#part-handler",
                                               "## template: jinja" };

static guint32
read_length (const guchar *data)
{
  return (guint32) data[0] << 24 | (guint32) data[1] << 16 | (guint32) data[2] << 8 | data[3];
}

/* A public key is a sequence of strings, each preceded by its length; the first is
 * the type of the key. A certificate also contains numbers. */
static gboolean
is_key_blob (const guchar *data, gsize size, const char *type, gsize type_length)
{
  guint strings = 0;
  gboolean certificate = g_strstr_len (type, (gssize) type_length, "-cert-") != NULL;
  for (gsize at = 0; at < size; strings++)
    {
      if (size - at < 4 || read_length (data + at) > size - at - 4)
        return FALSE;
      gsize length = read_length (data + at);
      if (strings == 0 && (length != type_length || memcmp (data + at + 4, type, length) != 0))
        return FALSE;
      if (certificate)
        return TRUE;
      at += 4 + length;
    }
  return strings >= 2;
}

/* Base64 with padding, as sshd requires; GLib's decoder accepts anything. */
static gboolean
is_base64 (const char *text, gsize length)
{
  gsize digits = 0;
  while (digits < length && (g_ascii_isalnum (text[digits]) || text[digits] == '+' || text[digits] == '/'))
    digits++;
  return length > 0 && length % 4 == 0 && length - digits <= 2 && strspn (text + digits, "=") >= length - digits;
}

/* Whether @text begins with "TYPE BASE64". */
static gboolean
is_key_at (const char *text)
{
  gsize type_length = strcspn (text, " \t");
  const char *base64 = text + type_length + strspn (text + type_length, " \t");
  gsize length = strcspn (base64, " \t");
  if (type_length == 0 || !is_base64 (base64, length))
    return FALSE;
  g_autofree char *copy = g_strndup (base64, length);
  gsize size;
  g_autofree guchar *blob = g_base64_decode (copy, &size);
  return is_key_blob (blob, size, text, type_length);
}

/* Skips the options of authorized_keys, whose values may contain spaces in quotes. */
static const char *
skip_key_options (const char *line)
{
  gboolean quoted = FALSE;
  for (; *line != '\0' && (quoted || (*line != ' ' && *line != '\t')); line++)
    if (line[0] == '\\' && line[1] == '"')
      line++;
    else if (*line == '"')
      quoted = !quoted;
  return line + strspn (line, " \t");
}

gboolean
lm_seed_input_check_key (const char *line, GError **error)
{
  gsize length = strlen (line);
  gboolean text = g_utf8_validate (line, (gssize) length, NULL);
  for (const char *p = line; text && *p != '\0'; p++)
    text = !g_ascii_iscntrl (*p) || *p == '\t';
  if (strstr (line, "PRIVATE KEY") != NULL || g_str_has_prefix (line, "PuTTY-User-Key-File"))
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID,
                     "this is a private key; give the public key, a .pub file");
  if (strstr (line, "BEGIN SSH2 PUBLIC KEY") != NULL)
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID,
                     "this public key has another format; \"ssh-keygen -i -f FILE\" converts it to " KEY_FORM);
  if (text && length <= KEY_LENGTH_MAX && (is_key_at (line) || is_key_at (skip_key_options (line))))
    return TRUE;
  g_autofree char *start = g_utf8_make_valid (line, (gssize) MIN (length, 40));
  g_autofree char *shown = g_strescape (start, NULL);
  return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID, "\"%s%s\" is not " KEY_FORM ", or is incomplete",
                   shown,
                   length > 40 ? "..." : "");
}

char **
lm_seed_input_keys (const char *name, GBytes *bytes, GError **error)
{
  g_autoptr (GStrvBuilder) keys = g_strv_builder_new ();
  g_autoptr (GBytes) normal = lm_text_normalize (bytes);
  gsize size;
  const char *data = g_bytes_get_data (normal, &size);
  guint count = 0;
  if (size > 0 && memchr (data, '\0', size) != NULL)
    return lm_throw_null (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID, "%s: not text; expected " KEY_FORM, name);
  g_autofree char *text = g_strndup (size > 0 ? data : "", size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      const char *line = g_strstrip (lines[i]);
      if (*line == '\0' || *line == '#')
        continue;
      if (!lm_seed_input_check_key (line, error))
        {
          g_prefix_error (error, "%s:%" G_GSIZE_FORMAT ": ", name, i + 1);
          return NULL;
        }
      g_strv_builder_add (keys, line);
      count++;
    }
  if (count == 0 || count > KEYS_MAX)
    return lm_throw_null (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID, "%s: %s", name,
                          count == 0 ? "contains no key" : "contains too many keys");
  return g_strv_builder_end (keys);
}

/* Adds the keys of the mapping that has begun to @keys, up to its end. */
static gboolean
read_mapping_keys (LmYamlReader *reader, GHashTable *keys, GError **error)
{
  LmYamlEvent event;
  for (;;)
    {
      if (!lm_yaml_reader_next (reader, &event, error))
        return FALSE;
      if (event.kind == LM_YAML_MAPPING_END)
        return TRUE;
      if (event.kind == LM_YAML_SCALAR)
        g_hash_table_add (keys, g_strdup (event.text));
      if (!lm_yaml_reader_skip (reader, &event, error) || !lm_yaml_reader_next (reader, &event, error)
          || !lm_yaml_reader_skip (reader, &event, error))
        return FALSE;
    }
}

/* Sets *out_keys to the keys of the outermost mapping, or NULL if @text is not a
 * mapping, and *out_nothing to whether it is empty. Something that lamina's YAML
 * reader refuses but cloud-init accepts, such as an alias, is not an error; then
 * *out_keys has the keys up to that point. */
static gboolean
read_outer_mapping (const char *name, const char *text, gsize size, gboolean *out_nothing, GHashTable **out_keys,
                    GError **error)
{
  static const LmYamlLimits limits = { .size = 16 << 20, .scalar = 16 << 20, .depth = 1000, .nodes = 1000000 };
  g_autoptr (LmYamlReader) reader = lm_yaml_reader_new (name, text, size, &limits);
  g_autoptr (GHashTable) keys = NULL;
  g_autoptr (GError) failure = NULL;
  LmYamlEvent event;
  gboolean good = lm_yaml_reader_next (reader, &event, &failure);
  *out_nothing = good && event.kind == LM_YAML_SCALAR && lm_yaml_type_of (event.text, event.plain) == LM_YAML_NULL;
  if (good && event.kind == LM_YAML_MAPPING)
    {
      keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      good = read_mapping_keys (reader, keys, &failure);
    }
  else if (good)
    good = lm_yaml_reader_skip (reader, &event, &failure);
  if ((!good || !lm_yaml_reader_next (reader, &event, &failure)) && g_error_matches (failure, LM_YAML_ERROR, LM_YAML_ERROR_SYNTAX))
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID, "%s", failure->message);
  *out_keys = g_steal_pointer (&keys);
  return TRUE;
}

/* Checks that @bytes are a YAML mapping. *out_keys is NULL if they are empty and that is allowed. */
static gboolean
check_mapping (const char *name, GBytes *bytes, gboolean may_be_empty, GHashTable **out_keys, GError **error)
{
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  gboolean nothing;
  g_autoptr (GError) other = NULL;
  if (!lm_content_check (bytes, name, "a YAML mapping (KEY: VALUE)", &other))
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID, "%s", other->message);
  if (!read_outer_mapping (name, text ? text : "", size, &nothing, out_keys, error))
    return FALSE;
  if (*out_keys != NULL || (nothing && may_be_empty))
    return TRUE;
  return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID, "%s: not a YAML mapping (KEY: VALUE)", name);
}

static gboolean
is_gzip (GBytes *bytes)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  return size >= 2 && memcmp (data, "\x1f\x8b", 2) == 0;
}

/* Decompresses @bytes as cloud-init will; *out_text is NULL if the result is too
 * large to be checked. FALSE if they cannot be decompressed. */
static gboolean
decompress_gzip (GBytes *bytes, GBytes **out_text)
{
  g_autoptr (GZlibDecompressor) decompressor = g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  g_autoptr (GInputStream) packed = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GInputStream) stream = g_converter_input_stream_new (packed, G_CONVERTER (decompressor));
  g_autofree char *data = g_malloc (UNPACKED_MAX);
  gsize size;
  if (!g_input_stream_read_all (stream, data, UNPACKED_MAX, &size, NULL, NULL))
    return FALSE;
  *out_text = size < UNPACKED_MAX ? g_bytes_new (data, size) : NULL;
  return TRUE;
}

static gboolean
is_mime (const char *data, gsize size)
{
  g_autofree char *start = g_ascii_strdown (data, (gssize) MIN (size, 4096));
  return g_strstr_len (start, (gssize) MIN (size, 4096), "mime-version:") != NULL;
}

static const char *
find_user_data_head (const char *text)
{
  for (gsize i = 0; i < G_N_ELEMENTS (user_data_heads); i++)
    if (g_ascii_strncasecmp (text, user_data_heads[i], strlen (user_data_heads[i])) == 0)
      return user_data_heads[i];
  return NULL;
}

/* Checks the mapping that follows the line "#cloud-config" at @start. */
static gboolean
check_cloud_config (const char *name, GBytes *bytes, const char *start, char **out_warning, GError **error)
{
  g_autoptr (GHashTable) keys = NULL;
  if (!check_mapping (name, bytes, TRUE, &keys, error))
    return FALSE;
  const char *rest = start + strlen ("#cloud-config");
  rest += strspn (rest, " \t\r");
  if (keys == NULL && *rest != '\n' && *rest != '\0')
    *out_warning = g_strdup_printf ("%s: cloud-init will ignore this user-data: all of it is on the "
                                    "\"#cloud-config\" line, which is a comment", name);
  return TRUE;
}

/* Checks user-data after decompression. */
static gboolean
check_user_data (const char *name, GBytes *bytes, char **out_warning, GError **error)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  g_autofree char *text = g_strndup (size > 0 ? data : "", size);
  const char *start = text + strspn (text, " \t\r\n\v\f");
  const char *head = find_user_data_head (start);
  if (*start == '\0')
    *out_warning = g_strdup_printf ("%s: this user-data is empty", name);
  else if (is_mime (data, size))
    return TRUE;
  else if (head == NULL)
    *out_warning = g_strdup_printf ("%s: cloud-init will ignore this user-data: it does not begin with \"#cloud-config\", \"#!\" "
                                    "or another marker that cloud-init recognizes", name);
  else if (strcmp (head, "#!") == 0 && start != text)
    *out_warning = g_strdup_printf ("%s: \"#!\" is not at the very beginning of this script; the guest may not run it",
                                    name);
  /* "#cloud-config-archive" is a list. */
  return g_strcmp0 (head, "#cloud-config") != 0
         || g_ascii_strncasecmp (start, "#cloud-config-", strlen ("#cloud-config-")) == 0
         || check_cloud_config (name, bytes, start, out_warning, error);
}

GBytes *
lm_seed_input_user_data (const char *name, GBytes *bytes, char **out_warning, GError **error)
{
  g_autoptr (GBytes) normal = lm_text_normalize (bytes);
  *out_warning = NULL;
  g_autoptr (GBytes) text = NULL;
  if (!is_gzip (normal))
    text = g_bytes_ref (normal);
  else if (!decompress_gzip (normal, &text))
    *out_warning = g_strdup_printf ("%s: cloud-init will ignore this user-data: it looks like gzip, but cannot be "
                                    "decompressed", name);
  return text == NULL || check_user_data (name, text, out_warning, error) ? g_steal_pointer (&normal) : NULL;
}

GBytes *
lm_seed_input_meta_data (const char *name, GBytes *bytes, GError **error)
{
  g_autoptr (GBytes) normal = lm_text_normalize (bytes);
  g_autoptr (GHashTable) keys = NULL;
  return check_mapping (name, normal, TRUE, &keys, error) ? g_steal_pointer (&normal) : NULL;
}

GBytes *
lm_seed_input_network_config (const char *name, GBytes *bytes, char **out_warning, GError **error)
{
  static const char *const needed[] = { "version", "network", "config" };
  g_autoptr (GBytes) normal = lm_text_normalize (bytes);
  g_autoptr (GHashTable) keys = NULL;
  guint found = 0;
  if (!check_mapping (name, normal, FALSE, &keys, error))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (needed); i++)
    found += g_hash_table_contains (keys, needed[i]);
  *out_warning = found > 0 ? NULL
                           : g_strdup_printf ("%s: cloud-init requires \"version: 1\" or \"version: 2\" in a "
                                              "network-config", name);
  return g_steal_pointer (&normal);
}
