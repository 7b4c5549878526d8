"""Fast versions for NumPy arrays, in Numba."""
