/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/content.h"
#include "base/error.h"

#include <string.h>

#define DECOMPRESS "decompress it, and make sure that it is served without Content-Encoding"
#define UNPACK "unpack it"
#define CONVERT_TEXT "convert it to UTF-8"
#define OTHER "the URL may lead to another file"
#define NO_LAYER "the catalog lists a file that is not a layer; its author has to correct it"
#define SHOWN_MAX 40
#define PAGE "the URL may lead to an error page or a login page"
#define QCOW2 "a qcow2 disk image"
#define IMAGE "layers are qcow2 images; a catalog is a text file that describes them"
#define CONVERT IMAGE "; convert it with \"qemu-img convert -O qcow2\""

static const struct
{
  gsize offset;
  const char *magic;
  gsize size;
  const char *what;
  const char *advice;
} kinds[] = {
  { 0, "\x1f\x8b", 2, "a gzip-compressed file", DECOMPRESS },
  { 0, "\xfd" "7zXZ", 5, "an xz-compressed file", DECOMPRESS },
  { 0, "\x28\xb5\x2f\xfd", 4, "a zstd-compressed file", DECOMPRESS },
  { 0, "BZh", 3, "a bzip2-compressed file", DECOMPRESS },
  { 0, "PK\x03\x04", 4, "a zip archive", UNPACK },
  { 0, "%PDF-", 5, "a PDF document", OTHER },
  { 0, "\xff\xfe\0\0", 4, "text in UTF-32", CONVERT_TEXT },
  { 0, "\0\0\xfe\xff", 4, "text in UTF-32", CONVERT_TEXT },
  { 257, "ustar", 5, "a tar archive", UNPACK },
  { 0, "QFI\xfb", 4, QCOW2, IMAGE },
  { 0, "conectix", 8, "a VHD disk image", CONVERT },
  { 0, "KDMV", 4, "a VMDK disk image", CONVERT },
  { 0, "vhdxfile", 8, "a VHDX disk image", CONVERT },
  { 0x40, "\x7f\x10\xda\xbe", 4, "a VDI disk image", CONVERT },
  { 32769, "CD001", 5, "an ISO 9660 image", "layers are qcow2 disk images" },
  { 510, "\x55\xaa", 2, "a raw disk image", CONVERT },
  { 1080, "\x53\xef", 2, "a raw file system image", CONVERT },
};

static gboolean
begins_with (const char *text, gsize size, const char *word)
{
  gsize length = strlen (word);
  return size >= length && g_ascii_strncasecmp (text, word, length) == 0;
}

const char *
lm_content_recognize (const void *data, gsize size, const char **out_advice)
{
  const char *what = NULL, *advice = NULL, *text = data;
  for (gsize i = 0; what == NULL && i < G_N_ELEMENTS (kinds); i++)
    if (size >= kinds[i].offset + kinds[i].size && memcmp (text + kinds[i].offset, kinds[i].magic, kinds[i].size) == 0)
      {
        what = kinds[i].what;
        advice = kinds[i].advice;
      }
  while (what == NULL && size > 0 && g_ascii_isspace (*text))
    {
      text++;
      size--;
    }
  if (what == NULL
      && (begins_with (text, size, "<!doctype html") || begins_with (text, size, "<html") || begins_with (text, size, "<head")))
    {
      what = "an HTML page";
      advice = PAGE;
    }
  else if (what == NULL && begins_with (text, size, "<?xml"))
    {
      what = "an XML document";
      advice = PAGE;
    }
  if (what != NULL && out_advice != NULL)
    *out_advice = advice;
  return what;
}

/* Returns the beginning of the text at @data on one line; NULL if it is not text. */
static char *
show_text (const char *data, gsize size)
{
  g_autofree char *head = g_strndup (data, MIN (size, LM_CONTENT_HEAD));
  const char *end;
  /* A character may be cut at the end. */
  if (!g_utf8_validate (head, -1, &end) && (strlen (head) < LM_CONTENT_HEAD || strlen (end) > 3))
    return NULL;
  head[end - head] = '\0';
  for (char *c = head; *c != '\0'; c++)
    {
      if (g_ascii_iscntrl (*c) && !g_ascii_isspace (*c))
        return NULL;
      if (g_ascii_iscntrl (*c) || *c == '"')
        *c = *c == '"' ? '\'' : ' ';
    }
  g_strstrip (head);
  gboolean all = g_utf8_strlen (head, -1) <= SHOWN_MAX && size < LM_CONTENT_HEAD;
  g_autofree char *shown = g_utf8_substring (head, 0, MIN (g_utf8_strlen (head, -1), SHOWN_MAX));
  return *shown != '\0' ? g_strdup_printf ("%s\"%s%s\"", *shown == '{' || *shown == '[' ? "JSON, " : "text, ", shown,
                                          all ? "" : "...")
                         : NULL;
}

char *
lm_content_describe (const void *data, gsize size)
{
  const char *advice, *bytes = data;
  const char *what = lm_content_recognize (data, size, &advice);
  if (what != NULL)
    return strcmp (what, QCOW2) == 0 ? g_strdup ("") : g_strdup_printf (": it is %s; %s", what, advice);
  if (size == 0)
    return g_strdup ("");
  g_autofree char *text = memchr (data, '\0', MIN (size, LM_CONTENT_HEAD)) == NULL ? show_text (data, size) : NULL;
  if (text != NULL)
    return g_strdup_printf (": it is %s; " PAGE, text);
  gsize zeros = 0;
  while (zeros < size && bytes[zeros] == '\0')
    zeros++;
  return g_strdup (zeros == size ? ": it begins with zeros; " NO_LAYER : "");
}

gboolean
lm_content_check (GBytes *bytes, const char *name, const char *wanted, GError **error)
{
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  const char *what = size > 0 ? lm_content_recognize (data, size, NULL) : NULL;
  return what == NULL
         || lm_throw (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: this is %s, not %s", name, what, wanted);
}
