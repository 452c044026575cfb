// The last step of variable selection, equations 6 and 8 of arXiv 1912.09363, and its gradient:
// the softmax of the scores weighs the variables' own vectors. Built with: ROWS, VARIABLES, WIDE, SHARES.
//   scores [ROWS, VARIABLES], x [ROWS, VARIABLES, WIDE] -> y [ROWS, WIDE]
#include "kernel.h"
#define SHARE_ROWS ((ROWS + SHARES - 1) / SHARES)
#define LAST(share) ((share + 1) * SHARE_ROWS < ROWS ? (share + 1) * SHARE_ROWS : ROWS)
typedef struct {
  float *y, *dscores, *dx;
  const float *dy, *scores, *x;
} arguments_t;
INLINE void softmax(const float *scores, float *weights) {
  float highest = scores[0], total = 0;
  for (int v = 1; v < VARIABLES; v++) highest = scores[v] > highest ? scores[v] : highest;
  for (int v = 0; v < PADDED(VARIABLES); v++) weights[v] = v < VARIABLES ? scores[v] - highest : -87.0f;
  for (int v = 0; v < PADDED(VARIABLES); v += LANES) store(weights + v, exponential(load(weights + v)));
  for (int v = 0; v < VARIABLES; v++) total += weights[v];
  for (int v = 0; v < VARIABLES; v++) weights[v] /= total;
}
#ifdef FORWARD
static void forward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  ALIGNED float weights[PADDED(VARIABLES)];
  for (long row = share * SHARE_ROWS; row < LAST(share); row++) {
    float *y = a->y + row * WIDE;
    softmax(a->scores + row * VARIABLES, weights);
    clear(y, WIDE);
    for (int v = 0; v < VARIABLES; v++)
      for (int j = 0; j < WIDE; j++) y[j] += weights[v] * a->x[(row * VARIABLES + v) * WIDE + j];
  }
}
void selection(float *y, const float *scores, const float *x, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.y = y, .scores = scores, .x = x};
  parallel(host, SHARES, forward_item, &a);
}
#else
static void backward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  ALIGNED float weights[PADDED(VARIABLES)], dweights[VARIABLES];
  for (long row = share * SHARE_ROWS; row < LAST(share); row++) {
    const float *dy = a->dy + row * WIDE, *x = a->x + row * VARIABLES * WIDE;
    float projection = 0, *dx = a->dx + row * VARIABLES * WIDE;
    softmax(a->scores + row * VARIABLES, weights);
    for (int v = 0; v < VARIABLES; v++) {
      vector total = {0};
      int j = 0;
      for (; j + LANES <= WIDE; j += LANES) total += load(dy + j) * load(x + v * WIDE + j);
      dweights[v] = sum(total);
      for (; j < WIDE; j++) dweights[v] += dy[j] * x[v * WIDE + j];
      for (int k = 0; k < WIDE; k++) dx[v * WIDE + k] = weights[v] * dy[k];
      projection += weights[v] * dweights[v];
    }
    for (int v = 0; v < VARIABLES; v++) a->dscores[row * VARIABLES + v] = weights[v] * (dweights[v] - projection);
  }
}
void selection_gradient(float *dscores, float *dx, float *scratch, const float *dy, const float *scores, const float *x, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.dscores = dscores, .dx = dx, .dy = dy, .scores = scores, .x = x};
  parallel(host, SHARES, backward_item, &a);
}
#endif
