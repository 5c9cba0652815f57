/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/error.h"

G_DEFINE_QUARK (lm-domain-error-quark, lm_domain_error)
