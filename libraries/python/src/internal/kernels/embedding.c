// The embeddings of real and of categorical inputs, section 4.2 of arXiv 1912.09363, and their gradients.
// Real (REAL 1):      x [ROWS, VARIABLES] f32 -> x w + b [ROWS, VARIABLES, WIDE]; parameters: w, then b, each [VARIABLES, PADDED(WIDE)]
// Categories (REAL 0): x [ROWS, VARIABLES] i32 -> rows of one table that holds every variable's vocabulary, [.., PADDED(WIDE)];
//                      variable v begins at row FIRST_ROWS[v]. The gradient goes row by row in one thread: always in the same order.
// Built with: ROWS, VARIABLES, WIDE, SHARES, REAL, PARAMETERS; FIRST_ROWS for categories.
#include "kernel.h"
#define SPACE PADDED(WIDE)
#define SHARE_ROWS ((ROWS + SHARES - 1) / SHARES)
#define LAST(share) ((share + 1) * SHARE_ROWS < ROWS ? (share + 1) * SHARE_ROWS : ROWS)
typedef struct {
  float *y, *dx, *scratch;
  const float *dy, *x, *parameters;
} arguments_t;
#if REAL
#ifdef FORWARD
static void forward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  const float *weight = a->parameters, *bias = weight + VARIABLES * SPACE;
  for (long row = share * SHARE_ROWS; row < LAST(share); row++)
    for (int v = 0; v < VARIABLES; v++) {
      float x = a->x[row * VARIABLES + v], *y = a->y + (row * VARIABLES + v) * WIDE;
      for (int j = 0; j < WIDE; j++) y[j] = x * weight[v * SPACE + j] + bias[v * SPACE + j];
    }
}
void embedding(float *y, const float *x, const float *parameters, const unsigned *control, const unsigned long *host) {
  arguments_t a = {.y = y, .x = x, .parameters = parameters};
  parallel(host, SHARES, forward_item, &a);
}
#else
static void backward_item(const void *pointer, int share) {
  const arguments_t *a = pointer;
  float *g = a->scratch + (long)share * PARAMETERS;
  clear(g, PARAMETERS);
  for (long row = share * SHARE_ROWS; row < LAST(share); row++)
    for (int v = 0; v < VARIABLES; v++) {
      float x = a->x[row * VARIABLES + v], dx = 0, *dweight = g + v * SPACE, *dbias = dweight + VARIABLES * SPACE;
      const float *dy = a->dy + (row * VARIABLES + v) * WIDE, *weight = a->parameters + v * SPACE;
      for (int j = 0; j < WIDE; j++) dweight[j] += x * dy[j], dbias[j] += dy[j];
      for (int j = 0; j < WIDE; j++) dx += dy[j] * weight[j];
      a->dx[row * VARIABLES + v] = dx;
    }
}
void embedding_gradient(float *dx, float *dparameters, float *scratch, const float *dy, const float *x, const float *parameters,
                        const unsigned *control, const unsigned long *host) {
  arguments_t a = {.dx = dx, .scratch = scratch, .dy = dy, .x = x, .parameters = parameters};
  parallel(host, SHARES, backward_item, &a);
  add_shares(PARAMETERS, SHARES, scratch, dparameters);
}
#endif
#else
static const int first_rows[VARIABLES] = FIRST_ROWS;
#ifdef FORWARD
void embedding(float *y, const float *parameters, const int *x, const unsigned *control, const unsigned long *host) {
  for (long at = 0; at < (long)ROWS * VARIABLES; at++)
    for (int j = 0; j < WIDE; j++) y[at * WIDE + j] = parameters[(long)(first_rows[at % VARIABLES] + x[at]) * SPACE + j];
}
#else
void embedding_gradient(float *dparameters, float *scratch, const float *dy, const float *parameters, const int *x, const unsigned *control, const unsigned long *host) {
  clear(dparameters, PARAMETERS);
  for (long at = 0; at < (long)ROWS * VARIABLES; at++)
    for (int j = 0; j < WIDE; j++) dparameters[(long)(first_rows[at % VARIABLES] + x[at]) * SPACE + j] += dy[at * WIDE + j];
}
#endif
#endif
