"""Codelets, carried out one operation at a time, against sums written as loops."""

import cmath
import math

import numpy as np
import pytest

from arrayaudio.kernels.codelets import codelet

SIZES = [n for n in range(1, 33) if all(n % p for p in (11, 13, 17, 19, 23, 29, 31))]


def carry_out(code, x):
    """The outputs of a codelet for complex inputs."""
    values = [part for z in x for part in (z.real, z.imag)]
    for kind, result, a, b in code.operations:
        assert result == len(values)
        values.append(
            {
                "add": lambda a, b: values[a] + values[b],
                "sub": lambda a, b: values[a] - values[b],
                "scale": lambda a, b: values[a] * b,
                "neg": lambda a, _: -values[a],
            }[kind](a, b)
        )
    return [complex(values[re], values[im]) for re, im in code.outputs]


def naive(x):
    """X[k] = sum over j of x[j] exp(-2 pi i j k / n)."""
    n = len(x)
    return [sum(x[j] * cmath.exp(-2j * math.pi * (j * k % n) / n) for j in range(n)) for k in range(n)]


@pytest.mark.parametrize("n", [*SIZES, 11, 13, 22, 64])
def test_codelets_are_fourier_transforms(n, rng):
    x = list(rng.standard_normal(n) + 1j * rng.standard_normal(n))
    result, expected = carry_out(codelet(n), x), naive(x)
    assert np.abs(np.subtract(result, expected)).max() <= 1e-15 * n * np.abs(expected).max()


@pytest.mark.parametrize("n", [4, 8, 16, 32])
def test_powers_of_two_take_as_few_operations_as_split_radix(n):
    counted = [kind for kind, *_ in codelet(n).operations if kind != "neg"]
    assert len(counted) == 4 * n * math.log2(n) - 6 * n + 8


@pytest.mark.parametrize("n", SIZES)
def test_every_operation_uses_what_is_there_and_is_used(n):
    code = codelet(n)
    used = {number for pair in code.outputs for number in pair}
    for kind, result, a, b in code.operations:
        sources = {a, b} if kind in ("add", "sub") else {a}
        assert all(0 <= source < result for source in sources)
        used |= sources
    assert used == set(range(2 * n + len(code.operations)))
