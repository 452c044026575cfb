// The embedding of categorical inputs, section 4.2 of arXiv 1912.09363, and its gradient.
//   x [ROWS, VARIABLES] i32 -> rows of one table that holds every variable's vocabulary, [.., PADDED(WIDE)];
//   variable v begins at row FIRST_ROWS[v]. The gradient goes row by row in one thread: always in the same order.
// Built with: ROWS, VARIABLES, WIDE, PARAMETERS, FIRST_ROWS.
#include "kernel.h"
#define SPACE PADDED(WIDE)
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
