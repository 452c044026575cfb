// A long short-term memory over a whole sequence in one kernel (Hochreiter & Schmidhuber 1997, gates as in Gers et al. 2000),
// and its gradient. Two sets of weights: the encoder's before step SWITCH, the decoder's from there on; the state runs through.
// Built with: BATCH, STEPS, SWITCH, INPUT, HIDDEN, SHARES and the OFFSET_ of every parameter.
//   x [BATCH, STEPS, INPUT], first hidden and cell [BATCH, HIDDEN] -> hidden states [BATCH, STEPS, HIDDEN]
// Gates are stored in the order input, forget, candidate, output. WINDOWS sequences run together, so that a step is a matrix product.
#include "kernel.h"
#define INNER PADDED(HIDDEN)
#define FEATURES PADDED(INPUT)
#define GATES (4 * INNER)
#define WINDOWS 18 // three register tiles
#define SHARE_WINDOWS ((BATCH + SHARES - 1) / SHARES)
#define LAST(share) ((share + 1) * SHARE_WINDOWS < BATCH ? (share + 1) * SHARE_WINDOWS : BATCH)
#define WEIGHTS(step) ((step) < SWITCH ? 0 : PARAMETERS)

typedef struct {
  float *y, *dx, *dhidden, *dcell, *dparameters, *scratch;
  const float *dy, *x, *hidden, *cell, *parameters;
} arguments_t;

// gates[windows, GATES]: pre-activations -> activations; cell -> next cell; hidden = output * tanh(cell)
INLINE void activate(int windows, float *gates, const float *cell, float *next_cell, float *next_hidden) {
  for (int w = 0; w < windows; w++)
    for (int j = 0; j < INNER; j += LANES) {
      float *g = gates + w * GATES + j;
      vector input = sigmoid(load(g)), forget = sigmoid(load(g + INNER)), candidate = hyperbolic_tangent(load(g + 2 * INNER)), output = sigmoid(load(g + 3 * INNER));
      vector next = forget * load(cell + w * INNER + j) + input * candidate;
      store(g, input), store(g + INNER, forget), store(g + 2 * INNER, candidate), store(g + 3 * INNER, output);
      store(next_cell + w * INNER + j, next);
      store(next_hidden + w * INNER + j, output * hyperbolic_tangent(next));
    }
}
static void forward_step(int windows, int step, const float *x, const float *parameters, float *gates, const float *hidden, const float *cell, float *next_hidden, float *next_cell) {
  const float *p = parameters + WEIGHTS(step);
  dense(windows, GATES, INPUT, x + (long)step * INPUT, STEPS * INPUT, p + OFFSET_INPUT_WEIGHT, p + OFFSET_BIAS, gates, GATES);
  add_dense(windows, GATES, HIDDEN, hidden, INNER, p + OFFSET_HIDDEN_WEIGHT, gates, GATES);
  activate(windows, gates, cell, next_cell, next_hidden);
}

#ifdef FORWARD
static void forward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  ALIGNED float gates[WINDOWS * GATES], hidden[WINDOWS * INNER], cell[WINDOWS * INNER];
  for (int first = share * SHARE_WINDOWS; first < LAST(share); first += WINDOWS) {
    int windows = LAST(share) - first < WINDOWS ? LAST(share) - first : WINDOWS;
    unpack(windows, HIDDEN, a->hidden + (long)first * HIDDEN, HIDDEN, hidden);
    unpack(windows, HIDDEN, a->cell + (long)first * HIDDEN, HIDDEN, cell);
    for (int step = 0; step < STEPS; step++) {
      forward_step(windows, step, a->x + (long)first * STEPS * INPUT, a->parameters, gates, hidden, cell, hidden, cell);
      repack(windows, HIDDEN, hidden, a->y + ((long)first * STEPS + step) * HIDDEN, STEPS * HIDDEN);
    }
  }
}
void lstm(float *y, const float *x, const float *hidden, const float *cell, const float *parameters, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.y = y, .x = x, .hidden = hidden, .cell = cell, .parameters = parameters};
  parallel(host, SHARES, forward_item, &a);
}
#endif

#ifdef BACKWARD
// scratch: transposed weights of both sets, then the shares' gradients, then their gates and states
#define TRANSPOSED_HIDDEN (GATES * FEATURES)
#define TRANSPOSED (TRANSPOSED_HIDDEN + GATES * INNER)
#define STATES (STEPS * WINDOWS * GATES + 2 * (STEPS + 1) * WINDOWS * INNER)
static void backward_step(int windows, int step, const arguments_t *a, int first, float *gates, const float *hidden, const float *cell, float *dhidden, float *dcell, float *g) {
  const float *x = a->x + ((long)first * STEPS + step) * INPUT, *t = a->scratch + (step < SWITCH ? 0 : TRANSPOSED);
  ALIGNED float dy[WINDOWS * INNER], dx[WINDOWS * FEATURES];
  unpack(windows, HIDDEN, a->dy + ((long)first * STEPS + step) * HIDDEN, STEPS * HIDDEN, dy);
  for (int w = 0; w < windows; w++)
    for (int j = 0; j < INNER; j += LANES) {
      float *q = gates + w * GATES + j;
      int at = w * INNER + j;
      vector input = load(q), forget = load(q + INNER), candidate = load(q + 2 * INNER), output = load(q + 3 * INNER);
      vector squashed = hyperbolic_tangent(load(cell + WINDOWS * INNER + at)), dh = load(dy + at) + load(dhidden + at);
      vector dc = load(dcell + at) + dh * output * (1.0f - squashed * squashed);
      store(q, dc * candidate * input * (1.0f - input));
      store(q + INNER, dc * load(cell + at) * forget * (1.0f - forget));
      store(q + 2 * INNER, dc * input * (1.0f - candidate * candidate));
      store(q + 3 * INNER, dh * squashed * output * (1.0f - output));
      store(dcell + at, dc * forget);
    }
  dense(windows, INNER, GATES, gates, GATES, t + TRANSPOSED_HIDDEN, 0, dhidden, INNER);
  dense(windows, FEATURES, GATES, gates, GATES, t, 0, dx, FEATURES);
  repack(windows, INPUT, dx, a->dx + ((long)first * STEPS + step) * INPUT, STEPS * INPUT);
  bias_gradient(windows, GATES, gates, GATES, g + WEIGHTS(step) + OFFSET_BIAS);
  weight_gradient(windows, GATES, HIDDEN, hidden, INNER, gates, GATES, g + WEIGHTS(step) + OFFSET_HIDDEN_WEIGHT);
  weight_gradient(windows, GATES, INPUT, x, STEPS * INPUT, gates, GATES, g + WEIGHTS(step) + OFFSET_INPUT_WEIGHT);
}
static void backward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  float *g = a->scratch + 2 * TRANSPOSED + (long)share * 2 * PARAMETERS;
  float *gates = a->scratch + 2 * TRANSPOSED + (long)SHARES * 2 * PARAMETERS + (long)share * STATES;
  float *hidden = gates + STEPS * WINDOWS * GATES, *cell = hidden + (STEPS + 1) * WINDOWS * INNER;
  ALIGNED float dhidden[WINDOWS * INNER], dcell[WINDOWS * INNER];
  clear(g, 2 * PARAMETERS);
  for (int first = share * SHARE_WINDOWS; first < LAST(share); first += WINDOWS) {
    int windows = LAST(share) - first < WINDOWS ? LAST(share) - first : WINDOWS, state = WINDOWS * INNER;
    unpack(windows, HIDDEN, a->hidden + (long)first * HIDDEN, HIDDEN, hidden);
    unpack(windows, HIDDEN, a->cell + (long)first * HIDDEN, HIDDEN, cell);
    for (int step = 0; step < STEPS; step++)
      forward_step(windows, step, a->x + (long)first * STEPS * INPUT, a->parameters, gates + step * WINDOWS * GATES, hidden + step * state,
                   cell + step * state, hidden + (step + 1) * state, cell + (step + 1) * state);
    clear(dhidden, state), clear(dcell, state);
    for (int step = STEPS - 1; step >= 0; step--)
      backward_step(windows, step, a, first, gates + step * WINDOWS * GATES, hidden + step * state, cell + step * state, dhidden, dcell, g);
    repack(windows, HIDDEN, dhidden, a->dhidden + (long)first * HIDDEN, HIDDEN);
    repack(windows, HIDDEN, dcell, a->dcell + (long)first * HIDDEN, HIDDEN);
  }
}
void lstm_gradient(float *dx, float *dhidden, float *dcell, float *dparameters, float *scratch, const float *dy, const float *x, const float *hidden,
                   const float *cell, const float *parameters, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.dx = dx, .dhidden = dhidden, .dcell = dcell, .scratch = scratch, .dy = dy, .x = x, .hidden = hidden, .cell = cell, .parameters = parameters};
  for (int set = 0; set < 2; set++) {
    transpose(INPUT, GATES, parameters + set * PARAMETERS + OFFSET_INPUT_WEIGHT, scratch + set * TRANSPOSED);
    transpose(HIDDEN, GATES, parameters + set * PARAMETERS + OFFSET_HIDDEN_WEIGHT, scratch + set * TRANSPOSED + TRANSPOSED_HIDDEN);
  }
  parallel(host, SHARES, backward_item, &a);
  add_shares(2 * PARAMETERS, SHARES, scratch + 2 * TRANSPOSED, dparameters);
}
#endif
