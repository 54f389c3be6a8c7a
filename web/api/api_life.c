/* Life data analysis of what the caller sends, or of the site's own records: computed, never
 * stored. */
#include "web/api/handlers.h"

#include "app/base/json.h"
#include "app/life_input.h"
#include "app/life_lab.h"
#include "app/life_site.h"

/* With "class" the lives are those of the site's records. */
static enum ft_status post_lab(struct api_call *c, struct ft_err *err)
{
    cJSON *body = cJSON_CreateObject();
    const enum ft_status st = life_lab_json(c->db, c->json, NULL, body, err);
    if (st == FT_OK)
        return api_reply(c, body, err);
    cJSON_Delete(body);
    return st;
}

enum ft_status api_life_post(struct api_call *c, struct ft_err *err)
{
    struct life_table table;
    struct life_request request;
    struct life_answer answer;
    if (json_get(c->json, "class") != NULL)
        return post_lab(c, err);
    enum ft_status st = life_input_from_json(c->json, &table, &request, err);
    if (st != FT_OK)
        return st;
    st = life_answer_make(&table, &request, NULL, &answer, err);
    cJSON *body = cJSON_CreateObject();
    if (st == FT_OK) {
        st = life_answer_json(&answer, &table, &request, body, err);
        life_answer_free(&answer);
    }
    life_table_free(&table);
    if (st != FT_OK) {
        cJSON_Delete(body);
        return st;
    }
    return api_reply(c, body, err);
}

enum ft_status api_life_get(struct api_call *c, struct ft_err *err)
{
    const struct life_site_query q = {.confidence = 0.9, .n_draws = 200, .seed = 1};
    cJSON *body = NULL;
    const enum ft_status st = life_site_json(c->db, &q, NULL, &body, err);
    return st == FT_OK ? api_reply(c, body, err) : st;
}
