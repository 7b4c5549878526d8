"""Spectrograms as DataArrays: axes, units, settings, files, and arrays of other libraries."""

import json

import numpy as np
import pytest
import torch
import xarray

import arrayaudio as aa
from arrayaudio.ext.dask import lazy_spectrogram
from arrayaudio.ext.xarray import to_xarray

from .test_trainable import LAYERS, SR, WITHOUT

N = 7000
BY_RATE = {name: layer for name, layer in (LAYERS | WITHOUT).items() if layer.sr is not None}
BY_FRAMES = {name: layer for name, layer in BY_RATE.items() if name != "NSGT"}  # whose frames depend on the length
MEL = aa.MelSpectrogram(sr=SR, n_fft=256, hop_length=100, n_mels=20, scale="db")


@pytest.fixture
def y(rng):
    return rng.standard_normal((2, N)).astype(np.float32)


@pytest.mark.parametrize("name", BY_RATE)
def test_values_and_axes_are_those_of_the_transform(name, y):
    transform = BY_RATE[name]
    S = transform(y)
    made = to_xarray(S, transform, n_samples=N)
    assert np.shares_memory(made.data, S)
    channel, rows, time = made.dims
    assert (channel, time) == ("channel", "time")
    np.testing.assert_array_equal(made[rows], transform.frequencies)
    np.testing.assert_array_equal(made.time, transform.times(N))
    if name in BY_FRAMES:
        assert to_xarray(S, transform).identical(made)


@pytest.mark.parametrize("transform", BY_FRAMES.values(), ids=BY_FRAMES)
@pytest.mark.parametrize("n_frames", [0, 1, 2, 9])
def test_times_need_no_length(transform, n_frames):
    S = np.zeros((len(transform.frequencies), n_frames))
    times = to_xarray(S, transform).time
    middle = 0.0 if transform.center else transform.framing.frame_length / 2 / SR
    rates = transform.framing.hop_length / transform.sr
    np.testing.assert_allclose(times, middle + rates * np.arange(n_frames), rtol=1e-12)


@pytest.mark.parametrize(
    ("transform", "rows", "long_name", "units"),
    [
        (aa.STFT(sr=SR), "frequency", "complex coefficient", "1"),
        (aa.STFT(sr=SR, output="power"), "frequency", "power", "1"),
        (aa.STFT(sr=SR, output="phase"), "frequency", "phase", "rad"),
        (MEL, "frequency", "level", "dB"),
        (aa.MelSpectrogram(sr=SR, power=1.0), "frequency", "band of |X|^1", "1"),
        (aa.Gammatonegram(sr=SR, scale="log"), "frequency", "natural logarithm of |X|^2", "1"),
        (aa.MFCC(sr=SR), "coefficient", "cepstral coefficient", "1"),
        (aa.LFCC(sr=SR), "coefficient", "cepstral coefficient", "1"),
        (aa.Chroma(sr=SR), "pitch_class", "chroma", "1"),
        (aa.ChromaCQT(sr=SR, n_octaves=6), "pitch_class", "chroma", "1"),
        (aa.CQT(sr=SR, n_bins=60, output="magnitude"), "frequency", "magnitude", "1"),
        (aa.CFP(sr=SR), "frequency", "salience", "1"),
        (aa.NSGT(sr=SR), "frequency", "complex coefficient", "1"),
    ],
    ids=repr,
)
def test_units_and_settings(transform, rows, long_name, units, y):
    made = to_xarray(transform(y[0]), transform, n_samples=N)
    assert made.dims == (rows, "time")
    assert (made.attrs["long_name"], made.attrs["units"]) == (long_name, units)
    assert (made.time.attrs["units"], made[rows].attrs["units"]) == ("s", "Hz" if rows == "frequency" else "1")
    assert made.name == made.attrs["transform"] == type(transform).__name__
    assert type(transform).from_json(made.attrs["settings"]) == transform
    assert made.attrs["arrayaudio_version"] == aa.__version__
    assert all(isinstance(value, str) for value in made.attrs.values())


def test_axes_before_frequency_have_names(y):
    S = MEL(np.stack([y, y]))
    assert to_xarray(S, MEL).dims == ("batch", "channel", "frequency", "time")
    assert to_xarray(S[0], MEL, dims=["clip"], name="mel").dims == ("clip", "frequency", "time")
    assert to_xarray(S[None], MEL, dims="abc").dims == ("a", "b", "c", "frequency", "time")


def test_goes_through_a_netcdf_file(tmp_path, y):
    made = to_xarray(MEL(y), MEL)
    made.to_netcdf(tmp_path / "mel.nc", engine="scipy")
    with xarray.open_dataarray(tmp_path / "mel.nc", engine="scipy") as read:
        assert read.identical(made)
        assert aa.MelSpectrogram.from_json(read.attrs["settings"]) == MEL
        assert json.loads(read.attrs["settings"])["sr"] == SR


def test_signals_come_from_xarray_too(y):
    signal = xarray.DataArray(y, dims=("channel", "sample"))
    np.testing.assert_array_equal(MEL(signal), MEL(y))


def test_tensors_share_their_memory(y):
    S = torch.from_numpy(MEL(y))
    assert to_xarray(S, MEL).data.ctypes.data == S.data_ptr()


def test_dask_stays_lazy(y):
    import dask.array as da

    mel = aa.MelSpectrogram(sr=SR, n_fft=256, hop_length=100, n_mels=20)
    made = to_xarray(lazy_spectrogram(da.from_array(y, chunks=(1, N)), mel), mel)
    assert isinstance(made.data, da.Array)
    np.testing.assert_array_equal(made.sel(channel=1), mel(y[1]))


def test_cupys_arrays_stay_on_their_gpu(gpu, y):
    S = MEL(gpu.asarray(y))
    made = to_xarray(S, MEL)
    assert made.data is S
    assert gpu.owns(made.isel(channel=0, time=slice(2, 5)).data)
    np.testing.assert_array_equal(gpu.to_numpy(made.data), gpu.to_numpy(S))
    assert isinstance(made.time.data, np.ndarray)


@pytest.mark.parametrize(
    ("S", "transform", "options", "message"),
    [
        (np.ones((20, 5)), aa.stft, {}, "must be a transform"),
        (np.ones((21, 5)), MEL, {}, r"shape \(21, 5\): must be \(\.\.\., 20, n_frames\)"),
        (np.ones(20), MEL, {}, r"shape \(20,\)"),
        (np.ones((20, 5)), MEL, {"n_samples": 5000}, "n_samples=5000: gives 51 frames, and the spectrogram has 5"),
        (np.ones((20, 5)), MEL, {"dims": ("a",)}, r"dims=\('a',\): must name the 0 axes"),
        (np.ones((1, 1, 1, 20, 5)), MEL, {}, "dims=None: must name the 3 axes"),
        (np.ones((1025, 5)), aa.STFT(), {}, "sr=None"),
        (np.ones((len(aa.NSGT(sr=SR).frequencies), 5)), aa.NSGT(sr=SR), {}, "n_samples=None.*NSGT"),
    ],
)
def test_errors(S, transform, options, message):
    with pytest.raises(aa.ParameterError, match=message):
        to_xarray(S, transform, **options)
