/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/appliance/fake.h"
#include "appliance/failure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct
{
  GString *calls;
  const char *failing, *present;
  int code;
} fake;

void
fake_reset (const char *failing, int code, const char *present)
{
  if (fake.calls == NULL)
    fake.calls = g_string_new (NULL);
  g_string_truncate (fake.calls, 0);
  fake.failing = failing;
  fake.code = code;
  fake.present = present;
}

const char *
fake_get_calls (void)
{
  return fake.calls->str;
}

G_GNUC_PRINTF (1, 2) static int
note (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *call = g_strdup_vprintf (format, args);
  va_end (args);
  g_string_append_printf (fake.calls, "%s\n", call);
  return fake.failing != NULL && g_str_has_prefix (call, fake.failing) ? -1 : 0;
}

int
guestfs_part_init (guestfs_h *handle, const char *device, const char *type)
{
  return note ("part-init %s %s", device, type);
}

int
guestfs_part_add (guestfs_h *handle, const char *device, const char *kind, int64_t first, int64_t last)
{
  return note ("part-add %s %s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, device, kind, (gint64) first, (gint64) last);
}

int
guestfs_part_set_bootable (guestfs_h *handle, const char *device, int number, int bootable)
{
  return note ("part-set-bootable %s %d %d", device, number, bootable);
}

int
guestfs_part_set_gpt_type (guestfs_h *handle, const char *device, int number, const char *guid)
{
  return note ("part-set-gpt-type %s %d %s", device, number, guid);
}

char *
guestfs_debug (guestfs_h *handle, const char *command, char *const *words)
{
  return note ("%s %s", command, words[0]) < 0 ? NULL : strdup ("");
}

int
guestfs_tar_in_opts (guestfs_h *handle, const char *file, const char *directory, ...)
{
  return note ("tar-in %s %s", file, directory);
}

int
guestfs_rm_rf (guestfs_h *handle, const char *path)
{
  return note ("rm-rf %s", path);
}

/* That what a command says does not come back does not mean that the appliance has ended. */
int
guestfs_is_ready (guestfs_h *handle)
{
  return fake.code != EPIPE;
}

char *
guestfs_command (guestfs_h *handle, char *const *words)
{
  return note ("command %s", words[0]) < 0 ? NULL : strdup ("\n0");
}

int
guestfs_exists (guestfs_h *handle, const char *path)
{
  return fake.present != NULL && g_str_has_prefix (path, fake.present);
}

/* What a glob in the shell of a directory may give. */
char **
guestfs_glob_expand_opts (guestfs_h *handle, const char *pattern, ...)
{
  static const char *const names[] = { ".", "..", ".x" };
  char **paths = calloc (G_N_ELEMENTS (names) + 1, sizeof *paths);
  g_autofree char *dir = g_path_get_dirname (pattern);
  (void) note ("glob %s", pattern);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (dir, names[i], NULL);
      paths[i] = strdup (path);
    }
  return paths;
}

/* Below "/link" there is a link to "/", as the guest sees it; "/link/sub" is one to "/target". */
char *
guestfs_realpath (guestfs_h *handle, const char *path)
{
  return strdup (strcmp (path, "/link") == 0 ? "/" : strcmp (path, "/link/sub") == 0 ? "/target" : path);
}

int
guestfs_is_dir_opts (guestfs_h *handle, const char *path, ...)
{
  return TRUE;
}

const char *
guestfs_last_error (guestfs_h *handle)
{
  return "the reason";
}

int
guestfs_last_errno (guestfs_h *handle)
{
  return fake.code;
}
