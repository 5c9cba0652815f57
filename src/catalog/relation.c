/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/relation.h"
#include "catalog/selection.h"
#include "catalog/version.h"

#include <string.h>

G_STATIC_ASSERT (sizeof (((LmRelation *) NULL)->name) == LM_NAME_MAX + 1);
G_STATIC_ASSERT (sizeof (((LmRelation *) NULL)->version) == LM_VERSION_MAX + 1);

static const char *
skip_spaces (const char *text)
{
  return text + strspn (text, " ");
}

/* Parses one of < <= = >= >. Returns the end of the operator; NULL if there is none. */
static const char *
parse_operator (const char *text, guint *out_op)
{
  guint op = LM_RELATION_ANY;
  if (*text == '<' || *text == '>')
    op = *text++ == '<' ? LM_RELATION_LESS : LM_RELATION_GREATER;
  if (*text == '=')
    {
      op |= LM_RELATION_EQUAL;
      text++;
    }
  *out_op = op;
  return op == LM_RELATION_ANY ? NULL : text;
}

gboolean
lm_relation_parse (const char *text, LmRelation *out_relation)
{
  LmRelation relation = { .op = LM_RELATION_ANY };
  gsize length = strcspn (text, " <=>");
  if (length >= sizeof relation.name)
    return FALSE;
  memcpy (relation.name, text, length);
  text += length;
  if (*text != '\0')
    {
      text = parse_operator (skip_spaces (text), &relation.op);
      if (text == NULL)
        return FALSE;
      text = skip_spaces (text);
      if (strlen (text) >= sizeof relation.version)
        return FALSE;
      memcpy (relation.version, text, strlen (text));
      if (!lm_version_is_valid (relation.version))
        return FALSE;
    }
  if (!lm_name_is_valid (relation.name))
    return FALSE;
  *out_relation = relation;
  return TRUE;
}

static gboolean
is_in_range (const LmRelation *relation, const char *version)
{
  if (relation->op == LM_RELATION_ANY)
    return TRUE;
  int order = lm_version_compare (version, relation->version);
  return relation->op & (order < 0 ? LM_RELATION_LESS : order > 0 ? LM_RELATION_GREATER : LM_RELATION_EQUAL);
}

gboolean
lm_relation_matches (const LmRelation *relation, const LmLayer *layer)
{
  if (strcmp (layer->name, relation->name) == 0 && is_in_range (relation, layer->version))
    return TRUE;
  for (char *const *text = layer->provides; *text; text++)
    {
      LmRelation given;
      if (!lm_relation_parse (*text, &given) || strcmp (given.name, relation->name) != 0)
        continue;
      if (relation->op == LM_RELATION_ANY || (given.op != LM_RELATION_ANY && is_in_range (relation, given.version)))
        return TRUE;
    }
  return FALSE;
}

gboolean
lm_relations_match (char *const *texts, const LmLayer *layer)
{
  for (; *texts; texts++)
    {
      LmRelation relation;
      if (lm_relation_parse (*texts, &relation) && lm_relation_matches (&relation, layer))
        return TRUE;
    }
  return FALSE;
}
