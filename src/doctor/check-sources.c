/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The check that catalog sources can be reached. */
#include "config.h"
#include "doctor/check.h"
#include "base/url.h"
#include "source/record.h"
#include "store/store.h"

#include <string.h>

#define SECONDS 10

/* One source that is being asked, in its own thread. */
typedef struct
{
  const LmSource *source;
  gboolean has_copy;
  GCancellable *cancellable;
  GThread *thread; /* NULL if it could not be created */
  GError *error;   /* NULL if it answered */
} Visit;

/* A source that has not changed sends nothing, one that has sends all of it. */
static gpointer
visit_source (gpointer data)
{
  Visit *visit = data;
  const LmStoreRead request = {
    .url = visit->source->url,
    .validator = visit->has_copy ? visit->source->etag : NULL,
    .max_size = LM_SOURCE_SIZE_MAX,
    .seconds = SECONDS,
    .retry.attempts = 1,
  };
  g_autoptr (LmStoreObject) object G_GNUC_UNUSED = lm_store_read (&request, visit->cancellable, &visit->error);
  return NULL;
}

static void
end_visit (LmDoctor *doctor, Visit *visit)
{
  const char *name = visit->source->name;
  if (visit->thread != NULL)
    g_thread_join (visit->thread);
  else
    visit_source (visit);
  if (visit->error == NULL)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "%s can be reached", name);
  else if (visit->has_copy)
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, g_strdup_printf ("lamina catalog update %s", name),
                  "%s cannot be reached, so its last good copy is used: %s", name, visit->error->message);
  else
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, g_strdup_printf ("lamina catalog update %s", name),
                  "%s cannot be reached, and there is no copy of it: %s", name, visit->error->message);
  g_clear_error (&visit->error);
}

/* It has no server; the archive that it came from need not exist any more. */
static void
report_imported (LmDoctor *doctor, const LmSource *source, gboolean has_copy)
{
  g_autofree char *url = lm_url_redact (source->url);
  if (has_copy)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "%s %s", source->name,
                  lm_source_is_local (source) ? "lists the layers made on this host" : "was imported");
  else if (lm_source_is_local (source))
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, NULL, "%s lists the layers made on this host, but its copy is missing", source->name);
  else
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, g_strdup ("lamina cache import FILE"),
                  "%s was imported from %s, and its copy is missing", source->name, url);
}

void
lm_check_sources (LmDoctor *doctor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) sources = lm_source_list (doctor->host->state_dir, warnings, &error);
  g_autofree char *dir = lm_source_record_dir (doctor->host->state_dir);
  for (guint i = 0; i < warnings->len; i++)
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, NULL, "%s", (const char *) warnings->pdata[i]);
  if (sources == NULL)
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, NULL, "the catalog sources cannot be read: %s", error->message);
  else if (sources->len == 0 && warnings->len == 0)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "there are no catalog sources");
  else if (doctor->places->offline)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "not examined, because of --offline");
  if (sources == NULL || doctor->places->offline)
    return;
  g_autofree Visit *visits = g_new0 (Visit, sources->len);
  for (guint i = 0; i < sources->len; i++)
    {
      const LmSource *source = sources->pdata[i];
      gboolean has_copy = lm_source_record_has_copy (dir, source->name);
      if (source->imported)
        {
          report_imported (doctor, source, has_copy);
          continue;
        }
      visits[i] = (Visit){ source, has_copy, doctor->host->libvirt.cancellable, NULL, NULL };
      visits[i].thread = g_thread_try_new ("source", visit_source, &visits[i], NULL);
    }
  for (guint i = 0; i < sources->len; i++)
    if (visits[i].source != NULL)
      end_visit (doctor, &visits[i]);
}
