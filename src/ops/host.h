/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What every use case is given: where things are on this host, and functions that
 * warnings and progress are reported to. Borrowed by the callee for the call. */
#include "cache/findings.h"
#include "fetch/fetch.h"
#include "virt/connect.h"

typedef struct
{
  const char *state_dir;             /* absolute */
  const char *uri;                   /* libvirt connection; NULL: libvirt's choice */
  LmVirtLimits libvirt;              /* of every connection */
  LmFindings *findings;              /* of the run, for every LmCache; NULL: each has its own */
  const char *const *catalogs;       /* extra catalogs; NULL: none */
  const char *const *template_dirs;  /* in order of search */
  const char *const *osinfo_dirs;
  guint transfers;                   /* files pulled at once */
  void (*warning) (gpointer user_data, const char *text);
  void (*status) (gpointer user_data, const char *text); /* a step begins: e.g. "waiting for ..." */
  LmFetchProgressFunc progress;
  gpointer user_data;
} LmHost;
