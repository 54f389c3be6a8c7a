/* Business cases: computed, never stored. */
#include "web/api/handlers.h"

#include "app/base/json.h"
#include "app/roi_io.h"
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
