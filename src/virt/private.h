/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Shared by the files in src/virt; not to be included elsewhere. */
#include "virt/domain.h"

#include <libvirt/libvirt.h>

struct _LmVirt
{
  gatomicrefcount references; /* held by the caller, domains and running calls */
  virConnectPtr connection;
  void (*close) (LmVirt *virt); /* closes the connection, in limited time or not at all */
  char *uri;
  guint seconds;
  GCancellable *cancellable; /* owned, may be NULL */
  gint unanswered;           /* number of calls that were given up and have not ended; atomic */
};

struct _LmVirtDomain
{
  LmVirt *virt; /* owned */
  virDomainPtr domain;
  char *name; /* a copy, because getting it from the handle resets libvirt's last error */
  char uuid[VIR_UUID_STRING_BUFLEN];
};

/** lm_virt_ref: adds a reference to @virt and returns it. */
LmVirt *lm_virt_ref (LmVirt *virt);
