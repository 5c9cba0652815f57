/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/host.h"
#include "cli/output.h"
#include "doctor/doctor.h"

#include <stdio.h>

static const LmOption doctor_options[] = {
  { "offline", 0, LM_OPTION_FLAG, NULL, "do not ask the catalog sources", LM_COMPLETE_NONE },
  { NULL },
};

static void
print_diagnoses_json (GPtrArray *diagnoses, guint n_errors, guint n_warnings)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "diagnoses");
  json_builder_begin_array (builder);
  for (guint i = 0; i < diagnoses->len; i++)
    {
      const LmDiagnosis *diagnosis = g_ptr_array_index (diagnoses, i);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "check", diagnosis->check);
      lm_json_add_string (builder, "level", lm_diagnosis_level_name (diagnosis->level));
      lm_json_add_string (builder, "what", diagnosis->what);
      lm_json_add_string (builder, "command", diagnosis->command);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_json_add_uint (builder, "errors", n_errors);
  lm_json_add_uint (builder, "warnings", n_warnings);
  lm_output_json (builder);
}

static void
print_diagnoses (GPtrArray *diagnoses)
{
  for (guint i = 0; i < diagnoses->len; i++)
    {
      const LmDiagnosis *diagnosis = g_ptr_array_index (diagnoses, i);
      g_autofree char *what = lm_output_message (diagnosis->what);
      g_autofree char *command = diagnosis->command != NULL ? lm_output_message (diagnosis->command) : NULL;
      printf ("%-8s %-10s %s%s%s\n", lm_diagnosis_level_name (diagnosis->level), diagnosis->check, what,
              command != NULL ? "; run: " : "", command != NULL ? command : "");
    }
}

static guint
count_diagnoses (const GPtrArray *diagnoses, LmDiagnosisLevel level)
{
  guint count = 0;
  for (guint i = 0; i < diagnoses->len; i++)
    count += ((const LmDiagnosis *) diagnoses->pdata[i])->level == level ? 1 : 0;
  return count;
}

static gboolean
run_doctor (const LmInvocation *invocation, GError **error)
{
  const LmSettings *settings = invocation->settings;
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  if (host == NULL)
    return FALSE;
  const LmDoctorPlaces places = {
    .hook = lm_cli_hook_places (settings),
    .kvm_device = "/dev/kvm",
    .proc_dir = "/proc",
    .sys_dir = "/sys",
    .apparmor_dir = "/etc/apparmor.d",
    .rules_dir = LM_PKGDATADIR,
    .config_file = settings->config_file,
    .virt_type = settings->virt_type,
    .offline = lm_args_has (invocation->args, "offline"),
    .setting_problems = invocation->problems,
    .setting_warnings = invocation->warnings,
  };
  g_autoptr (GPtrArray) diagnoses = lm_doctor_examine (&host->host, &places, error);
  if (diagnoses == NULL)
    return FALSE;
  const guint errors = count_diagnoses (diagnoses, LM_DIAGNOSIS_ERROR);
  if (lm_args_has (invocation->args, "json"))
    print_diagnoses_json (diagnoses, errors, count_diagnoses (diagnoses, LM_DIAGNOSIS_WARNING));
  else
    print_diagnoses (diagnoses);
  return errors == 0
         || lm_throw (error, LM_DOCTOR_ERROR, LM_DOCTOR_ERROR_FOUND, "%u %s on this host", errors,
                      errors == 1 ? "error was found" : "errors were found");
}

const LmVerb lm_verb_doctor = {
  .name = "doctor",
  .page = "lamina-doctor",
  .summary = "tell what is wrong on this host, and how to repair it",
  .options = doctor_options,
  .reports_settings = TRUE,
  .run = run_doctor,
};
