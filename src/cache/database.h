/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* lamina.db: what lamina remembers about the cache, in SQLite. It holds when each
 * blob was last used by a launch, a start or a build, which ones are pinned, what packages are
 * called, and a history of launches and starts. It is never the only truth about what may be deleted: that is
 * in the files and in libvirt. So a missing or damaged database counts as empty, and
 * a damaged one is set aside. That it cannot be opened or read, because of the disk or
 * for want of memory, is an error and not damage. Only this module uses SQLite.
 *
 * The write-ahead log lets readers and one writer work at the same time, survives
 * kills and power failures without a sync per note, and is replayed by the next
 * process. Nobody may open and close lamina.db otherwise in a process that has it
 * open here, because that would release SQLite's locks. */
#include "base/blob.h"
#include <gio/gio.h>

typedef struct _LmDatabase LmDatabase;

/** lm_database_open: opens the database in the existing state directory @state_dir
 * and creates it if missing (mode 0600). If it is damaged, it is renamed to
 * lamina.db.damaged, a message is appended to @warnings (char *; must outlive the
 * result), and a new one is created; the same happens when damage shows later. If
 * @warnings is NULL, nobody could be told, so it stays as it is, and that is an error. If
 * another process does that while it is open here, what follows happens in the new one. If no
 * space is left to create it, it counts as empty, and cannot be changed. Waits
 * up to five seconds for other processes. Errors: LM_CACHE_ERROR_DATABASE (also if a
 * later version of lamina made it), _BUSY, _NO_SPACE, G_IO_ERROR. */
LmDatabase *lm_database_open (const char *state_dir, GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_database_check: reads the database in @state_dir and changes nothing. *out_damage
 * is a text about damage, newly allocated, or NULL if there is none or no database.
 * Errors: as for lm_database_open(). */
gboolean lm_database_check (const char *state_dir, char **out_damage, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_database_open_readonly: likewise for reading only: nothing is created or set
 * aside. A database that is missing or damaged, or that this user may not read,
 * counts as empty. */
LmDatabase *lm_database_open_readonly (const char *state_dir, GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_database_is_hidden: whether @database counts as empty because this user may not read it. */
gboolean lm_database_is_hidden (const LmDatabase *database);

/** lm_database_close: frees @database; NULL is ignored. */
void lm_database_close (LmDatabase *database);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDatabase, lm_database_close)

/* A launch, definition or start of a machine. Everything is owned by the caller. */
typedef struct
{
  gint64 time;             /* seconds since 1970 */
  gint64 began;            /* when the caller began; 0: libvirt's hook says that the machine has been started */
  const char *how;         /* "launch", "define", "start", ...; ignored if libvirt's hook says it: "libvirt" */
  const char *user;        /* name of the user of this process; NULL if somebody unknown asked for it */
  const char *uuid;        /* of the machine */
  const char *name;
  char *const *selections; /* as resolved; may be NULL */
  const GPtrArray *chain;  /* LmBlob, base first */
  const GPtrArray *others; /* LmBlob: kernel and initrd, which are used but not part of the chain; may be NULL */
} LmDatabaseStart;

/** lm_database_note_start: notes that the blobs of @start were used at its time and,
 * if @history is set, adds it to the history, of which the latest 20,000 entries are
 * kept. A start that both libvirt and the process that asked for it note is one
 * entry, that of the process, whoever comes first. Does not sync: a power failure may lose it. Errors: as for lm_database_open(). */
gboolean lm_database_note_start (LmDatabase *database, const LmDatabaseStart *start, gboolean history,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_database_list_uses: returns when each blob was last used: a table of LmDigest
 * to gint64, seconds since 1970, both owned by it. Errors: as for lm_database_open(). */
GHashTable *lm_database_list_uses (LmDatabase *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A package that layers are made of, and whose file is kept so that they can be made again. */
typedef struct
{
  const char *name, *version;
  LmDigest digest; /* of its file */
} LmDatabasePackage;

/** lm_database_note_packages: notes what the files of @packages (LmDatabasePackage) are, and that they were used
 * at @time, as for lm_database_note_start(). Errors: as for lm_database_open(). */
gboolean lm_database_note_packages (LmDatabase *database, const GPtrArray *packages, gint64 time, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_database_list_packages: returns which files are packages: a table of LmDigest to LmDatabasePackage, both
 * owned by it, with their texts. Errors: as for lm_database_open(). */
GHashTable *lm_database_list_packages (LmDatabase *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_database_list_pins: returns which blobs are pinned, and since when, as lm_database_list_uses() does. */
GHashTable *lm_database_list_pins (LmDatabase *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_database_count_selections: returns how often each set of selections was launched or defined, as far as the
 * history goes: a table of the selections as resolved, separated by spaces, to gint64, both
 * owned by it. Errors: as for lm_database_open(). */
GHashTable *lm_database_count_selections (LmDatabase *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_database_set_pinned: pins the blob @digest, so that it is not removed for want
 * of space, or unpins it. Durable when the function returns. *out_changed is whether
 * it was otherwise before. Errors: as for lm_database_open(). */
gboolean lm_database_set_pinned (LmDatabase *database, const LmDigest *digest, gboolean pinned, gboolean *out_changed,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
