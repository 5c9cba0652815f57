/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The checks, and what they share. Private to doctor. */
#include "cache/cache.h"
#include "doctor/doctor.h"
#include "machine/machine.h"
#include "virt/domain.h"

typedef struct
{
  const LmHost *host;
  const LmDoctorPlaces *places;
  LmVirt *virt;          /* NULL if libvirt cannot be reached */
  GError *virt_error;    /* why */
  LmVirtScope scope;     /* of the connection, or of the one that would have been chosen */
  GPtrArray *records;    /* LmMachine; NULL if they cannot be read */
  GPtrArray *problems;   /* char *: about records that cannot be used */
  GPtrArray *diagnoses;  /* LmDiagnosis */
  const char *check;     /* the name of the present check */
} LmDoctor;

/** lm_check_add: adds a diagnosis of the present check. @command is NULL if there is
 * none; takes ownership of it. */
void lm_check_add (LmDoctor *doctor, LmDiagnosisLevel level, char *command, const char *format, ...) G_GNUC_PRINTF (4, 5);

/** lm_check_quote: returns "@program @path" with the path quoted for the shell, newly allocated. */
char *lm_check_quote (const char *program, const char *path);

/** lm_check_name_some: returns "one", "one and another", or "one and 12 others" for
 * the strings in @names, which is not empty; newly allocated. */
char *lm_check_name_some (const GPtrArray *names);

/** lm_check_directory: returns the directory @name in the state directory, or the state
 * directory if NULL; newly allocated. */
char *lm_check_directory (const LmDoctor *doctor, const char *name);

/* Each check adds at least one diagnosis. */
void lm_check_settings (LmDoctor *doctor);
void lm_check_kvm (LmDoctor *doctor);
void lm_check_libvirt (LmDoctor *doctor);
void lm_check_programs (LmDoctor *doctor);
void lm_check_state_dir (LmDoctor *doctor);
void lm_check_access (LmDoctor *doctor);
void lm_check_apparmor (LmDoctor *doctor);
void lm_check_selinux (LmDoctor *doctor);
void lm_check_hook (LmDoctor *doctor);
void lm_check_space (LmDoctor *doctor);
void lm_check_cache (LmDoctor *doctor);
void lm_check_images (LmDoctor *doctor);
void lm_check_database (LmDoctor *doctor);
void lm_check_debris (LmDoctor *doctor);
void lm_check_machines (LmDoctor *doctor);
void lm_check_domains (LmDoctor *doctor);
void lm_check_sources (LmDoctor *doctor);
