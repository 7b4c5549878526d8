"""When windows have an inverse, and which samples a window reaches, at any scale of the window."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.constants import Constant
from arrayaudio.frames import Framing, windowed_frames
from arrayaudio.inverse import istft, require_invertible
from arrayaudio.project import fourier


def there_and_back(y, window, hop):
    framing, window = Framing(len(window), hop), Constant(np.asarray(window, np.float64))
    return istft(fourier(windowed_frames(y, framing, window)), framing, window)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_scale_of_the_window_does_not_matter(scale, rng):
    window = scale * aa.get_window("hann", 16)
    require_invertible(window, 4)
    y = rng.standard_normal(100)
    back = there_and_back(y, window, 4)
    assert back[0] == 0  # which the window does not reach
    np.testing.assert_allclose(back[1:], y[1:], rtol=1e-9)
    with pytest.raises(aa.ParameterError, match="falls to 0 at sample 0 of each hop"):
        require_invertible(window, 16)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 2.0, 1e9])
@pytest.mark.parametrize(("edge", "is_reached"), [(1.2e-10, True), (0.9e-10, False)])
def test_sums_below_a_part_of_the_largest_are_zero(scale, edge, is_reached):
    back = there_and_back(np.ones(8), scale * np.array([edge, 1.0, 1.0, edge]), 2)
    np.testing.assert_allclose(back, [is_reached, 1, 1, 1, 1, 1, 1, is_reached], rtol=1e-5)


def test_windows_of_either_sign_have_an_inverse():
    require_invertible(np.array([1.0, -1.0]), 1)
    y = np.arange(1.0, 7.0)
    np.testing.assert_allclose(there_and_back(y, [1.0, -1.0], 1), y, rtol=1e-12)


def test_a_window_of_zeros_has_none():
    with pytest.raises(aa.ParameterError, match=r"falls to 0 at .* use a shorter hop, or a window without zeros$"):
        require_invertible(np.zeros(4), 2)


def test_one_sample_may_be_asked_for():
    X = aa.stft(np.arange(100.0), n_fft=16)
    np.testing.assert_allclose(aa.istft(X, n_fft=16, length=1), [0.0], atol=1e-13)
    with pytest.raises(aa.ParameterError, match=r"shape \(2, 9, 0\): must be .* with at least one frame$"):
        aa.istft(np.zeros((2, 9, 0), complex), n_fft=16)
