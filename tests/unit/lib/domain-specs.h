/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Specs that several tests share. */
#include "domain/spec.h"

/** test_spec_minimal: a machine with one layer that boots by itself. */
LmDomainSpec *test_spec_minimal (void);
/** test_spec_full: everything a spec can have. */
LmDomainSpec *test_spec_full (void);
/** test_spec_add_layer: puts a layer on top; its digest is made of @name. */
LmDomainLayer *test_spec_add_layer (LmDomainSpec *spec, const char *name);
/** test_spec_networks: a list of the networks (LmDomainNetwork) that @texts, words, stand for. */
GPtrArray *test_spec_networks (const char *texts);
