// Interpretable multi-head attention, equations 13-16 and 19 of arXiv 1912.09363, and its gradient.
// Every head has its own queries and keys; the values are shared, so the heads' attention is averaged before it meets them.
// Only the last QUERIES steps ask (nothing else is ever read); step t sees the steps up to and including t.
// Built with: BATCH, STEPS, QUERIES, HIDDEN, HEADS, DEPTH (numbers a head), SHARES, SITE and the OFFSET_ of every parameter.
//   x [BATCH, STEPS, HIDDEN] -> y [BATCH, QUERIES, HIDDEN]
#include "kernel.h"
#define INNER PADDED(HIDDEN)
#define HEAD PADDED(DEPTH)
#define KEYS PADDED(STEPS)
#define FIRST (STEPS - QUERIES)
#define SHARE_WINDOWS ((BATCH + SHARES - 1) / SHARES)
#define LAST(share) ((share + 1) * SHARE_WINDOWS < BATCH ? (share + 1) * SHARE_WINDOWS : BATCH)

typedef struct {
  float *y, *dx, *dparameters, *scratch;
  const float *dy, *x, *parameters;
  const unsigned *control;
} arguments_t;
typedef struct { // one window
  ALIGNED float query[QUERIES * HEADS * HEAD], key[STEPS * HEADS * HEAD], value[STEPS * HEAD], turned[HEAD * KEYS];
  ALIGNED float weights[HEADS * QUERIES * KEYS], mean[QUERIES * KEYS], seen[QUERIES * HEAD], out[QUERIES * INNER];
} window_t;

INLINE mask is_visible(int q, int k) { return (mask)((lanes() + k) <= (words){0} + (unsigned)(FIRST + q)); }
// softmax over the steps that query q may see, in place; the rest becomes zero
INLINE void masked_softmax(int q, float scale, float *scores) {
  vector total = {0}, first = (vector){0} + scores[0], most = first;
  for (int k = 0; k < KEYS; k += LANES) most = larger(choose(is_visible(q, k), load(scores + k), first), most);
  float highest = largest(most);
  for (int k = 0; k < KEYS; k += LANES) {
    vector visible = (vector)(is_visible(q, k) & (mask)((vector){0} + 1.0f));
    vector e = exponential((load(scores + k) - highest) * scale * visible) * visible;
    store(scores + k, e);
    total += e;
  }
  float inverse = 1.0f / sum(total);
  for (int k = 0; k < KEYS; k += LANES) store(scores + k, load(scores + k) * inverse);
}
INLINE unsigned place(int window, int head, int q, int k) { return (((unsigned)window * HEADS + head) * QUERIES + q) * STEPS + k; }
// turned[HEAD, KEYS] = from[STEPS, ..]^T, its padding zero
INLINE void turn(const float *from, int from_row, float *turned) {
  clear(turned, HEAD * KEYS);
  for (int k = 0; k < STEPS; k++)
    for (int d = 0; d < HEAD; d++) turned[d * KEYS + k] = from[k * from_row + d];
}
static void forward_window(int window, const arguments_t *a, window_t *w) {
  const float *x = a->x + (long)window * STEPS * HIDDEN, *p = a->parameters, scale = 1.0f / __builtin_sqrtf(DEPTH);
  dropout_t dropout = dropout_of(a->control, SITE);
  product(QUERIES, HEADS * HEAD, HIDDEN, x + FIRST * HIDDEN, HIDDEN, 1, p + OFFSET_QUERY_WEIGHT, HEADS * HEAD, w->query, HEADS * HEAD, 0, 0);
  product(STEPS, HEADS * HEAD, HIDDEN, x, HIDDEN, 1, p + OFFSET_KEY_WEIGHT, HEADS * HEAD, w->key, HEADS * HEAD, 0, 0);
  product(STEPS, HEAD, HIDDEN, x, HIDDEN, 1, p + OFFSET_VALUE_WEIGHT, HEAD, w->value, HEAD, 0, 0);
  clear(w->mean, QUERIES * KEYS);
  for (int head = 0; head < HEADS; head++) {
    float *weights = w->weights + head * QUERIES * KEYS;
    turn(w->key + head * HEAD, HEADS * HEAD, w->turned);
    product(QUERIES, KEYS, HEAD, w->query + head * HEAD, HEADS * HEAD, 1, w->turned, KEYS, weights, KEYS, 0, 0);
    for (int q = 0; q < QUERIES; q++) {
      masked_softmax(q, scale, weights + q * KEYS);
      for (int k = 0; k < KEYS; k += LANES)
        store(w->mean + q * KEYS + k, load(w->mean + q * KEYS + k) + dropped(dropout, place(window, head, q, k), load(weights + q * KEYS + k)) * (1.0f / HEADS));
    }
  }
  product(QUERIES, HEAD, STEPS, w->mean, KEYS, 1, w->value, HEAD, w->seen, HEAD, 0, 0); // equation 14
  product(QUERIES, INNER, DEPTH, w->seen, HEAD, 1, p + OFFSET_OUT_WEIGHT, INNER, w->out, INNER, 0, 0);
}

#ifdef FORWARD
static void forward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  window_t w;
  for (int window = share * SHARE_WINDOWS; window < LAST(share); window++) {
    forward_window(window, a, &w);
    repack(QUERIES, HIDDEN, w.out, a->y + (long)window * QUERIES * HIDDEN, HIDDEN);
  }
}
void attention(float *y, const float *x, const float *parameters, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.y = y, .x = x, .parameters = parameters, .control = control};
  parallel(host, SHARES, forward_item, &a);
}
#endif

#ifdef BACKWARD
#define TRANSPOSED_KEY (HEADS * HEAD * INNER)
#define TRANSPOSED_VALUE (2 * HEADS * HEAD * INNER)
#define TRANSPOSED_OUT (TRANSPOSED_VALUE + HEAD * INNER)
#define TRANSPOSED (TRANSPOSED_OUT + INNER * HEAD)
static void backward_window(int window, const arguments_t *a, window_t *w, float *g) {
  ALIGNED float dy[QUERIES * INNER], dseen[QUERIES * HEAD], dmean[QUERIES * KEYS], dscores[QUERIES * KEYS], dvalue[STEPS * HEAD], dquery[QUERIES * HEADS * HEAD], dkey[STEPS * HEADS * HEAD], dx[STEPS * INNER];
  const float *x = a->x + (long)window * STEPS * HIDDEN, *t = a->scratch, scale = 1.0f / __builtin_sqrtf(DEPTH);
  dropout_t dropout = dropout_of(a->control, SITE);
  unpack(QUERIES, HIDDEN, a->dy + (long)window * QUERIES * HIDDEN, HIDDEN, dy);
  weight_gradient(QUERIES, INNER, DEPTH, w->seen, HEAD, dy, INNER, g + OFFSET_OUT_WEIGHT);
  dense(QUERIES, HEAD, INNER, dy, INNER, t + TRANSPOSED_OUT, 0, dseen, HEAD);
  product(STEPS, HEAD, QUERIES, w->mean, 1, KEYS, dseen, HEAD, dvalue, HEAD, 0, 0);
  turn(w->value, HEAD, w->turned);
  product(QUERIES, KEYS, HEAD, dseen, HEAD, 1, w->turned, KEYS, dmean, KEYS, 0, 0);
  for (int head = 0; head < HEADS; head++) {
    const float *weights = w->weights + head * QUERIES * KEYS;
    for (int q = 0; q < QUERIES; q++) {
      vector total = {0};
      for (int k = 0; k < KEYS; k += LANES) {
        vector d = dropped(dropout, place(window, head, q, k), load(dmean + q * KEYS + k)) * (1.0f / HEADS);
        store(dscores + q * KEYS + k, d);
        total += d * load(weights + q * KEYS + k);
      }
      float projection = sum(total);
      for (int k = 0; k < KEYS; k += LANES)
        store(dscores + q * KEYS + k, load(weights + q * KEYS + k) * (load(dscores + q * KEYS + k) - projection) * scale);
    }
    product(QUERIES, HEAD, STEPS, dscores, KEYS, 1, w->key + head * HEAD, HEADS * HEAD, dquery + head * HEAD, HEADS * HEAD, 0, 0);
    product(STEPS, HEAD, QUERIES, dscores, 1, KEYS, w->query + head * HEAD, HEADS * HEAD, dkey + head * HEAD, HEADS * HEAD, 0, 0);
  }
  weight_gradient(QUERIES, HEADS * HEAD, HIDDEN, x + FIRST * HIDDEN, HIDDEN, dquery, HEADS * HEAD, g + OFFSET_QUERY_WEIGHT);
  weight_gradient(STEPS, HEADS * HEAD, HIDDEN, x, HIDDEN, dkey, HEADS * HEAD, g + OFFSET_KEY_WEIGHT);
  weight_gradient(STEPS, HEAD, HIDDEN, x, HIDDEN, dvalue, HEAD, g + OFFSET_VALUE_WEIGHT);
  dense(STEPS, INNER, HEADS * HEAD, dkey, HEADS * HEAD, t + TRANSPOSED_KEY, 0, dx, INNER);
  add_dense(STEPS, INNER, HEAD, dvalue, HEAD, t + TRANSPOSED_VALUE, dx, INNER);
  add_dense(QUERIES, INNER, HEADS * HEAD, dquery, HEADS * HEAD, t, dx + FIRST * INNER, INNER);
  repack(STEPS, HIDDEN, dx, a->dx + (long)window * STEPS * HIDDEN, HIDDEN);
}
static void backward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  float *g = a->scratch + TRANSPOSED + (long)share * PARAMETERS;
  window_t w;
  clear(g, PARAMETERS);
  for (int window = share * SHARE_WINDOWS; window < LAST(share); window++) {
    forward_window(window, a, &w);
    backward_window(window, a, &w, g);
  }
}
void attention_gradient(float *dx, float *dparameters, float *scratch, const float *dy, const float *x, const float *parameters, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.dx = dx, .scratch = scratch, .dy = dy, .x = x, .parameters = parameters, .control = control};
  transpose(HIDDEN, HEADS * HEAD, parameters + OFFSET_QUERY_WEIGHT, scratch);
  transpose(HIDDEN, HEADS * HEAD, parameters + OFFSET_KEY_WEIGHT, scratch + TRANSPOSED_KEY);
  transpose(HIDDEN, HEAD, parameters + OFFSET_VALUE_WEIGHT, scratch + TRANSPOSED_VALUE);
  transpose(DEPTH, INNER, parameters + OFFSET_OUT_WEIGHT, scratch + TRANSPOSED_OUT);
  parallel(host, SHARES, backward_item, &a);
  add_shares(PARAMETERS, SHARES, scratch + TRANSPOSED, dparameters);
}
#endif
