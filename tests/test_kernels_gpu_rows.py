"""Kernels that go along rows, or mix them, against their references in float64."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.constants import Constant, Given
from arrayaudio.gain_control import Control, controlled
from arrayaudio.kernels.gpu import controlled as control
from arrayaudio.kernels.gpu import mix_rows as mixing
from arrayaudio.kernels.gpu import one_pole as recursion
from arrayaudio.project import mix_rows
from arrayaudio.recursion import one_pole

from .tolerances import assert_same_spectrum, relative_error


def run(gpu, kernel, x, *arguments, **options):
    """The result of a kernel, which leaves its input as it is."""
    given = gpu.asarray(x)
    result = kernel(given, *arguments, **options)
    np.testing.assert_array_equal(gpu.to_numpy(given), x)
    assert result.flags.c_contiguous
    assert result.dtype == x.dtype
    return gpu.to_numpy(result)


class TestMixRows:
    @pytest.mark.parametrize(
        ("shape", "n_out"),
        [
            ((5, 1), 1),
            ((8, 33), 2),
            ((2, 3, 7, 50), 13),
            ((3, 64, 129), 20),
            ((40, 300), 16),
            ((1, 1, 130), 17),
            ((2, 9, 31), 64),
        ],
    )
    @pytest.mark.parametrize("full", [0, 10**6])
    def test_any_shape(self, shape, n_out, full, dtype, rng, gpu, monkeypatch):
        """Few columns, with one for each thread, and many."""
        monkeypatch.setattr(mixing, "FULL", full)
        S, matrix = rng.standard_normal(shape).astype(dtype), Constant(rng.standard_normal((n_out, shape[-2])))
        result = run(gpu, mixing.mix_rows, S, matrix)
        assert_same_spectrum(result, mix_rows.reference(S.astype(np.float64), matrix), dtype)
        (launched,) = gpu.launches
        assert f"COLUMNS={mixing.COLUMNS if full == 0 else 1}" in launched.macros

    def test_columns_do_not_depend_on_their_mates(self, dtype, rng, gpu, monkeypatch):
        S, matrix = rng.standard_normal((3, 20, 150)).astype(dtype), Constant(rng.standard_normal((12, 20)))
        whole = run(gpu, mixing.mix_rows, S, matrix)
        monkeypatch.setattr(mixing, "FULL", 0)
        monkeypatch.setattr(mixing, "MOST_BLOCKS", 1)
        np.testing.assert_array_equal(run(gpu, mixing.mix_rows, S[1:, :, 7:60], matrix), whole[1:, :, 7:60])

    def test_values_in_any_memory_layout(self, rng, gpu):
        S, matrix = rng.standard_normal((4, 50, 6)), Constant(rng.standard_normal((3, 6)))
        given = gpu.asarray(S)[::2].swapaxes(1, 2)
        result = gpu.to_numpy(mixing.mix_rows(given, matrix))
        assert_same_spectrum(result, mix_rows.reference(S[::2].swapaxes(1, 2), matrix))

    def test_what_it_does_not_cover_is_declined(self, gpu):
        S = gpu.asarray(np.ones((2, 6, 10)))
        assert mixing.mix_rows(S, Constant(np.ones((65, 6)))) is NotImplemented
        assert mixing.mix_rows(S, Constant(np.ones((3, 5)))) is NotImplemented
        assert mixing.mix_rows(S, Given(np.ones((3, 6)))) is NotImplemented
        assert mixing.mix_rows(gpu.asarray(np.ones((2, 6, 10)) + 1j), Constant(np.ones((3, 6)))) is NotImplemented
        assert mixing.mix_rows(S[:0], Constant(np.ones((3, 6)))).shape == (0, 3, 10)
        assert mixing.mix_rows(S[..., :0], Constant(np.ones((3, 6)))).shape == (2, 3, 0)
        np.testing.assert_array_equal(gpu.to_numpy(mixing.mix_rows(S[:, :0], Constant(np.ones((3, 0))))), 0)
        assert gpu.launches == []


POLES = [0.0, 0.5, 0.97, -0.97, 0.9999, 1.0, -1.0]


class TestOnePole:
    @pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 255, 256, 300, 1000])
    @pytest.mark.parametrize("pole", POLES)
    def test_any_length_and_pole(self, n, pole, dtype, rng, gpu):
        x = rng.standard_normal((2, n)).astype(dtype)
        exact = one_pole.reference(x.astype(np.float64), pole)
        assert_same_spectrum(run(gpu, recursion.one_pole, x, pole), exact, dtype)
        assert len(gpu.launches) == 1

    @pytest.mark.parametrize("n", [256, 257, 700, 256 * 257 + 1])
    @pytest.mark.parametrize("pole", [0.97, -1.0])
    def test_long_rows_in_segments(self, n, pole, dtype, rng, gpu, monkeypatch):
        monkeypatch.setattr(recursion, "LENGTH", 256)
        x, before = rng.standard_normal((2, n)).astype(dtype), rng.standard_normal((2, 1)).astype(dtype)
        exact = one_pole.reference(x.astype(np.float64), pole, initial=before.astype(np.float64))
        assert_same_spectrum(run(gpu, recursion.one_pole, x, pole, initial=gpu.asarray(before)), exact, dtype)
        assert len(gpu.launches) == 1 + 2 * (n > 256) + 2 * (n > 256 * 257)

    @pytest.mark.parametrize("shape", [(), (1,), (1, 1), (3, 1), (2, 3, 1)])
    def test_states_before_the_first_sample(self, shape, dtype, rng, gpu):
        x, before = rng.standard_normal((2, 3, 70)).astype(dtype), rng.standard_normal(shape).astype(dtype)
        exact = one_pole.reference(x.astype(np.float64), 0.9, initial=before.astype(np.float64))
        assert_same_spectrum(run(gpu, recursion.one_pole, x, 0.9, initial=gpu.asarray(before)), exact, dtype)

    def test_states_before_the_first_sample_have_gradients(self, dtype, rng, gpu):
        x, before = gpu.asarray(np.ones((2, 30), dtype)), gpu.asarray(np.ones((2, 1), dtype))
        gradient = aa.grad(lambda before: one_pole(x, 0.5, initial=before)[..., -1].sum())(before)
        np.testing.assert_array_equal(gpu.to_numpy(gradient), 0.5**30)

    @pytest.mark.parametrize("pole", [0.94, 0.999, 1.0])
    def test_errors_in_float32_are_those_of_the_reference(self, pole, rng, gpu):
        x = rng.random((2, 6000)).astype("float32")
        exact = one_pole.reference(x.astype(np.float64), pole)
        ours, theirs = run(gpu, recursion.one_pole, x, pole), one_pole.reference(x, pole)
        assert relative_error(ours, exact) <= 1.5 * relative_error(theirs, exact)

    def test_rows_do_not_depend_on_their_mates(self, dtype, rng, gpu, monkeypatch):
        x = rng.standard_normal((5, 2500)).astype(dtype)
        whole = run(gpu, recursion.one_pole, x, 0.97)
        monkeypatch.setattr(recursion, "MOST_BLOCKS", 2)
        np.testing.assert_array_equal(run(gpu, recursion.one_pole, x[1:4], 0.97), whole[1:4])

    def test_what_is_not_finite_spoils_what_follows_it(self, rng, gpu):
        x = rng.standard_normal((2, 500))
        clean = run(gpu, recursion.one_pole, x, 0.5)
        x[1, 300] = np.nan
        result = run(gpu, recursion.one_pole, x, 0.5)
        assert np.isnan(result[1, 300:]).all()
        np.testing.assert_array_equal(result[0], clean[0])
        np.testing.assert_array_equal(result[1, :300], clean[1, :300])

    def test_rows_in_any_memory_layout(self, rng, gpu):
        x = rng.standard_normal((40, 6))
        result = gpu.to_numpy(recursion.one_pole(gpu.asarray(x)[:, ::-2].T, 0.5))
        assert_same_spectrum(result, one_pole.reference(x[:, ::-2].T, 0.5))

    def test_what_it_does_not_cover_is_declined(self, gpu):
        x, state = gpu.asarray(np.ones((2, 50))), gpu.asarray(np.ones((2, 1), "float32"))
        assert recursion.one_pole(x, gpu.asarray(np.array(0.5))) is NotImplemented
        assert recursion.one_pole(gpu.asarray(np.ones(50) + 1j), 0.5) is NotImplemented
        assert recursion.one_pole(x, 0.5, initial=state) is NotImplemented
        assert recursion.one_pole(x[:, :0], 0.5).shape == (2, 0)
        assert recursion.one_pole(x[:0], 0.5).shape == (0, 50)
        assert gpu.launches == []


class TestControlled:
    @pytest.mark.parametrize("shape", [(1, 1), (3, 5, 67), (2, 700)])
    @pytest.mark.parametrize(("bias", "power"), [(2.0, 0.5), (10.0, 0.25), (0.0, 0.5), (2.0, 0.0), (0.0, 0.0)])
    def test_any_shape_and_formula(self, shape, bias, power, dtype, rng, gpu, monkeypatch):
        monkeypatch.setattr(control, "MOST_BLOCKS", 2)
        S, around = (abs(1e3 * rng.standard_normal(shape)).astype(dtype) for _ in range(2))
        settings = Control(0.98, bias, power, 1e-6, 0.1, 1)
        exact = controlled.reference(S.astype(np.float64), around.astype(np.float64), settings)
        assert_same_spectrum(run(gpu, control.controlled, S, gpu.asarray(around), settings), exact, dtype)

    def test_what_it_does_not_cover_is_declined(self, gpu):
        S, settings = gpu.asarray(np.ones((2, 50))), Control(0.98, 2.0, 0.5, 1e-6, 0.1, 1)
        assert control.controlled(S, S, settings._replace(gain=gpu.asarray(np.ones(())))) is NotImplemented
        assert control.controlled(S, S[:, :1], settings) is NotImplemented
        assert control.controlled(S, S.astype("float32"), settings) is NotImplemented
        assert control.controlled(S[:0], S[:0], settings).shape == (0, 50)
        assert gpu.launches == []
