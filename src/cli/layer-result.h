/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* How the verbs that make layers tell the result. */
#include "author/layer-result.h"
#include <json-glib/json-glib.h>

/** lm_layer_result_print: prints @result for people. @made says how a layer was made, as "built". */
void lm_layer_result_print (const LmLayerResult *result, const char *made);
/** lm_layer_result_to_json: adds the members of @result to the open object in @builder. */
void lm_layer_result_to_json (const LmLayerResult *result, const char *made, JsonBuilder *builder);
