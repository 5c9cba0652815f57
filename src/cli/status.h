/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The exit status of the program. */
#include <glib.h>

typedef enum
{
  LM_STATUS_DONE = 0,
  LM_STATUS_FAILED = 1,
  LM_STATUS_USAGE = 2,
  LM_STATUS_NOT_FOUND = 3, /* no such layer or machine, or a selection cannot be met */
  LM_STATUS_BUSY = 4,      /* busy or timed out */
  LM_STATUS_SOURCE = 5,    /* network or source */
  LM_STATUS_REFUSED = 6,   /* digest, signature, hostile image */
  LM_STATUS_LIBVIRT = 7,
  LM_STATUS_NO_SPACE = 8,
  LM_STATUS_DIFFERENT = 9, /* there already, but different */
  LM_STATUS_DAMAGED = 10,  /* there is damage that was not repaired */
} LmStatus;

/** lm_status_of_error: returns the exit status for @error. */
LmStatus lm_status_of_error (const GError *error);
