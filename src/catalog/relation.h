/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Relations of a layer to others: the items "name" and "name >= version" of its
 * requires, provides and conflicts. */
#include "catalog/layer.h"

/* Bits: LESS | EQUAL is "<=". */
typedef enum
{
  LM_RELATION_ANY = 0,
  LM_RELATION_LESS = 1 << 0,
  LM_RELATION_EQUAL = 1 << 1,
  LM_RELATION_GREATER = 1 << 2,
} LmRelationOp;

typedef struct
{
  char name[65];
  char version[65]; /* empty for LM_RELATION_ANY */
  guint op;         /* LmRelationOp bits */
} LmRelation;

/** lm_relation_parse: parses "name", or "name OP version" with OP one of < <= = >=
 * >; spaces around OP are optional. FALSE if @text has neither form. Allocates
 * nothing. */
gboolean lm_relation_parse (const char *text, LmRelation *out_relation) G_GNUC_WARN_UNUSED_RESULT;

/** lm_relation_matches: whether @layer satisfies @relation by its name and version
 * or by what it provides. As in Debian, a relation with a version is satisfied only
 * by a provide with a version. */
gboolean lm_relation_matches (const LmRelation *relation, const LmLayer *layer);

/** lm_relations_match: whether @layer satisfies any of @texts, for example the
 * conflicts of another layer. */
gboolean lm_relations_match (char *const *texts, const LmLayer *layer);
