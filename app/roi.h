/* Does predictive maintenance pay? Pure arithmetic on named inputs: no database, no JSON, no
 * randomness. Formulas stand beside the code; roi_mc.h puts uncertainty on top. */
#ifndef APP_ROI_H
#define APP_ROI_H

#include <stdbool.h>
#include <stddef.h>

#define ROI_MAX_YEARS 20

/* Every input. Money in major units of the case's currency, shares 0..1, rates per year. */
enum roi_field {
    ROI_ASSETS,           /* N */
    ROI_FAILURE_RATE,     /* lambda, failures per asset and year */
    ROI_HOURS_UNPLANNED,  /* H_u, stopped hours of a failure */
    ROI_HOURS_PLANNED,    /* H_p, stopped hours of planned work */
    ROI_COST_PER_HOUR,    /* C_h, cost of a stopped hour */
    ROI_MITIGATED_SHARE,  /* m, share of it that is caught up elsewhere */
    ROI_REPAIR_UNPLANNED, /* R_u, labour, parts and damage of a failure */
    ROI_REPAIR_PLANNED,   /* R_p */
    ROI_LIFE_LOST_SHARE,  /* w, share of a part's life thrown away by planned work */
    ROI_PART_VALUE,       /* V_part */
    ROI_PREDICTABLE,      /* a, share of failures in modes that give a sign */
    ROI_RECALL,           /* rho, share of those seen in time */
    ROI_ACTED,            /* u, share of warnings acted on */
    ROI_FALSE_ALARMS,     /* F_a, per year */
    ROI_INSPECTION_COST,  /* C_i, of a false alarm */
    ROI_PM_EVENTS,        /* preventive jobs per year */
    ROI_PM_COST,          /* of one */
    ROI_PM_DROP_SHARE,    /* share that the data says to drop */
    ROI_STOCK_VALUE,      /* spares in stock */
    ROI_STOCK_CARRY,      /* yearly cost of holding them, share of value */
    ROI_STOCK_CUT,        /* possible cut, share */
    ROI_ENERGY_SAVING,    /* per year */
    ROI_LABOUR_SAVING,    /* planning hours, in money per year */
    ROI_SAFETY_SAVING,    /* per year; a line of its own, 0 by default */
    ROI_SETUP_SENSORS,    /* once: sensors and network */
    ROI_SETUP_INSTALL,    /* once: installation and integration */
    ROI_SETUP_TRAINING,   /* once: training and change work */
    ROI_RUN_SUPPORT,      /* per year */
    ROI_RUN_UPKEEP,       /* per year: sensor upkeep */
    ROI_RUN_ADMIN,        /* per year: hours of administration, compute */
    ROI_DISCOUNT_RATE,    /* r */
    ROI_INFLATION,        /* g, of yearly flows */
    ROI_TAX_RATE,         /* on the yearly result less straight-line depreciation; 0 = off */
    ROI_SCHEDULED_HOURS,  /* per asset and year; only for the availability gain */
    ROI_N_FIELDS
};

struct roi_case {
    double v[ROI_N_FIELDS];
    size_t n_years;             /* 1..ROI_MAX_YEARS */
    double ramp[ROI_MAX_YEARS]; /* k_t, share of the full effect in year t */
};

struct roi_year {
    double failures_avoided, false_alarms, other_benefit; /* money, ramped and inflated */
    double running;                                       /* cost, positive */
    double tax;
    double net, discounted, cumulative; /* cumulative: of discounted flows */
};

struct roi_result {
    double cost_failure, cost_planned; /* C_F, C_P of one event */
    double failures, caught;           /* F, D per year at full effect */
    double availability_gain;          /* share of scheduled hours; NaN when they are unknown */
    double capex;
    double flows[ROI_MAX_YEARS + 1];
    struct roi_year years[ROI_MAX_YEARS + 1]; /* [0] is the start */
    size_t n_years;
    double npv, mirr, bcr, roi_frac;
    double irr;            /* NaN: none or several, see n_irr */
    size_t n_irr;          /* rates at which the NPV is zero, in (-99 %, 1000 %) */
    size_t n_sign_changes; /* of the flows */
    double payback_years, discounted_payback_years; /* NaN: not within the horizon */
    double
        p_star; /* act when the chance of failure is above it; NaN when planned work costs more */
};

void roi_compute(const struct roi_case *c, struct roi_result *out);

/* The same without the internal rates (they stay NaN), which cost most of the time. */
void roi_compute_flows(const struct roi_case *c, struct roi_result *out);

/* Only the NPV, for many draws. */
double roi_npv(const struct roi_case *c);

/* The value of one input at which the NPV is zero, between min and max, all else as it is. NaN when
 * the NPV does not change its sign there. */
double roi_break_even(const struct roi_case *c, enum roi_field field, double min, double max);

/* Alarms of a year in money: TP * (C_F - C_P) - FP * C_i - program cost. */
double roi_alarm_set_value(double true_positives, double false_positives, double cost_failure,
                           double cost_planned, double inspection_cost, double program_cost);

#endif
