/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lamina-appliance [JOB]: does the steps of the job in the file JOB, or on standard input. lamina
 * starts it (build/appliance.c) instead of linking libguestfs. Its output: appliance/report.h. */
#include "config.h"
#include "appliance/command.h"
#include "appliance/guard.h"
#include "appliance/guest.h"
#include "appliance/report.h"
#include "appliance/step.h"
#include "base/error.h"
#include "base/file.h"

#include <unistd.h>

#define JOB_MAX (256 * 1024 * 1024)
#define START "starting the appliance"
#define FINISH "finishing the disk"

typedef struct
{
  const LmJsonValue *job;
  guint step;
  guint of;
  const char *label; /* of the step that is being done */
  gint64 since;
} Work;

static void
begin_step (Work *work, const char *label)
{
  work->step++;
  work->label = label != NULL ? label : "";
  work->since = g_get_monotonic_time ();
  lm_report_begin (work->step, work->of, work->label);
}

static void
end_step (const Work *work, gboolean skipped)
{
  lm_report_end (work->step, work->of, work->label, (guint64) (g_get_monotonic_time () - work->since) / 1000, skipped);
}

static gboolean
check_job (const LmJsonValue *job, GError **error)
{
  const char *disk = lm_json_get_string (job, "disk"), *scratch = lm_json_get_string (job, "scratch");
  if (disk == NULL || !g_path_is_absolute (disk) || scratch == NULL || !g_path_is_absolute (scratch)
      || g_strcmp0 (lm_json_get_string (job, "format"), "qcow2") != 0)
    return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_FAILED, "the job has no disk of the format qcow2, or no scratch directory");
  return lm_step_check (lm_json_get_array (job, "steps"), error);
}

/* Counts the steps. Returns the last one that runs a command of the guest; NULL if none does. */
static const LmJsonValue *
look_ahead (Work *work)
{
  const LmJsonValue *last = NULL;
  work->of = 2;
  for (const LmJsonValue *step = lm_json_get_first (lm_json_get_array (work->job, "steps")); step != NULL; step = lm_json_get_next (step))
    {
      work->of++;
      if (lm_step_needs_commands (step))
        last = step;
    }
  return last;
}

static gboolean
do_steps (Work *work, GError **error)
{
  const LmJsonValue *last_command = look_ahead (work);
  begin_step (work, START);
  g_autoptr (LmGuest) guest = lm_guest_start (work->job, error);
  if (guest == NULL)
    return FALSE;
  end_step (work, FALSE);
  gboolean forbidden = FALSE;
  for (const LmJsonValue *step = lm_json_get_first (lm_json_get_array (work->job, "steps")); step != NULL; step = lm_json_get_next (step))
    {
      gboolean skipped;
      begin_step (work, lm_json_get_string (step, "label"));
      /* Not before, because the system may be unpacked by a step. */
      if (!forbidden && lm_step_needs_commands (step) && !lm_command_forbid_services (lm_guest_get_handle (guest), error))
        return FALSE;
      forbidden |= lm_step_needs_commands (step);
      if (!lm_step_do (guest, step, work->step, &skipped, error))
        return FALSE;
      /* Now, because the next step may give back free blocks. */
      if (step == last_command && !lm_command_allow_services (lm_guest_get_handle (guest), error))
        return FALSE;
      end_step (work, skipped);
    }
  begin_step (work, FINISH);
  if (!lm_guest_finish (guest, error))
    return FALSE;
  end_step (work, FALSE);
  return TRUE;
}

int
main (int argc, char **argv)
{
  lm_guard_start ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) never = g_cancellable_new ();
  g_autoptr (GBytes) text = lm_file_read (argc > 1 ? argv[1] : "/dev/stdin", JOB_MAX, never, &error);
  g_autoptr (LmJson) json = NULL;
  Work work = { 0 };
  if (text != NULL)
    json = lm_json_parse (g_bytes_get_data (text, NULL), g_bytes_get_size (text), &error);
  if (json != NULL)
    work.job = lm_json_get_root (json);
  /* lamina stops this program in time; whoever else starts it can rely on this. */
  if (json != NULL)
    (void) alarm ((guint) CLAMP (lm_json_get_int (work.job, "seconds", 0), 0, G_MAXINT));
  if (json == NULL || !check_job (work.job, &error) || !do_steps (&work, &error))
    {
      lm_report_failure (work.step, work.label, error);
      return 1;
    }
  lm_report_done ();
  return 0;
}
