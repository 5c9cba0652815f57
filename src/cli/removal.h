/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Collects the results of a verb that removes several things one after the other, and reports them. */
#include <gio/gio.h>

typedef struct _LmRemoval LmRemoval;

/** lm_removal_new: returns an empty list of results; never NULL. @total is the
 * number of things to remove; @what is their name in messages ("machines"), a
 * static string. If @ignore_missing is set, a thing that does not exist is not a
 * failure. */
LmRemoval *lm_removal_new (const char *what, guint total, gboolean ignore_missing);
/** lm_removal_free: frees @removal; NULL is ignored. */
void lm_removal_free (LmRemoval *removal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmRemoval, lm_removal_free)

/** lm_removal_add: adds the result for @name: it was removed (@failure is NULL),
 * does not exist (@missing, with @failure), or could not be removed. If @total is
 * more than one, a failure is printed as a warning. Returns FALSE if @failure is a
 * cancellation, after which no more things must be removed. */
gboolean lm_removal_add (LmRemoval *removal, const char *name, gboolean missing, const GError *failure);

/** lm_removal_end: prints the results as JSON if @json is set. Returns FALSE if
 * anything failed. Errors: that of the cancellation or of the first failure. */
gboolean lm_removal_end (LmRemoval *removal, gboolean json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
