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

typedef float vector __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int mask __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef unsigned words __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

INLINE vector load(const float *from) { return *(const vector *)from; }
INLINE void store(float *to, vector value) { *(vector *)to = value; }
INLINE vector choose(mask where, vector yes, vector no) { return (vector)(((mask)yes & where) | ((mask)no & ~where)); }
INLINE float sum(vector value) { // in halves: a chain of additions, one after the other, would take four times as long
#if LANES == 16
  value += __builtin_shufflevector(value, value, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  value += __builtin_shufflevector(value, value, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  value += __builtin_shufflevector(value, value, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  value += __builtin_shufflevector(value, value, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#else
  value += __builtin_shufflevector(value, value, 4, 5, 6, 7, 0, 1, 2, 3);
  value += __builtin_shufflevector(value, value, 2, 3, 0, 1, 6, 7, 4, 5);
  value += __builtin_shufflevector(value, value, 1, 0, 3, 2, 5, 4, 7, 6);
#endif
  return value[0];
}
INLINE words lanes(void) {
  // of natural alignment: gcc puts the constant where its type says, and loads it as if it were aligned
  unsigned __attribute__((vector_size(LANES * 4))) index;
  UNROLL for (int lane = 0; lane < LANES; lane++) index[lane] = lane;
  return (words)index;
}

// e^x: split off powers of two by adding a magic number, then Taylor's polynomial on |r| <= ln(2) / 2 (relative error 1e-7).
INLINE vector exponential(vector x) {
  vector zero = {0};
  x = choose((mask)(x < -87.0f), zero - 87.0f, x);
  x = choose((mask)(x > 88.0f), zero + 88.0f, x);
  vector whole = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f;
  vector rest = (x - whole * 0.693359375f) + whole * 2.12194440054690583e-4f;
  vector series = zero + 1.0f / 5040;
  series = series * rest + 1.0f / 720;
  series = series * rest + 1.0f / 120;
  series = series * rest + 1.0f / 24;
  series = series * rest + 1.0f / 6;
  series = series * rest + 0.5f;
  series = series * rest * rest + rest + 1.0f;
  return series * (vector)((__builtin_convertvector(whole, mask) + 127) << 23);
}
INLINE vector sigmoid(vector x) { return 1.0f / (1.0f + exponential(-x)); }
INLINE vector hyperbolic_tangent(vector x) { return 2.0f / (1.0f + exponential(-2.0f * x)) - 1.0f; }

// ELU(x), and its gradient from its result: the slope is 1 above zero and ELU + 1 below
INLINE vector elu(vector x) { return choose((mask)(x > 0.0f), x, exponential(choose((mask)(x > 0.0f), (vector){0}, x)) - 1.0f); }
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
  for (int column = 0; column < columns; column += LANES) {
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
  words hash = (lanes() + index) * 0x9E3779B1u ^ dropout.seed;
  hash = (hash ^ (hash >> 15)) * 0x85EBCA6Bu;
  hash = (hash ^ (hash >> 13)) * 0xC2B2AE35u;
  hash = hash ^ (hash >> 16);
  return (vector)((mask)(value * dropout.scale) & (mask)(hash >= dropout.threshold));
}

// in place: values[rows, PADDED(columns)] of row `first_row` on, of an array whose rows have `columns` numbers
SHARED void drop_rows(dropout_t dropout, int rows, int columns, unsigned first_row, unsigned row_step, float *values) {
  for (int row = 0; row < rows && dropout.threshold; row++)
    for (int j = 0; j < PADDED(columns); j += LANES) {
      float *at = values + row * PADDED(columns) + j;
      store(at, dropped(dropout, (first_row + row * row_step) * columns + j, load(at)));
    }
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
