// Means over the last values of each segment of a column, from running sums: adjacent rows are a segment.
// A sum begins with its segment, so that no bit of a row depends on another segment or on a later row.
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

// Writes the mean of the last `window` values of each; NaN where fewer than `fewest`, at most `window`, are known.
void mean_windows(const column *of, int64_t window, int64_t fewest, double *restrict means) {
    const double *values = of->values, *sums = of->sums;
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
        values += length, sums += length, means += length;
    }
}
