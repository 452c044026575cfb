// Variable selection over real inputs, section 4.2 and equations 6-8 of arXiv 1912.09363, and its gradient, in blocks of rows:
// embedding, a gated residual network a variable, one over all of them with the static context, softmax and weighted sum.
// No array [row, variable, hidden] ever exists.
//   x [ROWS, VARIABLES], context [ROWS / REPEAT, HIDDEN] -> y [ROWS, INNER], weights [ROWS, SCORES]
// Built with: ROWS, VARIABLES, HIDDEN, REPEAT (rows that share a context), SHARES, SITE, and the OFFSET_ of the variables'
// networks and WEIGHTING_OFFSET_ of the weighting one; KEEPS: in training, what the variables' networks computed is kept for the
// gradient; MERGES: in a forecast, there is room to merge layers. x is data and gets no gradient.
//
// An embedded number is x w + b, so every dense layer over it is x (w W) + (b W): a slope and an origin. Both are made once
// (collapse), and their gradients are carried back to w, b and W once (finish). This is the same function, not an approximation.
// Where nothing is kept, the gradient recomputes its block of rows, to the same bits.
#include "kernel.h"
#define INNER PADDED(HIDDEN)
#define SCORES PADDED(VARIABLES)
#define GATE_WIDTH (INNER > SCORES ? INNER : SCORES)
#include "gating.h"
#define CONTEXTS ((ROWS) / (REPEAT))
#define SHARE_CONTEXTS ((CONTEXTS + SHARES - 1) / SHARES)
#define EMBEDDING (VARIABLES * INNER) // first the embedding's slopes w, then its origins b
#define W(name) (a->weighting + WEIGHTING_OFFSET_##name)

typedef struct {
  float *y, *weights, *dcontext, *dembedding, *dvariables, *dweighting, *scratch, *kept;
  const float *dy, *given_weights, *x, *context, *embedding, *variables, *weighting;
  const unsigned *control;
} arguments_t;
typedef struct { // dense layers over embedded numbers as functions of the numbers
  float slope[VARIABLES * INNER], origin[VARIABLES * INNER];            // hidden layers of the variables' networks
  float weighting_slope[VARIABLES * INNER], weighting_origin[INNER];    // hidden layer of the weighting network
  float skip_slope[VARIABLES * SCORES], skip_origin[SCORES];            // its skip
} collapsed_t;
typedef struct { // one block of one variable's network: what its products and norm gave is here, or where it is kept
  ALIGNED float hidden[BLOCK * INNER], factors[BLOCK * INNER], normalised[BLOCK * INNER], dropped_here[BLOCK * INNER], gates_here[BLOCK * 2 * INNER];
  float means_here[BLOCK], inverse_here[BLOCK], *dropped, *gates, *means, *inverse;
} variable_t;
typedef struct { // one block of the weighting network
  ALIGNED float hidden[BLOCK * INNER], dropped[BLOCK * INNER], factors[BLOCK * INNER], gates[BLOCK * 2 * SCORES], normalised[BLOCK * SCORES], means[BLOCK], inverse[BLOCK];
} weighting_t;
typedef struct { int first_context, last_context, first, last; } share_t;
INLINE share_t share_of(int index) { // a share begins and ends with a context
  int first = index * SHARE_CONTEXTS < CONTEXTS ? index * SHARE_CONTEXTS : CONTEXTS;
  int last = first + SHARE_CONTEXTS < CONTEXTS ? first + SHARE_CONTEXTS : CONTEXTS;
  return (share_t){first, last, first * REPEAT, last * REPEAT};
}
#define FOR_BLOCKS(share) for (int row = share.first, rows; rows = share.last - row < BLOCK ? share.last - row : BLOCK, row < share.last; row += BLOCK)

// out[columns] += (embedding's slope or origin of variable v) weight[HIDDEN, columns]
INLINE void project(int columns, int v, const float *embedded, const float *weight, float *out) {
  product(1, columns, HIDDEN, embedded + v * INNER, INNER, 1, weight, columns, out, columns, 0, 1);
}
SHARED void collapse(const arguments_t *a, collapsed_t *c) {
  const float *slope = a->embedding, *origin = slope + EMBEDDING;
  clear((float *)c, sizeof(collapsed_t) / sizeof(float));
  for (int j = 0; j < INNER; j++) c->weighting_origin[j] = W(HIDDEN_BIAS)[j];
  for (int j = 0; j < SCORES; j++) c->skip_origin[j] = W(SKIP_BIAS)[j];
  for (int v = 0; v < VARIABLES; v++) {
    const float *p = a->variables + (long)v * PARAMETERS, *together = W(HIDDEN_WEIGHT) + v * HIDDEN * INNER, *skip = W(SKIP_WEIGHT) + v * HIDDEN * SCORES;
    for (int j = 0; j < INNER; j++) c->origin[v * INNER + j] = p[OFFSET_HIDDEN_BIAS + j];
    project(INNER, v, slope, p + OFFSET_HIDDEN_WEIGHT, c->slope + v * INNER);
    project(INNER, v, origin, p + OFFSET_HIDDEN_WEIGHT, c->origin + v * INNER);
    project(INNER, v, slope, together, c->weighting_slope + v * INNER);
    project(INNER, v, origin, together, c->weighting_origin);
    project(SCORES, v, slope, skip, c->skip_slope + v * SCORES);
    project(SCORES, v, origin, skip, c->skip_origin);
  }
}
INLINE void project_contexts(const arguments_t *a, share_t share, float *projected) {
  dense(share.last_context - share.first_context, INNER, HIDDEN, a->context + (long)share.first_context * HIDDEN, HIDDEN, W(CONTEXT_WEIGHT), 0, projected, INNER);
}
INLINE void softmax(const float *scores, float *weights) {
  vector total = {0}, first = (vector){0} + scores[0], most = first;
  for (int j = 0; j < SCORES / LANES; j++) most = larger(choose((mask)(present(VARIABLES, j) > 0.0f), load(scores + j * LANES), first), most);
  float highest = largest(most);
  for (int j = 0; j < SCORES / LANES; j++) {
    vector e = exponential((load(scores + j * LANES) - highest) * present(VARIABLES, j)) * present(VARIABLES, j);
    store(weights + j * LANES, e);
    total += e;
  }
  float inverse = 1.0f / sum(total);
  for (int j = 0; j < SCORES; j += LANES) store(weights + j, load(weights + j) * inverse);
}
// projected: the contexts of the share, of which the first is first_context -> weights[rows, SCORES] (0: not wanted)
static void weigh_block(int rows, int row, int first_context, const arguments_t *a, const collapsed_t *c, const float *projected, weighting_t *b, float *weights) {
  const float *x = a->x + (long)row * VARIABLES;
  ALIGNED float scores[BLOCK * SCORES];
  dense(rows, INNER, VARIABLES, x, VARIABLES, c->weighting_slope, c->weighting_origin, b->hidden, INNER);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < INNER; j += LANES)
      store(b->hidden + i * INNER + j, elu(load(b->hidden + i * INNER + j) + load(projected + (long)((row + i) / REPEAT - first_context) * INNER + j)));
  dense(rows, INNER, HIDDEN, b->hidden, INNER, W(INNER_WEIGHT), W(INNER_BIAS), b->dropped, INNER);
  drop_rows(dropout_of(a->control, SITE + 1), rows, HIDDEN, row, 1, b->dropped, b->factors);
  dense(rows, 2 * SCORES, HIDDEN, b->dropped, INNER, W(GATE_WEIGHT), W(GATE_BIAS), b->gates, 2 * SCORES);
  dense(rows, SCORES, VARIABLES, x, VARIABLES, c->skip_slope, c->skip_origin, b->normalised, SCORES);
  gate_and_normalise(VARIABLES, rows, b->gates, b->normalised, SCORES, b->normalised, b->means, b->inverse, W(SCALE), W(SHIFT), scores, SCORES, 0, 0);
  for (int i = 0; i < rows && weights; i++) softmax(scores + i * SCORES, weights + i * SCORES); // equation 6
}
// out[rows, INNER] = x slope + origin
INLINE void rank_one(int rows, const float *x, const float *slope, const float *origin, float *out, int activated) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < INNER; j += LANES) {
      vector value = x[i * VARIABLES] * load(slope + j) + load(origin + j);
      store(out + i * INNER + j, activated ? elu(value) : value);
    }
}
// What is kept of each variable and row: dropped [INNER], gates [2 * INNER], mean and inverse of the norm, each an array [VARIABLES, ROWS, ..].
INLINE void place_block(int row, int v, float *kept, variable_t *b) {
  const long at = (long)v * ROWS + row, all = (long)VARIABLES * ROWS;
  b->dropped = KEEPS ? kept + at * INNER : b->dropped_here;
  b->gates = KEEPS ? kept + (all + 2 * at) * INNER : b->gates_here;
  b->means = KEEPS ? kept + 3 * all * INNER + at : b->means_here;
  b->inverse = KEEPS ? kept + (3 * INNER + 1) * all + at : b->inverse_here;
}
// merged: inner and gate layer in one, for when nothing is dropped in between (0: one after the other); y += weights * result (0: not wanted)
static void variable_block(int rows, int row, int v, const arguments_t *a, const collapsed_t *c, const float *merged, const float *weights, variable_t *b, float *y) {
  const float *x = a->x + (long)row * VARIABLES + v, *p = a->variables + (long)v * PARAMETERS;
  place_block(row, v, a->kept, b);
  rank_one(rows, x, c->slope + v * INNER, c->origin + v * INNER, b->hidden, 1);
  if (merged) dense(rows, 2 * INNER, HIDDEN, b->hidden, INNER, merged, merged + HIDDEN * 2 * INNER, b->gates, 2 * INNER);
  else {
    dense(rows, INNER, HIDDEN, b->hidden, INNER, p + OFFSET_INNER_WEIGHT, p + OFFSET_INNER_BIAS, b->dropped, INNER);
    drop_rows(dropout_of(a->control, SITE), rows, HIDDEN, (unsigned)row * VARIABLES + v, VARIABLES, b->dropped, KEEPS ? 0 : b->factors);
    dense(rows, 2 * INNER, HIDDEN, b->dropped, INNER, p + OFFSET_GATE_WEIGHT, p + OFFSET_GATE_BIAS, b->gates, 2 * INNER);
  }
  rank_one(rows, x, a->embedding + v * INNER, a->embedding + EMBEDDING + v * INNER, b->normalised, 0);
  gate_and_normalise(HIDDEN, rows, b->gates, b->normalised, INNER, b->normalised, b->means, b->inverse, p + OFFSET_SCALE, p + OFFSET_SHIFT, y, INNER, weights + v, SCORES); // equation 8
}

#ifdef FORWARD
#define NETWORKS variables
#define MERGED_WIDTH INNER
#include "merging.h"
static void forward_share(const void *pointer, int index) {
  const arguments_t *a = pointer;
  share_t share = share_of(index);
  ALIGNED collapsed_t c;
  ALIGNED float projected[SHARE_CONTEXTS * INNER];
  variable_t variable;
  weighting_t weighting;
  collapse(a, &c);
  project_contexts(a, share, projected);
  FOR_BLOCKS(share) weigh_block(rows, row, share.first_context, a, &c, projected, &weighting, a->weights + (long)row * SCORES);
  clear(a->y + (long)share.first * INNER, (long)(share.last - share.first) * INNER);
  for (int v = 0; v < VARIABLES; v++) {
    const float *merged = merges(a) ? a->scratch + (long)v * MERGED : 0;
    FOR_BLOCKS(share) variable_block(rows, row, v, a, &c, merged, a->weights + (long)row * SCORES, &variable, a->y + (long)row * INNER);
  }
}
void variable_selection(float *y, float *weights, FORWARD_SCRATCH const float *context, const float *embedding, const float *variables, const float *weighting,
                        const float *x, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.y = y, .weights = weights, .x = x, .context = context, .embedding = embedding, .variables = variables, .weighting = weighting, .control = control};
#if KEEPS
  a.kept = scratch;
#elif MERGES
  a.scratch = scratch;
  if (merges(&a)) parallel(host, VARIABLES, merge_item, &a);
#endif
  parallel(host, SHARES, forward_share, &a);
}
#endif

#ifdef BACKWARD
// scratch: transposed weights (each variable's, then the weighting network's), the gradients of the weights [ROWS, SCORES],
// then the shares' gradients: each network's from its inner layer (the weighting one's from its context) on, the embedding's, and
// those of the collapsed layers.
#define TRANSPOSED (2 * INNER * INNER + INNER * INNER)
#define WEIGHTING_TRANSPOSED (2 * SCORES * INNER + INNER * INNER + INNER * INNER)
#define TAIL (PARAMETERS - OFFSET_INNER_WEIGHT)
#define WEIGHTING_TAIL (WEIGHTING_PARAMETERS - WEIGHTING_OFFSET_CONTEXT_WEIGHT)
#define GRADIENT_WEIGHTING (VARIABLES * TAIL)
#define GRADIENT_EMBEDDING (GRADIENT_WEIGHTING + WEIGHTING_TAIL)
#define GRADIENT_COLLAPSED (GRADIENT_EMBEDDING + 2 * EMBEDDING)
#define GRADIENT (GRADIENT_COLLAPSED + (long)(sizeof(collapsed_t) / sizeof(float)))
#define SCRATCH_DWEIGHTS (VARIABLES * TRANSPOSED + WEIGHTING_TRANSPOSED)
#define SCRATCH_GRADIENTS (SCRATCH_DWEIGHTS + (long)ROWS * SCORES)

static void transpose_item(const void *pointer, int v) {
  const arguments_t *a = pointer;
  const float *p = a->variables + (long)v * PARAMETERS;
  float *t = a->scratch + (long)v * TRANSPOSED;
  if (v < VARIABLES) {
    transpose(HIDDEN, 2 * INNER, p + OFFSET_GATE_WEIGHT, t);
    transpose(HIDDEN, INNER, p + OFFSET_INNER_WEIGHT, t + 2 * INNER * INNER);
  } else {
    transpose(HIDDEN, 2 * SCORES, W(GATE_WEIGHT), t);
    transpose(HIDDEN, INNER, W(INNER_WEIGHT), t + 2 * SCORES * INNER);
    transpose(HIDDEN, INNER, W(CONTEXT_WEIGHT), t + 2 * SCORES * INNER + INNER * INNER);
  }
}
// dslope += x^T delta, dorigin += the rows of delta
INLINE void rank_one_gradient(int rows, const float *x, const float *delta, float *dslope, float *dorigin) {
  vector slope[INNER / LANES], origin[INNER / LANES];
  UNROLL for (int j = 0; j < INNER / LANES; j++) slope[j] = load(dslope + j * LANES), origin[j] = load(dorigin + j * LANES);
  for (int i = 0; i < rows; i++)
    UNROLL for (int j = 0; j < INNER / LANES; j++) {
      vector d = load(delta + i * INNER + j * LANES);
      slope[j] += x[i * VARIABLES] * d;
      origin[j] += d;
    }
  UNROLL for (int j = 0; j < INNER / LANES; j++) store(dslope + j * LANES, slope[j]), store(dorigin + j * LANES, origin[j]);
}
// dense, and between its tiles ahead[rows, columns ahead], which the next block reads, comes from memory into the caches
static void dense_fetching(int rows, int columns, int depth, const float *left, const float *weight, float *out, const float *ahead, int columns_ahead) {
  for (int row = 0; row < rows; row += TILE_ROWS) {
    for (int at = 0; at < TILE_ROWS * columns_ahead; at += PADDING) __builtin_prefetch(ahead + row * columns_ahead + at, 0, 2);
    dense(rows - row < TILE_ROWS ? rows - row : TILE_ROWS, columns, depth, left + row * depth, depth, weight, 0, out + row * columns, columns);
  }
}
// gates[rows, 2 width] hold their gradient: back through gate layer, dropout and inner layer; delta[rows, INNER] = gradient before ELU
// ahead_gates[rows, 2 width] and ahead_dropped[rows, INNER]: what the next block of rows reads from memory, or reads soon anyway
INLINE void inner_gradient(int rows, int width, dropout_t dropout, const float *gates, const float *dropped_rows, const float *factors, const float *hidden,
                           const float *transposed_gate, const float *transposed_inner, float *gate_weight, float *gate_bias,
                           float *inner_weight, float *inner_bias, float *delta, const float *ahead_gates, const float *ahead_dropped) {
  ALIGNED float inner[BLOCK * INNER];
  bias_gradient(rows, 2 * width, gates, 2 * width, gate_bias);
  weight_gradient(rows, 2 * width, HIDDEN, dropped_rows, INNER, gates, 2 * width, gate_weight);
  dense_fetching(rows, INNER, 2 * width, gates, transposed_gate, inner, ahead_gates, 2 * width);
  drop_again(dropout, rows, HIDDEN, factors, inner);
  bias_gradient(rows, INNER, inner, INNER, inner_bias);
  weight_gradient(rows, INNER, HIDDEN, hidden, INNER, inner, INNER, inner_weight);
  dense_fetching(rows, INNER, INNER, inner, transposed_inner, delta, ahead_dropped, INNER);
  for (int i = 0; i < rows * INNER; i += LANES) store(delta + i, elu_gradient(load(hidden + i), load(delta + i)));
}
// The block as the forward pass left it
static void restore_block(int rows, int row, int v, const arguments_t *a, const collapsed_t *c, variable_t *b) {
#if KEEPS
  const float *x = a->x + (long)row * VARIABLES + v;
  place_block(row, v, a->kept, b);
  rank_one(rows, x, c->slope + v * INNER, c->origin + v * INNER, b->hidden, 1);
  drop_rows(dropout_of(a->control, SITE), rows, HIDDEN, (unsigned)row * VARIABLES + v, VARIABLES, 0, b->factors);
  rank_one(rows, x, a->embedding + v * INNER, a->embedding + EMBEDDING + v * INNER, b->normalised, 0);
  normalise_again(HIDDEN, rows, b->gates, b->normalised, b->means, b->inverse);
#else
  variable_block(rows, row, v, a, c, 0, a->given_weights + (long)row * SCORES, b, 0);
#endif
}
static void variable_gradient(int rows, int row, int v, const arguments_t *a, variable_t *b, float *gradient) {
  const float *x = a->x + (long)row * VARIABLES + v, *p = a->variables + (long)v * PARAMETERS, *t = a->scratch + (long)v * TRANSPOSED;
  ALIGNED float delta[BLOCK * INNER], dgates[BLOCK * 2 * INNER], *g = gradient + v * TAIL - OFFSET_INNER_WEIGHT, *dembedding = gradient + GRADIENT_EMBEDDING + v * INNER;
  collapsed_t *dcollapsed = (collapsed_t *)(gradient + GRADIENT_COLLAPSED);
  gate_and_normalise_gradient(HIDDEN, rows, a->dy + (long)row * INNER, delta, b->gates, dgates, b->normalised, b->inverse, p + OFFSET_SCALE, p + OFFSET_SHIFT, g + OFFSET_SCALE,
                              g + OFFSET_SHIFT, a->given_weights + (long)row * SCORES + v, a->scratch + SCRATCH_DWEIGHTS + (long)row * SCORES + v, SCORES);
  rank_one_gradient(rows, x, delta, dembedding, dembedding + EMBEDDING);
  inner_gradient(rows, INNER, dropout_of(a->control, SITE), dgates, b->dropped, b->factors, b->hidden, t, t + 2 * INNER * INNER,
                 g + OFFSET_GATE_WEIGHT, g + OFFSET_GATE_BIAS, g + OFFSET_INNER_WEIGHT, g + OFFSET_INNER_BIAS, delta,
                 b->gates + (KEEPS ? BLOCK * 2 * INNER : 0), b->dropped + (KEEPS ? BLOCK * INNER : 0));
  rank_one_gradient(rows, x, delta, dcollapsed->slope + v * INNER, dcollapsed->origin + v * INNER);
}
static void weighting_gradient(int rows, int row, const arguments_t *a, weighting_t *b, const float *weights, const float *dweights, float *gradient, float *dprojected, int first_context) {
  const float *x = a->x + (long)row * VARIABLES, *t = a->scratch + (long)VARIABLES * TRANSPOSED;
  ALIGNED float delta[BLOCK * SCORES], hidden[BLOCK * INNER], *g = gradient + GRADIENT_WEIGHTING - WEIGHTING_OFFSET_CONTEXT_WEIGHT;
  collapsed_t *dcollapsed = (collapsed_t *)(gradient + GRADIENT_COLLAPSED);
  for (int i = 0; i < rows; i++) {
    vector projection = {0};
    for (int j = 0; j < SCORES; j += LANES) projection += load(weights + i * SCORES + j) * load(dweights + i * SCORES + j);
    float total = sum(projection);
    for (int j = 0; j < SCORES; j += LANES) store(delta + i * SCORES + j, load(weights + i * SCORES + j) * (load(dweights + i * SCORES + j) - total));
  }
  gate_and_normalise_gradient(VARIABLES, rows, delta, delta, b->gates, b->gates, b->normalised, b->inverse, W(SCALE), 0, g + WEIGHTING_OFFSET_SCALE, g + WEIGHTING_OFFSET_SHIFT, 0, 0, 0);
  bias_gradient(rows, SCORES, delta, SCORES, dcollapsed->skip_origin);
  weight_gradient(rows, SCORES, VARIABLES, x, VARIABLES, delta, SCORES, dcollapsed->skip_slope);
  inner_gradient(rows, SCORES, dropout_of(a->control, SITE + 1), b->gates, b->dropped, b->factors, b->hidden, t, t + 2 * SCORES * INNER, g + WEIGHTING_OFFSET_GATE_WEIGHT,
                 g + WEIGHTING_OFFSET_GATE_BIAS, g + WEIGHTING_OFFSET_INNER_WEIGHT, g + WEIGHTING_OFFSET_INNER_BIAS, hidden, b->gates, b->dropped);
  bias_gradient(rows, INNER, hidden, INNER, dcollapsed->weighting_origin);
  weight_gradient(rows, INNER, VARIABLES, x, VARIABLES, hidden, INNER, dcollapsed->weighting_slope);
  for (int i = 0; i < rows; i++) bias_gradient(1, INNER, hidden + i * INNER, INNER, dprojected + (long)((row + i) / REPEAT - first_context) * INNER);
}
static void context_gradient(const arguments_t *a, share_t share, const float *dprojected, float *gradient) {
  const float *t = a->scratch + (long)VARIABLES * TRANSPOSED + 2 * SCORES * INNER + INNER * INNER;
  ALIGNED float out[BLOCK * INNER];
  for (int first = share.first_context, count; first < share.last_context; first += BLOCK) {
    const float *d = dprojected + (long)(first - share.first_context) * INNER;
    count = share.last_context - first < BLOCK ? share.last_context - first : BLOCK;
    weight_gradient(count, INNER, HIDDEN, a->context + (long)first * HIDDEN, HIDDEN, d, INNER, gradient + GRADIENT_WEIGHTING);
    dense(count, INNER, INNER, d, INNER, t, 0, out, INNER);
    repack(count, HIDDEN, out, a->dcontext + (long)first * HIDDEN, HIDDEN);
  }
}
static void backward_share(const void *pointer, int index) {
  const arguments_t *a = pointer;
  share_t share = share_of(index);
  ALIGNED collapsed_t c;
  ALIGNED float projected[SHARE_CONTEXTS * INNER], dprojected[SHARE_CONTEXTS * INNER];
  float *dweights = a->scratch + SCRATCH_DWEIGHTS, *gradient = a->scratch + SCRATCH_GRADIENTS + (long)index * GRADIENT;
  variable_t variable;
  weighting_t weighting;
  clear(gradient, GRADIENT);
  clear(dprojected, SHARE_CONTEXTS * INNER);
  clear(dweights + (long)share.first * SCORES, (long)(share.last - share.first) * SCORES);
  collapse(a, &c);
  project_contexts(a, share, projected);
  for (int v = 0; v < VARIABLES; v++)
    FOR_BLOCKS(share) {
      restore_block(rows, row, v, a, &c, &variable);
      variable_gradient(rows, row, v, a, &variable, gradient);
    }
  FOR_BLOCKS(share) {
    weigh_block(rows, row, share.first_context, a, &c, projected, &weighting, 0);
    weighting_gradient(rows, row, a, &weighting, a->given_weights + (long)row * SCORES, dweights + (long)row * SCORES, gradient, dprojected, share.first_context);
  }
  context_gradient(a, share, dprojected, gradient);
}
#define SLICES 16
static void add_slice(const void *pointer, int slice) { // the sum over the shares takes the first share's place
  const arguments_t *a = pointer;
  const long size = (GRADIENT / LANES + SLICES - 1) / SLICES * LANES, begin = slice * size, end = begin + size < GRADIENT ? begin + size : GRADIENT;
  float *first = a->scratch + SCRATCH_GRADIENTS + begin;
  if (begin < end) add_parts(end - begin, SHARES, GRADIENT, first, first);
}
// A collapsed layer's gradient becomes that of its weight[HIDDEN, columns], and of the embedding: slopes and origins [HIDDEN] get added.
INLINE void expand(int columns, const float *slope, const float *origin, const float *dslope, const float *dorigin, const float *weight, float *dweight,
                   float *embedding_slope, float *embedding_origin) {
  for (int i = 0; i < HIDDEN; i++) {
    vector along_slope = {0}, along_origin = {0};
    for (int j = 0; j < columns; j += LANES) {
      vector ds = load(dslope + j), d = load(dorigin + j), w = load(weight + i * columns + j);
      store(dweight + i * columns + j, slope[i] * ds + origin[i] * d);
      along_slope += ds * w;
      along_origin += d * w;
    }
    embedding_slope[i] += sum(along_slope);
    embedding_origin[i] += sum(along_origin);
  }
}
INLINE void copy(long count, const float *from, float *to) {
  for (long index = 0; index < count; index++) to[index] = from[index];
}
static void finish_item(const void *pointer, int v) {
  const arguments_t *a = pointer;
  const float *gradient = a->scratch + SCRATCH_GRADIENTS, *slope = a->embedding + v * INNER, *origin = slope + EMBEDDING;
  const collapsed_t *dcollapsed = (const collapsed_t *)(gradient + GRADIENT_COLLAPSED);
  float *dslope = a->dembedding + v * INNER, *dorigin = dslope + EMBEDDING, *g = a->dvariables + (long)v * PARAMETERS, *skip = a->dweighting + WEIGHTING_OFFSET_SKIP_WEIGHT;
  copy(INNER, gradient + GRADIENT_EMBEDDING + v * INNER, dslope);
  copy(INNER, gradient + GRADIENT_EMBEDDING + EMBEDDING + v * INNER, dorigin);
  copy(INNER, dcollapsed->origin + v * INNER, g + OFFSET_HIDDEN_BIAS);
  copy(TAIL, gradient + (long)v * TAIL, g + OFFSET_INNER_WEIGHT);
  expand(INNER, slope, origin, dcollapsed->slope + v * INNER, dcollapsed->origin + v * INNER, a->variables + (long)v * PARAMETERS + OFFSET_HIDDEN_WEIGHT, g + OFFSET_HIDDEN_WEIGHT, dslope, dorigin);
  expand(INNER, slope, origin, dcollapsed->weighting_slope + v * INNER, dcollapsed->weighting_origin, W(HIDDEN_WEIGHT) + v * HIDDEN * INNER,
         a->dweighting + WEIGHTING_OFFSET_HIDDEN_WEIGHT + v * HIDDEN * INNER, dslope, dorigin);
  expand(SCORES, slope, origin, dcollapsed->skip_slope + v * SCORES, dcollapsed->skip_origin, W(SKIP_WEIGHT) + v * HIDDEN * SCORES, skip + v * HIDDEN * SCORES, dslope, dorigin);
}
void variable_selection_gradient(float *dcontext, float *dembedding, float *dvariables, float *dweighting, float *scratch, const float *dy, const float *weights, KEPT(const float *kept)
                                 const float *context, const float *embedding, const float *variables, const float *weighting, const float *x, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.dcontext = dcontext, .dembedding = dembedding, .dvariables = dvariables, .dweighting = dweighting, .scratch = scratch, .dy = dy, .given_weights = weights, .x = x,
                   .context = context, .embedding = embedding, .variables = variables, .weighting = weighting, .control = control};
  const collapsed_t *dcollapsed = (const collapsed_t *)(scratch + SCRATCH_GRADIENTS + GRADIENT_COLLAPSED);
#if KEEPS
  a.kept = (float *)kept;
#endif
  parallel(host, VARIABLES + 1, transpose_item, &a);
  parallel(host, SHARES, backward_share, &a);
  parallel(host, SLICES, add_slice, &a);
  copy(WEIGHTING_TAIL, scratch + SCRATCH_GRADIENTS + GRADIENT_WEIGHTING, dweighting + WEIGHTING_OFFSET_CONTEXT_WEIGHT);
  copy(INNER, dcollapsed->weighting_origin, dweighting + WEIGHTING_OFFSET_HIDDEN_BIAS);
  copy(SCORES, dcollapsed->skip_origin, dweighting + WEIGHTING_OFFSET_SKIP_BIAS);
  parallel(host, VARIABLES, finish_item, &a);
}
#endif
