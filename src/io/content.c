/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/content.h"

#include <string.h>

#define COMPRESSED(name) \
  ": it is a file compressed by " name "; publish it uncompressed, or list the size and digest of what is published"

static gboolean
is_html (const char *head, gsize size)
{
  static const char *const starts[] = { "<!doctype html", "<html", "<head" };
  while (size > 0 && g_ascii_isspace (*head))
    head++, size--;
  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    if (size >= strlen (starts[i]) && g_ascii_strncasecmp (head, starts[i], strlen (starts[i])) == 0)
      return TRUE;
  return FALSE;
}

const char *
lm_content_describe (const void *head, gsize size)
{
  static const struct
  {
    gsize offset;
    gsize size;
    const char *bytes;
    const char *text;
  } kinds[] = {
    { 0, 2, "\x1f\x8b", COMPRESSED ("gzip") },
    { 0, 6, "\xfd" "7zXZ\0", COMPRESSED ("xz") },
    { 0, 4, "\x28\xb5\x2f\xfd", COMPRESSED ("zstd") },
    { 0, 3, "BZh", COMPRESSED ("bzip2") },
    { 0, 4, "KDMV", ": it is a VMDK image; convert it by \"qemu-img convert -O qcow2\"" },
    { 0, 8, "conectix", ": it is a VHD image; convert it by \"qemu-img convert -O qcow2\"" },
    { 257, 5, "ustar", ": it is a tar archive; publish the image in it" },
    { 510, 2, "\x55\xaa", ": it is a raw disk image; convert it by \"qemu-img convert -f raw -O qcow2\"" },
  };
  if (is_html (head, size))
    return ": it is a page of HTML, of an error or a login perhaps; open the URL in a browser";
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (size >= kinds[i].offset + kinds[i].size
        && memcmp ((const char *) head + kinds[i].offset, kinds[i].bytes, kinds[i].size) == 0)
      return kinds[i].text;
  return "";
}
