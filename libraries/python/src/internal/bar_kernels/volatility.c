// What HAR does to each of millions of rows, but for logarithms and exponentials, which NumPy has vectorised.
// Means over the last values of each segment (adjacent rows) are differences of running sums: a sum begins with its
// segment, so that no bit of a row depends on another segment or on a later row.
#include <stdint.h>

#pragma STDC FP_CONTRACT OFF // the same bits on every processor

typedef struct {
    const double *values; // NaN where missing, which only the first of a segment may be
    double *sums;         // of the segment's values up to each
    const int64_t *lengths;
    int64_t segments;
} column;

static int is_missing(double value) { return value != value; }

// Fills in the sums. Returns whether a value is missing that is not the first of its segment.
int32_t sum_segments(const column *of) {
    const double *values = of->values;
    double *sums = of->sums;
    int32_t lacks = 0;
    for (int64_t segment = 0; segment < of->segments; segment++) {
        int64_t length = of->lengths[segment];
        double sum = 0;
        for (int64_t i = 0; i < length; i++) {
            sum = i ? sum + values[i] : is_missing(values[i]) ? 0 : values[i];
            sums[i] = sum;
        }
        lacks |= is_missing(sum);
        values += length, sums += length;
    }
    return lacks;
}

typedef struct {
    int64_t window, fewest; // the means of the last `window`; NaN where fewer than `fewest`, at most `window`, are known
    double smallest;        // less counts as this
    int32_t is_squared;     // whether a mean is squared first
} windowed;

static double at_least(double smallest, double value) { return value < smallest ? smallest : value; } // NaN stays

// Writes the mean of the last values of each.
void mean_windows(const column *of, const windowed *as, double *restrict means) {
    const double *values = of->values, *sums = of->sums;
    int64_t window = as->window, fewest = as->fewest;
    double smallest = as->smallest;
    for (int64_t segment = 0; segment < of->segments; segment++) {
        int64_t length = of->lengths[segment], whole = length < window ? length : window;
        int64_t missing = length && is_missing(values[0]);
        for (int64_t i = 0; i < whole; i++) { // the window reaches back to the first
            int64_t known = i + 1 - missing;
            means[i] = known < fewest ? __builtin_nan("") : window == 1 ? values[i] : sums[i] / (known ? known : 1);
        }
        if (window == 1)
            for (int64_t i = 1; i < length; i++) means[i] = values[i];
        else
            for (int64_t i = window; i < length; i++) means[i] = (sums[i] - sums[i - window]) / window;
        if (as->is_squared)
            for (int64_t i = 0; i < length; i++) means[i] *= means[i];
        for (int64_t i = 0; i < length; i++) means[i] = at_least(smallest, means[i]);
        values += length, sums += length, means += length;
    }
}

typedef struct { // what takes an input to standard deviations, with outliers clipped
    const double *center, *spread;
    double largest;
} standards;

static double standardise(double value, double center, double spread, double largest) { // NaN stays
    value = (value - center) / spread;
    value = value < -largest ? -largest : value;
    return value > largest ? largest : value;
}

// Of inputs that hold every row.
void standardise_inputs(const standards *by, double *restrict values, int64_t rows, int64_t inputs) {
    for (int64_t input = 0; input < inputs; input++, values += rows) {
        double center = by->center[input], spread = by->spread[input], largest = by->largest;
        for (int64_t i = 0; i < rows; i++) values[i] = standardise(values[i], center, spread, largest);
    }
}

// Of rows that hold every input.
void standardise_rows(const standards *by, double *restrict values, int64_t rows, int64_t inputs) {
    const double *restrict center = by->center, *restrict spread = by->spread;
    double largest = by->largest;
    for (int64_t row = 0; row < rows; row++, values += inputs)
        for (int64_t i = 0; i < inputs; i++) values[i] = standardise(values[i], center[i], spread[i], largest);
}

typedef double (*function)(double);

typedef struct { // what is added to a row's values, [value] each: to all rows, and to those with a history
    const double *intercepts;
    const int64_t *history; // the rows that have one, of which each also has terms of its own: [value][row]
    int64_t count;
    const double *own, *flags;
} terms;

// Adds terms to the values of rows.
void add_terms(const terms *of, double *restrict values, int64_t rows, int64_t width) {
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < width; i++) values[row * width + i] += of->intercepts[i];
    for (int64_t place = 0; place < of->count; place++) {
        double *restrict to = values + of->history[place] * width;
        for (int64_t i = 0; i < width; i++) to[i] += of->own[i * of->count + place] + of->flags[i];
    }
}

// Multiplies each of the values of rows by its factor.
void multiply_rows(double *restrict values, int64_t rows, int64_t width, const double *restrict factors) {
    for (int64_t row = 0; row < rows; row++, values += width)
        for (int64_t i = 0; i < width; i++) values[i] *= factors[i];
}

// Writes half the logarithm of each row's next variance; NaN where it is beyond the segment or did not trade.
void log_sizes_ahead(const double *restrict variances, const uint8_t *restrict traded, const int64_t *lengths,
                     int64_t segments, double smallest, function logarithm, double *restrict ahead) {
    for (int64_t segment = 0; segment < segments; segment++) {
        int64_t length = lengths[segment];
        for (int64_t i = 1; i <= length; i++)
            *ahead++ = i < length && traded[i] ? logarithm(at_least(smallest, variances[i])) / 2 : __builtin_nan("");
        variances += length, traded += length;
    }
}

// Writes each row's log return to each of the sessions ahead; NaN where it is beyond the segment or did not trade.
void returns_ahead(const double *restrict log_close, const uint8_t *restrict traded, const int64_t *lengths,
                   int64_t segments, int64_t steps, double *restrict ahead) {
    for (int64_t segment = 0; segment < segments; segment++) {
        int64_t length = lengths[segment];
        for (int64_t i = 0; i < length; i++, ahead += steps) {
            int64_t inside = length - i - 1 < steps ? length - i - 1 : steps;
            for (int64_t step = 0; step < inside; step++)
                ahead[step] = traded[i + 1 + step] ? log_close[i + 1 + step] - log_close[i] : __builtin_nan("");
            for (int64_t step = inside; step < steps; step++) ahead[step] = __builtin_nan("");
        }
        log_close += length, traded += length;
    }
}

typedef struct { // values of some rows, one for each step: the first row's first, and how many values a row takes
    const double *values;
    int64_t stride;
} by_step;

static void write_outcome(const by_step returns[2], const by_step scales[2], int64_t steps, int64_t row,
                          double *restrict to) {
    for (int64_t kind = 0; kind < 2; kind++) {
        const double *value = returns[kind].values + row * returns[kind].stride;
        const double *scale = scales[kind].values + row * scales[kind].stride;
        for (int64_t step = 0; step < steps; step++) *to++ = value[step] / scale[step];
    }
}

#define TOGETHER 8 // rows of a segment

// Divides two kinds of returns by their scales, and writes them to the places that their rows have elsewhere: of each
// segment a few rows, then of each the next ones, because those of one session are neighbours there.
void write_outcomes(const by_step returns[2], const by_step scales[2], int64_t steps, const int32_t *places,
                    const int64_t *lengths, int64_t segments, double *restrict outcomes) {
    int64_t longest = 0;
    for (int64_t segment = 0; segment < segments; segment++)
        if (lengths[segment] > longest) longest = lengths[segment];
    for (int64_t age = 0; age < longest; age += TOGETHER) {
        int64_t first = 0;
        for (int64_t segment = 0; segment < segments; first += lengths[segment++]) {
            int64_t end = lengths[segment] < age + TOGETHER ? lengths[segment] : age + TOGETHER;
            for (int64_t row = first + age; row < first + end; row++)
                write_outcome(returns, scales, steps, row, outcomes + places[row] * 2 * steps);
        }
    }
}

typedef struct { // the ends of intervals, [interval][value]
    const double *low, *high;
    int64_t values;
} intervals;

// Counts the outcomes of each group that can be judged and those inside their interval, to [group][value] each.
// An outcome can be judged where it and both ends are finite. Outcomes are divided first where divisors are given.
void count_inside(const intervals *of, const int32_t *interval, const double *outcomes, const double *divisors,
                  const int32_t *groups, int64_t rows, double *restrict known, double *restrict inside) {
    int64_t values = of->values;
    for (int64_t row = 0; row < rows; row++, outcomes += values) {
        const double *restrict low = of->low + interval[row] * values, *restrict high = of->high + interval[row] * values;
        double *restrict judged = known + groups[row] * values, *restrict hits = inside + groups[row] * values;
        double divisor = divisors ? divisors[row] : 1;
        for (int64_t i = 0; i < values; i++) {
            double outcome = outcomes[i] / divisor, sum = outcome + low[i] + high[i];
            int32_t is_known = sum - sum == 0, is_inside = (outcome >= low[i]) & (outcome <= high[i]);
            judged[i] += is_known;
            hits[i] += is_known & is_inside;
        }
    }
}

typedef struct { // over the rows of each group: values, or their squared deviations from `around`, one a group
    const double *values, *around;
    double largest; // more counts as this
} averaged;

// Means of the known values, one a group; NaN where none is known. Counts are scratch, one a group.
void average_groups(const averaged *of, const int32_t *groups, int64_t rows, int64_t count, int64_t *counts,
                    double *restrict means) {
    for (int64_t group = 0; group < count; group++) means[group] = 0, counts[group] = 0;
    for (int64_t i = 0; i < rows; i++) {
        int32_t group = groups[i];
        double value = of->values[i], apart = of->around ? value - of->around[group] : 0;
        if (of->around) value = apart * apart;
        if (is_missing(value)) continue;
        means[group] += value > of->largest ? of->largest : value;
        counts[group]++;
    }
    for (int64_t group = 0; group < count; group++)
        means[group] = counts[group] ? means[group] / counts[group] : __builtin_nan("");
}

// Writes where each day's rows end, and each row's place, when rows are put in the order of days, those of a day in
// theirs; ends begin as zeros, one a day.
void place_rows(const int32_t *restrict days, int64_t rows, int64_t count, int64_t *restrict ends,
                int32_t *restrict places) {
    int64_t first = 0;
    for (int64_t row = 0; row < rows; row++) ends[days[row]]++;
    for (int64_t day = 0; day < count; day++) {
        int64_t length = ends[day];
        ends[day] = first;
        first += length;
    }
    for (int64_t row = 0; row < rows; row++) places[row] = (int32_t)ends[days[row]]++;
}

// The value with so many before it when they are sorted; changes their order (Hoare 1961).
static double find_ranked(double *values, int64_t count, int64_t rank) {
    int64_t low = 0, high = count - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) i++;
            while (values[j] > pivot) j--;
            if (i > j) break;
            double value = values[i];
            values[i++] = values[j];
            values[j--] = value;
        }
        if (rank <= j) high = j;
        else if (rank >= i) low = i;
        else break;
    }
    return values[rank];
}

// Where a part begins among so many sorted values: the first whose rank / count * parts is not below its number.
static int64_t find_begin(int64_t count, int64_t number, int64_t parts) {
    int64_t begin = count * number / parts;
    begin -= begin > 0;
    while (begin < count && (double)begin / (double)count * (double)parts < (double)number) begin++;
    return begin;
}

// Writes the part of its session that each row's value is in, the lowest 0, where NaN is too; of equal values the first
// is lower. The rows of a session are neighbours in `rows`, or themselves without it; `scratch` holds a session's.
void split_sessions(const double *restrict values, const int32_t *restrict rows, const int64_t *restrict bounds,
                    int64_t sessions, int64_t parts, double *restrict scratch, int32_t *restrict part) {
    for (int64_t session = 0; session < sessions; session++) {
        int64_t first = bounds[session], end = bounds[session + 1], count = 0;
        for (int64_t i = first; i < end; i++) {
            int64_t row = rows ? rows[i] : i;
            part[row] = 0;
            if (!is_missing(values[row])) scratch[count++] = values[row];
        }
        for (int64_t number = 1; number < parts; number++) {
            int64_t begin = find_begin(count, number, parts), lower = begin;
            if (begin >= count) break;
            double border = find_ranked(scratch, count, begin);
            for (int64_t i = 0; i < count; i++) lower -= scratch[i] < border;
            for (int64_t i = first; i < end; i++) { // the first few of those at the border are in the part below
                int64_t row = rows ? rows[i] : i;
                part[row] += values[row] > border || (values[row] == border && lower-- <= 0);
            }
        }
    }
}

// Adds the finite values to the sum and the count of their day's group: [day][group]. Without groups, a day is one.
void sum_groups(const double *restrict values, const int32_t *restrict days, const int32_t *restrict groups,
                int64_t size, int64_t rows, double *restrict sums, double *restrict counts) {
    for (int64_t i = 0; i < rows; i++) {
        double value = values[i];
        if (value - value != 0) continue;
        int64_t cell = days[i] * size + (groups ? groups[i] : 0);
        sums[cell] += value;
        counts[cell]++;
    }
}

typedef struct { // the columns of which spikes are made; NaN where missing
    const double *change, *surprise, *volatility;
    const int64_t *sessions;
    const int64_t *lengths; // of each segment
    int64_t segments;
    int64_t first;                                 // session, of which the medians begin
    const double *usual_change, *usual_surprise;   // the medians of each session
    double largest_size, least_surprise, largest_surprise, largest;
    function exponential;
} moves;

static double clip(double value, double least, double most) { // NaN stays
    value = value < least ? least : value;
    return value > most ? most : value;
}

// Writes the size of each row's move beyond that of its date, in units of the volatility before it, times its volume.
void find_moves(const moves *in, double *restrict spikes) {
    const double *change = in->change, *surprise = in->surprise, *volatility = in->volatility;
    const int64_t *sessions = in->sessions;
    for (int64_t segment = 0; segment < in->segments; segment++) {
        int64_t length = in->lengths[segment];
        if (length) spikes[0] = 0; // no volatility is known before it
        for (int64_t i = 1; i < length; i++) {
            int64_t session = sessions[i] - in->first;
            double apart = change[i] - in->usual_change[session], louder = surprise[i] - in->usual_surprise[session];
            double size = clip((apart < 0 ? -apart : apart) / volatility[i - 1], 0, in->largest_size);
            size *= in->exponential(clip(louder, in->least_surprise, in->largest_surprise));
            spikes[i] = is_missing(size) ? 0 : clip(size, 0, in->largest);
        }
        change += length, surprise += length, volatility += length, sessions += length, spikes += length;
    }
}

#define BACKS 4 // days back on which earnings were reported

typedef struct {
    const double *spikes;    // of each row
    const uint8_t *asked;    // whether the sessions ahead of the row are
    const int64_t *lengths;  // of each segment
    const int64_t *begun;    // the place of its first session on the calendar
    int64_t segments;
    const int64_t *backs;    // how many sessions back each day back is from each session: [day back][session]
    int64_t sessions, horizon;
} history;

static double at(const double *values, int64_t count, int64_t i) { return i < 0 || i >= count ? 0 : values[i]; }

static double largest_near(const double *spikes, int64_t count, int64_t i) { // a report may come a session off
    double before = at(spikes, count, i - 1), on = at(spikes, count, i), after = at(spikes, count, i + 1);
    double largest = before > on ? before : on;
    return largest > after ? largest : after;
}

// Writes the spikes before each session that is ahead of a row that is asked: [day back][session ahead], of a stride.
// Of each such row, the place of the first session ahead. Returns how many sessions ahead there are.
int64_t find_spikes(const history *in, int64_t stride, double *restrict found, int64_t *restrict first) {
    const double *spikes = in->spikes;
    const uint8_t *asked = in->asked;
    int64_t place = 0;
    for (int64_t segment = 0; segment < in->segments; segment++) {
        int64_t length = in->lengths[segment], until = -1;
        for (int64_t age = 1; age < length + in->horizon; age++) {
            if (age <= length && asked[age - 1]) first[age - 1] = place, until = age - 1 + in->horizon;
            if (age > until) continue;
            for (int64_t day = 0; day < BACKS; day++) {
                int64_t back = in->backs[day * in->sessions + in->begun[segment] + age];
                found[day * stride + place] = back <= age + 1 ? largest_near(spikes, length, age - back) : 0;
            }
            place++;
        }
        spikes += length, asked += length, first += length;
    }
    return place;
}

static double smaller(double one, double other) { return one < other ? one : other; }

static double larger(double one, double other) { return one > other ? one : other; }

// Of each session ahead: the sizes of its spikes; whether at least one, two, three are large; the two sizes in between.
void fill_features(const double *spikes, const double *sizes, int64_t stride, int64_t count, double large,
                   double *restrict features) {
    for (int64_t i = 0; i < count; i++) {
        double size[BACKS];
        int32_t many = 0;
        for (int64_t day = 0; day < BACKS; day++) {
            *features++ = size[day] = sizes[day * stride + i];
            many += spikes[day * stride + i] > large;
        }
        for (int32_t fewest = 1; fewest < BACKS; fewest++) *features++ = many >= fewest;
        double one = larger(smaller(size[0], size[1]), smaller(size[2], size[3]));
        double other = smaller(larger(size[0], size[1]), larger(size[2], size[3]));
        *features++ = smaller(one, other);
        *features++ = larger(one, other);
    }
}
