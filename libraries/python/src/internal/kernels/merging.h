// The inner and the gate layer of gated residual networks in one, for a forecast, where nothing is dropped in between.
// The file that includes this one defines arguments_t, its member NETWORKS with the parameters of each network, and MERGED_WIDTH, the
// padded outputs of the gate layer. A merged layer is its weight [HIDDEN, 2 * MERGED_WIDTH], then its bias.
#define MERGED ((HIDDEN + 1) * 2 * MERGED_WIDTH)

static void merge_item(const void *pointer, int network) {
  const arguments_t *a = pointer;
  const float *p = a->NETWORKS + (long)network * PARAMETERS;
  float *merged = a->scratch + (long)network * MERGED;
  dense(HIDDEN, 2 * MERGED_WIDTH, HIDDEN, p + OFFSET_INNER_WEIGHT, INNER, p + OFFSET_GATE_WEIGHT, 0, merged, 2 * MERGED_WIDTH);
  dense(1, 2 * MERGED_WIDTH, HIDDEN, p + OFFSET_INNER_BIAS, INNER, p + OFFSET_GATE_WEIGHT, p + OFFSET_GATE_BIAS, merged + HIDDEN * 2 * MERGED_WIDTH, 2 * MERGED_WIDTH);
}
INLINE int merges(const arguments_t *a) { return MERGES && dropout_of(a->control, SITE).threshold == 0; }
