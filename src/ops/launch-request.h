/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a machine shall be, as asked for; and what that and a plan come to. */
#include "domain/spec.h"
#include "plan/plan.h"
#include "machine/machine.h"

/* Strings may be NULL, numbers 0: not said. */
typedef struct
{
  char *name;
  char **selections;  /* each of the form of catalog/selection.h */
  guint64 memory;     /* bytes */
  guint vcpus;
  char *cpu;
  char *virt_type;
  guint64 disk;       /* bytes */
  GPtrArray *networks; /* LmDomainNetwork; NULL: not said */
  GPtrArray *publish; /* LmDomainPublish */
  LmDomainGraphics *graphics;
  char *osinfo;
  char *template;
  /* cloud-init: contents, not names of files. */
  gboolean cloud_init;
  GBytes *user_data;
  GBytes *meta_data;
  GBytes *network_config;
  char **ssh_keys;
  gboolean start;     /* FALSE: define only */
  gboolean autostart;
  gboolean transient;
  gboolean replace;
  gboolean wait;
  guint wait_seconds; /* valid if wait */
} LmLaunchRequest;

LmLaunchRequest *lm_launch_request_new (void);
void lm_launch_request_free (LmLaunchRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLaunchRequest, lm_launch_request_free)

/** lm_launch_request_normalize: the selections of @request as lm_selection_format()
 * writes them, sorted, each once; newly allocated. Two requests with equal ones
 * ask for the same layers. */
char **lm_launch_request_normalize (const LmLaunchRequest *request);

/** lm_launch_request_spec: the domain for @request made of @plan as
 * @machine. @virt_type is what was decided, @osinfo the system's URL or NULL. */
LmDomainSpec *lm_launch_request_spec (const LmLaunchRequest *request, const LmPlan *plan, const LmMachine *machine,
                                      const char *virt_type, const char *osinfo);

/** lm_launch_request_layers: the chain of @plan as records keep it (LmDomainLayer). */
GPtrArray *lm_launch_request_layers (const LmPlan *plan);
