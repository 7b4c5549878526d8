// Energies divided by what is around them, and compressed: the last step of per-channel energy normalisation. A power
// or a bias of 0 stands for a formula of its own.

extern "C" __global__ void controlled(const REAL* __restrict__ S, const REAL* __restrict__ smoothed,
                                      REAL* __restrict__ out, long long total, REAL gain, REAL bias, REAL power,
                                      REAL eps) {
    const REAL root = pow(bias, power), part = 1 / bias;
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < total;
         i += (long long)gridDim.x * blockDim.x) {
        const REAL quotient = S[i] * pow(smoothed[i] + eps, -gain);
        if (power == 0) out[i] = log1p(quotient);
        else if (bias == 0) out[i] = pow(quotient, power);
        else out[i] = root * expm1(power * log1p(quotient * part));
    }
}
