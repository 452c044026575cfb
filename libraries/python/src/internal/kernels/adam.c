// Adam (Kingma & Ba, arXiv 1412.6980, algorithm 1) over every parameter of a model, after clipping the gradient's global norm.
// Built with: TENSORS, SIZES, and the lists of arguments PARAMETER_ARGUMENTS, PARAMETER_NAMES, GRADIENT_ARGUMENTS, GRADIENT_NAMES.
//   control {seed, threshold, step, 0}: the step counts up and the dropout seed moves on
//   report [2]: the loss, and the gradient's norm before clipping; a norm that is not finite changes nothing else
//   settings {learning rate, beta 1, beta 2, epsilon, largest norm (0: no clipping)}
#include "kernel.h"
typedef struct {
  float *const *parameters;
  const float *const *gradients;
  float *first, *second;
  float clip, rate, beta1, beta2, epsilon, correction1, correction2;
} arguments_t;
static const long sizes[TENSORS] = SIZES;
INLINE long offset_of(int tensor) {
  long offset = 0;
  for (int before = 0; before < tensor; before++) offset += sizes[before];
  return offset;
}
INLINE float power(float base, unsigned exponent) {
  float result = 1;
  for (; exponent; exponent >>= 1, base *= base)
    if (exponent & 1) result *= base;
  return result;
}
static void update(const void *pointer, int tensor) {
  const arguments_t *a = pointer;
  float *p = a->parameters[tensor], *m = a->first + offset_of(tensor), *v = a->second + offset_of(tensor);
  const float *g = a->gradients[tensor];
  for (long at = 0; at < sizes[tensor]; at += LANES) {
    vector gradient = load(g + at) * a->clip, root;
    vector first = load(m + at) * a->beta1 + gradient * (1.0f - a->beta1), second = load(v + at) * a->beta2 + gradient * gradient * (1.0f - a->beta2);
    store(m + at, first), store(v + at, second);
    second *= a->correction2;
    UNROLL for (int lane = 0; lane < LANES; lane++) root[lane] = __builtin_sqrtf(second[lane]);
    store(p + at, load(p + at) - a->rate * a->correction1 * first / (root + a->epsilon));
  }
}
void adam(PARAMETER_ARGUMENTS, float *first, float *second, unsigned *control, float *report, const float *loss, GRADIENT_ARGUMENTS, const float *settings, const unsigned long *host) {
  float *const parameters[TENSORS] = {PARAMETER_NAMES};
  const float *const gradients[TENSORS] = {GRADIENT_NAMES};
  double squares = 0;
  for (int tensor = 0; tensor < TENSORS; tensor++)
    for (long at = 0; at < sizes[tensor]; at += LANES) {
      vector g = load(gradients[tensor] + at);
      squares += sum(g * g);
    }
  float norm = (float)__builtin_sqrt(squares);
  report[0] = loss[0], report[1] = norm;
  if (!(norm < __builtin_inff())) return;
  control[0] += 0x9E3779B9u, control[2] += 1;
  arguments_t a = {.parameters = parameters, .gradients = gradients, .first = first, .second = second, .rate = settings[0],
                   .beta1 = settings[1], .beta2 = settings[2], .epsilon = settings[3],
                   .clip = settings[4] > 0 && norm > settings[4] ? settings[4] / norm : 1.0f,
                   .correction1 = 1.0f / (1.0f - power(settings[1], control[2])), .correction2 = 1.0f / (1.0f - power(settings[2], control[2]))};
  parallel(host, TENSORS, update, &a);
}
