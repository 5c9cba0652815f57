/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/unknown-verb.h"
#include "base/error.h"
#include "base/suggestion.h"
#include "cli/help.h"
#include "cli/output.h"

#include <string.h>

/* Verbs of neighbouring programs, and what does the same here. A machine is an ordinary domain. */
static const struct
{
  const char *verb;
  const char *command;
} elsewhere[] = {
  { "attach", "virsh console NAME" },   { "autostart", "virsh autostart NAME" }, { "config", "virsh edit NAME" },
  { "console", "virsh console NAME" },  { "create", "lamina launch NAME SELECTION..." },
  { "destroy", "virsh destroy NAME" },  { "edit", "virsh edit NAME" },           { "exec", "virsh console NAME" },
  { "inspect", "lamina show NAME" },    { "install", "lamina launch NAME SELECTION..." },
  { "kill", "virsh destroy NAME" },     { "logs", "lamina show NAME" },          { "pause", "virsh suspend NAME" },
  { "prune", "lamina cache gc" },       { "reboot", "virsh reboot NAME" },       { "rename", "virsh domrename NAME NEW-NAME" },
  { "restart", "virsh reboot NAME" },   { "resume", "virsh resume NAME" },       { "run", "lamina launch NAME SELECTION..." },
  { "search", "lamina list" },          { "shutdown", "virsh shutdown NAME" },   { "ssh", "lamina show NAME" },
  { "start", "virsh start NAME" },      { "status", "lamina show NAME" },        { "stop", "virsh shutdown NAME" },
  { "suspend", "virsh suspend NAME" },  { "undefine", "lamina rm NAME" },        { "unpause", "virsh resume NAME" },
  { "verify", "lamina cache verify" },
};

/* Returns what is most similar to @name among the verbs that begin with @prefix, without it; NULL if nothing is. */
static const char *
find_similar (const char *name, const char *prefix)
{
  LmSuggestion suggestion;
  lm_suggestion_init (&suggestion, name);
  for (const LmVerb *const *verb = lm_verbs; *verb != NULL; verb++)
    if ((*verb)->summary != NULL && g_str_has_prefix ((*verb)->name, prefix))
      lm_suggestion_consider (&suggestion, (*verb)->name + strlen (prefix));
  return suggestion.best;
}

static gboolean
is_group (const char *prefix)
{
  for (const LmVerb *const *verb = lm_verbs; *verb != NULL; verb++)
    if ((*verb)->summary != NULL && g_str_has_prefix ((*verb)->name, prefix))
      return TRUE;
  return FALSE;
}

/* @prefix is the first word of verbs with two, and a blank. */
static gboolean
refuse_second_word (const char *prefix, const char *word, GError **error)
{
  if (word == NULL || *word == '-')
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%srequires a second word; \"lamina help %.*s\" lists them", prefix,
                     (int) strlen (prefix) - 1, prefix);
  g_autofree char *safe = lm_output_safe (word);
  const char *similar = find_similar (safe, prefix);
  if (similar != NULL)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "unknown verb: %s%s; did you mean \"%s%s\"?", prefix, safe, prefix, similar);
  return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "unknown verb: %s%s; \"lamina help %.*s\" lists those that there are", prefix,
                   safe, (int) strlen (prefix) - 1, prefix);
}

gboolean
lm_unknown_verb_throw (const char *const *words, GError **error)
{
  g_autofree char *safe = lm_output_safe (words[0]);
  g_autofree char *prefix = g_strconcat (safe, " ", NULL);
  if (is_group (prefix))
    return refuse_second_word (prefix, words[1], error);
  for (gsize i = 0; i < G_N_ELEMENTS (elsewhere); i++)
    if (strcmp (elsewhere[i].verb, safe) == 0)
      return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "unknown verb: %s; use \"%s\"", safe, elsewhere[i].command);
  const char *similar = find_similar (safe, "");
  if (similar != NULL)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "unknown verb: %s; did you mean \"%s\"?", safe, similar);
  return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "unknown verb: %s; \"lamina --help\" lists the verbs", safe);
}
