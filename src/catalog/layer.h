/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a catalog says of groups, layers and their builds: pure data. */
#include "base/blob.h"

typedef struct
{
  char *name;
  char *title;       /* NULL: none */
  gboolean required; /* a machine needs one of it */
  gboolean multiple; /* a machine may have several of it */
} LmGroup;

typedef struct
{
  char *name;
  char *version;
  char *group;
  char *summary; /* NULL: none; so are the next five */
  char *osinfo;
  char *arch;
  char *ready;   /* text on the console when the guest is up */
  char *cmdline;
  LmBlob *kernel; /* NULL: the disk boots by itself */
  LmBlob *initrd;
  guint64 memory; /* bytes; 0: not said */
  guint64 disk;   /* bytes, the smallest virtual size; 0: not said */
  char **provides;
  char **requires;  /* "name", "name >= version", ... */
  char **conflicts;
  GPtrArray *builds; /* LmBlob: one for each parent it is built on; at least one */
  const char *source; /* name of its catalog; owned by the catalog */
} LmLayer;

void lm_group_free (LmGroup *group);
void lm_layer_free (LmLayer *layer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmGroup, lm_group_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLayer, lm_layer_free)

/** lm_groups_allow_several: whether a machine may have several layers of the group
 * @name, one of @groups (LmGroup). */
gboolean lm_groups_allow_several (const GPtrArray *groups, const char *name);

/** lm_layer_runs_on: whether @layer is for machines of @arch: it names @arch, or none. */
gboolean lm_layer_runs_on (const LmLayer *layer, const char *arch);
