/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A recipe: how a layer is made. A file of YAML or JSON; lamina-recipe(5) describes it. It is
 * written by the user who builds, so it may do with the guest's disk whatever it likes. Parsing
 * it reads no other file. */
#include "base/digest.h"
#include <gio/gio.h>

/* How the disk of a base boots. */
typedef enum
{
  LM_RECIPE_BOOT_KERNEL, /* QEMU loads kernel and initrd */
  LM_RECIPE_BOOT_BIOS,   /* the disk has GRUB */
  LM_RECIPE_BOOT_UEFI,
} LmRecipeBoot;

/* A file to copy into the guest. */
typedef struct
{
  char *to;      /* absolute path in the guest */
  char *from;    /* a file or directory of this host, absolute; NULL if the content is in the recipe */
  GBytes *content; /* NULL if @from is not */
  int mode;      /* permission bits; -1: those of @from, or else 0644 */
} LmRecipeFile;

typedef struct
{
  char *path;      /* of the recipe, absolute */
  char *name;
  char *version;   /* NULL: that of the first package */
  char *group;
  char *summary, *osinfo, *arch, *ready, *cmdline; /* as in a catalog; may be NULL */
  char **provides, **requires, **conflicts;        /* likewise */
  guint64 memory, disk; /* in bytes, as in a catalog; 0 if not given. Of a base, @disk is the size of its disk */
  char **on;       /* selections: the layers that it stands on; NULL for a base */
  LmRecipeBoot boot; /* of a base */
  char **repositories; /* where the packages come from, as for lm_repository_load(); NULL for those of apt on this machine */
  char **packages; /* "NAME", "NAME=VERSION" or "NAME >= VERSION" */
  gboolean recommended; /* what packages recommend is installed too */
  GPtrArray *files; /* LmRecipeFile, in the order in which they are copied */
  char **commands; /* shell scripts, which the guest runs in this order after packages and files */
  char **services; /* to be enabled */
} LmRecipe;

/** lm_recipe_load: reads and parses the recipe @path, a file that messages call by that name.
 * Errors: LM_YAML_ERROR, with the line; G_IO_ERROR. */
LmRecipe *lm_recipe_load (const char *path, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_recipe_parse: parses the @size bytes at @text, the content of the file @path. Pure. Errors: LM_YAML_ERROR. */
LmRecipe *lm_recipe_parse (const char *path, const char *text, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_recipe_free: frees @recipe; NULL is ignored. */
void lm_recipe_free (LmRecipe *recipe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmRecipe, lm_recipe_free)
