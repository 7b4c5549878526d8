"""A stand-in for CuPy, so that all tests walk the code for GPUs where there is none.

    pytest --stand-in                             every test that takes an array library, or a GPU
    pytest --stand-in tests/test_kernels_gpu.py   one file

Arrays are NumPy's, wrapped, and as strict as CuPy's: nothing becomes a NumPy array but by `get`, and nothing of NumPy's
mixes with them. Names that CuPy lacks are missing, and so are arguments; new memory holds NaN. Sources of kernels are
compiled, loaded and launched by the loader as on a device, and the emulator runs them.

Tests of kernels take the fixture `gpu`. It runs them on the stand-in or, where there is one, on a device; without
either, they are left out. Their arrays come from `gpu.asarray(x)` and go back by `gpu.to_numpy(x)`, and `gpu.launches`
lists the programs (`loader.Program`) that were launched, in turn. With `gpu`, every launch on the stand-in runs in all
orders of threads, which must agree bit for bit (`emulator.EmulationError`); other tests run in one.
`gpu.limit_shared_memory(n_bytes)` makes it a device with so much for a block.
"""

from .modules import install

__all__ = ["install"]
