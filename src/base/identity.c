/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/identity.h"

#include <string.h>

#define NUMBER "%020" G_GUINT64_FORMAT
#define SETTLED_NS (G_GUINT64_CONSTANT (2000) * 1000 * 1000)

static guint64
get_nanoseconds (const struct timespec *time)
{
  return (guint64) time->tv_sec * 1000000000 + (guint64) time->tv_nsec;
}

LmIdentity
lm_identity_of (const struct stat *st)
{
  return (LmIdentity){
    .device = (guint64) st->st_dev,
    .inode = (guint64) st->st_ino,
    .size = (guint64) st->st_size,
    .mtime = get_nanoseconds (&st->st_mtim),
    .ctime = get_nanoseconds (&st->st_ctim),
  };
}

LmIdentity
lm_identity_of_fd (int fd)
{
  struct stat st;
  return fstat (fd, &st) == 0 ? lm_identity_of (&st) : (LmIdentity){ 0 };
}

gboolean
lm_identity_has_same_content (const LmIdentity *one, const LmIdentity *other)
{
  return one->size == other->size && one->mtime == other->mtime && one->inode == other->inode;
}

gboolean
lm_identity_is_untouched (const LmIdentity *one, const LmIdentity *other)
{
  return lm_identity_has_same_content (one, other) && one->ctime == other->ctime;
}

gboolean
lm_identity_is_equal (const LmIdentity *one, const LmIdentity *other)
{
  return lm_identity_is_untouched (one, other) && one->device == other->device;
}

gboolean
lm_identity_is_settled (guint64 time)
{
  return (guint64) g_get_real_time () * 1000 > time + SETTLED_NS;
}

char *
lm_identity_format (const LmIdentity *identity)
{
  return g_strdup_printf (NUMBER " " NUMBER " " NUMBER, identity->size, identity->mtime, identity->inode);
}

char *
lm_identity_format_all (const LmIdentity *identity)
{
  g_autofree char *content = lm_identity_format (identity);
  return g_strdup_printf ("%s " NUMBER " " NUMBER, content, identity->device, identity->ctime);
}

gboolean
lm_identity_parse (const char *text, LmIdentity *out_identity)
{
  LmIdentity identity = { 0 };
  guint64 *const numbers[] = { &identity.size, &identity.mtime, &identity.inode, &identity.device, &identity.ctime };
  g_auto (GStrv) fields = g_strsplit (text, " ", -1);
  if (strlen (text) != LM_IDENTITY_ALL_SIZE || g_strv_length (fields) != G_N_ELEMENTS (numbers))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!g_ascii_string_to_unsigned (fields[i], 10, 0, G_MAXUINT64, numbers[i], NULL))
      return FALSE;
  *out_identity = identity;
  return TRUE;
}
