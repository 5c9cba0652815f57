/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The error domain of fetch, and what the errors of the modules below mean in it. */
#include <glib.h>

typedef enum
{
  LM_FETCH_ERROR_SOURCE,   /* no URL gives the file: network, server, not found */
  LM_FETCH_ERROR_DIGEST,   /* some URL gives other bytes and none the right ones */
  LM_FETCH_ERROR_REFUSED,  /* the right bytes, but no layer that may be used */
  LM_FETCH_ERROR_NO_SPACE, /* the file system or a quota is full */
  LM_FETCH_ERROR_BUSY,     /* another process transfers it and makes no progress */
  LM_FETCH_ERROR_FAILED,   /* the rest: a disk error, qemu-img missing, ... */
} LmFetchError;

#define LM_FETCH_ERROR lm_fetch_error_quark ()
GQuark lm_fetch_error_quark (void);

/** lm_fetch_error_translate: an error of the modules below as one of fetch;
 * takes @error and sets @out. Returns FALSE. */
gboolean lm_fetch_error_translate (GError *error, GError **out);
