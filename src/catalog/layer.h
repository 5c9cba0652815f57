/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a catalog says of groups, layers and their builds: pure data. */
#include "base/digest.h"

/* A content-addressed file that is no layer: kernel, initrd. */
typedef struct
{
  LmDigest digest;
  guint64 size; /* bytes, exact */
  char **urls;  /* absolute; tried in this order */
} LmBlob;

/* One layer's qcow2 for one exact parent. */
typedef struct
{
  LmDigest digest;
  gboolean has_parent; /* FALSE: a base, a whole disk */
  LmDigest parent;     /* valid if has_parent */
  guint64 size;        /* bytes of the file, exact */
  char **urls;         /* absolute; tried in this order */
} LmBuild;

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
  GPtrArray *builds; /* LmBuild, at least one */
  const char *source; /* name of its catalog; owned by the catalog */
} LmLayer;

void lm_blob_free (LmBlob *blob);
void lm_build_free (LmBuild *build);
void lm_group_free (LmGroup *group);
void lm_layer_free (LmLayer *layer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmBlob, lm_blob_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmBuild, lm_build_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmGroup, lm_group_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLayer, lm_layer_free)

/** lm_layer_suits: whether @layer is for machines of @arch: it says so, or nothing. */
gboolean lm_layer_suits (const LmLayer *layer, const char *arch);
