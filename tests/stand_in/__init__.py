"""A stand-in for CuPy, so that all tests walk the code for GPUs where there is none.

    pytest --stand-in                             every test that takes an array library, or a GPU
    pytest --stand-in tests/test_kernels_gpu.py   one file

Arrays are NumPy's, wrapped, and as strict as CuPy's: nothing becomes a NumPy array but by `get`, and nothing of NumPy's
mixes with them. Names that CuPy lacks are missing, and so are arguments; new memory holds NaN. There are two devices,
and an array is of use on its own alone; memory ends at the pool's `set_limit`; what one stream writes another must wait
for (`streams.py`); forks of the process cannot use CUDA. The loader compiles, loads and launches the sources of kernels
as on a device, and the emulator runs them: every launch of a test with `gpu` in all orders of threads, which must agree
bit for bit, and others in one.

Tests of kernels take the fixture `gpu`, and run on the stand-in or, where there is one, on a device; without either,
they are left out. Arrays come from `gpu.asarray(x)` and go back by `gpu.to_numpy(x)`; `gpu.launches` lists the programs
(`loader.Program`) that were launched, in turn; `gpu.limit_shared_memory(n_bytes)` makes it a device with so much for a
block. Tests that want `emulator.EmulationError` take `stand_in`, which is `gpu`, but never a device. When a test has
changed a kernel's source, as one that takes out a barrier does, `gpu.unload()` lets it be compiled again.
"""

from .modules import install

__all__ = ["install"]
