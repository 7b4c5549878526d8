// Segments (item, s, n_fft), from number `first` on and `step` apart, added up to samples `begin` to before `end` of
// signals, of which each side is cut by `padding`. Samples before `fresh` hold earlier segments already. Each thread
// gathers what belongs to its sample, so that sums have one order.

extern "C" __global__ void overlapped(const REAL* __restrict__ segments, REAL* __restrict__ out, long long n_items,
                                      long long n_samples, long long n_segments, long long first, long long n_fft,
                                      long long step, long long padding, long long begin, long long end,
                                      long long fresh) {
    for (long long item = blockIdx.y; item < n_items; item += gridDim.y) {
        for (long long i = begin + (long long)blockIdx.x * blockDim.x + threadIdx.x; i < end;
             i += (long long)gridDim.x * blockDim.x) {
            const long long place = i + padding - first * step;
            const long long last = min(place / step, n_segments - 1);
            REAL sum = i < fresh ? out[item * n_samples + i] : (REAL)0;
            for (long long s = place < n_fft ? 0 : (place - n_fft) / step + 1; s <= last; ++s) {
                sum += segments[(item * n_segments + s) * n_fft + place - s * step];
            }
            out[item * n_samples + i] = sum;
        }
    }
}
