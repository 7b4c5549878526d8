import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.constants import Constant
from arrayaudio.frames import PAD_MODES, Framing, frame, lengthened, overlap_add, pad, windowed_frames

from . import naive
from .tolerances import assert_same_spectrum


@pytest.mark.parametrize("mode", PAD_MODES)
@pytest.mark.parametrize(("n", "padding"), [(1, 3), (2, 5), (5, 4), (5, 23), (8, 8), (9, 1), (6, 0)])
def test_padding_is_numpys(library, mode, n, padding, rng):
    y = rng.standard_normal((2, n))
    expected = np.stack([naive.pad(row, padding, padding, mode) for row in y])
    np.testing.assert_allclose(library.to_numpy(pad(library.asarray(y), padding, mode)), expected, rtol=0, atol=1e-15)
    if padding:
        np.testing.assert_allclose(np.pad(y, [(0, 0), (padding, padding)], mode=mode), expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize(("before", "length"), [(0, 3), (0, 5), (0, 9), (2, 7), (2, 9), (2, 4), (4, 4), (6, 5)])
def test_signals_are_lengthened_with_zeros_and_cut(library, before, length, dtype, rng):
    x = rng.standard_normal((2, 5)).astype(dtype)
    expected = np.zeros((2, 20), dtype)
    expected[:, before : before + 5] = x
    found = library.to_numpy(lengthened(library.asarray(x), before, length))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected[:, :length])


@pytest.mark.parametrize(("length", "hop"), [(4, 1), (4, 2), (5, 3), (4, 4), (4, 7), (1, 1), (7, 2), (3, 50)])
@pytest.mark.parametrize("n", [7, 8, 20, 53])
def test_framing_equals_the_oracle(library, length, hop, n, dtype, rng):
    y = rng.standard_normal((2, n)).astype(dtype)
    frames = library.to_numpy(frame(library.asarray(y), length, hop))
    expected = np.stack([naive.frame(row, length, hop).T for row in y])
    assert frames.dtype == dtype
    np.testing.assert_array_equal(frames, expected)


@given(st.integers(1, 40), st.integers(1, 60), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_overlap_add_is_the_adjoint_of_framing(length, hop, count, seed):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((count - 1) * hop + length)
    frames = rng.standard_normal((count, length))
    forth = np.vdot(frame(y, length, hop), frames)
    back = np.vdot(y, overlap_add(frames, hop))
    assert abs(forth - back) <= 1e-12 * np.linalg.norm(y) * np.linalg.norm(frames)


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("mode", PAD_MODES)
def test_windowed_frames_pad_cut_and_window(library, padding, mode, dtype, rng):
    y, window = rng.standard_normal(30).astype(dtype), rng.standard_normal(8)
    result = windowed_frames(library.asarray(y), Framing(8, 3, padding, mode), Constant(window))
    expected = naive.frame(naive.pad(y, padding, padding, mode), 8, 3).T * window
    assert_same_spectrum(library.to_numpy(result), expected, dtype)


@given(n=st.integers(1, 300), n_fft=st.integers(1, 64), hop=st.integers(1, 80), center=st.booleans())
def test_the_number_of_frames_is_exact(n, n_fft, hop, center):
    framing = Framing(n_fft, hop, n_fft // 2 if center else 0)
    expected = naive.n_frames(n, n_fft, hop, center)
    if expected == 0:
        with pytest.raises(aa.ParameterError, match=f"signal has {n} samples: must have at least {n_fft}"):
            framing.n_frames(n)
        assert n < framing.min_length
    else:
        assert framing.n_frames(n) == expected
        assert n >= framing.min_length
        y = np.ones(n)
        assert windowed_frames(y, framing, Constant(np.ones(n_fft))).shape == (expected, n_fft)


def test_reflection_needs_more_samples_than_it_repeats():
    framing = Framing(64, 16, 32, "reflect")
    assert framing.min_length == 33
    assert framing.n_frames(33) == 3
    with pytest.raises(aa.ParameterError, match=r"at least 33.*pad_mode='constant' takes shorter ones"):
        framing.n_frames(32)


def test_a_hop_beyond_the_signal_costs_no_memory():
    assert frame(np.ones(10), 4, 2**40).shape == (1, 4)
