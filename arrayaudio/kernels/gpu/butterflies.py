"""Small Fourier transforms as CUDA C functions on registers, printed from their lists of operations."""

import functools
from collections.abc import Sequence

from arrayaudio.kernels.codelets import codelet

_FORMS = {"add": "v{} + v{}", "sub": "v{} - v{}", "scale": "v{} * (REAL){!r}", "neg": "-v{}"}


def _butterfly(n: int) -> str:
    code = codelet(n)
    lines = [f"const REAL v{2 * j} = x[{j}].x, v{2 * j + 1} = x[{j}].y;" for j in range(n)]
    lines += [f"const REAL v{result} = {_FORMS[kind].format(a, b)};" for kind, result, a, b in code.operations]
    lines += [f"x[{k}].x = v{re}, x[{k}].y = v{im};" for k, (re, im) in enumerate(code.outputs)]
    body = "\n    ".join(lines)
    return f"template <> __device__ __forceinline__ void butterfly<{n}>(REAL2 (&x)[{n}]) {{\n    {body}\n}}\n"


@functools.cache
def butterflies(sizes: Sequence[int]) -> str:
    """Return functions `butterfly<n>`, which transform n complex numbers in place, for each of the sizes."""
    head = "template <int n> __device__ void butterfly(REAL2 (&x)[n]);\n"
    return head + "".join(map(_butterfly, sorted(set(sizes))))
