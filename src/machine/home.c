/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/home.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

G_DEFINE_QUARK (lm-home-error-quark, lm_home_error)

/* Returns @path without symbolic links, "." and ".."; the file, and directories
 * above it, may be missing. */
static char *
resolve_path (const char *path)
{
  char *real = realpath (path, NULL);
  if (real != NULL)
    {
      char *copy = g_strdup (real);
      free (real);
      return copy;
    }
  g_autofree char *dir = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  if (strcmp (dir, path) == 0)
    return g_strdup (path);
  g_autofree char *parent = resolve_path (dir);
  g_autofree char *joined = g_build_filename (parent, name, NULL);
  return g_canonicalize_filename (joined, "/");
}

static char *
strip_tail (const char *path, const char *tail)
{
  return g_str_has_suffix (path, tail) ? g_strndup (path, strlen (path) - strlen (tail)) : NULL;
}

/* If @path is DIR/machines/<uuid>/overlay.qcow2, returns DIR. There may be symbolic links to a
 * directory in it, but the overlay itself is none. */
static char *
strip_overlay (const char *path, const char *uuid)
{
  if (path == NULL || !g_path_is_absolute (path))
    return NULL;
  g_autofree char *tail = g_build_filename ("/machines", uuid, "overlay.qcow2", NULL);
  char *dir = strip_tail (path, tail);
  if (dir != NULL)
    return dir;
  g_autofree char *above = g_path_get_dirname (path);
  g_autofree char *real_above = resolve_path (above);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *real = g_build_filename (real_above, name, NULL);
  return strip_tail (real, tail);
}

char *
lm_home_guess (const LmDomainSpec *spec, const LmDomainOutline *outline)
{
  char *dir = strip_overlay (spec->overlay, outline->uuid);
  for (guint i = 0; dir == NULL && i < outline->disks->len; i++)
    dir = strip_overlay (g_ptr_array_index (outline->disks, i), outline->uuid);
  return dir;
}

static gboolean
is_below (const char *path, const char *dir)
{
  gsize length = strlen (dir);
  return strncmp (path, dir, length) == 0 && path[length] == '/';
}

/* Whether @path, as QEMU would open it, is the overlay of @machine. A symbolic link
 * to it is not, because libvirt may label and replace what it finds at @path. */
static gboolean
is_overlay (const LmMachine *machine, const char *path)
{
  g_autofree char *dir = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *own = g_path_get_basename (machine->overlay);
  g_autofree char *real_dir = resolve_path (dir);
  g_autofree char *real_own = resolve_path (machine->dir);
  return strcmp (name, own) == 0 && strcmp (real_dir, real_own) == 0 && strstr (path, "/../") == NULL
         && !g_file_test (path, G_FILE_TEST_IS_SYMLINK);
}

gboolean
lm_home_has_overlay (const LmMachine *machine, const LmDomainOutline *outline)
{
  for (guint i = 0; i < outline->disks->len; i++)
    if (is_overlay (machine, g_ptr_array_index (outline->disks, i)))
      return TRUE;
  return FALSE;
}

/* No disk may be in the directory of another machine, by whatever path. */
static gboolean
check_disk (const LmMachine *machine, const char *name, const char *path, GError **error)
{
  g_autofree char *real = resolve_path (path);
  g_autofree char *real_own = resolve_path (machine->dir);
  g_autofree char *machines = g_path_get_dirname (real_own);
  if (!is_below (real, machines) || is_below (real, real_own))
    return TRUE;
  g_autofree char *where = strcmp (path, real) != 0 ? g_strdup_printf (" (%s)", real) : g_strdup ("");
  return lm_throw (error, LM_HOME_ERROR, LM_HOME_ERROR_FOREIGN,
                   "its disk %s is in the directory of another machine%s; a copy of a domain needs a disk and a UUID "
                   "of its own, and \"virsh metadata %s urn:lamina:domain:1 --remove --config\" makes it independent of "
                   "lamina", path, where, name);
}

gboolean
lm_home_check (const LmMachine *machine, gboolean recorded, const LmDomainSpec *spec, const LmDomainOutline *outline,
               GError **error)
{
  for (guint i = 0; i < outline->disks->len; i++)
    if (!check_disk (machine, outline->name, g_ptr_array_index (outline->disks, i), error))
      return FALSE;
  g_autofree char *state_dir = strip_overlay (spec->overlay, outline->uuid);
  if (state_dir != NULL && !is_overlay (machine, spec->overlay))
    return lm_throw (error, LM_HOME_ERROR, LM_HOME_ERROR_FOREIGN,
                     "its metadata was written for the state directory %s, but the one in use is %s (state-dir in "
                     "lamina.conf)", state_dir, machine->state_dir);
  if (spec->overlay != NULL && !is_overlay (machine, spec->overlay))
    return lm_throw (error, LM_HOME_ERROR, LM_HOME_ERROR_FOREIGN,
                     "its metadata is that of another machine, whose disk is %s, perhaps because it is a copy; \"virsh "
                     "metadata %s urn:lamina:domain:1 --remove --config\" makes it independent of lamina", spec->overlay,
                     outline->name);
  if (recorded || lm_home_has_overlay (machine, outline))
    return TRUE;
  return lm_throw (error, LM_HOME_ERROR, LM_HOME_ERROR_FOREIGN,
                   "its metadata refers to lamina, so one of its disks must be %s", machine->overlay);
}

gboolean
lm_home_check_chain (const LmMachine *machine, const LmDomainSpec *spec, GError **error)
{
  if (spec->layers->len == 0)
    return TRUE;
  gboolean same = spec->layers->len == machine->layers->len;
  for (guint i = 0; same && i < machine->layers->len; i++)
    same = lm_digest_equal (&((LmDomainLayer *) spec->layers->pdata[i])->blob.digest,
                            &((LmDomainLayer *) machine->layers->pdata[i])->blob.digest);
  return same || lm_throw (error, LM_HOME_ERROR, LM_HOME_ERROR_CHANGED,
                           "the layers in its metadata are not those that its disk %s was made of", machine->overlay);
}
