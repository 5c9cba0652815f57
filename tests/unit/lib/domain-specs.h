/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Domain specifications for several tests. */
#include "domain/spec.h"

/** test_spec_minimal: returns a machine with one layer that boots by itself. */
LmDomainSpec *test_spec_minimal (void);
/** test_spec_full: returns a machine with everything a spec can have. */
LmDomainSpec *test_spec_full (void);
/** test_spec_add_layer: adds a layer on top; its digest depends on @name. */
LmDomainLayer *test_spec_add_layer (LmDomainSpec *spec, const char *name);
/** test_spec_networks: returns a list of the networks (LmDomainNetwork) in @texts, separated by spaces. */
GPtrArray *test_spec_networks (const char *texts);
