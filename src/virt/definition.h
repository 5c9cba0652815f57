/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Everything that libvirt keeps about all domains of a connection: to find out who
 * uses a file. Read in batches, so that thousands of domains take little more time
 * than libvirt needs for their XML. */
#include "virt/connect.h"

/* One domain. The XML is without passwords. */
typedef struct
{
  char *name;
  char *uuid;        /* in lower case */
  const char *state; /* "running", "paused", "shut off", "saved", "crashed"; static */
  gboolean transient;
  guint snapshots;   /* number of those whose XML is among the following */
  GPtrArray *xml;    /* char *: as it is now; as defined, if it is running; of the saved state; of each snapshot */
} LmVirtDefinition;

/* Returns FALSE with @error set to end the visit. */
typedef gboolean (*LmVirtDefinitionFunc) (gpointer data, const LmVirtDefinition *definition, GError **error);

/* The reading of all domains of a connection, in a thread of its own. */
typedef struct _LmVirtReader LmVirtReader;

/** lm_virt_reader_new: begins to read the domains of @virt, to which it keeps a
 * reference; if it is NULL, of the connection @uri, which is opened, with @limits. Both
 * @uri and @limits may be NULL. Does not block if threads can be created. */
LmVirtReader *lm_virt_reader_new (LmVirt *virt, const char *uri, const LmVirtLimits *limits);
/** lm_virt_reader_free: ends the reading, and waits for the answer that libvirt owes; NULL is ignored. */
void lm_virt_reader_free (LmVirtReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmVirtReader, lm_virt_reader_free)

/** lm_virt_reader_get_connection: waits until the connection is open, and returns it;
 * owned by @reader. NULL with LM_VIRT_ERROR if it cannot be opened. */
LmVirt *lm_virt_reader_get_connection (LmVirtReader *reader, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_reader_visit: calls @func, in this thread, for each domain that @reader
 * finds, running or not, persistent or transient; once only. A domain that disappears
 * meanwhile is left out. A few round trips, and one for each XML, which is read once.
 * Blocks. Errors: LM_VIRT_ERROR, and those of @func. */
gboolean lm_virt_reader_visit (LmVirtReader *reader, LmVirtDefinitionFunc func, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
