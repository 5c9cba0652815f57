/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What became of the things that a verb was to remove, one after the other. */
#include <gio/gio.h>

typedef struct _LmRemoval LmRemoval;

/** lm_removal_new: a record for @total things, called @what ("machines") in messages; a
 * static string. With @ignore_missing one that is not there is no failure. */
LmRemoval *lm_removal_new (const char *what, guint total, gboolean ignore_missing);
/** lm_removal_free: frees @removal; NULL is ignored. */
void lm_removal_free (LmRemoval *removal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmRemoval, lm_removal_free)

/** lm_removal_add: notes that @name was removed (@failure is NULL), was @missing, or
 * could not be removed. One of several is a warning at once. FALSE if @failure is an
 * interruption: then the others are not to be tried. */
gboolean lm_removal_add (LmRemoval *removal, const char *name, gboolean missing, const GError *failure);

/** lm_removal_end: prints what was done if @json, and fails if something was not. Errors:
 * the first of lm_removal_add(), or an interruption. */
gboolean lm_removal_end (LmRemoval *removal, gboolean json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
