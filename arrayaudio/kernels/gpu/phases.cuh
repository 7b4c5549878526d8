// How many products make so many phases.
__device__ constexpr int products_of(int phases) { return phases == 1 ? 1 : 3 * products_of(phases / 2); }
