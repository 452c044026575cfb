// The gate that closes every block of the paper: y = LayerNorm(skip + value * sigmoid(gate)), equations 2, 5, 17, 20, 22.
// Rows have `output` numbers, a constant where the function is inlined, padded to PADDED(output) of at most GATE_WIDTH, which
// the file that includes this one defines.
#define EPSILON 1e-5f
#define GATE_VECTORS (GATE_WIDTH / LANES)

INLINE vector present(const int output, int vector_index) {
  return (vector)((mask)((lanes() + vector_index * LANES) < (words){0} + (unsigned)output) & (mask)((vector){0} + 1.0f));
}

// gates[rows, 2 * width]: value, gate -> value, sigmoid(gate); skip[rows, width] -> the normalised sum; inverse[rows]: 1 / deviation.
// out[rows, width]: the result (0: not wanted); with weights (one a row, weights_row apart) it is weighted and added to out.
INLINE void gate_and_normalise(const int output, int rows, float *gates, float *skip, float *inverse, const float *scale,
                               const float *shift, float *out, const float *weights, long weights_row) {
  const int width = PADDED(output), vectors = width / LANES;
  for (int row = 0; row < rows; row++) {
    float *value = gates + row * 2 * width, *gate = value + width, *normalised = skip + row * width;
    vector unit[GATE_VECTORS], total = {0}, squares = {0};
    UNROLL for (int j = 0; j < vectors; j++) {
      vector open = sigmoid(load(gate + j * LANES));
      store(gate + j * LANES, open);
      unit[j] = load(normalised + j * LANES) + load(value + j * LANES) * open;
      total += unit[j];
    }
    float mean = sum(total) / output;
    UNROLL for (int j = 0; j < vectors; j++) {
      unit[j] = (unit[j] - mean) * present(output, j);
      squares += unit[j] * unit[j];
    }
    inverse[row] = 1.0f / __builtin_sqrtf(sum(squares) / output + EPSILON);
    UNROLL for (int j = 0; j < vectors; j++) {
      unit[j] *= inverse[row];
      store(normalised + j * LANES, unit[j]);
      if (!out) continue;
      vector result = unit[j] * load(scale + j * LANES) + load(shift + j * LANES);
      if (weights) result = load(out + row * width + j * LANES) + weights[row * weights_row] * result;
      store(out + row * width + j * LANES, result);
    }
  }
}

// delta[rows, width]: gradient of y, delta_row apart -> dskip[rows, width]: gradient of the skip, in place or elsewhere;
// gates: value, sigmoid(gate) -> gradients of value and gate.
// With weights, y was weighted: dweights (weights_row apart) gets their gradient.
INLINE void gate_and_normalise_gradient(const int output, int rows, const float *delta, float *dskip, float *gates, const float *normalised,
                                        const float *inverse, const float *scale, const float *shift, float *scale_gradient,
                                        float *shift_gradient, const float *weights, float *dweights, long weights_row) {
  const int width = PADDED(output), vectors = width / LANES;
  vector dscale[GATE_VECTORS], dshift[GATE_VECTORS];
  UNROLL for (int j = 0; j < vectors; j++) dscale[j] = load(scale_gradient + j * LANES), dshift[j] = load(shift_gradient + j * LANES);
  for (int row = 0; row < rows; row++) {
    float *value = gates + row * 2 * width, *gate = value + width;
    const float *unit = normalised + row * width;
    vector inner[GATE_VECTORS], total = {0}, projection = {0}, weighed = {0};
    UNROLL for (int j = 0; j < vectors; j++) {
      vector dy = load(delta + row * width + j * LANES), u = load(unit + j * LANES), s = load(scale + j * LANES);
      if (weights) {
        weighed += dy * (u * s + load(shift + j * LANES));
        dy *= weights[row * weights_row];
      }
      dscale[j] += dy * u;
      dshift[j] += dy;
      inner[j] = dy * s;
      total += inner[j];
      projection += inner[j] * u;
    }
    if (weights) dweights[row * weights_row] = sum(weighed);
    float mean = sum(total) / output, slope = sum(projection) / output;
    UNROLL for (int j = 0; j < vectors; j++) {
      vector g = load(gate + j * LANES), v = load(value + j * LANES);
      vector dsum = inverse[row] * (inner[j] - mean - load(unit + j * LANES) * slope) * present(output, j);
      store(dskip + row * width + j * LANES, dsum);
      store(value + j * LANES, dsum * g);
      store(gate + j * LANES, dsum * v * g * (1.0f - g));
    }
  }
  UNROLL for (int j = 0; j < vectors; j++) store(scale_gradient + j * LANES, dscale[j]), store(shift_gradient + j * LANES, dshift[j]);
}
