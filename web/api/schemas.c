/* Shapes of requests and answers in a short notation, turned into JSON Schema for /openapi.json.
 * "name:type" with type string, number, integer, boolean, instant, object, or the name of another
 * shape; [x] is an array of x; ? at the end: may be null; * : may be absent. */
#include "web/api/api.h"

#include "app/base/json.h"

#include <stdio.h>
#include <string.h>

struct shape {
    const char *name, *members;
};

static const struct shape shapes[] = {
    {"Object", ""},
    {"Answer", "lead:string rest:string"},
    {"Problem", "type:string title:string status:integer detail:string request_id:string* "
                "errors:[ProblemError]*"},
    {"ProblemError", "pointer:string detail:string"},
    {"Ready", "ready:boolean database_writable:boolean database_readable:boolean reason:string? "
              "version:string"},
    {"Site", "name:string time_zone:string currency:string now:instant last_reading_at:instant? "
             "scored_at:instant? version:string role:string"},
    {"Band", "value:number? low:number? high:number?"},
    {"Kpi", "money_at_risk:object* cases:object* crew_load:object* net_saved:object* data:object* "
            "areas:[object]* changes:[object]* period:object* currency:string* items:[KpiFigure]*"},
    {"KpiFigure", "key:string value:number? unit:string n:integer formula:string note:string?"},
    {"BadActor", "asset:string name:string? class:string? failures:number downtime_h:number "
                 "cost:number cost_estimated:boolean share:number? cumulated:number?"},
    {"BadActors", "period:object currency:string total:integer items:[BadActor]"},
    {"Component", "name:string unplanned_h:number? planned_h:number? unplanned_repair:number? "
                  "planned_repair:number? spare:string? skill:string?"},
    {"Class",
     "name:string assets:integer cycle_s:number? downtime_per_h:number? components:[Component]"},
    {"ClassList", "items:[Class] next_cursor:string?"},
    {"Asset", "key:string name:string? class:string area:string? state:string* state_rule:string* "
              "money_at_risk:Band?* p:Band?* rul:object?* why:string?* waiting_per_day:number?* "
              "component:string?* next_work:object?* data_frac:number?* sensors:integer* "
              "sensors_stale:integer*"},
    {"AssetList", "answer:Answer?* window_s:number* currency:string* as_of:instant?* "
                  "scored_at:instant?* scored_by:string?* coverage_note:string?* total:integer* "
                  "tail:object?* items:[Asset] next_cursor:string?"},
    {"AssetPage", "key:string name:string? class:string area:string? attributes:object "
                  "state:string state_rule:string decision:Answer? forecast:object? "
                  "components:[object] cost_by_date:object? window:object? sensors:[object] "
                  "work:[WorkOrder] similar:[object]"},
    {"TimelineItem", "at:instant kind:string component:string? code:string? text:string"},
    {"TimelineList", "items:[TimelineItem] next_cursor:string?*"},
    {"Health",
     "asset:string class:string method:string tick_s:number* false_alarms_per_year:number* "
     "text:string as_of:instant* health:number* score:number* sensor:string?* "
     "alarm:boolean* alarm_since:instant* items:[HealthItem]"},
    {"HealthItem", "at:instant health:number t2:number? q:number? sensor:string? alarm:boolean"},
    {"Sensor", "asset:string name:string unit:string? role:string low:number? high:number? "
               "rollover:number? readings:integer "
               "first_at:instant? last_at:instant? last_value:number?"},
    {"SensorList", "items:[Sensor] next_cursor:string?"},
    {"Quality", "classes:[QualityClass] quarantined:integer computed:instant"},
    {"QualityClass", "class:string assets:integer sensors:integer readings:integer first:instant? "
                     "last:instant? events:object failures:object verdict:string "
                     "models:[ModelReadiness] readiness:[string] label_audit:object issues:object "
                     "n_findings:integer findings:[QualityFinding] sensor_list:[object]* "
                     "strip:QualityStrip summary:[string]"},
    {"QualityStrip",
     "from:string days:integer sensors:[QualityRow] n_whole:integer n_more:integer"},
    {"QualityRow", "asset:string sensor:string present:[integer] stuck:[integer]?"},
    {"QualityFinding", "kind:string severity:string asset:string sensor:string from:instant* "
                       "to:instant* text:string"},
    {"ModelReadiness", "component:string? failures:integer failures_with_telemetry:integer "
                       "level:string missing:integer ready_about:instant?"},
    {"LabelAudit", "class:string verdict:string models:[ModelReadiness] readiness:[string] "
                   "label_audit:object failures:object events:object"},
    {"LabelList", "items:[LabelAudit] next_cursor:string?"},
    {"Reading", "at:instant value:number* min:number* max:number* mean:number* n:integer*"},
    {"ReadingList", "asset:string sensor:string unit:string? resolution:string from:instant? "
                    "to:instant? items:[Reading]"},
    {"ReadingNew", "asset:string sensor:string at:instant value:number"},
    {"ReadingBulk", "items:[ReadingNew]"},
    {"Event", "id:integer asset:string component:string? kind:string at:instant code:string? "
              "note:string? downtime_h:number? cost:number? source:string external_key:string? "
              "part_serial:string?"},
    {"EventList", "items:[Event] next_cursor:string?"},
    {"EventNew", "asset:string kind:string at:instant component:string* code:string* note:string* "
                 "downtime_h:number* cost:number* external_key:string* part_serial:string*"},
    {"EventBulk", "items:[EventNew]"},
    {"BulkItem", "index:integer status:string id:integer* detail:string*"},
    {"BulkResult", "received:integer created:integer unchanged:integer rejected:integer "
                   "items:[BulkItem]"},
    {"Forecast", "asset:string component:string? as_of:instant scored_at:instant model:integer? "
                 "forecast:object"},
    {"ForecastList", "items:[Forecast] next_cursor:string?"},
    {"LedgerItem", "id:integer asset:string component:string? model:integer? as_of:instant "
                   "horizon_s:number p:number outcome:string? event:integer? decided_at:instant?"},
    {"LedgerList", "items:[LedgerItem] next_cursor:string?"},
    {"Model",
     "id:integer class:string target:string component:string? horizon_s:number? "
     "kind:string state:string reason:string created_at:instant until:instant run:integer? "
     "seed:integer build:string fingerprint:string sha256:string metrics:object? "
     "params:object?* features:[object]?*"},
    {"ModelList", "items:[Model] next_cursor:string?"},
    {"LifeRequest",
     "class:string* component:string?* drop:[string]* time:[number]* failed:[boolean]* "
     "entry:[number]* count:[number]* upper:[number]* "
     "mode:[string]* asset:[string]* distribution:string* confidence:number* shape:number* "
     "prior:LifePrior* cost_planned:number* cost_failure:number* cost_renewal:number* "
     "cost_repair:number* bootstrap:integer* seed:integer* mixture:boolean* plot:boolean* "
     "inspection:LifeInspection* spares:LifeSpares*"},
    {"SiteLife",
     "class:string component:string? assets:integer failures:integer censored:integer "
     "cost_planned:number cost_failure:number costs_are_defaults:boolean prior:LifePrior? "
     "shape:number* shape_ci:[number]* scale_d:number* scale_ci_d:[number]* "
     "best_interval_d:number? best_interval_ci_d:[number]? saving_frac:number? "
     "saving_frac_ci:[number]? pays_frac:number? spares:integer? verdict:string? reason:string"},
    {"StopPlan", "key:string plan:string advice:string every_s:number best_s:number? "
                 "assets:integer why:string saving_per_year:number hours_per_year:number"},
    {"SiteLives", "as_of:instant currency:string confidence:number components:[SiteLife] "
                  "stop:[StopPlan] saving_per_year:number hours_per_year:number"},
    {"LifePrior", "median:number log_sd:number*"},
    {"LifeInspection", "pf:number detection:number* wanted:number* cost:number*"},
    {"LifeSpares", "units:number lead_time:number service_level:number*"},
    {"LifeReport",
     "n:number* failures:number* censored:number* distribution:string?* shape:number?* "
     "location:number* threshold:number* scale:number* log_likelihood:number* aic:number?* "
     "bic:number?* ci:object* mean:number?* b10:number* median:number* goodness:object* "
     "optimal_interval:number?* cost_rate:number?* saving_frac:number?* verdict:string?* "
     "reason:string warnings:[string]* candidates:[object]* kaplan_meier:[object]* "
     "turnbull:[object]* decisions:object* modes:[object]* mixture:object* plot:object?* "
     "assets:integer* events:integer* mcf:[object]* trend:object* power_law:object* "
     "imperfect_repair:[object]* minimal_repair:object* columns:object* answer:Answer* "
     "class:string* component:string?* currency:string* cost_planned:number* cost_failure:number* "
     "costs_are_defaults:boolean* prior:LifePrior?* lives:[LabLife]* by_asset:[LabAsset]* "
     "laws:[object]* hazard:[object]* cost:[object]* flat:[number]?* run_rate:number*"},
    {"LabLife", "id:string asset:string ended:instant time:number entry:number failed:boolean "
                "dropped:boolean"},
    {"LabAsset", "asset:string failures:integer days:number"},
    {"Run", "id:integer kind:string state:string started:instant ended:instant? stage:string? "
            "done:integer total:integer report:object?"},
    {"RunList", "items:[Run] next_cursor:string?"},
    {"RunRequest", "kind:string"},
    {"RunStarted", "id:integer kind:string state:string"},
    {"ScheduleItem", "key:string asset:string component:string? kind:string due:instant? "
                     "earliest:instant? latest:instant? duration_h:number crew:string? "
                     "reason:string? risk_by_due:number? expected_cost:number?"},
    {"Schedule", "answer:Answer summary:object? items:[ScheduleItem] crews:[object] stops:[object] "
                 "not_placed:[object] changes:[object] drop:[object]"},
    {"ScheduleDiff", "from:instant to:instant before:object? after:object? runs:integer "
                     "effect:number currency:string items:[object]"},
    {"Move", "work_order:string day:instant crew:string*"},
    {"MovePrice", "work_order:string currency:string from:string? to:string? cost_from:number "
                  "cost_to:number? difference:number? risk_from:number? risk_to:number? "
                  "feasible:boolean why:string?"},
    {"Scenario", "name:string* crews:[CrewNew]* remove_crews:[string]* calendar:[CalendarNew]* "
                 "risk_limit:number* downtime_factor:number* repair_factor:number* "
                 "inspection_cost:number*"},
    {"ScenarioResult", "currency:string base:object changed:object difference:object "
                       "moves:[object]"},
    {"KeptScenario", "key:string computed:instant by:string changes:Scenario currency:string "
                     "base:object changed:object difference:object moves:[object]"},
    {"ScenarioRow",
     "key:string computed:instant by:string currency:string expected_cost:number? "
     "risk_left:number? hours:number? hours_available:number? placed:number? not_placed:number? "
     "predictive:number? cost_difference:number? risk_difference:number? "
     "hours_difference:number? not_placed_difference:number? moves:integer"},
    {"ScenarioList", "items:[ScenarioRow] next_cursor:string?"},
    {"CaseBudget", "per_week:integer? used:integer waiting:integer threshold:number? "
                   "next_slot_worth:number? words:string"},
    {"Case",
     "id:integer asset:string component:string? state:string opened:instant closed:instant? "
     "until:instant? reason:string? verdict:string? note:string? work_order:string? "
     "currency:string version:integer reasons:[string] best:string* earliest:string* "
     "latest:string* decide_by:string* spare:string?* spare_lead_s:number* "
     "order_spare_by:string?* p_window:number? p_threshold:number* p_age_only:number?* "
     "risk_by_best:number* cost_best:number* cost_left:number* saving:number* "
     "waiting_per_day:number* updated:instant may_reopen:boolean name:string?* class:string?* "
     "area:string?* asset_state:string* asset_state_rule:string* work:string* decision:Answer* "
     "lands:string* crew:string?* duration_h:number* risk_limit:number*"},
    {"CaseList", "answer:Answer* budget:CaseBudget* items:[Case] next_cursor:string?"},
    {"CaseDecision", "action:string until:instant* reason:string*"},
    {"CaseVerdict", "verdict:string note:string*"},
    {"WaitingDay", "date:string cost:number waiting:number risk:number workday:boolean "
                   "stop:boolean"},
    {"WaitingCost", "case:integer currency:string items:[WaitingDay] best:string* "
                    "earliest:string* latest:string* decide_by:string* spare:string?* "
                    "spare_lead_s:number* order_spare_by:string?* p_window:number* "
                    "p_threshold:number* p_age_only:number?* risk_by_best:number* "
                    "cost_best:number* cost_left:number* saving:number* waiting_per_day:number*"},
    {"Crew", "name:string skills:string hours_per_day:number weekdays:[string] rate_per_h:number?"},
    {"CrewList", "items:[Crew] next_cursor:string?"},
    {"CrewNew", "name:string skills:string?* hours_per_day:number* weekdays:[string]* "
                "rate_per_h:number*"},
    {"PlanPart", "part:string quantity:number*"},
    {"Plan",
     "key:string name:string class:string? asset:string? component:string? action:string "
     "interval_s:number rrule:string? every:string meter:string? meter_interval:number? "
     "meter_only:boolean season:string? tolerance_s:number anchor:instant floating:boolean "
     "covers:[string] duration_h:number cost:number skill:string? checklist:[string] "
     "parts:[PlanPart] active:boolean version:integer updated:instant? verdict:string* why:string* "
     "best_interval_s:number?* saving_per_year:number* assets:integer*"},
    {"PlanNew",
     "key:string* name:string class:string* asset:string* component:string?* action:string* "
     "interval_s:number* rrule:string?* meter:string?* meter_interval:number* meter_only:boolean* "
     "season:string?* tolerance_s:number* anchor:instant* floating:boolean* covers:[string]* "
     "duration_h:number* cost:number* skill:string?* checklist:[string]* parts:[PlanPart]* "
     "active:boolean*"},
    {"PlanPatch",
     "name:string* component:string?* action:string* interval_s:number* rrule:string?* "
     "meter:string?* meter_interval:number* meter_only:boolean* season:string?* "
     "tolerance_s:number* anchor:instant* floating:boolean* covers:[string]* duration_h:number* "
     "cost:number* skill:string?* checklist:[string]* parts:[PlanPart]* active:boolean*"},
    {"PlanOptimise", "class:string component:string create:boolean* key:string*"},
    {"PlanOptimum", "class:string component:string verdict:string interval_s:number? "
                    "saving_frac:number shape:number scale_s:number failures:integer "
                    "censored:integer cost_planned:number cost_failure:number text:string "
                    "plan:string*"},
    {"CalendarEntry", "id:integer kind:string start:instant end:instant crew:string? area:string? "
                      "note:string? rrule:string?"},
    {"CalendarNew", "kind:string start:instant end:instant crew:string?* area:string?* "
                    "note:string?* rrule:string?*"},
    {"CalendarList", "items:[CalendarEntry] next_cursor:string?"},
    {"PlanList", "items:[Plan] next_cursor:string?"},
    {"RoiInput", "name:string* currency:string* years:integer* ramp:[number]* draws:integer* "
                 "seed:integer* inputs:object*"},
    {"RoiResult", "answer:Answer npv:number irr:number? payback_years:number? bcr:number? "
                  "roi_frac:number? flows:[number] p_npv_positive:number? percentiles:object "
                  "tornado:[object]"},
    {"Roi", "input:RoiInput result:RoiResult"},
    {"WorkOrder",
     "id:integer key:string external_key:string? title:string note:string? kind:string "
     "status:string priority:integer asset:string component:string? plan:string? "
     "crew:string? due:instant? earliest:instant? latest:instant? scheduled:instant? "
     "started:instant? ended:instant? duration_h:number risk_by_due:number? "
     "expected_cost:number? waiting_per_day:number? currency:string reason:string? "
     "outcome:string? pinned:boolean assignee:string? labour_h:number? downtime_h:number? "
     "cost:number? failure_code:string? cause_code:string? remedy_code:string? "
     "checklist:[string] parts:[PlanPart] version:integer created:instant updated:instant "
     "approved:instant?"},
    {"WorkOrderList", "items:[WorkOrder] next_cursor:string?"},
    {"WorkOrderNew",
     "title:string asset:string note:string?* kind:string* status:string* "
     "priority:integer* component:string?* crew:string?* due:instant?* "
     "earliest:instant?* latest:instant?* scheduled:instant?* duration_h:number* "
     "expected_cost:number?* reason:string?* pinned:boolean* external_key:string?* "
     "assignee:string?* labour_h:number?* downtime_h:number?* cost:number?* "
     "failure_code:string?* cause_code:string?* remedy_code:string?* checklist:[string]* "
     "parts:[PlanPart]*"},
    {"WorkOrderPatch", "title:string* note:string?* status:string* priority:integer* "
                       "component:string?* crew:string?* due:instant?* earliest:instant?* "
                       "latest:instant?* scheduled:instant?* started:instant?* ended:instant?* "
                       "duration_h:number* expected_cost:number?* reason:string?* pinned:boolean* "
                       "external_key:string?* assignee:string?* labour_h:number?* "
                       "downtime_h:number?* cost:number?* failure_code:string?* "
                       "cause_code:string?* remedy_code:string?* checklist:[string]* "
                       "parts:[PlanPart]*"},
    {"Outcome", "outcome:string component:string* code:string* note:string* ended:instant* "
                "downtime_h:number* cost:number* cause_code:string* remedy_code:string* "
                "labour_h:number*"},
    {"Code", "kind:string code:string name:string"},
    {"CodeList", "items:[Code] next_cursor:string?"},
    {"Import", "id:integer file:string kind:string started:instant ended:instant? rows:integer "
               "new:integer unchanged:integer rejected:integer"},
    {"ImportList", "items:[Import] next_cursor:string?"},
    {"Quarantine", "id:integer import:integer? file:string line:integer column:string? "
                   "reason:string raw:string at:instant"},
    {"QuarantineList", "items:[Quarantine] next_cursor:string?"},
    {"Webhook", "id:integer url:string events:[string] active:boolean"},
    {"WebhookList", "items:[Webhook] next_cursor:string?"},
    {"WebhookNew", "url:string events:[string]*"},
    {"WebhookCreated", "id:integer url:string events:[string] active:boolean secret:string"},
    {"Delivery",
     "id:integer webhook:integer url:string message_id:string event:string state:string "
     "tries:integer next_try:instant? last_status:integer? last_error:string? "
     "created:instant"},
    {"DeliveryList", "items:[Delivery] next_cursor:string?"},
    {"Key", "id:string name:string role:string created:instant expires:instant? revoked:instant? "
            "used:instant?"},
    {"KeyList", "items:[Key] next_cursor:string?"},
    {"KeyNew", "name:string role:string expires_in:string*"},
    {"KeyCreated", "id:string name:string role:string expires:instant? key:string"},
};
enum { N_SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

bool api_has_schema(const char *name)
{
    for (size_t i = 0; i < N_SHAPES; i++)
        if (strcmp(shapes[i].name, name) == 0)
            return true;
    return false;
}

/* Schema of one type word of len characters, without its marks. */
static cJSON *type_schema(const char *type, size_t len)
{
    static const char *const plain[] = {"string", "number", "integer", "boolean", "object"};
    cJSON *s = cJSON_CreateObject();
    if (len >= 2 && type[0] == '[') {
        json_add_string(s, "type", "array");
        cJSON_AddItemToObject(s, "items", type_schema(type + 1, len - 2));
        return s;
    }
    if (len == 7 && strncmp(type, "instant", 7) == 0) {
        json_add_string(s, "type", "string");
        json_add_string(s, "format", "date-time");
        return s;
    }
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (len == strlen(plain[i]) && strncmp(type, plain[i], len) == 0) {
            json_add_string(s, "type", plain[i]);
            return s;
        }
    }
    char ref[100];
    snprintf(ref, sizeof(ref), "#/components/schemas/%.*s", (int)len, type);
    json_add_string(s, "$ref", ref);
    return s;
}

static cJSON *nullable(cJSON *schema)
{
    cJSON *outer = cJSON_CreateObject();
    cJSON *any = json_add_array(outer, "anyOf");
    cJSON_AddItemToArray(any, schema);
    json_add_string(json_add_object(any, NULL), "type", "null");
    return outer;
}

static cJSON *shape_schema(const struct shape *shape)
{
    cJSON *s = cJSON_CreateObject();
    json_add_string(s, "type", "object");
    if (shape->members[0] == '\0')
        return s;
    cJSON *properties = json_add_object(s, "properties");
    cJSON *required = json_add_array(s, "required");
    for (const char *p = shape->members; *p != '\0';) {
        const size_t len = strcspn(p, " ");
        const size_t name_len = strcspn(p, ":");
        const char *type = p + name_len + 1;
        size_t type_len = len - name_len - 1;
        bool is_nullable = false, is_optional = false;
        for (; type_len > 0 && strchr("?*", type[type_len - 1]) != NULL; type_len--) {
            is_nullable = is_nullable || type[type_len - 1] == '?';
            is_optional = is_optional || type[type_len - 1] == '*';
        }
        char name[60];
        snprintf(name, sizeof(name), "%.*s", (int)name_len, p);
        cJSON *member = type_schema(type, type_len);
        cJSON_AddItemToObject(properties, name, is_nullable ? nullable(member) : member);
        if (!is_optional)
            json_add_string(required, NULL, name);
        p += len + (p[len] == ' ');
    }
    if (cJSON_GetArraySize(required) == 0)
        cJSON_DeleteItemFromObjectCaseSensitive(s, "required");
    return s;
}

cJSON *api_schemas(void)
{
    cJSON *all = cJSON_CreateObject();
    for (size_t i = 0; i < N_SHAPES && all != NULL; i++)
        cJSON_AddItemToObject(all, shapes[i].name, shape_schema(&shapes[i]));
    return all;
}
