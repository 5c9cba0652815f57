/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What lamina-appliance says: JSON objects, one a line, on standard output. Each has a member
 * "event": "begin" and "end" (of a step), "result" (what a step has read), "failure", "done". */
#include "appliance/failure.h"

/** lm_report_begin: step @step of @of, counted from 1, begins. */
void lm_report_begin (guint step, guint of, const char *label);
/** lm_report_end: it ended after @ms milliseconds, or was left out. */
void lm_report_end (guint step, guint of, const char *label, guint64 ms, gboolean skipped);
/** lm_report_result: the step has read @size bytes; NULL @data if there is nothing to read. */
void lm_report_result (guint step, const void *data, gsize size);
/** lm_report_output: what a command that failed with @status has written. */
void lm_report_output (guint step, int status, const char *output);
/** lm_report_failure: the job failed with @error in step @step. */
void lm_report_failure (guint step, const char *label, const GError *error);
/** lm_report_done: the job is done. */
void lm_report_done (void);
