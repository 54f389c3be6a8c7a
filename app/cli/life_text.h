/* The life answer as text for people. */
#ifndef APP_CLI_LIFE_TEXT_H
#define APP_CLI_LIFE_TEXT_H

#include "app/life_answer.h"

/* Which columns were taken for what, on stderr. */
void life_text_columns(const struct life_table *t);
/* The answer, on stdout; ages carry the name of the time column as their unit. */
void life_text(const struct life_answer *a, const struct life_table *t);
/* The reply of life_site_json(), on stdout. */
void life_text_site(const cJSON *site);

#endif
