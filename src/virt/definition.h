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

/** lm_virt_visit_definitions: calls @func for each domain of @virt, running or not,
 * persistent or transient. A domain that disappears meanwhile is left out. A few
 * round trips, and one for each XML, which is read once. Errors: LM_VIRT_ERROR, and
 * those of @func. */
gboolean lm_virt_visit_definitions (LmVirt *virt, LmVirtDefinitionFunc func, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
