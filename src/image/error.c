/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/error.h"

G_DEFINE_QUARK (lm-image-error-quark, lm_image_error)
