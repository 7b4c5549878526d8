"""Fast versions for CuPy arrays, in CUDA C."""
