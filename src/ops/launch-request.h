/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A launch request, which describes the machine that a user wants, and the domain
 * that follows from it and a plan. */
#include "domain/spec.h"
#include "plan/plan.h"
#include "machine/machine.h"

/* A string of NULL or a number of 0 was not given. */
typedef struct
{
  char *name;
  char **selections;  /* in the form of catalog/selection.h */
  guint64 memory;     /* in bytes */
  guint vcpus;
  char *cpu;
  char *virt_type;
  guint64 disk;       /* in bytes */
  GPtrArray *networks; /* LmDomainNetwork; NULL if not given */
  GPtrArray *publish; /* LmDomainPublish */
  LmDomainGraphics *graphics;
  char *osinfo;
  char *template;
  /* For cloud-init: contents, not names of files. */
  gboolean cloud_init;
  GBytes *user_data;
  GBytes *meta_data;
  GBytes *network_config;
  char **ssh_keys;
  gboolean start;     /* FALSE to define only */
  gboolean autostart;
  gboolean transient;
  gboolean ephemeral; /* the overlay is thrown away when the guest stops */
  gboolean replace;
  gboolean customized; /* options were given that only affect a new machine */
  gboolean wait;
  guint wait_seconds; /* valid if wait */
} LmLaunchRequest;

/** lm_launch_request_new: returns an empty request; never NULL. */
LmLaunchRequest *lm_launch_request_new (void);
/** lm_launch_request_free: frees @request; NULL is ignored. */
void lm_launch_request_free (LmLaunchRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLaunchRequest, lm_launch_request_free)

/** lm_launch_request_normalize: returns the selections of @request as formatted by
 * lm_selection_format(), sorted and without duplicates; newly allocated. */
char **lm_launch_request_normalize (const LmLaunchRequest *request);

/** lm_launch_request_spec: returns the specification of the domain of @machine, for
 * @request and the layers of @plan, newly allocated. @virt_type is "kvm" or "qemu";
 * @osinfo is the URL of the operating system and may be NULL. */
LmDomainSpec *lm_launch_request_spec (const LmLaunchRequest *request, const LmPlan *plan, const LmMachine *machine,
                                      const char *virt_type, const char *osinfo);

/** lm_launch_request_layers: returns the layers of @plan (LmDomainLayer), base
 * first, for a record; newly allocated. */
GPtrArray *lm_launch_request_layers (const LmPlan *plan);
