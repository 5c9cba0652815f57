/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/request.h"
#include "base/error.h"
#include "cli/spec-file.h"

static gboolean
set_given_options (LmRequestBuilder *builder, LmArgs *args, const LmOption *table, GError **error)
{
  for (const LmOption *option = table; option->name; option++)
    {
      if (!(option->flags & LM_OPTION_SPEC) || !lm_args_has (args, option->name))
        continue;
      const char *const *values = lm_args_get_all (args, option->name);
      if (*values == NULL)
        lm_request_builder_set_flag (builder, option->name);
      for (; *values; values++)
        if (!lm_request_builder_set_text (builder, option->name, *values, error))
          {
            if (error && (*error)->domain == LM_CLI_ERROR)
              g_prefix_error (error, "--%s: ", option->name);
            return FALSE;
          }
    }
  return TRUE;
}

/* Whether anything but selections was given. @request must not contain the defaults
 * of the settings yet. */
static gboolean
is_customized (const LmLaunchRequest *request)
{
  return request->memory != 0 || request->vcpus != 0 || request->cpu != NULL || request->virt_type != NULL
         || request->disk != 0 || request->networks != NULL || request->publish->len > 0 || request->graphics != NULL
         || request->osinfo != NULL || request->template != NULL || request->cloud_init || request->autostart
         || request->transient || request->ephemeral;
}

LmLaunchRequest *
lm_request_read (const LmInvocation *invocation, const LmOption *options, GError **error)
{
  LmArgs *args = invocation->args;
  g_autoptr (LmRequestBuilder) builder = lm_request_builder_new (invocation->cancellable);
  const char *const *words = lm_args_words (args);
  if (*words && !lm_request_builder_set_name (builder, *words++, error))
    return NULL;
  for (; *words; words++)
    if (!lm_request_builder_add_selection (builder, *words, error))
      return NULL;
  if (!set_given_options (builder, args, options, error))
    return NULL;
  const char *file = lm_args_get (args, "file");
  if (file && !lm_spec_file_read (file, args, builder, invocation->cancellable, error))
    return NULL;
  g_autoptr (LmLaunchRequest) request = lm_request_builder_end (builder, error);
  if (request == NULL)
    return NULL;
  request->customized = is_customized (request);
  if (request->virt_type == NULL)
    request->virt_type = g_strdup (invocation->settings->virt_type);
  if (request->template == NULL)
    request->template = g_strdup (invocation->settings->template);
  request->replace = lm_args_option (args, "replace") != NULL && lm_args_has (args, "replace");
  return g_steal_pointer (&request);
}
