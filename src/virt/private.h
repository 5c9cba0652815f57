/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the files of src/virt share, and nobody else includes. */
#include "virt/domain.h"

#include <libvirt/libvirt.h>

struct _LmVirt
{
  gatomicrefcount references; /* the caller's, its domains' and running calls' */
  virConnectPtr connection;
  void (*close) (LmVirt *virt); /* lets go of the connection, in bounded time or not at all */
  char *uri;
  guint seconds;
  GCancellable *cancellable; /* owned, may be NULL */
  gint unanswered;           /* calls given up and not yet over; atomic */
};

struct _LmVirtDomain
{
  LmVirt *virt; /* owned */
  virDomainPtr domain;
  char *name; /* asking the handle for it would reset libvirt's last error */
  char uuid[VIR_UUID_STRING_BUFLEN];
};

LmVirt *lm_virt_ref (LmVirt *virt);
