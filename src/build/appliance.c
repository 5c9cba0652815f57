/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/appliance.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json-value.h"
#include "base/json.h"
#include "io/run.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/statvfs.h>

/* A result of LM_APPLIANCE_READ_MAX in base64. */
#define LINE_MAX_SIZE (8 * 1024 * 1024)
#define OUTPUT_LINES 12
/* A file system of the host with less than this is full. */
#define FULL_BELOW (1024 * 1024)
#define JOB_NAME "job.json"

G_DEFINE_QUARK (lm-appliance-error-quark, lm_appliance_error)

struct _LmAppliance
{
  JsonBuilder *steps;  /* inside of the array; the last step is open */
  guint count;
  GPtrArray *absent;   /* of the last step: what it must not find */
  GPtrArray *also;     /* of the last step: further patterns */
  GPtrArray *results;  /* GBytes or NULL, by number */
};

/* What the program has said. */
typedef struct
{
  LmAppliance *job;
  LmApplianceProgressFunc func;
  gpointer user_data;
  gboolean heard; /* anything at all */
  gboolean done;
  int status;     /* of the command that failed */
  char *output;   /* what it wrote */
  char *message;  /* of the failure */
  char *label;    /* of the step that failed */
  LmApplianceError code;
} Talk;

static void
free_result (gpointer data)
{
  if (data != NULL)
    g_bytes_unref (data);
}

LmAppliance *
lm_appliance_new (void)
{
  LmAppliance *job = g_new0 (LmAppliance, 1);
  job->steps = json_builder_new ();
  job->absent = g_ptr_array_new_null_terminated (1, g_free, TRUE);
  job->also = g_ptr_array_new_null_terminated (1, g_free, TRUE);
  job->results = g_ptr_array_new_with_free_func (free_result);
  json_builder_begin_object (job->steps);
  json_builder_set_member_name (job->steps, "steps");
  json_builder_begin_array (job->steps);
  return job;
}

void
lm_appliance_free (LmAppliance *job)
{
  if (job == NULL)
    return;
  g_object_unref (job->steps);
  g_ptr_array_unref (job->absent);
  g_ptr_array_unref (job->also);
  g_ptr_array_unref (job->results);
  g_free (job);
}

static void
close_step (LmAppliance *job)
{
  if (job->count == 0)
    return;
  lm_json_add_strv (job->steps, "unless", (char **) job->absent->pdata);
  lm_json_add_strv (job->steps, "also", (char **) job->also->pdata);
  json_builder_end_object (job->steps);
  g_ptr_array_set_size (job->absent, 0);
  g_ptr_array_set_size (job->also, 0);
}

/* Opens a step; @path may be NULL. */
static void
open_step (LmAppliance *job, const char *what, const char *label, const char *path)
{
  close_step (job);
  job->count++;
  json_builder_begin_object (job->steps);
  lm_json_add_string (job->steps, "do", what);
  lm_json_add_string (job->steps, "label", label);
  if (path != NULL)
    lm_json_add_string (job->steps, "path", path);
}

void
lm_appliance_add_upload (LmAppliance *job, const char *label, const char *from, const char *to, int mode)
{
  open_step (job, "upload", label, to);
  lm_json_add_string (job->steps, "from", from);
  lm_json_add_uint (job->steps, "mode", (guint64) mode);
}

void
lm_appliance_add_unpack (LmAppliance *job, const char *label, const char *from, const char *to)
{
  open_step (job, "unpack", label, to);
  lm_json_add_string (job->steps, "from", from);
}

void
lm_appliance_add_write (LmAppliance *job, const char *label, const char *to, const void *data, gsize size, int mode)
{
  g_autofree char *content = g_base64_encode (data, size);
  open_step (job, "write", label, to);
  lm_json_add_string (job->steps, "content", content);
  lm_json_add_uint (job->steps, "mode", (guint64) mode);
}

void
lm_appliance_add_mkdir (LmAppliance *job, const char *label, const char *path, int mode)
{
  open_step (job, "mkdir", label, path);
  lm_json_add_uint (job->steps, "mode", (guint64) mode);
}

void
lm_appliance_add_run (LmAppliance *job, const char *label, const char *script)
{
  g_return_if_fail (strlen (script) <= LM_APPLIANCE_SCRIPT_MAX);
  open_step (job, "run", label, NULL);
  lm_json_add_string (job->steps, "script", script);
}

guint
lm_appliance_add_read (LmAppliance *job, const char *label, const char *path, guint64 max, const char *to)
{
  open_step (job, "read", label, path);
  lm_json_add_uint (job->steps, "max", to != NULL ? MIN (max, G_MAXINT64) : MIN (max, LM_APPLIANCE_READ_MAX));
  if (to != NULL)
    lm_json_add_string (job->steps, "to_host", to);
  return job->count;
}

void
lm_appliance_add_list (LmAppliance *job, const char *label, const char *path, const char *to)
{
  open_step (job, "list", label, path);
  lm_json_add_string (job->steps, "to_host", to);
}

void
lm_appliance_add_digests (LmAppliance *job, const char *label, const char *path, const char *to)
{
  open_step (job, "digests", label, path);
  lm_json_add_string (job->steps, "to_host", to);
}

void
lm_appliance_add_remove (LmAppliance *job, const char *label, const char *pattern)
{
  open_step (job, "remove", label, pattern);
}

void
lm_appliance_add_truncate (LmAppliance *job, const char *label, const char *pattern)
{
  open_step (job, "truncate", label, pattern);
}

void
lm_appliance_add_trim (LmAppliance *job, const char *label)
{
  open_step (job, "trim", label, NULL);
}

void
lm_appliance_only_if (LmAppliance *job, const char *present)
{
  g_return_if_fail (job->count > 0);
  lm_json_add_string (job->steps, "if", present);
}

void
lm_appliance_unless (LmAppliance *job, const char *absent)
{
  g_return_if_fail (job->count > 0);
  g_ptr_array_add (job->absent, g_strdup (absent));
}

void
lm_appliance_also (LmAppliance *job, const char *pattern)
{
  g_return_if_fail (job->count > 0);
  g_ptr_array_add (job->also, g_strdup (pattern));
}

GBytes *
lm_appliance_get_result (const LmAppliance *job, guint number)
{
  return number < job->results->len ? job->results->pdata[number] : NULL;
}

/* Completes the job and returns its text. */
static char *
finish_job (LmAppliance *job, const LmApplianceSettings *settings)
{
  static const char *const layouts[] = { NULL, "whole", "bios", "uefi" };
  close_step (job);
  json_builder_end_array (job->steps);
  lm_json_add_string (job->steps, "layout", layouts[settings->layout]);
  lm_json_add_string (job->steps, "disk", settings->disk);
  lm_json_add_string (job->steps, "format", "qcow2");
  lm_json_add_string (job->steps, "scratch", settings->scratch);
  lm_json_add_string (job->steps, "virt_type", settings->virt_type);
  if (settings->memory > 0)
    lm_json_add_uint (job->steps, "memory", settings->memory);
  lm_json_add_uint (job->steps, "seconds", settings->time_seconds);
  lm_json_add_bool (job->steps, "read_only", settings->read_only);
  lm_json_add_bool (job->steps, "network", settings->network);
  json_builder_end_object (job->steps);
  return lm_json_finish (job->steps);
}

static void
tell_progress (const Talk *talk, const LmJsonValue *event, gboolean ended)
{
  const char *label = lm_json_get_string (event, "label");
  const LmApplianceProgress progress = {
    .step = (guint) CLAMP (lm_json_get_int (event, "step", 0), 0, G_MAXUINT),
    .of = (guint) CLAMP (lm_json_get_int (event, "of", 0), 0, G_MAXUINT),
    .label = label != NULL ? label : "",
    .ended = ended,
    .skipped = lm_json_get_bool (event, "skipped"),
    .ms = (guint64) MAX (lm_json_get_int (event, "ms", 0), 0),
  };
  if (talk->func != NULL)
    talk->func (&progress, talk->user_data);
}

/* Step 1 is the start of the appliance, so that of the step with the number n is n + 1. */
static gboolean
take_result (Talk *talk, const LmJsonValue *event)
{
  const gint64 number = lm_json_get_int (event, "step", 0) - 1;
  const char *content = lm_json_get_string (event, "content");
  if (number < 1 || number > talk->job->count)
    return FALSE;
  GPtrArray *results = talk->job->results;
  if (number >= results->len)
    g_ptr_array_set_size (results, (int) number + 1);
  g_clear_pointer ((GBytes **) &results->pdata[number], g_bytes_unref);
  if (content == NULL)
    return TRUE;
  gsize size;
  guchar *data = g_base64_decode (content, &size);
  results->pdata[number] = g_bytes_new_take (data, size);
  return TRUE;
}

static gboolean
take_failure (Talk *talk, const LmJsonValue *event)
{
  static const struct
  {
    const char *name;
    LmApplianceError code;
  } kinds[] = { { "failed", LM_APPLIANCE_ERROR_FAILED },
                { "missing", LM_APPLIANCE_ERROR_MISSING },
                { "image", LM_APPLIANCE_ERROR_IMAGE },
                { "command", LM_APPLIANCE_ERROR_COMMAND },
                { "no-space", LM_APPLIANCE_ERROR_NO_SPACE } };
  const char *kind = lm_json_get_string (event, "kind"), *message = lm_json_get_string (event, "message");
  gsize i = 0;
  while (i < G_N_ELEMENTS (kinds) && g_strcmp0 (kinds[i].name, kind) != 0)
    i++;
  if (i == G_N_ELEMENTS (kinds) || message == NULL || talk->message != NULL)
    return FALSE;
  talk->code = kinds[i].code;
  talk->message = g_strdup (message);
  talk->label = g_strdup (lm_json_get_string (event, "label"));
  return TRUE;
}

static gboolean
take_output (Talk *talk, const LmJsonValue *event)
{
  const char *output = lm_json_get_string (event, "output");
  if (output == NULL)
    return FALSE;
  g_free (talk->output);
  talk->output = g_strdup (output);
  talk->status = (int) CLAMP (lm_json_get_int (event, "status", 0), 0, 255);
  return TRUE;
}

static gboolean
take_line (gpointer user_data, const char *line, gsize size, GError **error)
{
  Talk *talk = user_data;
  g_autoptr (LmJson) json = lm_json_parse (line, size, NULL);
  const LmJsonValue *event = json != NULL ? lm_json_get_root (json) : NULL;
  const char *name = lm_json_get_string (event, "event");
  gboolean ok = name != NULL && !talk->done;
  talk->heard = TRUE;
  if (ok && (strcmp (name, "begin") == 0 || strcmp (name, "end") == 0))
    tell_progress (talk, event, *name == 'e');
  else if (ok && strcmp (name, "result") == 0)
    ok = take_result (talk, event);
  else if (ok && strcmp (name, "output") == 0)
    ok = take_output (talk, event);
  else if (ok && strcmp (name, "failure") == 0)
    ok = take_failure (talk, event);
  else if (ok && strcmp (name, "done") == 0)
    talk->done = TRUE;
  else
    ok = FALSE;
  return ok
         || lm_throw (error, LM_APPLIANCE_ERROR, LM_APPLIANCE_ERROR_FAILED,
                      "lamina-appliance says what lamina does not understand; install the same version of both");
}

/* Returns the last lines of @output, which may be anything, as one line. */
static char *
get_last_lines (const char *output)
{
  g_autofree char *text = g_strdup (output);
  g_auto (GStrv) lines = g_strsplit (g_strstrip (text), "\n", -1);
  guint count = g_strv_length (lines);
  char *last = g_strjoinv ("; ", lines + (count > OUTPUT_LINES ? count - OUTPUT_LINES : 0));
  for (char *p = last; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      *p = '?';
  return last;
}

static gboolean
throw_failure (const Talk *talk, const LmApplianceSettings *settings, GError **error)
{
  const char *label = talk->label != NULL && *talk->label != '\0' ? talk->label : "the job";
  g_autofree char *message = get_last_lines (talk->message);
  if (talk->output == NULL)
    return lm_throw (error, LM_APPLIANCE_ERROR, (int) talk->code, "%s: %s: %s", settings->disk, label, message);
  g_autofree char *last = get_last_lines (talk->output);
  if (talk->status == 0)
    return lm_throw (error, LM_APPLIANCE_ERROR, (int) talk->code, "%s: %s: %s", label, message, last);
  return lm_throw (error, LM_APPLIANCE_ERROR, (int) talk->code, "%s: %s, with status %d: %s", label, message, talk->status, last);
}

static gboolean
is_full (const char *path)
{
  struct statvfs st;
  return statvfs (path, &st) == 0 && (guint64) st.f_bavail * st.f_frsize < FULL_BELOW;
}

/* Sets @error for a run that ended with @failure, or (NULL) well, but without a last word. */
static gboolean
explain_failure (const Talk *talk, const LmApplianceSettings *settings, GError *failure, GError **error)
{
  if (failure != NULL
      && (failure->domain != LM_RUN_ERROR || failure->code == LM_RUN_ERROR_TIMED_OUT || failure->code == LM_RUN_ERROR_NO_SPACE))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_autoptr (GError) cause = failure;
  if (is_full (settings->scratch) || is_full (settings->disk))
    return lm_throw (error, LM_RUN_ERROR, LM_RUN_ERROR_NO_SPACE, "%s cannot be changed: no space left on this host", settings->disk);
  if (talk->message != NULL)
    return throw_failure (talk, settings, error);
  if (cause != NULL && cause->code == LM_RUN_ERROR_NOT_FOUND)
    return lm_throw (error, LM_APPLIANCE_ERROR, LM_APPLIANCE_ERROR_MISSING,
                     "%s is not there: this lamina was built without libguestfs (install libguestfs-dev and build it again)",
                     settings->program);
  /* The dynamic linker did not find a library. */
  if (cause != NULL && cause->code == LM_RUN_ERROR_RESOURCES && !talk->heard)
    return lm_throw (error, LM_APPLIANCE_ERROR, LM_APPLIANCE_ERROR_MISSING, "%s; install libguestfs0", cause->message);
  return lm_throw (error, LM_APPLIANCE_ERROR, LM_APPLIANCE_ERROR_FAILED, "%s cannot be changed: %s", settings->disk,
                   cause != NULL ? cause->message : "lamina-appliance ended without saying that it is done");
}

gboolean
lm_appliance_run (LmAppliance *job, const LmApplianceSettings *settings, LmApplianceProgressFunc func, gpointer user_data,
                  GCancellable *cancellable, GError **error)
{
  g_autofree char *file = g_build_filename (settings->scratch, JOB_NAME, NULL);
  g_autofree char *text = finish_job (job, settings);
  if (!lm_file_write_unsynced (file, text, strlen (text), 0600, error))
    return FALSE;
  const char *const argv[] = { settings->program, file, NULL };
  const LmRunLimits limits = { .time_seconds = settings->time_seconds, .output = LINE_MAX_SIZE };
  Talk talk = { .job = job, .func = func, .user_data = user_data };
  GError *failure = NULL;
  gboolean ok = lm_run_lines (argv, &limits, take_line, &talk, cancellable, &failure) && talk.done && talk.message == NULL;
  if (!ok)
    (void) explain_failure (&talk, settings, failure, error);
  (void) g_unlink (file);
  g_free (talk.output);
  g_free (talk.message);
  g_free (talk.label);
  return ok;
}
