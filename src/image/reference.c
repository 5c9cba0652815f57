/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/reference.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/json-value.h"
#include "image/qcow2.h"
#include "io/run.h"

#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <string.h>

/* The format can be recognized from this much of a file. */
#define PROBE_SIZE 4096
/* Limits for one image. Opening it may never end, because an extent can be a FIFO. */
static const LmRunLimits limits = { .cpu_seconds = 10, .memory = G_GUINT64_CONSTANT (2) << 30, .time_seconds = 20 };

/* The formats whose files can refer to others; the first match counts. */
static const struct
{
  const char *format;
  gsize offset;
  const char *mark;
  gsize length;
} formats[] = {
  { "qcow", 0, "QFI\xfb\0\0\0\1", 8 },
  { "qcow2", 0, "QFI\xfb", 4 },
  { "qed", 0, "QED\0", 4 },
  { "vmdk", 0, "KDMV", 4 },
  { "vmdk", 0, "COWD", 4 },
  { "vhdx", 0, "vhdxfile", 8 },
  { "vpc", 0, "conectix", 8 },
  { "vdi", 64, "\x7f\x10\xda\xbe", 4 },
};

/* Whether @data is the text form of VMDK, which lists extents and the parent. Like
 * QEMU, allows only comments and empty lines before the version. */
static gboolean
is_vmdk_text (const char *data, gsize size)
{
  const char *mark = "version=", *end = data + size;
  for (const char *line = data; line < end;)
    {
      const char *text = line;
      while (text < end && (*text == ' ' || *text == '\r'))
        text++;
      if (text < end && *text != '#' && *text != '\n')
        return (gsize) (end - line) >= strlen (mark) && memcmp (line, mark, strlen (mark)) == 0;
      const char *next = memchr (text, '\n', (gsize) (end - text));
      if (next == NULL)
        return FALSE;
      line = next + 1;
    }
  return FALSE;
}

/* Returns NULL if it is none of them. */
static const char *
find_format (const char *data, gsize size)
{
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    if (size >= formats[i].offset + formats[i].length
        && memcmp (data + formats[i].offset, formats[i].mark, formats[i].length) == 0)
      return formats[i].format;
  return is_vmdk_text (data, size) ? "vmdk" : NULL;
}

/* Reads the first bytes of @path; none if it is a drive without a medium or has no device. */
static gboolean
read_head (const char *path, char *head, gsize *out_size, guint64 *out_file_size, GError **error)
{
  g_autoptr (GError) failure = NULL;
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  *out_size = 0;
  if (fd < 0)
    lm_throw_errno (&failure, "cannot open %s", path);
  else if (lm_fd_get_size (fd, out_file_size, &failure) && lm_fd_read_full (fd, head, PROBE_SIZE, out_size, &failure))
    return TRUE;
  if (errno == ENOMEDIUM || errno == ENXIO || errno == ENODEV)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static char *
make_absolute (const char *dir, const char *name)
{
  return g_path_is_absolute (name) ? g_strdup (name) : g_build_filename (dir, name, NULL);
}

static gboolean add_image_name (GPtrArray *names, const char *dir, const char *name, GError **error);

/* For "json:" and block device options: any string in them may be the name of a file. */
static gboolean
add_json_strings (GPtrArray *names, const char *dir, JsonNode *node, GError **error)
{
  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObjectIter iter;
      JsonNode *member;
      json_object_iter_init (&iter, json_node_get_object (node));
      while (json_object_iter_next (&iter, NULL, &member))
        if (!add_json_strings (names, dir, member, error))
          return FALSE;
      return TRUE;
    }
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);
      for (guint i = 0; i < json_array_get_length (array); i++)
        if (!add_json_strings (names, dir, json_array_get_element (array, i), error))
          return FALSE;
      return TRUE;
    }
  const char *text = json_node_get_string (node);
  /* A file name is literal in some options, while others are interpreted. */
  if (text != NULL)
    g_ptr_array_add (names, make_absolute (dir, text));
  return add_image_name (names, dir, text, error);
}

/* By json-glib, because it accepts quotes like QEMU does: 'name' is a string. */
static gboolean
add_json_text (GPtrArray *names, const char *dir, const char *text, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  if (!json_parser_load_from_data (parser, text, -1, error))
    return FALSE;
  JsonNode *root = json_parser_get_root (parser);
  return root == NULL || add_json_strings (names, dir, root, error);
}

/* Adds @name, which may be NULL or "", as QEMU interprets it for an image in @dir. */
static gboolean
add_image_name (GPtrArray *names, const char *dir, const char *name, GError **error)
{
  if (name == NULL || *name == '\0')
    return TRUE;
  if (g_str_has_prefix (name, "json:"))
    return add_json_text (names, dir, name + strlen ("json:"), error);
  if (g_str_has_prefix (name, "file:"))
    name += strlen ("file:");
  /* In QEMU a colon before any slash ends the name of a protocol. */
  gsize plain = strcspn (name, ":/");
  if (name[plain] != ':')
    g_ptr_array_add (names, make_absolute (dir, name));
  else
    {
      const char *last = strrchr (name, ':') + 1;
      g_ptr_array_add (names, g_strdup (name));
      if (last[0] == '/' && last[1] != '/')
        g_ptr_array_add (names, g_strdup (last));
    }
  return TRUE;
}

/* Adds the references in @info, the output of qemu-img for the image. */
static gboolean
add_from_info (GPtrArray *names, const char *dir, const LmJsonValue *info, GError **error)
{
  const LmJsonValue *data = lm_json_get_member (lm_json_get_member (info, "format-specific"), "data");
  const LmJsonValue *extent = lm_json_get_first (lm_json_get_array (data, "extents"));
  if (!add_image_name (names, dir, lm_json_get_string (info, "backing-filename"), error)
      || !add_image_name (names, dir, lm_json_get_string (info, "full-backing-filename"), error)
      || !add_image_name (names, dir, lm_json_get_string (data, "data-file"), error))
    return FALSE;
  for (; extent != NULL; extent = lm_json_get_next (extent))
    if (!add_image_name (names, dir, lm_json_get_string (extent, "filename"), error))
      return FALSE;
  return TRUE;
}

/* -U, because a running guest may have the image locked. The backing file is not
 * opened; its own references are listed separately, in its own format. */
static gboolean
ask_qemu_img (GPtrArray *names, const char *dir, const char *path, const char *format, GCancellable *cancellable,
              GError **error)
{
  const char *const argv[] = { "qemu-img", "info", "-U", "-f", format, "--output=json", "--", path, NULL };
  g_autofree char *text = NULL;
  g_autoptr (LmJson) json
    = lm_run (argv, &limits, &text, cancellable, error) ? lm_json_parse (text, strlen (text), error) : NULL;
  if (json == NULL)
    return FALSE;
  const LmJsonValue *root = lm_json_get_root (json);
  if (!lm_json_is_object (root))
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED, "the output of qemu-img is not a JSON object");
  return add_from_info (names, dir, root, error);
}

/* Whether lamina itself reads what the qcow2 image refers to. FALSE with @error set if it
 * cannot be read. */
static gboolean
read_qcow2 (const char *path, const char *head, gsize size, guint64 file_size, LmQcow2Header *header, GError **error)
{
  g_autoptr (GError) failure = NULL;
  /* Almost always all of the header is in the first bytes. */
  if (lm_qcow2_parse ((const guint8 *) head, size, file_size, header, NULL) || lm_qcow2_read_disk (path, header, &failure))
    return !lm_qcow2_has_data_file (header);
  if (failure->domain != LM_IMAGE_ERROR)
    g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Adds the references of the image @path, in the directory of @name. @header is NULL if
 * lamina cannot read it. */
static gboolean
add_references (GPtrArray *names, const char *name, const char *path, const char *format, const LmQcow2Header *header,
                GCancellable *cancellable, GError **error)
{
  g_autofree char *dir = g_path_get_dirname (name);
  return header != NULL ? add_image_name (names, dir, header->backing_name, error)
                        : ask_qemu_img (names, dir, path, format, cancellable, error);
}

GPtrArray *
lm_image_list_references (const char *path, const char *link, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) failure = NULL;
  char head[PROBE_SIZE];
  gsize size = 0;
  guint64 file_size = 0;
  LmQcow2Header header;
  if (!read_head (path, head, &size, &file_size, error))
    return NULL;
  const char *format = find_format (head, size);
  if (format == NULL)
    return g_steal_pointer (&names);
  const gboolean is_read = strcmp (format, "qcow2") == 0 && read_qcow2 (path, head, size, file_size, &header, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  const LmQcow2Header *known = is_read ? &header : NULL;
  if (add_references (names, path, path, format, known, cancellable, error)
      && (link == NULL || add_references (names, link, path, format, known, cancellable, error)))
    return g_steal_pointer (&names);
  g_prefix_error (error, "cannot read the image %s: ", path);
  return NULL;
}
