/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The error domain of this module. */
#include <glib.h>

typedef enum
{
  LM_IMAGE_ERROR_REFUSED, /* the image is hostile or not as declared; trying again does not help */
  LM_IMAGE_ERROR_FAILED,  /* it could not be checked or created, for example because qemu-img is missing */
  LM_IMAGE_ERROR_INVALID, /* the caller's input is not valid, for example an SSH key */
} LmImageError;

#define LM_IMAGE_ERROR lm_image_error_quark ()
GQuark lm_image_error_quark (void);
