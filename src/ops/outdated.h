/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "outdated": which machines have a layer of which the catalogs list a
 * newer version, and what creating them again would pull. Changes nothing, and uses
 * neither libvirt nor, except for extra catalogs that are URLs, the network. */
#include "ops/host.h"
#include "plan/plan.h"

typedef struct
{
  char *name;
  char *version;     /* that the machine has */
  char *group;       /* may be NULL */
  LmDigest digest;
  char *wanted;      /* version that its selections would get now; NULL if none, or if that is not known */
  char *newest;      /* newest version that the catalogs list; NULL if they list no layer of that name */
  gboolean outdated; /* newest is newer than version */
} LmOutdatedLayer;

typedef struct
{
  char *name;
  char *uuid;
  char *uri;         /* of its libvirt connection */
  char **selections; /* as given by the user */
  GPtrArray *layers; /* LmOutdatedLayer, base first */
  gboolean outdated; /* one of them is */
  gboolean unknown;  /* of one of them the catalogs list no version */
  gboolean planned;  /* whether there is a chain for the selections now; otherwise problem says why not */
  guint64 bytes_to_pull; /* for that chain */
  char *problem;
} LmOutdatedMachine;

/** lm_outdated_list: returns an LmOutdatedMachine for each complete machine of the
 * host, on any connection, sorted by name; if @names is not empty, only for those with
 * one of these names. *out_unreadable is the number of machines that are not listed because
 * their records cannot be read; each has caused a warning. Pre-releases are newest only if there is nothing else. Blocks.
 * Errors: LM_MACHINE_ERROR_NOT_FOUND, those of lm_source_load_all() and
 * lm_machine_list(), G_IO_ERROR. */
GPtrArray *lm_outdated_list (const LmHost *host, const char *const *names, guint *out_unreadable,
                             GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
