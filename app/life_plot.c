#include "app/life_plot.h"

#include "models/standard_law.h"

#include <math.h>

enum { CONTOUR_POINTS = 60 };

/* Where an age lies on the paper of a law. */
static double paper_x(const struct life_fit *f, double t)
{
    if (f->distribution == LIFE_GUMBEL || f->distribution == LIFE_GAMMA)
        return t;
    return t > f->threshold ? log(t - f->threshold) : NAN;
}

static double paper_y(const struct life_fit *f, double p)
{
    switch (f->distribution) {
    case LIFE_LOGNORMAL:
        return law_quantile(LAW_NORMAL, p);
    case LIFE_LOGLOGISTIC:
        return law_quantile(LAW_LOGISTIC, p);
    case LIFE_GAMMA:
        return life_quantile(f, p);
    default:
        return law_quantile(LAW_EXTREME, p);
    }
}

static void add_points(cJSON *paper, const struct life_report *r)
{
    cJSON *points = json_add_array(paper, "points");
    double before = 0;
    for (size_t i = 0; i < r->steps.n; i++) {
        const double after = 1 - r->steps.survival[i], p = before + (after - before) / 2;
        cJSON *o = json_add_object(points, NULL);
        json_add_number(o, "time", r->steps.time[i]);
        json_add_number(o, "failed_frac", p);
        json_add_number(o, "x", paper_x(&r->fit, r->steps.time[i]));
        json_add_number(o, "y", paper_y(&r->fit, p));
        before = after;
    }
}

static void add_line(cJSON *paper, const struct life_report *r)
{
    static const double shares[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,  0.2,  0.3,  0.4,
                                    0.5,   0.6,   0.7,   0.8,  0.9,  0.95, 0.98, 0.99, 0.999};
    cJSON *line = json_add_array(paper, "line");
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        const double p = shares[i], t = life_quantile(&r->fit, p);
        double limits[2];
        cJSON *o = json_add_object(line, NULL);
        life_quantile_limits(&r->fit, p, r->confidence, limits);
        json_add_number(o, "failed_frac", p);
        json_add_number(o, "time", t);
        json_add_number(o, "lower", limits[0]);
        json_add_number(o, "upper", limits[1]);
        json_add_number(o, "x", paper_x(&r->fit, t));
        json_add_number(o, "y", paper_y(&r->fit, p));
    }
}

static enum ft_status add_contour(cJSON *plot, const struct life_report *r,
                                  const struct life_data *data, struct ft_err *err)
{
    double points[CONTOUR_POINTS][2];
    if (r->fit.n_parameters != 2) {
        json_add_null(plot, "contour");
        return FT_OK;
    }
    const enum ft_status st =
        life_contour(&r->fit, data, r->confidence, CONTOUR_POINTS, points, err);
    if (st != FT_OK)
        return st;
    cJSON *contour = json_add_object(plot, "contour");
    json_add_number(contour, "confidence", r->confidence);
    json_add_string(contour, "first", life_first_name(r->fit.distribution));
    json_add_string(contour, "second", "scale");
    cJSON *list = json_add_array(contour, "points");
    for (int i = 0; i < CONTOUR_POINTS; i++) {
        cJSON *pair = json_add_array(list, NULL);
        json_add_number(pair, NULL, points[i][0]);
        json_add_number(pair, NULL, points[i][1]);
    }
    return FT_OK;
}

enum ft_status life_plot_json(const struct life_report *r, const struct life_data *data, cJSON *out,
                              struct ft_err *err)
{
    cJSON *plot = json_add_object(out, "plot");
    cJSON *paper = json_add_object(plot, "paper");
    const bool is_linear = r->fit.distribution == LIFE_GUMBEL || r->fit.distribution == LIFE_GAMMA;
    json_add_string(paper, "distribution", life_name(r->fit.distribution));
    json_add_string(paper, "x_scale", is_linear ? "linear" : "log");
    add_points(paper, r);
    add_line(paper, r);
    return add_contour(plot, r, data, err);
}
