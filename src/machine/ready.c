/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/ready.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SIZE_MAX_READ 4096

/* The fields of the file: RUN INODE OFFSET READY */
enum
{
  FIELD_RUN,
  FIELD_INODE,
  FIELD_OFFSET,
  FIELD_READY,
  N_FIELDS,
};

static gboolean
parse_ready_file (const char *text, const char *run, LmConsolePosition *out_position)
{
  guint64 ready;
  g_auto (GStrv) fields = g_strsplit (text, " ", -1);
  if (g_strv_length (fields) != N_FIELDS || strcmp (fields[FIELD_RUN], run) != 0
      || !g_ascii_string_to_unsigned (fields[FIELD_INODE], 10, 0, G_MAXUINT64, &out_position->inode, NULL)
      || !g_ascii_string_to_unsigned (fields[FIELD_OFFSET], 10, 0, G_MAXINT64, &out_position->offset, NULL)
      || !g_ascii_string_to_unsigned (fields[FIELD_READY], 10, 0, 1, &ready, NULL))
    return FALSE;
  out_position->ready = ready == 1;
  return TRUE;
}

void
lm_ready_load (const LmMachine *machine, const char *run, LmConsolePosition *out_position)
{
  g_autoptr (GBytes) bytes = lm_file_read (machine->ready_file, SIZE_MAX_READ, NULL, NULL);
  gsize size = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  g_autofree char *text = g_strndup (data != NULL ? data : "", size);
  if (!parse_ready_file (text, run, out_position))
    *out_position = (LmConsolePosition){ 0 };
}

gboolean
lm_ready_save (const LmMachine *machine, const char *run, const LmConsolePosition *position, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %d", run, position->inode,
                                           position->offset, position->ready ? 1 : 0);
  return lm_file_write (machine->ready_file, text, strlen (text), 0600, error);
}

/* Renamed, because a log that libvirt truncated and the guest filled again cannot
 * be told from the old one by its size. */
void
lm_ready_rotate_log (const LmMachine *machine, LmConsolePosition *out_position)
{
  struct stat st;
  g_autofree char *old = g_strconcat (machine->console_log, ".0", NULL);
  *out_position = (LmConsolePosition){ 0 };
  if (rename (machine->console_log, old) == 0 && stat (old, &st) == 0)
    *out_position = (LmConsolePosition){ st.st_ino, (guint64) st.st_size, FALSE };
}

void
lm_ready_check_log (const LmMachine *machine, LmConsolePosition *position)
{
  struct stat st;
  g_autofree char *old = g_strconcat (machine->console_log, ".0", NULL);
  if (stat (old, &st) < 0 || st.st_ino != position->inode)
    *position = (LmConsolePosition){ 0 };
}
