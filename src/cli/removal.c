/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/removal.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/output.h"

struct _LmRemoval
{
  const char *what;
  guint total;
  gboolean ignore_missing;
  GStrvBuilder *removed;
  GStrvBuilder *missing;
  GStrvBuilder *left;
  guint failed;
  GError *error; /* the first failure, or the cancellation */
};

LmRemoval *
lm_removal_new (const char *what, guint total, gboolean ignore_missing)
{
  LmRemoval *removal = g_new0 (LmRemoval, 1);
  removal->what = what;
  removal->total = total;
  removal->ignore_missing = ignore_missing;
  removal->removed = g_strv_builder_new ();
  removal->missing = g_strv_builder_new ();
  removal->left = g_strv_builder_new ();
  return removal;
}

void
lm_removal_free (LmRemoval *removal)
{
  if (removal == NULL)
    return;
  g_strv_builder_unref (removal->removed);
  g_strv_builder_unref (removal->missing);
  g_strv_builder_unref (removal->left);
  g_clear_error (&removal->error);
  g_free (removal);
}

gboolean
lm_removal_add (LmRemoval *removal, const char *name, gboolean missing, const GError *failure)
{
  g_strv_builder_add (failure == NULL ? removal->removed : missing ? removal->missing : removal->left, name);
  if (failure == NULL || (missing && removal->ignore_missing))
    return TRUE;
  removal->failed++;
  gboolean interrupted = g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  if (interrupted)
    g_clear_error (&removal->error);
  else if (removal->total > 1)
    lm_output_warning ("%s", failure->message);
  if (removal->error == NULL)
    removal->error = g_error_copy (failure);
  return !interrupted;
}

static void
print_removal_json (LmRemoval *removal)
{
  g_auto (GStrv) removed = g_strv_builder_end (removal->removed);
  g_auto (GStrv) missing = g_strv_builder_end (removal->missing);
  g_auto (GStrv) left = g_strv_builder_end (removal->left);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_strv (builder, "removed", removed);
  lm_json_add_strv (builder, "missing", missing);
  lm_json_add_strv (builder, "failed", left);
  lm_output_json (builder);
}

gboolean
lm_removal_end (LmRemoval *removal, gboolean json, GError **error)
{
  /* Also if some could not be removed. */
  if (json)
    print_removal_json (removal);
  if (removal->failed == 0)
    return TRUE;
  if (removal->total == 1 || g_error_matches (removal->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&removal->error));
      return FALSE;
    }
  return lm_throw (error, removal->error->domain, removal->error->code, "%u of %u %s could not be removed",
                   removal->failed, removal->total, removal->what);
}
