/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/base-entry.h"
#include "base/size.h"

#include <string.h>

/* Returns @given, NULL if that is empty, and @before if it is not given. */
static char *
choose_text (const char *given, const char *before)
{
  const char *text = given != NULL ? given : before;
  return text != NULL && text[0] != '\0' ? g_strdup (text) : NULL;
}

static char **
choose_list (const char *const *given, char *const *before)
{
  g_autoptr (GStrvBuilder) list = g_strv_builder_new ();
  const char *const *from = given != NULL && given[0] != NULL ? given : (const char *const *) before;
  for (; from != NULL && *from != NULL; from++)
    if ((*from)[0] != '\0')
      g_strv_builder_add (list, *from);
  return g_strv_builder_end (list);
}

static LmBlob *
choose_blob (const char *given, const LmBlob *before)
{
  return given == NULL && before != NULL ? lm_blob_dup (before) : NULL;
}

LmLayer *
lm_base_entry_new (const LmBaseImageRequest *request, const char *name, const char *version, const char *arch, const LmLayer *before,
                   const LmBlob *blob, const char *origin)
{
  static const LmLayer nothing = { .group = (char *) LM_BASE_IMAGE_GROUP };
  const LmLayer *old = before != NULL ? before : &nothing;
  LmLayer *layer = g_new0 (LmLayer, 1);
  layer->name = g_strdup (name);
  layer->version = g_strdup (version);
  layer->group = g_strdup (request->group != NULL ? request->group : old->group);
  layer->arch = g_strdup (before != NULL && request->arch == NULL ? before->arch : arch);
  layer->summary = choose_text (request->summary, old->summary);
  layer->osinfo = choose_text (request->osinfo, old->osinfo);
  layer->ready = choose_text (request->ready, old->ready);
  layer->cmdline = choose_text (request->cmdline, old->cmdline);
  layer->origin = g_strdup (origin);
  layer->memory = request->memory != NULL ? *request->memory : old->memory;
  layer->disk = request->disk != NULL ? *request->disk : old->disk;
  layer->provides = choose_list (request->provides, old->provides);
  layer->requires = g_strdupv (old->requires);
  layer->conflicts = g_strdupv (old->conflicts);
  layer->kernel = choose_blob (request->kernel, old->kernel);
  layer->initrd = choose_blob (request->initrd, old->initrd);
  layer->builds = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_build_free);
  g_ptr_array_add (layer->builds, lm_build_new (blob));
  /* Without a kernel these mean nothing. */
  if (request->kernel != NULL && request->kernel[0] == '\0')
    {
      if (request->initrd == NULL)
        g_clear_pointer (&layer->initrd, lm_blob_free);
      if (request->cmdline == NULL)
        g_clear_pointer (&layer->cmdline, g_free);
    }
  return layer;
}

static void
add_change (GPtrArray *changes, const char *what, const char *before, const char *after)
{
  const char *old = before != NULL ? before : "", *now = after != NULL ? after : "";
  if (strcmp (old, now) != 0)
    g_ptr_array_add (changes, g_strdup_printf ("%s: %s (before: %s)", what, now[0] != '\0' ? now : "none", old[0] != '\0' ? old : "none"));
}

static void
add_size_change (GPtrArray *changes, const char *what, guint64 before, guint64 after)
{
  g_autofree char *old = before != 0 ? lm_size_format (before) : NULL;
  g_autofree char *now = after != 0 ? lm_size_format (after) : NULL;
  if (before != after)
    g_ptr_array_add (changes, g_strdup_printf ("%s: %s (before: %s)", what, now != NULL ? now : "none", old != NULL ? old : "none"));
}

static void
add_blob_change (GPtrArray *changes, const char *what, const LmBlob *before, const LmBlob *after)
{
  g_autofree char *old = before != NULL ? lm_digest_to_string (&before->digest) : NULL;
  g_autofree char *now = after != NULL ? lm_digest_to_string (&after->digest) : NULL;
  add_change (changes, what, old, now);
}

static void
add_list_change (GPtrArray *changes, const char *what, char **before, char **after)
{
  g_autofree char *old = before != NULL ? g_strjoinv (", ", before) : NULL;
  g_autofree char *now = after != NULL ? g_strjoinv (", ", after) : NULL;
  add_change (changes, what, old, now);
}

void
lm_base_entry_list_changes (const LmLayer *before, const LmLayer *after, GPtrArray *changes)
{
  add_change (changes, "group", before->group, after->group);
  add_change (changes, "arch", before->arch, after->arch);
  add_change (changes, "summary", before->summary, after->summary);
  add_change (changes, "osinfo", before->osinfo, after->osinfo);
  add_change (changes, "ready", before->ready, after->ready);
  add_size_change (changes, "memory", before->memory, after->memory);
  add_size_change (changes, "disk", before->disk, after->disk);
  add_list_change (changes, "provides", before->provides, after->provides);
  add_blob_change (changes, "kernel", before->kernel, after->kernel);
  add_blob_change (changes, "initrd", before->initrd, after->initrd);
  add_change (changes, "cmdline", before->cmdline, after->cmdline);
}
