/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A machine as the user asks for it, and the domain that it and a plan give. */
#include "domain/spec.h"
#include "plan/plan.h"
#include "machine/machine.h"

/* Strings may be NULL, numbers 0: not given. */
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
 * writes them, sorted, each once; newly allocated. */
char **lm_launch_request_normalize (const LmLaunchRequest *request);

/** lm_launch_request_spec: the domain of @machine, for @request, with the layers of
 * @plan. @virt_type: "kvm" or "qemu"; @osinfo: the system's URL, may be NULL. */
LmDomainSpec *lm_launch_request_spec (const LmLaunchRequest *request, const LmPlan *plan, const LmMachine *machine,
                                      const char *virt_type, const char *osinfo);

/** lm_launch_request_layers: the layers of @plan (LmDomainLayer), base first, for a record. */
GPtrArray *lm_launch_request_layers (const LmPlan *plan);
