// Shared by all kernels: vectors, register-tiled matrix products, exp, the dropout hash, threads.
// GNU vectors only, no intrinsics: the same text serves AVX-512, AVX2 and NEON.
//
// tinygrad loads an object file and jumps to the first byte of its .text, keeps no .bss and links no far calls. So a kernel
// has one entry that is not static, no zero-initialised statics, and reaches pthread through addresses handed to it.
// Every matrix stores its rows padded with zeros to a multiple of PADDING floats, so that no loop over columns has a tail.
#define PADDING 16
#define PADDED(n) (((n) + PADDING - 1) / PADDING * PADDING)
#ifdef __AVX512F__
#define LANES 16
#define TILE_VECTORS 4
#else
#define LANES 8
#define TILE_VECTORS 2
#endif
#define TILE_ROWS 6
#define BLOCK 60 // rows worked on at a time: ten register tiles, small enough for the second-level cache

#define INLINE static inline __attribute__((always_inline))
#define SHARED static __attribute__((noinline, unused))
#define UNROLL _Pragma("unroll")
#if KEEPS // in training, what a forward pass computed is kept for the gradient, which gets it as an argument more
#define KEPT(argument) argument,
#else
#define KEPT(argument)
#endif
#if KEEPS || MERGES // what is kept, or layers merged into one
#define FORWARD_SCRATCH float *scratch,
#else
#define FORWARD_SCRATCH
#endif
#define ALIGNED __attribute__((aligned(64))) // rows of local arrays: a vector across two cache lines takes twice as long

typedef float vector __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int mask __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef unsigned words __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

INLINE vector load(const float *from) { return *(const vector *)from; }
INLINE void store(float *to, vector value) { *(vector *)to = value; }
INLINE vector choose(mask where, vector yes, vector no) { return (vector)(((mask)yes & where) | ((mask)no & ~where)); }
// The lanes combined in halves: a chain of operations, one after the other, would take four times as long
#if LANES == 16
#define HALVES(COMBINE)                                                                                                \
  COMBINE(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)                                                        \
  COMBINE(4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)                                                        \
  COMBINE(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)                                                        \
  COMBINE(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
#else
#define HALVES(COMBINE) COMBINE(4, 5, 6, 7, 0, 1, 2, 3) COMBINE(2, 3, 0, 1, 6, 7, 4, 5) COMBINE(1, 0, 3, 2, 5, 4, 7, 6)
#endif
#define ADD_HALF(...) value += __builtin_shufflevector(value, value, __VA_ARGS__);
#define LARGER_HALF(...) other = __builtin_shufflevector(value, value, __VA_ARGS__), value = larger(value, other);
INLINE vector larger(vector x, vector y) { return choose((mask)(x > y), x, y); }
INLINE float sum(vector value) {
  HALVES(ADD_HALF)
  return value[0];
}
INLINE float largest(vector value) {
  vector other;
  HALVES(LARGER_HALF)
  return value[0];
}
// The sums of four vectors in a third of the operations that four times `sum` takes; that of vector i is at SUM_OF(i).
INLINE vector four_sums(const vector *of) {
  vector ends[2];
  UNROLL for (int pair = 0; pair < 2; pair++) {
    vector x = of[2 * pair], y = of[2 * pair + 1];
#if LANES == 16
#define SUM_OF(i) (4 * (i))
    ends[pair] = __builtin_shufflevector(x, y, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
                 __builtin_shufflevector(x, y, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
  vector four = __builtin_shufflevector(ends[0], ends[1], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
                __builtin_shufflevector(ends[0], ends[1], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  four += __builtin_shufflevector(four, four, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return four + __builtin_shufflevector(four, four, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#else
#define SUM_OF(i) ((i) / 2 * 2 + (i) % 2 * 4)
    ends[pair] = __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11) + __builtin_shufflevector(x, y, 4, 5, 6, 7, 12, 13, 14, 15);
  }
  vector four = __builtin_shufflevector(ends[0], ends[1], 0, 1, 8, 9, 4, 5, 12, 13) + __builtin_shufflevector(ends[0], ends[1], 2, 3, 10, 11, 6, 7, 14, 15);
  return four + __builtin_shufflevector(four, four, 1, 0, 3, 2, 5, 4, 7, 6);
#endif
}
INLINE words lanes(void) {
  // of natural alignment: gcc puts the constant where its type says, and loads it as if it were aligned
  unsigned __attribute__((vector_size(LANES * 4))) index;
  UNROLL for (int lane = 0; lane < LANES; lane++) index[lane] = lane;
  return (words)index;
}

// e^(factor x) for factor x in [-87, 87], as a product of a series in [0.7, 1.42] and a power of two, so that what is added to it costs
// nothing: 2^(factor x / ln 2), its whole part put into the exponent's bits. The magic number leaves the rounded whole
// part, with the exponent's bias of 127 on it, in the lowest bits of the sum. The polynomial is the minimax one of degree 5 for
// 2^part on [-1/2, 1/2] that is 1 at 0. Relative error 4e-7 for |x| < 16, 1.3e-6 at the ends, where x / ln 2 is rounded.
typedef struct { vector series, power; } exponential_t;
INLINE exponential_t split_exponential(const float factor, vector x) {
  const float log2e = factor * 1.44269504088896341f, magic = 12582912.0f + 127;
  vector biased = x * log2e + magic, part = x * log2e - (biased - magic);
  vector series = part * 1.326472731e-3f + 9.671512991e-3f;
  series = series * part + 5.550733581e-2f;
  series = series * part + 2.402224243e-1f;
  series = series * part + 6.931470037e-1f;
  return (exponential_t){series * part + 1.0f, (vector)((words)biased << 23)};
}
INLINE vector at_least(float bound, vector x) { return choose((mask)(x < bound), (vector){0} + bound, x); }
INLINE vector at_most(float bound, vector x) { return choose((mask)(x > bound), (vector){0} + bound, x); }
INLINE exponential_t clamped_exponential(const float factor, vector x) {
  const float bound = 87.0f / (factor < 0 ? -factor : factor);
  return split_exponential(factor, at_most(bound, at_least(-bound, x)));
}
INLINE vector exponential(vector x) {
  exponential_t e = clamped_exponential(1.0f, x);
  return e.series * e.power;
}
// 1 / x for positive x below 2^126: subtracting the bits from a constant is within 5 % of it; one step of third order and one of
// second order bring it to rounding, in additions and products alone: a processor has several units for them and one that divides.
INLINE vector reciprocal(vector x) {
  vector guess = (vector)(0x7EF311C0 - (mask)x), error = 1.0f - x * guess;
  guess = guess + guess * (error + error * error);
  error = 1.0f - x * guess;
  return guess + guess * error;
}
// 1 / sqrt(x) of positive x, in the same way
INLINE vector inverse_root(vector x) {
  vector guess = (vector)(0x5F3759DF - (mask)((words)x >> 1)), error = 1.0f - x * guess * guess;
  guess = guess + guess * (error * (0.5f + 0.375f * error));
  error = 1.0f - x * guess * guess;
  return guess + guess * (0.5f * error);
}
INLINE vector logistic(const float factor, vector x) { // 1 / (1 + e^(-factor x))
  exponential_t e = clamped_exponential(-factor, x);
  return reciprocal(e.series * e.power + 1.0f);
}
INLINE vector sigmoid(vector x) { return logistic(1.0f, x); }
INLINE vector hyperbolic_tangent(vector x) { return 2.0f * logistic(2.0f, x) - 1.0f; }

// ELU(x), and its gradient from its result: the slope is 1 above zero and ELU + 1 below
INLINE vector elu(vector x) {
  exponential_t e = split_exponential(1.0f, at_least(-87.0f, at_most(0.0f, x)));
  return choose((mask)(x > 0.0f), x, e.series * e.power - 1.0f);
}
INLINE vector elu_gradient(vector result, vector delta) { return choose((mask)(result > 0.0f), delta, delta * (result + 1.0f)); }

// ---- matrix products -------------------------------------------------------------------------------------------------
// One tile of out[rows, vectors * LANES] (+)= left[rows, depth] right[depth, ...], kept in registers over the whole depth.
INLINE void tile(const int rows, const int vectors, int depth, const float *left, long left_row, long left_depth,
                 const float *right, long right_row, float *out, long out_row, const float *bias, int accumulate) {
  vector total[TILE_ROWS][TILE_VECTORS];
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++)
    total[i][j] = accumulate ? load(out + i * out_row + j * LANES) : bias ? load(bias + j * LANES) : (vector){0};
  for (int k = 0; k < depth; k++) {
    vector across[TILE_VECTORS];
    UNROLL for (int j = 0; j < vectors; j++) across[j] = load(right + j * LANES);
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++) total[i][j] += left[i * left_row] * across[j];
    left += left_depth;
    right += right_row;
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++) store(out + i * out_row + j * LANES, total[i][j]);
}
#define ARGUMENTS depth, left, left_row, left_depth, right, right_row, out, out_row, bias, accumulate
#define COLUMN(VECTORS)                                                                                                \
  SHARED void column_##VECTORS(int rows, int depth, const float *left, long left_row, long left_depth,                 \
                               const float *right, long right_row, float *out, long out_row, const float *bias,        \
                               int accumulate) {                                                                       \
    for (; rows >= TILE_ROWS; rows -= TILE_ROWS, left += TILE_ROWS * left_row, out += TILE_ROWS * out_row)             \
      tile(TILE_ROWS, VECTORS, ARGUMENTS);                                                                             \
    switch (rows) {                                                                                                    \
    case 5: tile(5, VECTORS, ARGUMENTS); break;                                                                        \
    case 4: tile(4, VECTORS, ARGUMENTS); break;                                                                        \
    case 3: tile(3, VECTORS, ARGUMENTS); break;                                                                        \
    case 2: tile(2, VECTORS, ARGUMENTS); break;                                                                        \
    case 1: tile(1, VECTORS, ARGUMENTS); break;                                                                        \
    }                                                                                                                  \
  }
COLUMN(1)
COLUMN(2)
#if TILE_VECTORS == 4
COLUMN(3)
COLUMN(4)
#endif

// out[rows, columns] (+)= left[rows, depth] right[depth, columns] (+ bias[columns]); columns is a multiple of LANES.
// The left side is read one number at a time through two strides: a transposed left side is the same call, strides exchanged.
SHARED void product(int rows, int columns, int depth, const float *left, long left_row, long left_depth, const float *right,
                    long right_row, float *out, long out_row, const float *bias, int accumulate) {
  for (int done = 0; done < columns;) {
    int vectors = (columns - done) / LANES;
    switch (vectors < TILE_VECTORS ? vectors : TILE_VECTORS) {
#if TILE_VECTORS == 4
    case 4: column_4(rows, ARGUMENTS); break;
    case 3: column_3(rows, ARGUMENTS); break;
#endif
    case 2: column_2(rows, ARGUMENTS); break;
    case 1: column_1(rows, ARGUMENTS); break;
    }
    int step = (vectors < TILE_VECTORS ? vectors : TILE_VECTORS) * LANES;
    done += step, right += step, out += step;
    if (bias) bias += step;
  }
}
// dense: out[rows, columns] = left[rows, depth] weight[depth, columns] + bias
SHARED void dense(int rows, int columns, int depth, const float *left, long left_row, const float *weight, const float *bias,
                  float *out, long out_row) {
  product(rows, columns, depth, left, left_row, 1, weight, columns, out, out_row, bias, 0);
}
// add_dense: out += left weight
SHARED void add_dense(int rows, int columns, int depth, const float *left, long left_row, const float *weight, float *out,
                      long out_row) {
  product(rows, columns, depth, left, left_row, 1, weight, columns, out, out_row, 0, 1);
}
// weight_gradient: gradient[inputs, columns] += left[rows, inputs]^T delta[rows, columns]
SHARED void weight_gradient(int rows, int columns, int inputs, const float *left, long left_row, const float *delta,
                            long delta_row, float *gradient) {
  product(inputs, columns, rows, left, 1, left_row, delta, delta_row, gradient, columns, 0, 1);
}
// bias_gradient: gradient[columns] += sum over rows of delta[rows, columns]
SHARED void bias_gradient(int rows, int columns, const float *delta, long delta_row, float *gradient) {
  int column = 0;
  for (; column + 4 * LANES <= columns; column += 4 * LANES) { // four at once: each addition waits for the one before
    vector total[4];
    UNROLL for (int j = 0; j < 4; j++) total[j] = load(gradient + column + j * LANES);
    for (int row = 0; row < rows; row++)
      UNROLL for (int j = 0; j < 4; j++) total[j] += load(delta + row * delta_row + column + j * LANES);
    UNROLL for (int j = 0; j < 4; j++) store(gradient + column + j * LANES, total[j]);
  }
  for (; column < columns; column += LANES) {
    vector total = load(gradient + column);
    for (int row = 0; row < rows; row++) total += load(delta + row * delta_row + column);
    store(gradient + column, total);
  }
}
INLINE void clear(float *values, long count) {
  for (long index = 0; index < count; index++) values[index] = 0;
}
// transposed[columns, PADDED(rows)] = weight[rows, columns]^T, its padding zero
SHARED void transpose(int rows, int columns, const float *weight, float *transposed) {
  clear(transposed, (long)columns * PADDED(rows));
  for (int row = 0; row < rows; row++)
    for (int column = 0; column < columns; column++) transposed[(long)column * PADDED(rows) + row] = weight[(long)row * columns + column];
}
// Between packed rows of `columns` floats and padded rows.
INLINE void unpack(int rows, int columns, const float *from, long from_row, float *to) {
  for (int row = 0; row < rows; row++) {
    for (int column = 0; column < columns; column++) to[row * PADDED(columns) + column] = from[row * from_row + column];
    for (int column = columns; column < PADDED(columns); column++) to[row * PADDED(columns) + column] = 0;
  }
}
INLINE void repack(int rows, int columns, const float *from, float *to, long to_row) {
  for (int row = 0; row < rows; row++)
    for (int column = 0; column < columns; column++) to[row * to_row + column] = from[row * PADDED(columns) + column];
}

// ---- dropout ---------------------------------------------------------------------------------------------------------
// control: {seed, threshold, step, unused}. An element is dropped when the hash of (seed, site, index) is below the
// threshold, which is the rate times 2^32; zero drops nothing. Nothing is stored: forward and backward hash alike.
typedef struct {
  unsigned seed, threshold;
  float scale;
} dropout_t;
INLINE dropout_t dropout_of(const unsigned *control, unsigned site) {
  return (dropout_t){control[0] + site * 0x9E3779B9u, control[1], 1.0f / (1.0f - control[1] * 0x1p-32f)};
}
INLINE vector dropped(dropout_t dropout, unsigned index, vector value) {
  words hash = (lanes() * 0x9E3779B1u + index * 0x9E3779B1u) ^ dropout.seed; // one product a vector less than of the sum
  hash = (hash ^ (hash >> 15)) * 0x85EBCA6Bu;
  hash = (hash ^ (hash >> 13)) * 0xC2B2AE35u;
  hash = hash ^ (hash >> 16);
  return (vector)((mask)(value * dropout.scale) & (mask)(hash >= dropout.threshold));
}

// in place: values[rows, PADDED(columns)] of row `first_row` on, of an array whose rows have `columns` numbers (0: none); factors
// (0: not wanted): zero or the scale, with which `drop_again` treats the gradient alike
SHARED void drop_rows(dropout_t dropout, int rows, int columns, unsigned first_row, unsigned row_step, float *values, float *factors) {
  for (int row = 0; row < rows && dropout.threshold; row++)
    for (int j = 0; j < PADDED(columns); j += LANES) {
      int at = row * PADDED(columns) + j;
      vector factor = dropped(dropout, (first_row + row * row_step) * columns + j, (vector){0} + 1.0f);
      if (factors) store(factors + at, factor);
      if (values) store(values + at, load(values + at) * factor);
    }
}
INLINE void drop_again(dropout_t dropout, int rows, int columns, const float *factors, float *values) {
  for (int at = 0; at < rows * PADDED(columns) && dropout.threshold; at += LANES) store(values + at, load(values + at) * load(factors + at));
}

// ---- threads ---------------------------------------------------------------------------------------------------------
// The work is cut into items that do not depend on the number of threads, and each item writes its own place: whichever
// thread takes it, the bits are the same. host: {address of pthread_create, of pthread_join, number of threads}.
typedef struct {
  void (*work)(const void *, int);
  const void *arguments;
  int *next, items;
} crew_t;
static void *labour(void *pointer) {
  crew_t *crew = pointer;
  for (int item; (item = __atomic_fetch_add(crew->next, 1, __ATOMIC_RELAXED)) < crew->items;) crew->work(crew->arguments, item);
  return 0;
}
SHARED void parallel(const unsigned long *host, int items, void (*work)(const void *, int), const void *arguments) {
  int (*create)(unsigned long *, const void *, void *(*)(void *), void *) = (void *)host[0];
  int (*join)(unsigned long, void **) = (void *)host[1];
  int next = 0, helpers = 0, wanted = (int)host[2] < items ? (int)host[2] - 1 : items - 1;
  unsigned long threads[64];
  crew_t crew = {work, arguments, &next, items};
  while (helpers < wanted && helpers < 64 && create(&threads[helpers], 0, labour, &crew) == 0) helpers++;
  labour(&crew);
  while (helpers > 0) join(threads[--helpers], 0);
}
// total[count] = sum over the shares, in their order, of parts[count], which lie part_size apart
SHARED void add_parts(long count, int shares, long part_size, const float *parts, float *total) {
  for (long index = 0; index < count; index += LANES) {
    vector value = load(parts + index);
    for (int share = 1; share < shares; share++) value += load(parts + share * part_size + index);
    store(total + index, value);
  }
}
SHARED void add_shares(long count, int shares, const float *parts, float *total) { add_parts(count, shares, count, parts, total); }
