// The gate that closes every block of the paper: y = LayerNorm(skip + value * sigmoid(gate)), equations 2, 5, 17, 20, 22.
// Rows have `output` numbers, a constant where the function is inlined, padded to PADDED(output) of at most GATE_WIDTH, which
// the file that includes this one defines.
#define EPSILON 1e-5f
#define GATE_VECTORS (GATE_WIDTH / LANES)

INLINE vector present(const int output, int vector_index) {
  return (vector)((mask)((lanes() + vector_index * LANES) < (words){0} + (unsigned)output) & (mask)((vector){0} + 1.0f));
}

// Sums over rows are taken of four rows together: four sums take little longer than one.
#define TOGETHER 4
#define FOUR(row) for (int i = row; i < rows && i < row + TOGETHER; i++)
#if defined(FORWARD) && !KEEPS // nobody reads an open gate or a normalised sum again
#define READ_AGAIN 0
#else
#define READ_AGAIN 1
#endif

// gates[rows, 2 * width]: value, gate -> value, sigmoid(gate), where it is read again; skip[rows, width], in place or elsewhere ->
// normalised[rows, width]: the normalised sum, where it is read again; means[rows]: what was subtracted; inverse[rows]: 1 / deviation.
// out[rows, width] (0: not wanted): the result; with weights (one a row, weights_row apart) it is weighted and added to out.
// Each pass is over all rows: within a row, every sum waits for the pass before it.
INLINE void gate_and_normalise(const int output, int rows, float *gates, const float *skip, long skip_row, float *normalised, float *means, float *inverse,
                               const float *scale, const float *shift, float *out, long out_row, const float *weights, long weights_row) {
  const int width = PADDED(output), vectors = width / LANES;
  ALIGNED float found[LANES];
  for (int row = 0; row < rows; row += TOGETHER) {
    vector total[TOGETHER] = {0};
    FOUR(row) {
      float *value = gates + i * 2 * width, *gate = value + width, *unit = normalised + i * width;
      vector all = {0};
      UNROLL for (int j = 0; j < vectors; j++) {
        vector open = sigmoid(load(gate + j * LANES)), added = load(skip + i * skip_row + j * LANES) + load(value + j * LANES) * open;
        if (READ_AGAIN) store(gate + j * LANES, open);
        store(unit + j * LANES, added);
        all += added;
      }
      total[i - row] = all;
    }
    store(found, four_sums(total) / (float)output);
    FOUR(row) means[i] = found[SUM_OF(i - row)];
  }
  for (int row = 0; row < rows; row += TOGETHER) {
    vector squares[TOGETHER] = {0};
    FOUR(row) {
      const float *unit = normalised + i * width;
      vector all = {0};
      UNROLL for (int j = 0; j < vectors; j++) {
        vector centred = (load(unit + j * LANES) - means[i]) * present(output, j);
        all += centred * centred;
      }
      squares[i - row] = all;
    }
    store(found, inverse_root(four_sums(squares) / (float)output + EPSILON));
    FOUR(row) inverse[i] = found[SUM_OF(i - row)];
  }
  for (int i = 0; i < rows; i++)
    UNROLL for (int j = 0; j < vectors; j++) {
      float *unit = normalised + i * width + j * LANES, *y = out + i * out_row + j * LANES;
      vector centred = (load(unit) - means[i]) * present(output, j), result = centred * inverse[i];
      if (READ_AGAIN) store(unit, result);
      if (!out) continue;
      result = result * load(scale + j * LANES) + load(shift + j * LANES);
      if (weights) result = load(y) + weights[i * weights_row] * result;
      store(y, result);
    }
}

// The normalised sum again, to the same bits, from what `gate_and_normalise` left: skip[rows, width] -> the normalised sum.
INLINE void normalise_again(const int output, int rows, const float *gates, float *skip, const float *means, const float *inverse) {
  const int width = PADDED(output), vectors = width / LANES;
  for (int i = 0; i < rows; i++)
    UNROLL for (int j = 0; j < vectors; j++) {
      float *unit = skip + i * width + j * LANES;
      const float *value = gates + i * 2 * width + j * LANES;
      vector added = load(unit) + load(value) * load(value + width), centred = (added - means[i]) * present(output, j);
      store(unit, centred * inverse[i]);
    }
}

// delta[rows, width]: gradient of y -> dskip[rows, width]: gradient of the skip, in place or elsewhere;
// gates: value, sigmoid(gate) -> dgates: gradients of value and gate, in place or elsewhere.
// With weights, y was weighted: dweights (weights_row apart) gets their gradient.
INLINE void gate_and_normalise_gradient(const int output, int rows, const float *delta, float *dskip, const float *gates, float *dgates, const float *normalised,
                                        const float *inverse, const float *scale, const float *shift, float *scale_gradient,
                                        float *shift_gradient, const float *weights, float *dweights, long weights_row) {
  const int width = PADDED(output), vectors = width / LANES;
  vector dscale[GATE_VECTORS], dshift[GATE_VECTORS];
  UNROLL for (int j = 0; j < vectors; j++) dscale[j] = load(scale_gradient + j * LANES), dshift[j] = load(shift_gradient + j * LANES);
  for (int row = 0; row < rows; row += TOGETHER) {
    vector total[TOGETHER] = {0}, projection[TOGETHER] = {0}, weighed[TOGETHER] = {0};
    ALIGNED float mean[LANES], slope[LANES], weight_gradient[LANES];
    FOUR(row) {
      vector all = {0}, along = {0}, whole = {0};
      UNROLL for (int j = 0; j < vectors; j++) {
        vector dy = load(delta + i * width + j * LANES), unit = load(normalised + i * width + j * LANES), s = load(scale + j * LANES);
        if (weights) {
          whole += dy * (unit * s + load(shift + j * LANES));
          dy *= weights[i * weights_row];
        }
        dscale[j] += dy * unit;
        dshift[j] += dy;
        all += dy * s;
        along += dy * s * unit;
      }
      total[i - row] = all, projection[i - row] = along, weighed[i - row] = whole;
    }
    store(mean, four_sums(total) / (float)output), store(slope, four_sums(projection) / (float)output);
    if (weights) store(weight_gradient, four_sums(weighed));
    FOUR(row) {
      const float *value = gates + i * 2 * width, *gate = value + width, weight = weights ? weights[i * weights_row] : 1.0f;
      if (weights) dweights[i * weights_row] = weight_gradient[SUM_OF(i - row)];
      UNROLL for (int j = 0; j < vectors; j++) {
        vector g = load(gate + j * LANES), v = load(value + j * LANES), dy = load(delta + i * width + j * LANES) * weight;
        vector scaled = dy * load(scale + j * LANES); // rounded on its own, as in the sum: one number wide, it is its own mean, and nothing is left
        vector dsum = inverse[i] * (scaled - mean[SUM_OF(i - row)] - load(normalised + i * width + j * LANES) * slope[SUM_OF(i - row)]) * present(output, j);
        store(dskip + i * width + j * LANES, dsum);
        store(dgates + i * 2 * width + j * LANES, dsum * g);
        store(dgates + i * 2 * width + width + j * LANES, dsum * v * g * (1.0f - g));
      }
    }
  }
  UNROLL for (int j = 0; j < vectors; j++) store(scale_gradient + j * LANES, dscale[j]), store(shift_gradient + j * LANES, dshift[j]);
}
