// A long short-term memory over a whole sequence in one kernel (Hochreiter & Schmidhuber 1997, gates as in Gers et al. 2000),
// and its gradient. Two sets of weights: the encoder's before step SWITCH, the decoder's from there on; the state runs through.
// Built with: BATCH, STEPS, SWITCH, INPUT, HIDDEN, SHARES, KEEPS and the OFFSET_ of every parameter.
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
// Of WINDOWS sequences: the gates of each step, then hidden state and cell before the first step and after each
#define STATES (STEPS * WINDOWS * GATES + 2 * (STEPS + 1) * WINDOWS * INNER)
#define KEPT_STATES(share, first) ((long)(share) * ((SHARE_WINDOWS + WINDOWS - 1) / WINDOWS) + ((first) - (share) * SHARE_WINDOWS) / WINDOWS) * STATES

typedef struct {
  float *y, *dx, *dhidden, *dcell, *dparameters, *scratch, *kept;
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

// The parts of the states of `windows` sequences, each step's rows one after the other
INLINE float *hidden_states(int windows, float *states) { return states + STEPS * windows * GATES; }
INLINE float *cell_states(int windows, float *states) { return states + STEPS * windows * GATES + (STEPS + 1) * windows * INNER; }
static void run_keeping(int windows, int first, const arguments_t *a, float *states) {
  float *hidden = hidden_states(windows, states), *cell = cell_states(windows, states);
  const int state = windows * INNER;
  unpack(windows, HIDDEN, a->hidden + (long)first * HIDDEN, HIDDEN, hidden);
  unpack(windows, HIDDEN, a->cell + (long)first * HIDDEN, HIDDEN, cell);
  for (int step = 0; step < STEPS; step++)
    forward_step(windows, step, a->x + (long)first * STEPS * INPUT, a->parameters, states + step * windows * GATES, hidden + step * state,
                 cell + step * state, hidden + (step + 1) * state, cell + (step + 1) * state);
}

#ifdef FORWARD
#if KEEPS
static void forward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  for (int first = share * SHARE_WINDOWS; first < LAST(share); first += WINDOWS) {
    int windows = LAST(share) - first < WINDOWS ? LAST(share) - first : WINDOWS;
    float *states = a->kept + KEPT_STATES(share, first), *hidden = hidden_states(windows, states);
    run_keeping(windows, first, a, states);
    for (int step = 0; step < STEPS; step++)
      repack(windows, HIDDEN, hidden + (step + 1) * windows * INNER, a->y + ((long)first * STEPS + step) * HIDDEN, STEPS * HIDDEN);
  }
}
#else
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
#endif
void lstm(float *y, KEPT(float *scratch) const float *x, const float *hidden, const float *cell, const float *parameters, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.y = y, .x = x, .hidden = hidden, .cell = cell, .parameters = parameters};
#if KEEPS
  a.kept = scratch;
#endif
  parallel(host, SHARES, forward_item, &a);
}
#endif

#ifdef BACKWARD
// scratch: transposed weights of both sets, then the shares' gradients, then, where the forward pass keeps none, their gates and states
#define TRANSPOSED_HIDDEN (GATES * FEATURES)
#define TRANSPOSED (TRANSPOSED_HIDDEN + GATES * INNER)
#define TOGETHER 3 // steps whose gradients of the weights and of x are taken at once: the sum over their rows stays in registers
// gates, hidden and cell of one step -> dgates; dhidden and dcell become those of the step before
static void backward_step(int windows, int step, const arguments_t *a, int first, const float *gates, const float *cell, float *dhidden, float *dcell, float *dgates) {
  ALIGNED float dy[WINDOWS * INNER];
  unpack(windows, HIDDEN, a->dy + ((long)first * STEPS + step) * HIDDEN, STEPS * HIDDEN, dy);
  for (int w = 0; w < windows; w++)
    for (int j = 0; j < INNER; j += LANES) {
      const float *q = gates + w * GATES + j;
      float *d = dgates + w * GATES + j;
      int at = w * INNER + j;
      vector input = load(q), forget = load(q + INNER), candidate = load(q + 2 * INNER), output = load(q + 3 * INNER);
      vector squashed = hyperbolic_tangent(load(cell + windows * INNER + at)), dh = load(dy + at) + load(dhidden + at);
      vector dc = load(dcell + at) + dh * output * (1.0f - squashed * squashed);
      store(d, dc * candidate * input * (1.0f - input));
      store(d + INNER, dc * load(cell + at) * forget * (1.0f - forget));
      store(d + 2 * INNER, dc * input * (1.0f - candidate * candidate));
      store(d + 3 * INNER, dh * squashed * output * (1.0f - output));
      store(dcell + at, dc * forget);
    }
  dense(windows, INNER, GATES, dgates, GATES, a->scratch + (step < SWITCH ? 0 : TRANSPOSED) + TRANSPOSED_HIDDEN, 0, dhidden, INNER);
}
// dgates and hidden of `steps` steps from `step` on, which share their weights -> dx and the weights' gradients
static void finish_steps(int windows, int step, int steps, const arguments_t *a, int first, const float *hidden, const float *dgates, float *g) {
  ALIGNED float x[TOGETHER * WINDOWS * FEATURES], dx[TOGETHER * WINDOWS * FEATURES];
  const long at = ((long)first * STEPS + step) * INPUT;
  const int rows = steps * windows, width = windows * FEATURES;
  g += WEIGHTS(step);
  dense(rows, FEATURES, GATES, dgates, GATES, a->scratch + (step < SWITCH ? 0 : TRANSPOSED), 0, dx, FEATURES);
  for (int i = 0; i < steps; i++) {
    repack(windows, INPUT, dx + i * width, a->dx + at + i * INPUT, STEPS * INPUT);
    unpack(windows, INPUT, a->x + at + i * INPUT, STEPS * INPUT, x + i * width);
  }
  bias_gradient(rows, GATES, dgates, GATES, g + OFFSET_BIAS);
  weight_gradient(rows, GATES, HIDDEN, hidden, INNER, dgates, GATES, g + OFFSET_HIDDEN_WEIGHT);
  weight_gradient(rows, GATES, INPUT, x, FEATURES, dgates, GATES, g + OFFSET_INPUT_WEIGHT);
}
static void backward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  float *g = a->scratch + 2 * TRANSPOSED + (long)share * 2 * PARAMETERS;
  ALIGNED float dhidden[WINDOWS * INNER], dcell[WINDOWS * INNER], dgates[TOGETHER * WINDOWS * GATES];
  clear(g, 2 * PARAMETERS);
  for (int first = share * SHARE_WINDOWS; first < LAST(share); first += WINDOWS) {
    int windows = LAST(share) - first < WINDOWS ? LAST(share) - first : WINDOWS, state = windows * INNER;
    float *states = KEEPS ? a->kept + KEPT_STATES(share, first) : a->scratch + 2 * TRANSPOSED + (long)SHARES * 2 * PARAMETERS + (long)share * STATES;
    const float *hidden = hidden_states(windows, states), *cell = cell_states(windows, states);
    if (!KEEPS) run_keeping(windows, first, a, states);
    clear(dhidden, state), clear(dcell, state);
    for (int last = STEPS, begin; last > 0; last = begin) {
      begin = last > TOGETHER ? last - TOGETHER : 0;
      if (begin < SWITCH && last > SWITCH) begin = SWITCH;
      for (int step = last - 1; step >= begin; step--)
        backward_step(windows, step, a, first, states + step * windows * GATES, cell + step * state, dhidden, dcell, dgates + (step - begin) * windows * GATES);
      finish_steps(windows, begin, last - begin, a, first, hidden + begin * state, dgates, g);
    }
    repack(windows, HIDDEN, dhidden, a->dhidden + (long)first * HIDDEN, HIDDEN);
    repack(windows, HIDDEN, dcell, a->dcell + (long)first * HIDDEN, HIDDEN);
  }
}
void lstm_gradient(float *dx, float *dhidden, float *dcell, float *dparameters, float *scratch, const float *dy, KEPT(const float *kept)
                   const float *x, const float *hidden, const float *cell, const float *parameters, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.dx = dx, .dhidden = dhidden, .dcell = dcell, .scratch = scratch, .dy = dy, .x = x, .hidden = hidden, .cell = cell, .parameters = parameters};
#if KEEPS
  a.kept = (float *)kept;
#endif
  for (int set = 0; set < 2; set++) {
    transpose(INPUT, GATES, parameters + set * PARAMETERS + OFFSET_INPUT_WEIGHT, scratch + set * TRANSPOSED);
    transpose(HIDDEN, GATES, parameters + set * PARAMETERS + OFFSET_HIDDEN_WEIGHT, scratch + set * TRANSPOSED + TRANSPOSED_HIDDEN);
  }
  parallel(host, SHARES, backward_item, &a);
  add_shares(2 * PARAMETERS, SHARES, scratch + 2 * TRANSPOSED, dparameters);
}
#endif
