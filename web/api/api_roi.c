/* Business cases: computed, never stored. */
#include "web/api/handlers.h"

#include "app/base/json.h"
#include "app/roi_io.h"
#include "app/roi_site.h"
#include "app/site.h"

enum ft_status api_roi_post(struct api_call *c, struct ft_err *err)
{
    struct roi_request r;
    struct site site;
    cJSON *result = NULL;
    enum ft_status st = site_load(c->db, &site, err);
    if (st != FT_OK)
        return st;
    roi_request_defaults(&r, site.currency);
    st = roi_request_from_json(c->json, &r, err);
    if (st == FT_OK)
        st = roi_answer_json(&r, &result, err);
    return st == FT_OK ? api_reply(c, result, err) : st;
}

enum ft_status api_roi_get(struct api_call *c, struct ft_err *err)
{
    struct roi_request r;
    cJSON *result = NULL;
    enum ft_status st = roi_site_request(c->db, &r, err);
    if (st == FT_OK)
        st = roi_answer_json(&r, &result, err);
    if (st != FT_OK)
        return st;
    cJSON *body = cJSON_CreateObject();
    cJSON *input = roi_request_to_json(&r);
    if (body == NULL || input == NULL || !cJSON_AddItemToObject(body, "input", input)) {
        cJSON_Delete(input);
        cJSON_Delete(result);
        cJSON_Delete(body);
        return ft_fail(err, FT_NOMEM, "no memory for the business case");
    }
    if (!cJSON_AddItemToObject(body, "result", result))
        cJSON_Delete(result);
    return api_reply(c, body, err);
}
