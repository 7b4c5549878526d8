"""Products of frames with a basis by cuBLAS, in every precision, and both gradients."""

import ml_dtypes
import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.dense import dense_products, dense_products_adjoint, dense_products_gradient, turns
from arrayaudio.kernels.gpu import dense_products as forth
from arrayaudio.kernels.gpu import dense_products_adjoint as to_signal
from arrayaudio.kernels.gpu import dense_products_gradient as to_basis
from arrayaudio.kernels.gpu import residues

from .tolerances import PRODUCTS, assert_same_spectrum, relative_error

# Frame and hop, in every relation to each other that has a way of its own.
SIZES = [(64, 16), (64, 8), (64, 3), (60, 23), (40, 21), (33, 32), (33, 33), (16, 40), (50, 1)]
HERE = {"trainable": True, "n_fft": 64, "hop_length": 16}


def signals(rng, n_items, n_frames, n_fft, hop, dtype="float32"):
    """A signal that ends behind its last frame, a basis, and a gradient of the coefficients."""
    y = rng.standard_normal((n_items, n_fft + (n_frames - 1) * hop + rng.integers(hop))).astype(dtype)
    basis = rng.standard_normal((2, 5, n_fft)).astype(dtype)
    G = rng.standard_normal((2, n_items, 5, n_frames)).astype(dtype)
    return y, basis, G[0] + 1j * G[1]


def found_and_exact(gpu, y, basis, G, hop, precision):
    """What the GPU and what the references in double precision make of a basis, forth and back."""
    place, n_fft, n = gpu.asarray, basis.shape[-1], y.shape[-1]
    found = (
        forth.dense_products(place(y), place(basis), hop, precision),
        to_signal.dense_products_adjoint(place(G), place(basis), hop, n, precision),
        to_basis.dense_products_gradient(place(G), place(y), n_fft, hop, precision),
    )
    y, basis, G = y.astype(float), basis.astype(float), G.astype(complex)
    exact = (
        dense_products.reference(y, basis, hop),
        dense_products_adjoint.reference(G, basis, hop, n),
        dense_products_gradient.reference(G, y, n_fft, hop),
    )
    return [gpu.to_numpy(x) for x in found], exact


@pytest.mark.parametrize(("n_fft", "hop"), SIZES)
@pytest.mark.parametrize(("n_items", "n_frames"), [(1, 1), (3, 2), (2, 5), (3, 19)])
@pytest.mark.parametrize("precision", PRODUCTS)
def test_products_and_gradients(n_fft, hop, n_items, n_frames, precision, gpu, rng):
    found, exact = found_and_exact(gpu, *signals(rng, n_items, n_frames, n_fft, hop), hop, precision)
    for mine, reference in zip(found, exact, strict=True):
        assert relative_error(mine, reference) <= PRODUCTS[precision]
    names = [program.name for program in gpu.launches]
    assert names == (
        ["merged", "merged_adjoint", "merged_adjoint"]
        if precision != "bf16x3"
        else ["bfloat16"] * 2
        + ["merged", "bfloat16", "merged_adjoint", "bfloat16", "merged_adjoint"]
        + ["bfloat16"] * 2
    )


@pytest.mark.parametrize(("n_fft", "hop"), SIZES[:5])
def test_double_precision(n_fft, hop, gpu, rng):
    found, exact = found_and_exact(gpu, *signals(rng, 2, 11, n_fft, hop, "float64"), hop, None)
    for mine, reference in zip(found, exact, strict=True):
        assert_same_spectrum(mine, reference, "float64")


@pytest.mark.parametrize("precision", ["tf32", "bf16x3"])
def test_less_precision_is_less_precise(precision, stand_in, rng):
    """Else the request would have been ignored."""
    found, exact = found_and_exact(stand_in, *signals(rng, 2, 11, 64, 16), 16, precision)
    for mine, reference in zip(found, exact, strict=True):
        assert relative_error(mine, reference) > 2 * PRODUCTS[None]


def test_items_go_in_parts(gpu, rng, monkeypatch):
    monkeypatch.setattr(residues, "TOGETHER", 24)  # two items
    found, exact = found_and_exact(gpu, *signals(rng, 5, 11, 64, 16), 16, None)
    for mine, reference in zip(found, exact, strict=True):
        assert_same_spectrum(mine, reference, "float32")
    assert len(gpu.launches) == 9


def test_none_of_many_and_all_of_none(gpu, rng):
    y, basis, G = (gpu.asarray(x) for x in signals(rng, 3, 11, 64, 16))
    assert forth.dense_products(y[:0], basis, 16).shape == (0, 5, 11)
    assert to_signal.dense_products_adjoint(G[:0], basis, 16, 300).shape == (0, 300)
    assert not gpu.to_numpy(to_basis.dense_products_gradient(G[:0], y[:0], 64, 16)).any()
    assert gpu.launches == []


def test_any_memory_layout(gpu, rng):
    y, basis, _ = (gpu.asarray(x) for x in signals(rng, 4, 11, 64, 16))
    expected = forth.dense_products(gpu.asarray(gpu.to_numpy(y[::2, ::-1])), basis, 16)
    np.testing.assert_array_equal(gpu.to_numpy(forth.dense_products(y[::2, ::-1], basis, 16)), gpu.to_numpy(expected))


def test_frames_are_never_copied(stand_in, rng):
    """They would take 16 times the memory of the signal; products and results take as much, and half of it."""
    import cupy

    n = 2**14
    y, basis = stand_in.asarray(rng.standard_normal((1, n)).astype("float32")), rng.standard_normal((2, 1, 64))
    basis, pool = stand_in.asarray(basis.astype("float32")), cupy.get_default_memory_pool()
    pool.set_limit(pool.used_bytes() + 3 * 4 * n)
    try:
        X = forth.dense_products(y, basis, 4)
        del y
        to_signal.dense_products_adjoint(X, basis, 4, n)
    finally:
        pool.set_limit(0)


@pytest.mark.parametrize("n_fft", [512, 1024, 2048, 3000])
def test_nested_products_are_used_where_they_are_fewer(n_fft):
    for hop in range(1, 2 * n_fft, 7):
        way = turns(10**5, n_fft, hop)
        share = way.n_products * way.used / (way.phases * n_fft)
        chosen = residues.nested_is_faster(10**5, n_fft, hop, None)
        assert chosen == (n_fft >= 1024 and share <= 0.76), hop
        assert not residues.nested_is_faster(10**5, n_fft, hop, "tf32")
    assert not residues.nested_is_faster(7, n_fft, n_fft // 4, None)


def test_nested_products_and_other_precisions_are_declined(gpu, rng, monkeypatch):
    y, basis, G = (gpu.asarray(x) for x in signals(rng, 1, 9, 1024, 256))
    wide = [gpu.asarray(gpu.to_numpy(x).astype(np.result_type(x.dtype, float))) for x in (y, basis, G)]
    for (a, b, g), precision in (((y, basis, G), None), (wide, "tf32"), (wide, "bf16x3")):
        assert forth.dense_products(a, b, 256, precision) is NotImplemented
        assert to_signal.dense_products_adjoint(g, b, 256, 4000, precision) is NotImplemented
        assert to_basis.dense_products_gradient(g, a, 1024, 256, precision) is NotImplemented
    assert gpu.launches == []


def test_numbers_as_sums_of_two(gpu, rng):
    x = np.concatenate([rng.standard_normal(500), 10.0 ** rng.uniform(-45, 38, 500), [0, -0.0, 3.4e38, np.inf, np.nan]])
    x = x.astype("float32")
    parts = residues.operand_parts(gpu.asarray(x), "bf16x3")
    high, low = (gpu.to_numpy(part).view(ml_dtypes.bfloat16).astype("float32") for part in parts)
    np.testing.assert_array_equal(high, x.astype(ml_dtypes.bfloat16).astype("float32"))
    with np.errstate(invalid="ignore"):
        rest = (x - high).astype(ml_dtypes.bfloat16).astype("float32")
    np.testing.assert_array_equal(low, rest)


@pytest.mark.parametrize("precision", ["tf32", "bf16x3"])
@pytest.mark.parametrize("transform", [aa.STFT(**HERE), aa.MelSpectrogram(sr=8000, n_mels=9, n_fft=64, hop_length=16)])
def test_transforms_learn_in_any_precision(transform, precision, gpu, rng):
    y = rng.standard_normal((2, 500)).astype("float32")
    basis = aa.STFT(**HERE).params["basis"]

    def results(y, basis, **changes):
        made = type(transform)(**{name: getattr(transform, name) for name in SETTINGS[type(transform)]} | changes)
        S, pullback = aa.vjp(lambda y, basis: abs(made.with_params({"basis": basis})(y)) ** 2, y, basis)
        return [S, *pullback(S)]

    exact = results(y.astype(float), basis.astype(float))
    found = results(gpu.asarray(y), gpu.asarray(basis), precision=precision)
    for mine, reference in zip(found, exact, strict=True):
        assert relative_error(gpu.to_numpy(mine), reference) <= PRODUCTS[precision]


SETTINGS = {aa.STFT: ("n_fft", "hop_length"), aa.MelSpectrogram: ("sr", "n_mels", "n_fft", "hop_length")}


class TestRefusals:
    def test_unknown_ones(self):
        with pytest.raises(aa.ParameterError, match="precision='half': must be one of"):
            aa.STFT(precision="half")

    def test_without_a_learned_basis(self, rng):
        stft = aa.STFT(**HERE, precision="tf32")
        for layer in (stft, stft.with_params({"window": np.ones(64)})):
            with pytest.raises(aa.ParameterError, match="precision='tf32': is that of products with a learned basis"):
                layer(rng.standard_normal(300).astype("float32"))

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_on_a_cpu(self, dtype, rng):
        stft = aa.STFT(**HERE, precision="bf16x3")
        layer = stft.with_params(stft.params)
        with pytest.raises(aa.ParameterError, match="precision='bf16x3': needs float32 signals on a GPU"):
            layer(rng.standard_normal(300).astype(dtype))

    def test_in_double_precision_and_without_tensor_cores(self, rng, stand_in, monkeypatch):
        import cupy

        stft = aa.STFT(**HERE, precision="tf32")
        layer, y = stft.with_params(stft.params), rng.standard_normal(300)
        with pytest.raises(aa.ParameterError, match="needs float32 signals"):
            layer(stand_in.asarray(y))
        layer(stand_in.asarray(y.astype("float32")))
        monkeypatch.setattr(cupy.cuda.Device, "compute_capability", "75")
        with pytest.raises(aa.ParameterError, match="tensor cores"):
            layer(stand_in.asarray(y.astype("float32")))


def test_settings_keep_it():
    stft = aa.STFT(**HERE, precision="bf16x3")
    assert aa.STFT.from_json(stft.to_json()) == stft
    assert "precision='bf16x3'" in repr(stft)
