// The gated skip connection, equations 17, 20 and 22 of arXiv 1912.09363, and its gradient.
// Built with: ROWS, OUTPUT, SHARES, SITE and the OFFSET_ of every parameter.
//   x [ROWS, OUTPUT], skip [ROWS, OUTPUT] -> LayerNorm(skip + GLU(dropout(x))) [ROWS, OUTPUT]
#include "kernel.h"
#define WIDTH PADDED(OUTPUT)
#define GATE_WIDTH WIDTH
#include "gating.h"
#define SHARE_ROWS ((ROWS + SHARES - 1) / SHARES)
#define LAST(share) ((share + 1) * SHARE_ROWS < ROWS ? (share + 1) * SHARE_ROWS : ROWS)

typedef struct {
  ALIGNED float dropped[BLOCK * WIDTH], kept[BLOCK * WIDTH], gates[BLOCK * 2 * WIDTH], normalised[BLOCK * WIDTH], inverse[BLOCK], out[BLOCK * WIDTH];
} block_t;
typedef struct {
  float *y, *dx, *dskip, *dparameters, *scratch;
  const float *dy, *x, *skip, *parameters;
  const unsigned *control;
} arguments_t;

static void forward_block(int rows, int row, const arguments_t *a, block_t *b) {
  unpack(rows, OUTPUT, a->x + (long)row * OUTPUT, OUTPUT, b->dropped);
  unpack(rows, OUTPUT, a->skip + (long)row * OUTPUT, OUTPUT, b->normalised);
  drop_rows(dropout_of(a->control, SITE), rows, OUTPUT, row, 1, b->dropped, b->kept);
  dense(rows, 2 * WIDTH, OUTPUT, b->dropped, WIDTH, a->parameters + OFFSET_GATE_WEIGHT, a->parameters + OFFSET_GATE_BIAS, b->gates, 2 * WIDTH);
  gate_and_normalise(OUTPUT, rows, b->gates, b->normalised, 0, b->inverse, a->parameters + OFFSET_SCALE, a->parameters + OFFSET_SHIFT, b->out, 0, 0);
}

#ifdef FORWARD
static void forward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  block_t block;
  for (int row = share * SHARE_ROWS; row < LAST(share); row += BLOCK) {
    int rows = LAST(share) - row < BLOCK ? LAST(share) - row : BLOCK;
    forward_block(rows, row, a, &block);
    repack(rows, OUTPUT, block.out, a->y + (long)row * OUTPUT, OUTPUT);
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
    forward_block(rows, row, a, &b);
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
