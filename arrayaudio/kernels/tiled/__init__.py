"""What kernels.cpu does, with NumPy and SciPy alone, where Numba is missing: tiles that fit the cache, in threads."""
