/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What came of making one layer on this host, by a build or a capture. */
#include "catalog/layer.h"

typedef enum
{
  LM_LAYER_UNCHANGED, /* it is there already */
  LM_LAYER_UPDATED,   /* likewise, but the local catalog says something else about it now */
  LM_LAYER_PULLED,    /* a catalog has it */
  LM_LAYER_MADE,
} LmLayerAction;

typedef struct
{
  LmLayerAction action;
  char *name, *version, *group;
  LmBlob blob;
  char **chain;     /* "name@version" of the layers below it, base first */
  char **packages;  /* what it adds or changes, "NAME=VERSION" */
  char **removed;   /* names of packages that it removes */
  gboolean locked;  /* the versions are those of the lock file */
  char *lock_path;  /* the lock file of its recipe; NULL if it was not built */
} LmLayerResult;

/** lm_layer_result_new: returns a result about the layer @name, of which @build is one. */
LmLayerResult *lm_layer_result_new (LmLayerAction action, const char *name, const char *version, const char *group, const LmBuild *build);
/** lm_layer_result_free: frees @result; NULL is ignored. */
void lm_layer_result_free (LmLayerResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLayerResult, lm_layer_result_free)

/** lm_layer_result_add_below: adds a layer to the end of the chain below. */
void lm_layer_result_add_below (LmLayerResult *result, const char *name, const char *version);
