/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The error domain that all of image/ shares. */
#include <glib.h>

typedef enum
{
  LM_IMAGE_ERROR_REFUSED, /* hostile or not what was declared; final */
  LM_IMAGE_ERROR_FAILED,  /* could not be checked or made: qemu-img missing, ... */
  LM_IMAGE_ERROR_INVALID, /* what the caller asked for cannot be: a bad ssh key, ... */
} LmImageError;

#define LM_IMAGE_ERROR lm_image_error_quark ()
GQuark lm_image_error_quark (void);
