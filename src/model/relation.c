/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "model/relation.h"
#include "model/selection.h"

#include <string.h>

G_STATIC_ASSERT (sizeof (((LmRelation *) NULL)->name) == LM_NAME_MAX + 1);
G_STATIC_ASSERT (sizeof (((LmRelation *) NULL)->version) == LM_VERSION_MAX + 1);

static const char *
skip_spaces (const char *text)
{
  return text + strspn (text, " ");
}

/* One of < <= = >= >; NULL when there is none. */
static const char *
parse_op (const char *text, guint *out_op)
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
      text = parse_op (skip_spaces (text), &relation.op);
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
