"""The one-pole recursion in blocks against the loop."""

import numpy as np
import pytest
import scipy.signal

import arrayaudio as aa
from arrayaudio.recursion import BLOCK, one_pole

from . import naive_features as naive
from . import traced
from .tolerances import assert_same_spectrum

LENGTHS = [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 1000, BLOCK * BLOCK + 1]


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("pole", [0.0, 0.5, 0.97, -0.97, 0.9999, 1.0, -1.0])
def test_blocks_give_what_the_loop_gives(n, pole, library, dtype, rng):
    x = rng.standard_normal((2, n)).astype(dtype)
    array = library.asarray(x)
    result = library.to_numpy(one_pole(array, pole))
    expected = np.stack([naive.one_pole(row, pole) for row in x.astype(np.float64)])
    assert result.dtype == dtype
    assert_same_spectrum(result, expected, dtype)
    np.testing.assert_array_equal(library.to_numpy(array), x)


@pytest.mark.parametrize("n", LENGTHS)
def test_the_state_before_the_first_sample_counts(n, library, dtype, rng):
    x, before = rng.standard_normal((3, n)).astype(dtype), np.array([[2.0], [-5.0], [0.0]], dtype)
    result = library.to_numpy(one_pole(library.asarray(x), 0.9, initial=library.asarray(before)))
    expected = [naive.one_pole(row, 0.9, float(start)) for row, (start,) in zip(x, before, strict=True)]
    assert_same_spectrum(result, expected, dtype)


def test_a_million_samples_are_scipys(dtype, rng):
    x = rng.standard_normal(10**6).astype(dtype)
    assert_same_spectrum(one_pole(x, 0.999), scipy.signal.lfilter([1], [1, -0.999], x.astype(np.float64)), dtype)


def test_each_row_is_on_its_own(library, dtype, rng):
    x = rng.standard_normal((2, 3, 200)).astype(dtype)
    together = library.to_numpy(one_pole(library.asarray(x), 0.97))
    alone = [[library.to_numpy(one_pole(library.asarray(row), 0.97)) for row in item] for item in x]
    assert_same_spectrum(together, alone, dtype)


def test_no_samples_and_no_rows_pass():
    assert one_pole(np.zeros((2, 0)), 0.5).shape == (2, 0)
    assert one_pole(np.zeros((0, 200)), 0.5).shape == (0, 200)


def test_a_namespace_that_records_sees_it_all(rng):
    x = rng.standard_normal((2, 500))
    result = one_pole(traced.Traced(x), 0.9)
    assert isinstance(result, traced.Traced)
    assert_same_spectrum(result.value, one_pole(x, 0.9))


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("pole", [0.0, 0.5, -0.97, 1.0])
def test_a_pole_may_be_an_array(n, pole, library, dtype, rng):
    x = rng.standard_normal((2, n)).astype(dtype)
    result = library.to_numpy(one_pole(library.asarray(x), library.asarray(np.array(pole))))
    assert result.dtype == dtype
    assert_same_spectrum(result, one_pole(x.astype(np.float64), pole), dtype)


@pytest.mark.parametrize("n", [1, 50, BLOCK + 1, 1000])
@pytest.mark.parametrize("pole", [0.0, 0.5, -0.9, 0.99])
def test_a_pole_has_a_gradient(n, pole, rng):
    x, before, weights = rng.standard_normal((2, n)), rng.standard_normal((2, 1)), rng.standard_normal((2, n))

    def loss(pole, x, before):
        return np.sum(one_pole(x, pole, initial=before) * weights)

    gradients = aa.grad(loss, argnums=(0, 1, 2))(np.array(pole), x, before)
    point = (np.array(pole), x, before)
    for place, gradient in enumerate(gradients):
        step = 1e-6 * rng.standard_normal(gradient.shape)
        ahead, behind = (loss(*point[:place], point[place] + s, *point[place + 1 :]) for s in (step, -step))
        assert ahead - behind == pytest.approx(2 * np.sum(gradient * step), rel=1e-6, abs=1e-6 * np.linalg.norm(step))
