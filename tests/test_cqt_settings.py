"""What can be asked of CQT and VQT, how they travel, and what they refuse."""

import json
import math
import pickle

import librosa
import numpy as np
import pytest

import arrayaudio as aa

from .constant_q_cases import BASE, signal


class TestSettings:
    def test_axes(self):
        made = aa.CQT(sr=22050)
        np.testing.assert_allclose(made.frequencies, librosa.cqt_frequencies(84, fmin=librosa.note_to_hz("C1")))
        np.testing.assert_allclose(
            made.lengths, librosa.filters.wavelet_lengths(freqs=made.frequencies, sr=22050)[0], rtol=1e-9
        )
        assert made.min_length == 1
        assert made.n_frames(22050) == 44 == made(np.ones(22050)).shape[1]
        np.testing.assert_allclose(made.times(22050), np.arange(44) * 512 / 22050)

    def test_frames_inside_the_signal(self):
        made = aa.CQT(center=False, **BASE)
        width = 2 * math.ceil(made.lengths[0] / 2)
        assert made.min_length == width
        assert made.n_frames(width + 160) == 2
        np.testing.assert_allclose(made.times(width + 160), [width / 2 / 8000, (width / 2 + 160) / 8000])
        with pytest.raises(aa.ParameterError, match=f"signal has 100 samples: must have at least {width}"):
            made(np.ones(100))

    @pytest.mark.parametrize(
        "made",
        [
            aa.CQT(sr=8000, n_bins=60, norm=math.inf, window=("kaiser", 8.0), tolerance=1e-3),
            aa.CQT(sample_rate=8000, f_min=50, n_bins=20, output_format="power", norm=None, method="2010"),
            aa.VQT(sr=8000, n_bins=60, gamma=20, normalization="wrap", tuning=0.5),
            aa.VQT(sr=8000, n_bins=60),
        ],
        ids=str,
    )
    def test_travel(self, made):
        made(np.ones(3000))
        for copy in (type(made).from_dict(json.loads(made.to_json())), pickle.loads(pickle.dumps(made))):
            assert copy == made
            assert hash(copy) == hash(made)
            np.testing.assert_array_equal(copy(signal("noise")), made(signal("noise")))

    def test_differ(self):
        assert aa.CQT(**BASE) == aa.CQT(**BASE)
        assert aa.CQT(**BASE) != aa.CQT(**BASE | {"hop_length": 161})
        assert aa.CQT(**BASE) != aa.VQT(**BASE)
        assert aa.VQT(**BASE) != aa.VQT(gamma=0, **BASE)

    def test_show_what_was_given(self):
        assert repr(aa.CQT(sr=8000, fmin=220, n_bins=14)) == "CQT(sr=8000.0, fmin=220.0, n_bins=14)"
        assert repr(aa.VQT(sr=8000, fmin=220, n_bins=14, gamma=3)) == "VQT(sr=8000.0, fmin=220.0, n_bins=14, gamma=3.0)"


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"sr": None}, "sr=None: constant-Q transforms need the sampling rate"),
            ({"sr": 0}, "sr=0: must be greater than 0"),
            ({"hop_length": 0}, "hop_length=0: must be at least 1"),
            ({"hop_length": None}, "hop_length=None: must be a whole number"),
            ({"fmin": 0}, "fmin=0: must be greater than 0"),
            ({"fmin": -1}, "fmin=-1: must be greater than 0"),
            ({"fmin": np.nan}, "fmin=nan: must be finite"),
            ({"n_bins": 0}, "n_bins=0: must be at least 1"),
            ({"n_bins": True}, "n_bins=True: must be a whole number"),
            ({"n_bins": 60}, "n_bins=60: bin 51 at 4186.01 Hz is above sr / 2 = 4000 Hz; use at most 51 bins"),
            ({"n_bins": 65536}, "use at most 51 bins, or a lower fmin"),
            ({"fmin": 5000}, "bin 0 at 5000 Hz is above sr / 2 = 4000 Hz; use a lower fmin"),
            ({"tuning": 1e3}, "is above sr / 2 = 4000 Hz; use a lower fmin"),
            ({"tuning": -1e3}, "the longest kernel has .* samples: must be at most 16777216"),
            ({"fmin": 1e-320}, "the longest kernel has inf samples: must be at most 16777216"),
            ({"fmin": 1e-3}, r"the longest kernel has 1\.39e\+08 samples: must be at most 16777216; use a higher fmin"),
            ({"bins_per_octave": 0}, "bins_per_octave=0: must be at least 1"),
            ({"tuning": np.inf}, "tuning=inf: must be finite"),
            ({"filter_scale": 0}, "filter_scale=0: must be greater than 0"),
            ({"norm": 0}, "norm=0: must be at least 0.1"),
            ({"norm": -1}, "norm=-1: must be at least 0.1"),
            ({"norm": "l2"}, "norm='l2': must be a real number"),
            ({"window": "hahn"}, "window='hahn'"),
            ({"window": np.hanning(630)}, "window: must be a name or a .* since kernels differ in length"),
            ({"window": np.hanning(64)}, "window: must be a name or a .* since kernels differ in length"),
            ({"window": [0.5, 1.0]}, "window: must be a name or a .* since kernels differ in length"),
            pytest.param({"window": np.hanning}, "window: must be a name or a .* since kernels", id="window function"),
            ({"window": None}, "window: must be a name or a .* since kernels differ in length"),
            ({"window": ()}, "window: must be a name or a .* since kernels differ in length"),
            ({"window": ("dpss", 50.0), "n_bins": 40}, r"window=\('dpss', 50.0\): NW must be less than M/2"),
            ({"method": "1993"}, "method='1993': must be one of 'auto', '1992', '1992v2', '2010', '2010v2'"),
            ({"normalization": "none"}, "normalization='none': must be one of 'librosa', 'convolutional', 'wrap'"),
            ({"tolerance": 0}, "tolerance=0: must be greater than 0"),
            ({"tolerance": 1}, "tolerance=1: must be less than 1"),
            ({"output": "db"}, "output='db': must be one of"),
            ({"center": 1}, "center=1: must be one of True, False"),
            ({"pad_mode": "empty"}, "pad_mode='empty': must be one of"),
            ({"sample_rate": 8000}, "mean the same"),
        ],
        ids=str,
    )
    def test_settings(self, options, message):
        with pytest.raises(aa.ParameterError, match=message):
            aa.CQT(**BASE | options)

    @pytest.mark.parametrize("gamma", [-1, np.nan, "erb"])
    def test_gamma(self, gamma):
        with pytest.raises(aa.ParameterError, match=f"gamma={gamma!r}: must be"):
            aa.VQT(gamma=gamma, **BASE)

    def test_signals(self, library):
        made = aa.CQT(**BASE)
        y = np.ones(1000)
        y[3] = np.nan
        with pytest.raises(aa.ParameterError, match="signal has 1 NaN or infinite samples, the first at index 3"):
            made(y)
        assert np.isnan(aa.CQT(check_finite=False, **BASE)(y)).any()
        with pytest.raises(aa.ParameterError, match="signal has 0 samples"):
            made(library.asarray(np.zeros(0)))
        with pytest.raises(aa.DTypeError, match="int64"):
            made(library.asarray(np.ones(1000, np.int64)))
        with pytest.raises(aa.DTypeError, match="complex128"):
            made(library.asarray(np.ones(1000, complex)))
        with pytest.raises(aa.ParameterError, match="signal has 316 samples: must have at least 317"):
            aa.CQT(pad_mode="reflect", **BASE)(library.asarray(np.ones(316)))
