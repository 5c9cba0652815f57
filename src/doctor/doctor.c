/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "doctor/doctor.h"
#include "doctor/check.h"

#include <unistd.h>

G_DEFINE_QUARK (lm-doctor-error-quark, lm_doctor_error)

static const struct
{
  const char *name;
  void (*run) (LmDoctor *doctor);
} checks[] = {
  { "settings", lm_check_settings },
  { "kvm", lm_check_kvm },
  { "libvirt", lm_check_libvirt },
  { "programs", lm_check_programs },
  { "state-dir", lm_check_state_dir },
  { "access", lm_check_access },
  { "apparmor", lm_check_apparmor },
  { "selinux", lm_check_selinux },
  { "hook", lm_check_hook },
  { "space", lm_check_space },
  { "cache", lm_check_cache },
  { "images", lm_check_images },
  { "database", lm_check_database },
  { "debris", lm_check_debris },
  { "machines", lm_check_machines },
  { "domains", lm_check_domains },
  { "sources", lm_check_sources },
};

const char *
lm_diagnosis_level_name (LmDiagnosisLevel level)
{
  static const char *const names[] = {
    [LM_DIAGNOSIS_OK] = "ok", [LM_DIAGNOSIS_WARNING] = "warning", [LM_DIAGNOSIS_ERROR] = "error",
  };
  return names[level];
}

static void
diagnosis_free (LmDiagnosis *diagnosis)
{
  g_free (diagnosis->what);
  g_free (diagnosis->command);
  g_free (diagnosis);
}

static LmVirtScope
choose_scope (const LmDoctor *doctor)
{
  if (doctor->virt != NULL)
    return lm_virt_scope_of_uri (lm_virt_uri (doctor->virt));
  if (doctor->host->uri != NULL)
    return lm_virt_scope_of_uri (doctor->host->uri);
  return geteuid () == 0 ? LM_VIRT_SCOPE_SYSTEM : LM_VIRT_SCOPE_SESSION;
}

static void
doctor_clear (LmDoctor *doctor)
{
  lm_virt_free (doctor->virt);
  g_clear_error (&doctor->virt_error);
  g_clear_pointer (&doctor->records, g_ptr_array_unref);
  g_clear_pointer (&doctor->problems, g_ptr_array_unref);
  g_clear_pointer (&doctor->diagnoses, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LmDoctor, doctor_clear)

GPtrArray *
lm_doctor_examine (const LmHost *host, const LmDoctorPlaces *places, GError **error)
{
  GCancellable *cancellable = host->libvirt.cancellable;
  g_auto (LmDoctor) doctor = { .host = host, .places = places };
  doctor.virt = lm_virt_connect (host->uri, &host->libvirt, &doctor.virt_error);
  doctor.scope = choose_scope (&doctor);
  doctor.problems = g_ptr_array_new_with_free_func (g_free);
  doctor.records = lm_machine_list (host->state_dir, doctor.problems, NULL);
  doctor.diagnoses = g_ptr_array_new_with_free_func ((GDestroyNotify) diagnosis_free);
  for (gsize i = 0; i < G_N_ELEMENTS (checks) && !g_cancellable_is_cancelled (cancellable); i++)
    {
      doctor.check = checks[i].name;
      checks[i].run (&doctor);
    }
  return g_cancellable_set_error_if_cancelled (cancellable, error) ? NULL : g_steal_pointer (&doctor.diagnoses);
}
