"""CQT and VQT that trade digits for speed: by halving the rate, and by a tolerance."""

import numpy as np
import pytest

from .constant_q_cases import BASE, EXACT, LOW, OCTAVES, expected, signal, transform
from .tolerances import assert_near_peak, peak_error


class TestOctaves:
    """By halving the rate: near to the exact methods."""

    @pytest.mark.parametrize("method", OCTAVES)
    @pytest.mark.parametrize("name", ["noise", "impulse", "tone", "sweep"])
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"hop_length": 160},
            {"hop_length": 441},
            {"hop_length": 512, "pad_mode": "reflect"},
            {"n_bins": 12},
            {"gamma": None, "hop_length": 500},
            {"center": False},
            {"bins_per_octave": 24, "norm": None},
            {"window": "blackmanharris", "norm": 2, "pad_mode": "edge"},
            {"n_bins": 71, "filter_scale": 0.5, "hop_length": 64},
        ],
        ids=str,
    )
    def test_are_within_the_documented_error(self, method, name, options, dtype):
        options = LOW | options
        y = signal(name, 6000).astype(dtype)
        result, exact = transform(method, **options)(y), transform(**options)(y.astype(np.float64))
        assert result.dtype == np.result_type(dtype, np.complex64)
        assert peak_error(result, exact) < 5e-4
        # The signal is padded first: the ends are as good as the rest.
        assert peak_error(result[:, [0, 1, -2, -1]], exact[:, [0, 1, -2, -1]]) < 5e-4 or name == "impulse"

    @pytest.mark.parametrize("method", OCTAVES)
    def test_run_on_every_library(self, library, dtype, method):
        y = signal("noise", 3000).astype(dtype)
        C = library.to_numpy(transform(method, **LOW)(library.asarray(y)))
        assert_near_peak(C, transform(method, **LOW)(y.astype(np.float64)), dtype)

    @pytest.mark.parametrize(("window", "limit"), [("hamming", 2e-2), ("boxcar", 0.2), (("kaiser", 8.0), 1e-3)])
    def test_lose_what_windows_with_jumps_leak(self, window, limit):
        y = signal("noise", 6000)
        error = peak_error(transform("2010", window=window, **LOW)(y), transform(window=window, **LOW)(y))
        assert 1e-4 < error < limit

    @pytest.mark.parametrize("method", EXACT + OCTAVES)
    def test_have_no_delay(self, method):
        y = np.eye(1, 6000, 24 * 128)[0]
        size = np.abs(transform(method, **LOW)(y))
        assert (size.argmax(axis=-1) == 24).all()
        # Kernels may have one sample more on the left.
        assert np.abs(size[:, 24 - 4 : 24] - size[:, 28:24:-1]).max() < 0.03 * size.max()

    def test_keep_the_scale_of_low_bins(self):
        made = transform("2010", norm=1, normalization="wrap", **LOW | {"n_bins": 24, "output": "magnitude"})
        for k in (0, 7, 23):
            tone = 0.7 * np.sin(2 * np.pi * made.frequencies[k] * np.arange(8000) / 8000)
            assert abs(made(tone)[k, 31] - 0.7) < 1e-3

    def test_an_odd_hop_cannot_be_halved(self, dtype):
        y = signal("noise").astype(dtype)
        options = BASE | {"hop_length": 441}
        assert_near_peak(transform("2010", **options)(y), expected(**options))


def test_tolerance_trades_digits_for_speed():
    options = LOW | {"hop_length": 16, "fmin": 40.0, "n_bins": 24}
    y = signal("noise", 4000)
    exact = transform(**options)
    for method in ("auto", "1992"):
        made = transform(method, tolerance=1e-3, **options)
        assert 1e-9 < peak_error(made(y), exact(y)) < 1e-3
        assert made.bank.like(y).spectra.values.size < transform(method, **options).bank.like(y).spectra.values.size
    direct = transform("1992v2", tolerance=1e-3, **options)
    assert_near_peak(direct(y), exact(y))
