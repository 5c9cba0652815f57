/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Groups, layers and their builds as a catalog describes them: plain data. */
#include "base/blob.h"

typedef struct
{
  char *name;
  char *title;       /* NULL if none */
  gboolean required; /* a machine needs a layer of this group */
  gboolean multiple; /* a machine may have several layers of this group */
} LmGroup;

/* A file of a layer: its qcow2 for one exact parent, or for none. */
typedef struct
{
  LmBlob blob;
  char **packages;   /* catalog/installed.h; of a base all that it contains, of a child those that it
                      * adds to its parent or has in other versions; NULL if that is not recorded */
  char **removed;    /* names of packages that the parent contains and this does not; NULL if packages is */
  gboolean has_lock;
  LmDigest lock;     /* of the locked recipe, or the captured disk, that it was made from; valid if has_lock */
} LmBuild;

typedef struct
{
  char *name;
  char *version;
  char *group;
  char *summary; /* this and the next six may be NULL */
  char *osinfo;
  char *arch;
  char *ready;   /* text that appears on the console when the guest is up */
  char *cmdline;
  char *origin;  /* what it was made of: digests of the published file, and its URL */
  LmBlob *kernel; /* NULL if the disk boots by itself */
  LmBlob *initrd;
  guint64 memory; /* in bytes; 0 if not given */
  guint64 disk;   /* smallest virtual size in bytes; 0 if not given */
  char **provides;
  char **requires;  /* "name", "name >= version", ... */
  char **conflicts;
  GPtrArray *builds; /* LmBuild: one for each parent on which it is built; at least one */
  const char *source; /* name of its catalog; owned by the catalog */
} LmLayer;

/** lm_group_free: frees @group; NULL is ignored. */
void lm_group_free (LmGroup *group);
/** lm_build_new: returns a build whose file is a copy of @blob, and of which
 * nothing else is known; newly allocated. */
LmBuild *lm_build_new (const LmBlob *blob);
/** lm_build_dup: returns a newly allocated copy of @build. */
LmBuild *lm_build_dup (const LmBuild *build);
/** lm_build_clear_record: forgets what is recorded about the contents of @build and its lock. */
void lm_build_clear_record (LmBuild *build);
/** lm_build_free: frees @build; NULL is ignored. */
void lm_build_free (LmBuild *build);
/** lm_layer_free: frees @layer; NULL is ignored. */
void lm_layer_free (LmLayer *layer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmGroup, lm_group_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmBuild, lm_build_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLayer, lm_layer_free)

/** lm_layer_get_build: returns the build at @index; owned by @layer. */
static inline LmBuild *
lm_layer_get_build (const LmLayer *layer, guint index)
{
  return g_ptr_array_index (layer->builds, index);
}

/** lm_groups_allow_multiple: whether a machine may have several layers of the group
 * @name of @groups (LmGroup). */
gboolean lm_groups_allow_multiple (const GPtrArray *groups, const char *name);

/** lm_layer_runs_on: whether @layer can be used in machines of the architecture
 * @arch: it is for @arch or for any. */
gboolean lm_layer_runs_on (const LmLayer *layer, const char *arch);
