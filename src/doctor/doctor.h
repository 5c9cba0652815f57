/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What is wrong on this host, and the command that repairs each of it. There is one
 * function for each check; doctor.c has their table. A check changes nothing, and
 * asks libvirt and the network only within limits of time. */
#include "ops/hook.h"
#include "ops/host.h"

/* Where things are on this host, and what the user chose. */
typedef struct
{
  LmHookPlaces hook;
  const char *kvm_device;
  const char *proc_dir;
  const char *sys_dir;
  const char *apparmor_dir;
  const char *rules_dir;   /* shipped rules for AppArmor and SELinux */
  const char *config_file; /* where a setting would be added */
  const char *virt_type;   /* "kvm", "qemu", or NULL to choose */
  gboolean offline;        /* the network is not used */
  const GPtrArray *setting_problems; /* char *: settings that cannot be used, and count as not given; may be NULL */
  const GPtrArray *setting_warnings; /* char *: settings that are ignored; may be NULL */
} LmDoctorPlaces;

typedef enum
{
  LM_DIAGNOSIS_OK,
  LM_DIAGNOSIS_WARNING, /* works, but not as well or as safely as it could */
  LM_DIAGNOSIS_ERROR,   /* something does not work */
} LmDiagnosisLevel;

typedef enum
{
  LM_DOCTOR_ERROR_FOUND, /* for the verb: there is a diagnosis that is an error */
} LmDoctorError;

#define LM_DOCTOR_ERROR lm_doctor_error_quark ()
GQuark lm_doctor_error_quark (void);

typedef struct
{
  const char *check; /* its name; static */
  LmDiagnosisLevel level;
  char *what;        /* a sentence without a full stop */
  char *command;     /* for the shell; NULL if there is none */
} LmDiagnosis;

/** lm_diagnosis_level_name: returns "ok", "warning" or "error". */
const char *lm_diagnosis_level_name (LmDiagnosisLevel level);

/** lm_doctor_examine: does all checks. Returns at least one LmDiagnosis for each, in
 * the order of the table. A check that cannot be done is a warning that says so.
 * Blocks. Errors: G_IO_ERROR_CANCELLED. */
GPtrArray *lm_doctor_examine (const LmHost *host, const LmDoctorPlaces *places, GError **error) G_GNUC_WARN_UNUSED_RESULT;
