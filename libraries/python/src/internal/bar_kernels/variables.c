// The observed variables of each row of a panel, in one pass over its segments (adjacent rows).
// No row depends on another segment or on a later row.
#include <stdint.h>

#pragma STDC FP_CONTRACT OFF // the same bits on every processor

#define VOLUME_WINDOW 20 // sessions
#define RANGE_WINDOW 22
#define RECENT_WINDOW 5
#define VOLUME_FEWEST 5
#define LARGEST_SURPRISE 5 // logarithms
#define LARGEST_RATIO 3

typedef double (*function)(double);

typedef struct { // settings of the trailing volatility
    double decay, recent_share, floor;
    int64_t long_run, fewest;
} trailing;

typedef struct { // of a panel
    const int64_t *ends; // of each segment
    function log, square_root;
    const double *open, *high, *low, *close, *volume;
    const uint8_t *traded;
    const double *average; // NaN where it is missing
} panel;

typedef struct { // NaN where not known
    double *log_return, *open, *surprise, *daily_return, *volatility, *range_variance;
    double *average, *high, *low, *recent, *range; // null where no network reads them
} variables;

static double nothing(void) { return __builtin_nan(""); }

static int is_missing(double value) { return value != value; }

static double clip(double value, double least, double largest) { // NaN stays
    value = value < least ? least : value;
    return value > largest ? largest : value;
}

typedef struct { // the mean of the known values among the last ones, with compensated sums (Kahan 1965)
    int64_t fewest, known;
    double sum, lost_adding, lost_leaving;
} mean;

static void add(mean *of, double value, double *lost) {
    double part = value - *lost, sum = of->sum + part;
    *lost = sum - of->sum - part;
    of->sum = sum;
}

static double follow(mean *of, double value, double leaving) { // each NaN where missing
    if (!is_missing(leaving)) add(of, -leaving, &of->lost_leaving), of->known--;
    if (!is_missing(value)) add(of, value, &of->lost_adding), of->known++;
    return of->known < of->fewest ? nothing() : of->sum / of->known;
}

typedef struct { // exponentially weighted
    double mean, weight;
    int64_t known;
} weighted;

static void weigh(weighted *of, double value, double decay) {
    of->weight = of->weight * decay + 1;
    of->mean += (value - of->mean) * (1 / of->weight);
    of->known++;
}

static double root(const panel *from, double variance, double floor) { // NaN stays
    double size = from->square_root(variance < 0 ? 0 : variance);
    return size < floor ? floor : size;
}

static double average_price(const panel *from, int64_t row) {
    double vendor = from->average[row], high = from->high[row], low = from->low[row];
    return vendor >= low && vendor <= high ? vendor : (high + low + from->close[row]) * (1.0 / 3);
}

// Garman and Klass' variance of a session (1980, eq. 20) plus the squared overnight gap, in squared log returns.
static double range_variance(const panel *from, int64_t row, double overnight) {
    double span = from->log(from->high[row] / from->low[row]), body = from->log(from->close[row] / from->open[row]);
    double within = span * span / 2 - body * body * 0.38629436111989;
    return (within < 0 ? 0 : within) + overnight * overnight;
}

// Puts a value in place of the one that leaves a window, which it returns; NaN where none does.
static double replace(double *window, int64_t length, int64_t age, double value) {
    double leaving = age < length ? nothing() : window[age % length];
    window[age % length] = value;
    return leaving;
}

static void observe_segment(const panel *from, const trailing *by, int64_t first, int64_t end, const variables *to) {
    mean usual = {.fewest = VOLUME_FEWEST}, recent = {.fewest = RECENT_WINDOW}, year = {.fewest = by->fewest};
    mean ranges = {.fewest = by->fewest};
    weighted squares = {0, 0, 0};
    double volumes[VOLUME_WINDOW], variances[RANGE_WINDOW], typical = nothing();
    for (int64_t row = first; row < end; row++) {
        int64_t age = row - first;
        double close = from->close[row], before = age ? from->close[row - 1] : nothing();
        double change = from->log(close / before), overnight = from->log(from->open[row] / before);
        to->log_return[row] = change;
        to->daily_return[row] = close / before - 1;
        to->open[row] = overnight;

        double volume = from->traded[row] ? from->log(from->volume[row] + 1) : nothing(), surprise = volume - typical;
        to->surprise[row] = is_missing(surprise) ? 0 : clip(surprise, -LARGEST_SURPRISE, LARGEST_SURPRISE);
        typical = follow(&usual, volume, replace(volumes, VOLUME_WINDOW, age, volume));

        if (age) weigh(&squares, change * change, by->decay);
        double last = age < by->long_run ? nothing() : to->log_return[row - by->long_run];
        double long_run = root(from, follow(&year, change * change, last * last), by->floor);
        double weighted = squares.known < by->fewest ? nothing() : from->square_root(squares.mean);
        double volatility = by->recent_share * weighted + (1 - by->recent_share) * long_run;
        to->volatility[row] = volatility = volatility < by->floor ? by->floor : volatility;
        double variance = to->range_variance[row] = range_variance(from, row, overnight);
        if (!to->range) continue;

        to->average[row] = from->log(average_price(from, row) / before);
        to->high[row] = from->log(from->high[row] / before);
        to->low[row] = from->log(from->low[row] / before);
        last = age < RECENT_WINDOW ? nothing() : to->log_return[row - RECENT_WINDOW];
        double lately = root(from, follow(&recent, change * change, last * last), by->floor);
        to->recent[row] = clip(from->log(lately / volatility), -LARGEST_RATIO, LARGEST_RATIO);
        double range = follow(&ranges, variance, replace(variances, RANGE_WINDOW, age, variance));
        to->range[row] = clip(from->log(root(from, range, by->floor) / volatility), -LARGEST_RATIO, LARGEST_RATIO);
    }
}

// Observes the rows of some segments.
void observe_rows(const panel *from, const trailing *by, int64_t segment, int64_t until, const variables *to) {
    for (; segment < until; segment++)
        observe_segment(from, by, segment ? from->ends[segment - 1] : 0, from->ends[segment], to);
}
