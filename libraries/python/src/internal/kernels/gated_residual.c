// Gated residual networks, equations 2-5 of arXiv 1912.09363, GROUPS of them side by side, and their gradient.
// Built with: ROWS, GROUPS, INPUT, HIDDEN, OUTPUT, CONTEXT (0: none), REPEAT (rows that share a context), PROJECTED (skip is a
// projection), SHARES, SITE, MERGES (room for inner and gate layer in one, where nothing is dropped in between) and the OFFSET_ of
// every parameter. Dropout comes before the gate, as in the paper. Rows without padding are read and written in place.
//   x [ROWS, GROUPS, INPUT], context [ROWS / REPEAT, CONTEXT] -> y [ROWS, GROUPS, OUTPUT]
// The gradient recomputes its block of rows instead of reading saved activations: at these sizes memory costs as much.
#include "kernel.h"
#define WIDTH PADDED(OUTPUT)
#define GATE_WIDTH WIDTH
#include "gating.h"
#define INNER PADDED(HIDDEN)
#define FEATURES PADDED(INPUT)
#define CONTEXTS ((ROWS) / (REPEAT))
#define SHARE_CONTEXTS ((CONTEXTS + SHARES - 1) / SHARES)
#define IS_PADDED (OUTPUT != WIDTH)
#if !PROJECTED
#define OFFSET_SKIP_WEIGHT 0
#define OFFSET_SKIP_BIAS 0
#endif
#if !CONTEXT
#define OFFSET_CONTEXT_WEIGHT 0
#endif

typedef struct { // one block of rows: everything that the forward pass leaves for the gradient
  ALIGNED float hidden[BLOCK * INNER], dropped[BLOCK * INNER], kept[BLOCK * INNER], gates[BLOCK * 2 * WIDTH], normalised[BLOCK * WIDTH], means[BLOCK], inverse[BLOCK], out[BLOCK * WIDTH];
} block_t;

// added: projected contexts [.., INNER], of which the block's first row uses row first / REPEAT (0: no context);
// merged: inner and gate layer in one (0: one after the other); out (0: not wanted)
static void forward_block(int rows, int row, int group, const float *x, const float *p, const float *added, const float *merged, dropout_t dropout, block_t *b, float *out, long out_row) {
  const float *input = x + ((long)row * GROUPS + group) * INPUT, *skip = b->normalised;
  long skip_row = WIDTH;
  dense(rows, INNER, INPUT, input, GROUPS * INPUT, p + OFFSET_HIDDEN_WEIGHT, p + OFFSET_HIDDEN_BIAS, b->hidden, INNER);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < INNER; j += LANES) { // equation 4: ELU(W x + W c + b)
      vector v = load(b->hidden + i * INNER + j);
      if (CONTEXT) v += load(added + (long)((row + i) / REPEAT) * INNER + j);
      store(b->hidden + i * INNER + j, elu(v));
    }
  if (merged) dense(rows, 2 * WIDTH, HIDDEN, b->hidden, INNER, merged, merged + HIDDEN * 2 * WIDTH, b->gates, 2 * WIDTH);
  else {
    dense(rows, INNER, HIDDEN, b->hidden, INNER, p + OFFSET_INNER_WEIGHT, p + OFFSET_INNER_BIAS, b->dropped, INNER); // equation 3
    drop_rows(dropout, rows, HIDDEN, (unsigned)row * GROUPS + group, GROUPS, b->dropped, b->kept);
    dense(rows, 2 * WIDTH, HIDDEN, b->dropped, INNER, p + OFFSET_GATE_WEIGHT, p + OFFSET_GATE_BIAS, b->gates, 2 * WIDTH); // equation 5
  }
  if (PROJECTED) dense(rows, WIDTH, INPUT, input, GROUPS * INPUT, p + OFFSET_SKIP_WEIGHT, p + OFFSET_SKIP_BIAS, b->normalised, WIDTH);
  else if (IS_PADDED) unpack(rows, OUTPUT, input, GROUPS * INPUT, b->normalised);
  else skip = input, skip_row = GROUPS * INPUT;
  gate_and_normalise(OUTPUT, rows, b->gates, skip, skip_row, b->normalised, b->means, b->inverse, p + OFFSET_SCALE, p + OFFSET_SHIFT, out, out_row, 0, 0); // equation 2
}

typedef struct {
  float *y, *dx, *dcontext, *dparameters, *scratch;
  const float *dy, *x, *context, *parameters;
  const unsigned *control;
} arguments_t;
typedef struct { int group, share, first_context, last_context, first, last; } item_t;
INLINE item_t item_of(int index) { // a share begins and ends with a context
  item_t item = {index / SHARES, index % SHARES};
  item.first_context = item.share * SHARE_CONTEXTS < CONTEXTS ? item.share * SHARE_CONTEXTS : CONTEXTS;
  item.last_context = item.first_context + SHARE_CONTEXTS < CONTEXTS ? item.first_context + SHARE_CONTEXTS : CONTEXTS;
  item.first = item.first_context * REPEAT;
  item.last = item.last_context * REPEAT;
  return item;
}
#if CONTEXT
#define CONTEXT_ROOM (SHARE_CONTEXTS * INNER)
INLINE void project_contexts(const arguments_t *a, const float *p, item_t item, float *projected) {
  product(item.last_context - item.first_context, INNER, CONTEXT, a->context + (long)item.first_context * CONTEXT, CONTEXT, 1,
          p + OFFSET_CONTEXT_WEIGHT, INNER, projected, INNER, 0, 0);
}
#else
#define CONTEXT_ROOM 1
INLINE void project_contexts(const arguments_t *a, const float *p, item_t item, float *projected) {}
#endif

#ifdef FORWARD
#define NETWORKS parameters
#define MERGED_WIDTH WIDTH
#include "merging.h"
static void forward_item(const void *pointer, int index) {
  const arguments_t *a = pointer;
  item_t item = item_of(index);
  const float *p = a->parameters + (long)item.group * PARAMETERS, *merged = merges(a) ? a->scratch + (long)item.group * MERGED : 0;
  ALIGNED float projected[CONTEXT_ROOM];
  block_t block;
  project_contexts(a, p, item, projected);
  for (int row = item.first; row < item.last; row += BLOCK) {
    int rows = item.last - row < BLOCK ? item.last - row : BLOCK;
    float *y = a->y + ((long)row * GROUPS + item.group) * OUTPUT;
    forward_block(rows, row, item.group, a->x, p, projected - (long)item.first_context * INNER, merged, dropout_of(a->control, SITE), &block,
                  IS_PADDED ? block.out : y, IS_PADDED ? WIDTH : GROUPS * OUTPUT);
    if (IS_PADDED) repack(rows, OUTPUT, block.out, y, GROUPS * OUTPUT);
  }
}
void gated_residual(float *y, FORWARD_SCRATCH const float *x,
#if CONTEXT
                    const float *context,
#endif
                    const float *parameters, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.y = y, .x = x, .parameters = parameters, .control = control};
#if CONTEXT
  a.context = context;
#endif
#if MERGES
  a.scratch = scratch;
  if (merges(&a)) parallel(host, GROUPS, merge_item, &a);
#endif
  parallel(host, GROUPS * SHARES, forward_item, &a);
}
#endif

#ifdef BACKWARD
// A group's transposed weights, made once per call: [2 WIDTH, INNER], [INNER, INNER], [INNER, FEATURES], [WIDTH, FEATURES], [INNER, PADDED(CONTEXT)]
#define TRANSPOSED_GATE 0
#define TRANSPOSED_INNER (TRANSPOSED_GATE + 2 * WIDTH * INNER)
#define TRANSPOSED_HIDDEN (TRANSPOSED_INNER + INNER * INNER)
#define TRANSPOSED_SKIP (TRANSPOSED_HIDDEN + INNER * FEATURES)
#define TRANSPOSED_CONTEXT (TRANSPOSED_SKIP + PROJECTED * WIDTH * FEATURES)
#define TRANSPOSED (TRANSPOSED_CONTEXT + (CONTEXT ? INNER * PADDED(CONTEXT) : 0))

static void transpose_item(const void *pointer, int group) {
  const arguments_t *a = pointer;
  const float *p = a->parameters + (long)group * PARAMETERS;
  float *t = a->scratch + (long)group * TRANSPOSED;
  transpose(HIDDEN, 2 * WIDTH, p + OFFSET_GATE_WEIGHT, t + TRANSPOSED_GATE);
  transpose(HIDDEN, INNER, p + OFFSET_INNER_WEIGHT, t + TRANSPOSED_INNER);
  transpose(INPUT, INNER, p + OFFSET_HIDDEN_WEIGHT, t + TRANSPOSED_HIDDEN);
  if (PROJECTED) transpose(INPUT, WIDTH, p + OFFSET_SKIP_WEIGHT, t + TRANSPOSED_SKIP);
  if (CONTEXT) transpose(CONTEXT, INNER, p + OFFSET_CONTEXT_WEIGHT, t + TRANSPOSED_CONTEXT);
}
static void backward_block(int rows, int row, int group, const arguments_t *a, const float *t, float *g, block_t *b, float *dprojected) {
  ALIGNED float delta[BLOCK * WIDTH], inner[BLOCK * INNER], hidden[BLOCK * INNER], input[BLOCK * FEATURES];
  const float *x = a->x + ((long)row * GROUPS + group) * INPUT, *p = a->parameters + (long)group * PARAMETERS;
  dropout_t dropout = dropout_of(a->control, SITE);
  unpack(rows, OUTPUT, a->dy + ((long)row * GROUPS + group) * OUTPUT, GROUPS * OUTPUT, delta);
  gate_and_normalise_gradient(OUTPUT, rows, delta, delta, b->gates, b->gates, b->normalised, b->inverse, p + OFFSET_SCALE, 0, g + OFFSET_SCALE, g + OFFSET_SHIFT, 0, 0, 0);
  bias_gradient(rows, 2 * WIDTH, b->gates, 2 * WIDTH, g + OFFSET_GATE_BIAS);
  weight_gradient(rows, 2 * WIDTH, HIDDEN, b->dropped, INNER, b->gates, 2 * WIDTH, g + OFFSET_GATE_WEIGHT);
  dense(rows, INNER, 2 * WIDTH, b->gates, 2 * WIDTH, t + TRANSPOSED_GATE, 0, inner, INNER);
  drop_again(dropout, rows, HIDDEN, b->kept, inner);
  bias_gradient(rows, INNER, inner, INNER, g + OFFSET_INNER_BIAS);
  weight_gradient(rows, INNER, HIDDEN, b->hidden, INNER, inner, INNER, g + OFFSET_INNER_WEIGHT);
  dense(rows, INNER, INNER, inner, INNER, t + TRANSPOSED_INNER, 0, hidden, INNER);
  for (int i = 0; i < rows * INNER; i += LANES) store(hidden + i, elu_gradient(load(b->hidden + i), load(hidden + i)));
  bias_gradient(rows, INNER, hidden, INNER, g + OFFSET_HIDDEN_BIAS);
  weight_gradient(rows, INNER, INPUT, x, GROUPS * INPUT, hidden, INNER, g + OFFSET_HIDDEN_WEIGHT);
  dense(rows, FEATURES, INNER, hidden, INNER, t + TRANSPOSED_HIDDEN, 0, input, FEATURES);
  if (PROJECTED) {
    bias_gradient(rows, WIDTH, delta, WIDTH, g + OFFSET_SKIP_BIAS);
    weight_gradient(rows, WIDTH, INPUT, x, GROUPS * INPUT, delta, WIDTH, g + OFFSET_SKIP_WEIGHT);
    add_dense(rows, FEATURES, WIDTH, delta, WIDTH, t + TRANSPOSED_SKIP, input, FEATURES);
  } else {
    for (int i = 0; i < rows * FEATURES; i += LANES) store(input + i, load(input + i) + load(delta + i));
  }
  repack(rows, INPUT, input, a->dx + ((long)row * GROUPS + group) * INPUT, GROUPS * INPUT);
  if (CONTEXT)
    for (int i = 0; i < rows; i++) bias_gradient(1, INNER, hidden + i * INNER, INNER, dprojected + (long)((row + i) / REPEAT) * INNER);
}
static void backward_item(const void *pointer, int index) {
  const arguments_t *a = pointer;
  item_t item = item_of(index);
  const float *p = a->parameters + (long)item.group * PARAMETERS, *t = a->scratch + (long)item.group * TRANSPOSED;
  float *g = a->scratch + (long)GROUPS * TRANSPOSED + (long)index * PARAMETERS;
  ALIGNED float projected[CONTEXT_ROOM], dprojected[CONTEXT_ROOM];
  block_t block;
  clear(g, PARAMETERS);
  clear(dprojected, CONTEXT_ROOM);
  project_contexts(a, p, item, projected);
  for (int row = item.first; row < item.last; row += BLOCK) {
    int rows = item.last - row < BLOCK ? item.last - row : BLOCK;
    forward_block(rows, row, item.group, a->x, p, projected - (long)item.first_context * INNER, 0, dropout_of(a->control, SITE), &block, 0, 0);
    backward_block(rows, row, item.group, a, t, g, &block, dprojected - (long)item.first_context * INNER);
  }
#if CONTEXT
  for (int c = item.first_context; c < item.last_context; c++) { // one context at a time keeps the padded row small
    ALIGNED float dcontext[PADDED(CONTEXT)], *d = dprojected + (long)(c - item.first_context) * INNER;
    weight_gradient(1, INNER, CONTEXT, a->context + (long)c * CONTEXT, CONTEXT, d, INNER, g + OFFSET_CONTEXT_WEIGHT);
    dense(1, PADDED(CONTEXT), INNER, d, INNER, t + TRANSPOSED_CONTEXT, 0, dcontext, PADDED(CONTEXT));
    repack(1, CONTEXT, dcontext, a->dcontext + (long)c * CONTEXT, CONTEXT);
  }
#endif
}
static void add_item(const void *pointer, int group) {
  const arguments_t *a = pointer;
  add_shares(PARAMETERS, SHARES, a->scratch + (long)GROUPS * TRANSPOSED + (long)group * SHARES * PARAMETERS, a->dparameters + (long)group * PARAMETERS);
}
void gated_residual_gradient(float *dx,
#if CONTEXT
                             float *dcontext,
#endif
                             float *dparameters, float *scratch, const float *dy, const float *x,
#if CONTEXT
                             const float *context,
#endif
                             const float *parameters, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.dx = dx, .dparameters = dparameters, .scratch = scratch, .dy = dy, .x = x, .parameters = parameters, .control = control};
#if CONTEXT
  a.dcontext = dcontext, a.context = context;
#endif
  parallel(host, GROUPS, transpose_item, &a);
  parallel(host, GROUPS * SHARES, backward_item, &a);
  parallel(host, GROUPS, add_item, &a);
}
#endif
