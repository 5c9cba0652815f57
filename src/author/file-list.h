/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The files of a guest, as lm_appliance_add_list() lists them, and how two such lists differ. Pure. The text comes from a
 * guest: paths may be any bytes but NUL, and need not be UTF-8. */
#include <gio/gio.h>

typedef struct
{
  char type;          /* as by "find -type" */
  guint mode;         /* permission bits */
  guint64 uid, gid;
  guint64 size;       /* in bytes */
  const char *mtime;  /* "SECONDS.NANOSECONDS", followed by a blank; likewise ctime */
  const char *ctime;
  const char *path;   /* absolute */
  const char *target; /* of a symbolic link; else "" */
  const char *digest; /* 64 hexadecimal digits, followed by a blank; NULL if not known */
} LmFileEntry;

/* Where a list cannot be what the appliance writes, the error is G_IO_ERROR_INVALID_DATA. */
typedef struct _LmFileList LmFileList;

/** lm_file_list_new: returns the list in @bytes, to which it keeps a reference. An empty one if @bytes is NULL. Errors:
 * G_IO_ERROR_INVALID_DATA. */
LmFileList *lm_file_list_new (GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_file_list_free: frees @list; NULL is ignored. */
void lm_file_list_free (LmFileList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmFileList, lm_file_list_free)

/** lm_file_list_add_digests: sets the digests of the files to those in @bytes, as lm_appliance_add_digests() lists those
 * below "/"; what is not in @list is ignored. Errors: G_IO_ERROR_INVALID_DATA. */
gboolean lm_file_list_add_digests (LmFileList *list, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What of a file is another one. */
typedef enum
{
  LM_FILE_CHANGE_TYPE = 1 << 0,
  LM_FILE_CHANGE_MODE = 1 << 1,
  LM_FILE_CHANGE_OWNER = 1 << 2,
  LM_FILE_CHANGE_CONTENT = 1 << 3, /* its size, its digest, or the target of a link */
  LM_FILE_CHANGE_TIME = 1 << 4,    /* it was written to or changed; the content may be the same */
} LmFileChangeKinds;

typedef struct
{
  const LmFileEntry *before; /* NULL if it was added; owned by its list, likewise after */
  const LmFileEntry *after;  /* NULL if it was removed */
  guint what;                /* LmFileChangeKinds, if it was changed */
} LmFileChange;

/** lm_file_list_compare: returns the differences (LmFileChange), ordered by path; newly allocated, valid as long as both
 * lists. The times of a directory do not count, nor do those of a file whose digest is known in both. */
GArray *lm_file_list_compare (const LmFileList *before, const LmFileList *after);
