// The gated skip connection, equations 17, 20 and 22 of arXiv 1912.09363, and its gradient.
// Built with: ROWS, OUTPUT, SHARES, SITE and the OFFSET_ of every parameter. Rows without padding are read and written in place.
//   x [ROWS, OUTPUT], skip [ROWS, OUTPUT] -> LayerNorm(skip + GLU(dropout(x))) [ROWS, OUTPUT]
#include "kernel.h"
#define WIDTH PADDED(OUTPUT)
#define GATE_WIDTH WIDTH
#include "gating.h"
#define SHARE_ROWS ((ROWS + SHARES - 1) / SHARES)
#define LAST(share) ((share + 1) * SHARE_ROWS < ROWS ? (share + 1) * SHARE_ROWS : ROWS)
#define IS_PADDED (OUTPUT != WIDTH)

typedef struct {
  ALIGNED float dropped[BLOCK * WIDTH], kept[BLOCK * WIDTH], gates[BLOCK * 2 * WIDTH], normalised[BLOCK * WIDTH], means[BLOCK], inverse[BLOCK], out[BLOCK * WIDTH];
} block_t;
typedef struct {
  float *y, *dx, *dskip, *dparameters, *scratch;
  const float *dy, *x, *skip, *parameters;
  const unsigned *control;
} arguments_t;

// gates[rows, 2 * WIDTH] of x[rows, OUTPUT]; between the tiles of the product the next block's rows of x and skip come from memory into
// the caches, and this block's rows of y, which are written next
INLINE void gates_in_place(int rows, const float *x, const float *skip, const float *y, const float *p, float *gates) {
  for (int row = 0; row < rows; row += TILE_ROWS) {
    for (int at = row * OUTPUT; at < (row + TILE_ROWS) * OUTPUT; at += PADDING) {
      __builtin_prefetch(x + BLOCK * OUTPUT + at, 0, 2);
      __builtin_prefetch(skip + BLOCK * OUTPUT + at, 0, 2);
      __builtin_prefetch(y + at, 1, 3);
    }
    dense(rows - row < TILE_ROWS ? rows - row : TILE_ROWS, 2 * WIDTH, OUTPUT, x + row * OUTPUT, OUTPUT, p + OFFSET_GATE_WEIGHT, p + OFFSET_GATE_BIAS, gates + row * 2 * WIDTH, 2 * WIDTH);
  }
}
// out[rows, WIDTH] (0: not wanted)
static void forward_block(int rows, int row, const arguments_t *a, block_t *b, float *out) {
  const float *p = a->parameters, *x = a->x + (long)row * OUTPUT, *skip = a->skip + (long)row * OUTPUT;
  dropout_t dropout = dropout_of(a->control, SITE);
  if (dropout.threshold || READ_AGAIN) {
    unpack(rows, OUTPUT, x, OUTPUT, b->dropped);
    drop_rows(dropout, rows, OUTPUT, row, 1, b->dropped, b->kept);
    dense(rows, 2 * WIDTH, OUTPUT, b->dropped, WIDTH, p + OFFSET_GATE_WEIGHT, p + OFFSET_GATE_BIAS, b->gates, 2 * WIDTH);
  } else gates_in_place(rows, x, skip, a->y + (long)row * OUTPUT, p, b->gates);
  if (IS_PADDED) unpack(rows, OUTPUT, skip, OUTPUT, b->normalised);
  gate_and_normalise(OUTPUT, rows, b->gates, IS_PADDED ? b->normalised : skip, WIDTH, b->normalised, b->means, b->inverse, p + OFFSET_SCALE, p + OFFSET_SHIFT, out, WIDTH, 0, 0);
}

#ifdef FORWARD
static void forward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  block_t block;
  for (int row = share * SHARE_ROWS; row < LAST(share); row += BLOCK) {
    int rows = LAST(share) - row < BLOCK ? LAST(share) - row : BLOCK;
    float *y = a->y + (long)row * OUTPUT;
    forward_block(rows, row, a, &block, IS_PADDED ? block.out : y);
    if (IS_PADDED) repack(rows, OUTPUT, block.out, y, OUTPUT);
  }
}
void gate(float *y, const float *x, const float *skip, const float *parameters, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.y = y, .x = x, .skip = skip, .parameters = parameters, .control = control};
  parallel(host, SHARES, forward_item, &a);
}
#endif

#ifdef BACKWARD
#define TRANSPOSED (2 * WIDTH * WIDTH)
static void backward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  float *g = a->scratch + TRANSPOSED + (long)share * PARAMETERS, delta[BLOCK * WIDTH], input[BLOCK * WIDTH];
  block_t b;
  clear(g, PARAMETERS);
  for (int row = share * SHARE_ROWS; row < LAST(share); row += BLOCK) {
    int rows = LAST(share) - row < BLOCK ? LAST(share) - row : BLOCK;
    forward_block(rows, row, a, &b, 0);
    unpack(rows, OUTPUT, a->dy + (long)row * OUTPUT, OUTPUT, delta);
    gate_and_normalise_gradient(OUTPUT, rows, delta, delta, b.gates, b.gates, b.normalised, b.inverse, a->parameters + OFFSET_SCALE, 0, g + OFFSET_SCALE, g + OFFSET_SHIFT, 0, 0, 0);
    bias_gradient(rows, 2 * WIDTH, b.gates, 2 * WIDTH, g + OFFSET_GATE_BIAS);
    weight_gradient(rows, 2 * WIDTH, OUTPUT, b.dropped, WIDTH, b.gates, 2 * WIDTH, g + OFFSET_GATE_WEIGHT);
    dense(rows, WIDTH, 2 * WIDTH, b.gates, 2 * WIDTH, a->scratch, 0, input, WIDTH);
    drop_again(dropout_of(a->control, SITE), rows, OUTPUT, b.kept, input);
    repack(rows, OUTPUT, input, a->dx + (long)row * OUTPUT, OUTPUT);
    repack(rows, OUTPUT, delta, a->dskip + (long)row * OUTPUT, OUTPUT);
  }
}
void gate_gradient(float *dx, float *dskip, float *dparameters, float *scratch, const float *dy, const float *x, const float *skip,
                   const float *parameters, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.dx = dx, .dskip = dskip, .scratch = scratch, .dy = dy, .x = x, .skip = skip, .parameters = parameters, .control = control};
  transpose(OUTPUT, 2 * WIDTH, parameters + OFFSET_GATE_WEIGHT, scratch);
  parallel(host, SHARES, backward_item, &a);
  add_shares(PARAMETERS, SHARES, scratch + TRANSPOSED, dparameters);
}
#endif
