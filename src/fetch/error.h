/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The error domain of this module, and the translation of errors from the modules below. */
#include <glib.h>

typedef enum
{
  LM_FETCH_ERROR_SOURCE,   /* the file cannot be fetched from any URL: network, server, not found */
  LM_FETCH_ERROR_DIGEST,   /* a URL supplied other bytes, and none supplied the right ones */
  LM_FETCH_ERROR_REFUSED,  /* the bytes are right, but they are not an acceptable layer */
  LM_FETCH_ERROR_NO_SPACE, /* the file system or a quota is full */
  LM_FETCH_ERROR_BUSY,     /* another process is transferring it and makes no progress */
  LM_FETCH_ERROR_FAILED,   /* anything else, such as a disk error or a missing qemu-img */
} LmFetchError;

#define LM_FETCH_ERROR lm_fetch_error_quark ()
GQuark lm_fetch_error_quark (void);

/** lm_fetch_error_translate: converts an error of the modules below to one of this
 * module: takes ownership of @error and sets @out. Returns FALSE. */
gboolean lm_fetch_error_translate (GError *error, GError **out);
