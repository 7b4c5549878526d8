// Frames from spectra, windowed and added up at their places. A block takes a run of consecutive frames of one item,
// tile by tile, after those before it that reach into it; it writes the samples from where its first frame begins to
// where that of the next run does. Sums that later frames add to wait in a ring of shared memory behind the rows.
//
// Each sample adds up its frames in the order of time, in whatever tiles and runs they come: results depend on neither.

#include "inverse_fft.cuh"

struct Runs {
    int n_frames, hop, length, ring, log_tile, pitch;
    __device__ __forceinline__ int per_item() const { return (n_frames - 1) / length + 1; }
};

// `fill(frame, n_here)` puts the spectra of a tile into the rows, as put_bins does, and `put(sample, sum)` takes n_fft
// times the result. The ring is a multiple of THREADS, so that a place in it is read and taken anew by one thread.
template <class Fill, class Put>
__device__ __forceinline__ void overlap_add(REAL2* rows, Runs runs, int run, const REAL2* __restrict__ window,
                                            const REAL2* __restrict__ factors, Fill fill, Put put) {
    const int hop = runs.hop, tile = 1 << runs.log_tile, tail = max(2 * N - hop, 0);
    const int own = run * runs.length, end = own + min(runs.length, runs.n_frames - own);
    const int begin = max(own - (2 * N - 1) / hop, 0);
    REAL* const waiting = (REAL*)(rows + (runs.pitch << runs.log_tile));
    int place = threadIdx.x;  // in the ring, of a tile's first samples
    for (int frame = begin; frame < end; frame += tile) {
        const int n_here = min(end - frame, tile);
        fill(frame, n_here);
        __syncthreads();
        transform_back<RADICES>(rows, runs.pitch, runs.log_tile, window, factors);
        const int begun = frame > begin ? tail : 0;  // samples that earlier tiles reach
        const bool last = frame + n_here == runs.n_frames;
        const int done = last ? (n_here - 1) * hop + 2 * N : n_here * hop, reach = last ? done : done + tail;
        const int not_own = frame < own ? (own - frame) * hop : 0;
        int first = 0, beyond = 0, slot = place;  // frames of the tile under a sample
        for (int u = threadIdx.x; u < reach; u += THREADS) {
            while (first * hop + 2 * N <= u) ++first;
            while (beyond < n_here && beyond * hop <= u) ++beyond;
            REAL sum = u < begun ? waiting[slot] : (REAL)0;
            for (int t = first; t < beyond; ++t) {
                const unsigned s = u - t * hop;
                sum += ((const REAL*)(rows + t * runs.pitch))[2 * place_of_point(s / 2) + s % 2];
            }
            if (u >= done) waiting[slot] = sum;
            else if (u >= not_own) put((long long)frame * hop + u, sum);
            slot += THREADS;
            if (slot >= runs.ring) slot -= runs.ring;
        }
        place = (place + n_here * hop) % runs.ring;
        __syncthreads();  // before the rows are used again
    }
}
