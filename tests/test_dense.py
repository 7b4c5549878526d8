"""Inner products of frames with any basis against loops, what they cost, and their gradients."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.constants import Constant
from arrayaudio.dense import COLUMNS, dense, dense_products, merged, merged_adjoint, nested, turns
from arrayaudio.frames import Framing

from .tolerances import assert_same_spectrum

# Frame and hop, in every relation to each other that has a way of its own.
SIZES = [(64, 16), (64, 8), (64, 3), (60, 23), (40, 21), (33, 32), (33, 33), (16, 40), (50, 1)]


def naive(y, basis, hop):
    n_rows, n_fft = basis.shape[1:]
    X = np.zeros((len(y), n_rows, 1 + (y.shape[-1] - n_fft) // hop), dtype=complex)
    for item, k, t in np.ndindex(X.shape):
        for n in range(n_fft):
            X[item, k, t] += y[item, t * hop + n] * complex(basis[0, k, n], basis[1, k, n])
    return X


@pytest.mark.parametrize(("n_fft", "hop"), SIZES)
@pytest.mark.parametrize("n_frames", [1, 2, 5, 19])
def test_products_are_those_of_each_frame(n_fft, hop, n_frames, library, dtype, rng):
    y = rng.standard_normal((2, n_fft + (n_frames - 1) * hop + rng.integers(hop))).astype(dtype)
    basis = rng.standard_normal((2, 3, n_fft)).astype(dtype)
    found = library.to_numpy(dense_products(library.asarray(y), library.asarray(basis), hop))
    assert_same_spectrum(found, naive(y.astype(float), basis.astype(float), hop), dtype)


@pytest.mark.parametrize(("n_fft", "hop"), SIZES)
def test_gradients_are_adjoints(n_fft, hop, library, rng):
    y, basis = rng.standard_normal((3, 7 * hop + n_fft)), rng.standard_normal((2, 4, n_fft))
    X, pullback = aa.vjp(lambda *both: dense_products(*both, hop), library.asarray(y), library.asarray(basis))
    X = library.to_numpy(X)
    G = rng.standard_normal(X.shape) + 1j * rng.standard_normal(X.shape)
    to_signal, to_basis = (library.to_numpy(g) for g in pullback(library.asarray(G)))
    assert to_signal.shape == y.shape
    assert to_basis.shape == basis.shape
    product = np.vdot(G, X).real
    assert np.vdot(to_signal, y) == pytest.approx(product, rel=1e-12)
    assert np.vdot(to_basis, basis) == pytest.approx(product, rel=1e-12)


@pytest.mark.parametrize(("n_fft", "hop"), SIZES)
def test_merging_has_its_adjoint(n_fft, hop, library, rng):
    way = turns(19, n_fft, hop)
    products = rng.standard_normal((way.n_products, 2, 3, 5 * way.shifts * way.count))
    X = rng.standard_normal((5, 3, 19)) + 1j * rng.standard_normal((5, 3, 19))
    forward = library.to_numpy(merged(library.asarray(products), way))
    back = library.to_numpy(merged_adjoint(library.asarray(X), way))
    assert np.vdot(X, forward).real == pytest.approx(np.vdot(back, products), rel=1e-12)


@pytest.mark.parametrize("phases", [1, 2, 4, 8])
def test_nested_products_are_a_hankel_product(phases, rng):
    rows, parts, results = (matrix.value for matrix in nested(phases))
    y, w = rng.standard_normal(2 * phases - 1), rng.standard_normal(phases)
    exact = [sum(w[b] * y[p + b] for b in range(phases)) for p in range(phases)]
    np.testing.assert_allclose(results @ ((rows @ y) * (parts @ w)), exact, atol=1e-13)
    assert len(rows) == 3 ** (phases.bit_length() - 1)


@pytest.mark.parametrize(("n_fft", "hop", "share"), [(2048, 512, 9 / 16), (2048, 128, 9 / 16), (400, 160, 0.9)])
def test_overlapping_frames_take_fewer_multiplications_than_frames_times_basis(n_fft, hop, share):
    way = turns(10_000, n_fft, hop)
    assert way.n_products * way.used * way.shifts * way.count <= 1.001 * share * 10_000 * n_fft


@pytest.mark.parametrize("n_fft", range(1, 70))
def test_no_way_costs_more_than_frames_times_basis(n_fft):
    for hop in range(1, 80):
        way = turns(10_000, n_fft, hop)
        assert way.n_products * way.used / way.phases <= n_fft


def test_many_items_go_in_parts(rng):
    y, basis = rng.standard_normal((7, 100)), rng.standard_normal((2, 3, 16))
    together = dense_products(y, basis, 4)
    assert 7 * together.shape[-1] < COLUMNS["cpu"]
    many = np.concatenate([y] * 40)
    np.testing.assert_allclose(dense_products(many, basis, 4), np.concatenate([together] * 40), atol=1e-12)


def test_padding_comes_first_and_batches_keep_their_shape(rng):
    y, basis = rng.standard_normal((2, 3, 200)), rng.standard_normal((2, 5, 32))
    X = dense(y, Framing(32, 8, 16, "reflect"), Constant(basis))
    padded = np.pad(y, ((0, 0), (0, 0), (16, 16)), mode="reflect")
    assert X.shape == (2, 3, 5, 26)
    np.testing.assert_allclose(X[1, 2], naive(padded[1, 2:], basis, 8)[0], atol=1e-12)
