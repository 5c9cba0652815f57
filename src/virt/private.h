/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the files of src/virt share, and nobody else includes. */
#include <glib.h>
#include <libvirt/libvirt.h>

struct _LmVirt
{
  virConnectPtr connection;
  char *uri;
};

struct _LmVirtDomain
{
  virDomainPtr domain;
  char *name; /* asking the handle for it would reset libvirt's last error */
  char uuid[VIR_UUID_STRING_BUFLEN];
};
