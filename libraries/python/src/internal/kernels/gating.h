// The gate that closes every block of the paper: y = LayerNorm(skip + value * sigmoid(gate)), equations 2, 5, 17, 19, 20.
// It knows rows of OUTPUT numbers padded to WIDTH; who made value, gate and skip is not its business.
#define WIDTH PADDED(OUTPUT)
#define WIDTH_VECTORS (WIDTH / LANES)
#define EPSILON 1e-5f

INLINE vector present(int vector_index) { return (vector)((mask)((lanes() + vector_index * LANES) < OUTPUT) & (mask)((vector){0} + 1.0f)); }

// gates[rows, 2 * WIDTH]: value, gate -> value, sigmoid(gate); skip[rows, WIDTH] -> the normalised sum; inverse[rows]: 1 / deviation.
SHARED void gate_and_normalise(int rows, float *gates, float *skip, float *inverse, const float *scale, const float *shift, float *out) {
  for (int row = 0; row < rows; row++) {
    float *value = gates + row * 2 * WIDTH, *gate = value + WIDTH, *normalised = skip + row * WIDTH;
    vector total = {0}, squares = {0};
    for (int j = 0; j < WIDTH_VECTORS; j++) {
      store(gate + j * LANES, sigmoid(load(gate + j * LANES)));
      store(normalised + j * LANES, load(normalised + j * LANES) + load(value + j * LANES) * load(gate + j * LANES));
      total += load(normalised + j * LANES);
    }
    float mean = sum(total) / OUTPUT;
    for (int j = 0; j < WIDTH_VECTORS; j++) {
      vector centred = (load(normalised + j * LANES) - mean) * present(j);
      store(normalised + j * LANES, centred);
      squares += centred * centred;
    }
    inverse[row] = 1.0f / __builtin_sqrtf(sum(squares) / OUTPUT + EPSILON);
    for (int j = 0; j < WIDTH_VECTORS; j++) {
      vector unit = load(normalised + j * LANES) * inverse[row];
      store(normalised + j * LANES, unit);
      store(out + row * WIDTH + j * LANES, unit * load(scale + j * LANES) + load(shift + j * LANES));
    }
  }
}

// delta[rows, WIDTH]: gradient of y -> gradient of the skip; gates: value, sigmoid(gate) -> gradients of value and gate.
SHARED void gate_and_normalise_gradient(int rows, float *delta, float *gates, const float *normalised, const float *inverse,
                                        const float *scale, float *scale_gradient, float *shift_gradient) {
  for (int row = 0; row < rows; row++) {
    float *d = delta + row * WIDTH, *value = gates + row * 2 * WIDTH, *gate = value + WIDTH;
    const float *unit = normalised + row * WIDTH;
    vector total = {0}, projection = {0};
    for (int j = 0; j < WIDTH_VECTORS; j++) {
      vector dy = load(d + j * LANES), u = load(unit + j * LANES), inner = dy * load(scale + j * LANES);
      store(scale_gradient + j * LANES, load(scale_gradient + j * LANES) + dy * u);
      store(shift_gradient + j * LANES, load(shift_gradient + j * LANES) + dy);
      store(d + j * LANES, inner);
      total += inner;
      projection += inner * u;
    }
    float mean = sum(total) / OUTPUT, slope = sum(projection) / OUTPUT;
    for (int j = 0; j < WIDTH_VECTORS; j++) {
      vector g = load(gate + j * LANES), v = load(value + j * LANES);
      vector dsum = inverse[row] * (load(d + j * LANES) - mean - load(unit + j * LANES) * slope) * present(j);
      store(d + j * LANES, dsum);
      store(value + j * LANES, dsum * g);
      store(gate + j * LANES, dsum * v * g * (1.0f - g));
    }
  }
}
