// Finds the numbers of tickers in a list, and multiplies bars by the factors of corporate actions, in one pass.
// Tickers are Arrow's string views, 16 bytes each: length, then 12 bytes of text, or 4 bytes and where all of it is
// (https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout).
#include <stdint.h>

#define BLOCK 512      // rows whose factors are in the processor's nearest cache
#define INLINED 12     // bytes of text that a view holds itself

typedef struct { uint64_t head, tail; } view;

typedef struct {
    const view *views;
    const uint8_t *const *texts; // the buffers of longer tickers
} strings;

typedef struct {
    strings listed;
    int64_t count;
    uint32_t *slots; // numbers of listed tickers; `count` where a slot is empty
    uint64_t mask;   // slots - 1, a power of two less one
} table;

typedef struct { // the factors of one ticker, followed from day to day
    int32_t next, end;    // of its actions: the one in force, and behind the last one
    int32_t until, unused; // the day on which the one in force takes effect
    double split, dividend;
} state;

typedef struct { // of all tickers' actions
    const int32_t *days;
    const double *splits, *dividends;
} actions;

static int32_t length_of(view ticker) { return (int32_t)ticker.head; }

static const uint8_t *text_of(view ticker, const uint8_t *const *texts) {
    return texts[(uint32_t)ticker.tail] + (ticker.tail >> 32);
}

static uint64_t hash(view ticker, const uint8_t *const *texts) {
    uint64_t tail = ticker.tail;
    if (length_of(ticker) > INLINED) { // FNV-1a
        const uint8_t *text = text_of(ticker, texts);
        tail = 0xcbf29ce484222325;
        for (int32_t i = 0; i < length_of(ticker); i++) tail = (tail ^ text[i]) * 0x100000001b3;
    }
    uint64_t mixed = (ticker.head ^ tail * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
    return mixed ^ mixed >> 32;
}

static int is_same(view one, const uint8_t *const *texts, view other, const uint8_t *const *other_texts) {
    if (one.head != other.head) return 0;
    if (length_of(one) <= INLINED) return one.tail == other.tail;
    const uint8_t *text = text_of(one, texts), *other_text = text_of(other, other_texts);
    for (int32_t i = 0; i < length_of(one); i++)
        if (text[i] != other_text[i]) return 0;
    return 1;
}

static uint32_t find(const table *in, view ticker, const uint8_t *const *texts) {
    for (uint64_t slot = hash(ticker, texts);; slot++) {
        uint32_t number = in->slots[slot & in->mask];
        if (number == in->count || is_same(ticker, texts, in->listed.views[number], in->listed.texts)) return number;
    }
}

void fill_table(const table *in) {
    for (int64_t i = 0; i < in->count; i++) {
        uint64_t slot = hash(in->listed.views[i], in->listed.texts);
        while (in->slots[slot & in->mask] != in->count) slot++;
        in->slots[slot & in->mask] = (uint32_t)i;
    }
}

typedef struct { // where the next row's ticker is expected: where it was on the day before
    int64_t expected, day_start;
} place;

#define AHEAD 16 // rows: so many tickers may be missing in a row before the rest of a day is looked up by hash

static uint32_t find_from_day_before(const table *in, const strings *tickers, const int32_t *days, int64_t row,
                                     const uint32_t *numbers, place *at) {
    if (row && days[row] != days[row - 1]) {
        at->expected = at->day_start;
        at->day_start = row;
    }
    view ticker = tickers->views[row];
    for (int64_t i = at->expected; i < at->day_start && i <= at->expected + AHEAD; i++)
        if (is_same(ticker, tickers->texts, tickers->views[i], tickers->texts)) {
            at->expected = i + 1;
            return numbers[i];
        }
    return find(in, ticker, tickers->texts);
}

// The number of each row's ticker; `count` where it is not listed. Rows of successive days in the same order are fast.
void find_numbers(const table *in, const strings *tickers, const int32_t *days, int64_t rows, uint32_t *numbers) {
    place at = {0, 0};
    for (int64_t i = 0; i < rows; i++) numbers[i] = find_from_day_before(in, tickers, days, i, numbers, &at);
}

static void follow(state *of, const actions *all, int32_t day) {
    while (of->next < of->end && all->days[of->next] <= day) of->next++;
    int is_last = of->next == of->end;
    of->until = is_last ? INT32_MAX : all->days[of->next];
    of->split = is_last ? 1.0 : all->splits[of->next];
    of->dividend = is_last ? 1.0 : all->dividends[of->next];
}

// Prices times both factors in force, volume divided by the split's; days never fall from one row to the next.
// Where `order` is not null, a row's prices and volume are at its place of the columns that are read.
void adjust(const table *in, const actions *all, state *states, const uint32_t *numbers, const int32_t *days,
            const uint32_t *order, int64_t rows, const double *const *prices, double *const *adjusted_prices,
            int64_t price_columns, const double *const *volumes, double *const *adjusted_volumes,
            int64_t volume_columns) {
    double split[BLOCK], dividend[BLOCK];
    for (int64_t start = 0; start < rows; start += BLOCK) {
        int64_t count = rows - start < BLOCK ? rows - start : BLOCK;
        for (int64_t i = 0; i < count; i++) {
            uint32_t number = numbers[start + i];
            split[i] = dividend[i] = 1.0;
            if (number == in->count) continue;
            state *of = states + number;
            if (days[start + i] >= of->until) follow(of, all, days[start + i]);
            split[i] = of->split;
            dividend[i] = of->dividend;
        }
        for (int64_t column = 0; column < price_columns; column++) {
            const double *from = prices[column];
            double *to = adjusted_prices[column] + start;
            if (order)
                for (int64_t i = 0; i < count; i++) to[i] = from[order[start + i]] * split[i] * dividend[i];
            else
                for (int64_t i = 0; i < count; i++) to[i] = from[start + i] * split[i] * dividend[i];
        }
        for (int64_t column = 0; column < volume_columns; column++) {
            const double *from = volumes[column];
            double *to = adjusted_volumes[column] + start;
            if (order)
                for (int64_t i = 0; i < count; i++) to[i] = from[order[start + i]] / split[i];
            else
                for (int64_t i = 0; i < count; i++) to[i] = from[start + i] / split[i];
        }
    }
}

static int is_before(view one, const uint8_t *const *texts, view other, const uint8_t *const *other_texts) {
    int32_t length = length_of(one), other_length = length_of(other);
    const uint8_t *text = length <= INLINED ? (const uint8_t *)&one + 4 : text_of(one, texts);
    const uint8_t *other_text = other_length <= INLINED ? (const uint8_t *)&other + 4 : text_of(other, other_texts);
    for (int32_t i = 0; i < length && i < other_length; i++)
        if (text[i] != other_text[i]) return text[i] < other_text[i];
    return length < other_length;
}

// Puts rows that are moved between the rest, both ordered by day and ticker: `order` gets the numbers of all rows.
void merge_rows(const strings *tickers, const int32_t *days, const uint32_t *rest, int64_t rest_count,
                const strings *names, const int32_t *moved_days, const uint32_t *moved, int64_t moved_count,
                uint32_t *order) {
    int64_t next = 0;
    for (int64_t i = 0; i < rest_count; i++) {
        uint32_t row = rest[i];
        while (next < moved_count &&
               (moved_days[next] < days[row] ||
                (moved_days[next] == days[row] &&
                 is_before(names->views[next], names->texts, tickers->views[row], tickers->texts))))
            *order++ = moved[next++];
        *order++ = row;
    }
    while (next < moved_count) *order++ = moved[next++];
}
