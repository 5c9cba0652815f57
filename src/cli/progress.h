/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The progress display for pulling files, on stderr: bars on a terminal, lines
 * elsewhere, JSON lines for programs, or nothing. */
#include "fetch/fetch.h"

typedef enum
{
  LM_PROGRESS_NONE,
  LM_PROGRESS_LINES,
  LM_PROGRESS_BARS,
  LM_PROGRESS_JSON,
} LmProgressKind;

typedef struct _LmProgress LmProgress;

/** lm_progress_kind: parses "auto", "json", "lines" or "none"; NULL means auto.
 * FALSE if @text is none of them. */
gboolean lm_progress_kind (const char *text, LmProgressKind *out_kind);

/** lm_progress_new: returns a display of @kind; never NULL. */
LmProgress *lm_progress_new (LmProgressKind kind);
/** lm_progress_free: ends the display and frees it; NULL is ignored. */
void lm_progress_free (LmProgress *progress);

/** lm_progress_update: displays the state of a fetch. */
void lm_progress_update (LmProgress *progress, const LmFetchProgress *fetch);

/** lm_progress_status: announces a step that is not a fetch. */
void lm_progress_status (LmProgress *progress, const char *text);
