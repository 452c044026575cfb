// Puts bars on a regular grid of sessions: orders them by ticker and day, judges each, and writes the rows of a panel.
// No row depends on a later one. Each function but the first works on the tickers that it is given, so that several
// threads can share them.
#include <stdint.h>

#pragma STDC FP_CONTRACT OFF // the same bits on every processor

#define MEDIAN_WINDOW 5  // closes
#define LARGEST 1e100    // price and volume; sums and products of a few larger ones are infinite
#define NO_DAY INT32_MIN // of a bar without a date

enum { GOOD, MALFORMED, NOT_A_SESSION, NOT_TRADED, ABSURD, VERDICTS, UNSEEN = VERDICTS }; // unseen bars are not counted

static void sort_by_day(const int32_t *days, uint32_t *rows, int64_t count) { // Shell's sort; at once where sorted
    for (int64_t gap = count / 2; gap > 0; gap /= 2)
        for (int64_t i = gap; i < count; i++) {
            uint32_t row = rows[i];
            int64_t to = i;
            for (; to >= gap && days[rows[to - gap]] > days[row]; to -= gap) rows[to] = rows[to - gap];
            rows[to] = row;
        }
}

static int is_sorted(const int32_t *days, const uint32_t *rows, int64_t count) {
    for (int64_t i = 1; i < count; i++)
        if (days[rows[i]] < days[rows[i - 1]]) return 0;
    return 1;
}

// Writes the numbers of the rows by ticker and day, and where each ticker ends among them; `ends` begins as zeros.
// Returns how many rows have the ticker and the day of the one before.
int64_t order_rows(const uint32_t *tickers, const int32_t *days, int64_t rows, int64_t count, int64_t *restrict ends,
                   uint32_t *restrict order) {
    int64_t twice = 0, first = 0;
    for (int64_t row = 0; row < rows; row++) ends[tickers[row]]++;
    for (int64_t ticker = 0; ticker < count; ticker++) {
        int64_t length = ends[ticker];
        ends[ticker] = first;
        first += length;
    }
    for (int64_t row = 0; row < rows; row++) order[ends[tickers[row]]++] = (uint32_t)row;
    for (int64_t ticker = 0; ticker < count; ticker++) {
        int64_t from = ticker ? ends[ticker - 1] : 0, length = ends[ticker] - from;
        if (!is_sorted(days, order + from, length)) sort_by_day(days, order + from, length);
        for (int64_t i = from + 1; i < ends[ticker]; i++) twice += days[order[i]] == days[order[i - 1]];
    }
    return twice;
}

typedef struct {
    const int32_t *days;
    const double *open, *high, *low, *close, *volume, *average; // NaN where missing
    const uint32_t *order;                                      // the rows by ticker and day
    const int64_t *ends;                                        // of each ticker in `order`
    uint8_t *verdicts;                                          // in that order
} bars;

typedef struct {
    const int32_t *places; // the session of each day from `first` to `last`; -1 where it is none
    int64_t first, last, sessions;
    int64_t maximum_gap;
    double absurd_ratio;
} grid;

typedef struct { // of one ticker
    int64_t rows, segments, repaired;
    int64_t verdicts[VERDICTS];
} counts;

static double smaller(double one, double other) { return one < other ? one : other; }

static double larger(double one, double other) { return one > other ? one : other; }

static int is_price(double value) { return value > 0 && value <= LARGEST; }

static int is_far(double one, double other, double ratio) { return larger(one, other) / smaller(one, other) > ratio; }

static double median(const double *closes, int64_t count) { // of at most MEDIAN_WINDOW
    double sorted[MEDIAN_WINDOW];
    for (int64_t i = 0; i < count; i++) {
        int64_t to = i;
        for (; to > 0 && sorted[to - 1] > closes[i]; to--) sorted[to] = sorted[to - 1];
        sorted[to] = closes[i];
    }
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

static int64_t session_of(const grid *on, int32_t day) { return day < on->first ? -1 : on->places[day - on->first]; }

static uint8_t judge_values(const bars *all, const grid *on, uint32_t row) {
    double volume = all->volume[row];
    int32_t day = all->days[row];
    if (day == NO_DAY || day > on->last) return UNSEEN;
    if (session_of(on, day) < 0) return NOT_A_SESSION;
    if (!is_price(all->open[row]) || !is_price(all->high[row]) || !is_price(all->low[row]) ||
        !is_price(all->close[row]) || !(volume >= 0 && volume <= LARGEST))
        return MALFORMED;
    return volume == 0 ? NOT_TRADED : GOOD;
}

// The range that a bar is written with spans its four prices, so that a high below the low becomes the low.
static double highest(const bars *all, uint32_t row) {
    return larger(larger(all->open[row], all->high[row]), larger(all->low[row], all->close[row]));
}

static double lowest(const bars *all, uint32_t row) {
    return smaller(smaller(all->open[row], all->high[row]), smaller(all->low[row], all->close[row]));
}

static int has_absurd_range(const bars *all, uint32_t row, double ratio) {
    double close = all->close[row];
    return is_far(highest(all, row), close, ratio) || is_far(close, lowest(all, row), ratio);
}

static int is_repaired(const bars *all, uint32_t row) {
    return all->high[row] < highest(all, row) || all->low[row] > lowest(all, row);
}

// Of bars that follow one another: whether the later one begins a segment.
static int begins_segment(const bars *all, const grid *on, uint32_t before, uint32_t row) {
    int64_t gap = session_of(on, all->days[row]) - session_of(on, all->days[before]) - 1;
    return gap > on->maximum_gap || is_far(all->close[row], all->close[before], on->absurd_ratio);
}

// How many rows a bar makes: its own, and those of the missing sessions that carry its close.
static int64_t count_rows(const grid *on, int64_t session, int64_t following) {
    return following - session > on->maximum_gap ? on->maximum_gap + 1 : following - session;
}

static int64_t next_good(const bars *all, int64_t i, int64_t end) {
    while (i < end && all->verdicts[i] != GOOD) i++;
    return i;
}

static void judge_ticker(const bars *all, const grid *on, int64_t i, int64_t end, counts *found) {
    double closes[MEDIAN_WINDOW], low = __builtin_inf(), high = 0; // a median is between the lowest and the highest
    int64_t readable = 0;
    for (; i < end; i++) {
        uint32_t row = all->order[i];
        uint8_t verdict = judge_values(all, on, row);
        if (verdict == GOOD) {
            double close = all->close[row];
            int64_t known = readable < MEDIAN_WINDOW ? readable : MEDIAN_WINDOW;
            low = smaller(low, close), high = larger(high, close);
            if (has_absurd_range(all, row, on->absurd_ratio) ||
                (known && is_far(low, high, on->absurd_ratio) &&
                 is_far(close, median(closes, known), on->absurd_ratio)))
                verdict = ABSURD;
            closes[readable++ % MEDIAN_WINDOW] = close;
        }
        all->verdicts[i] = verdict;
        if (verdict != UNSEEN) found->verdicts[verdict]++;
    }
}

static void count_ticker(const bars *all, const grid *on, int64_t i, int64_t end, counts *found) {
    int64_t before = end;
    for (i = next_good(all, i, end); i < end;) {
        uint32_t row = all->order[i];
        int64_t next = next_good(all, i + 1, end);
        int64_t following = next < end ? session_of(on, all->days[all->order[next]]) : on->sessions;
        found->rows += count_rows(on, session_of(on, all->days[row]), following);
        found->segments += before == end || begins_segment(all, on, all->order[before], row);
        found->repaired += is_repaired(all, row);
        before = i, i = next;
    }
}

// Gives each bar of some tickers its verdict, and counts what becomes of them; the counts begin as zeros.
void judge_bars(const bars *all, const grid *on, int64_t ticker, int64_t until, counts *found) {
    for (; ticker < until; ticker++) {
        int64_t first = ticker ? all->ends[ticker - 1] : 0;
        judge_ticker(all, on, first, all->ends[ticker], found + ticker);
        count_ticker(all, on, first, all->ends[ticker], found + ticker);
    }
}

typedef struct { // the columns of a panel
    int32_t *days;
    int64_t *sessions;
    uint32_t *segments; // numbered from 1
    int64_t *ages;
    uint8_t *traded;
    double *open, *high, *low, *close, *volume, *average; // the average is not written where a bar did not trade
} panel;

static void write_bar(const bars *all, uint32_t from, const panel *to, int64_t row) {
    to->traded[row] = 1;
    to->open[row] = all->open[from];
    to->high[row] = highest(all, from);
    to->low[row] = lowest(all, from);
    to->close[row] = all->close[from];
    to->volume[row] = all->volume[from];
    to->average[row] = all->average[from];
}

static void write_carried(double close, const panel *to, int64_t row) {
    to->traded[row] = 0;
    to->open[row] = to->high[row] = to->low[row] = to->close[row] = close;
    to->volume[row] = 0;
    to->average[row] = __builtin_nan("");
}

// Writes the rows of some tickers from a row and a segment on. `days` are those of the sessions.
void write_rows(const bars *all, const grid *on, int64_t ticker, int64_t until, const int32_t *days, int64_t row,
                uint32_t segment, const panel *to) {
    for (; ticker < until; ticker++) {
        int64_t end = all->ends[ticker], before = end, age = 0;
        for (int64_t i = next_good(all, ticker ? all->ends[ticker - 1] : 0, end); i < end;) {
            uint32_t bar = all->order[i];
            int64_t next = next_good(all, i + 1, end), session = session_of(on, all->days[bar]);
            int64_t following = next < end ? session_of(on, all->days[all->order[next]]) : on->sessions;
            int64_t rows = count_rows(on, session, following);
            if (before == end || begins_segment(all, on, all->order[before], bar)) segment++, age = 0;
            write_bar(all, bar, to, row);
            for (int64_t carried = 1; carried < rows; carried++) write_carried(all->close[bar], to, row + carried);
            for (int64_t place = 0; place < rows; place++, row++) {
                to->days[row] = days[session + place];
                to->sessions[row] = session + place;
                to->segments[row] = segment;
                to->ages[row] = age++;
            }
            before = i, i = next;
        }
    }
}
