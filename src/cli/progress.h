/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* How the pulling of files is shown, on stderr: bars on a terminal, lines
 * otherwise, JSON lines for programs, or nothing. */
#include "fetch/fetch.h"

typedef enum
{
  LM_PROGRESS_NONE,
  LM_PROGRESS_LINES,
  LM_PROGRESS_BARS,
  LM_PROGRESS_JSON,
} LmProgressKind;

typedef struct _LmProgress LmProgress;

/** lm_progress_kind: reads "auto", "json", "lines", "none"; NULL is auto.
 * FALSE if it is none of them. */
gboolean lm_progress_kind (const char *text, LmProgressKind *out_kind);

LmProgress *lm_progress_new (LmProgressKind kind);
void lm_progress_free (LmProgress *progress);

/** lm_progress_update: shows the state of a fetch. */
void lm_progress_update (LmProgress *progress, const LmFetchProgress *fetch);

/** lm_progress_status: a step of another kind begins. */
void lm_progress_status (LmProgress *progress, const char *text);
