"""Compiling ahead: nothing is left for the first call."""

import subprocess
import sys

import pytest

import arrayaudio as aa

SCRIPT = """
import numpy as np, arrayaudio as aa
from numba.core import event
transform = aa.{transform}
aa.warmup(transform, dtype="{dtype}", inverse={inverse}, gradient=True)
y = np.random.default_rng(0).standard_normal((2, 30000)).astype("{dtype}")
with event.install_recorder("numba:compile") as compiled:
    S, pullback = aa.vjp(transform, y)
    pullback(np.ones_like(S))
    S = transform(y)
    if {inverse}:
        transform.inverse(S)
assert not compiled.buffer, [e.data for _, e in compiled.buffer]
"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("transform", "inverse"),
    [
        ("STFT(n_fft=512)", True),
        ("STFT(n_fft=254)", True),
        ("MelSpectrogram(sr=22050, n_mels=40, scale='db')", False),
        ("CQT(sr=8000, n_bins=24, fmin=200, hop_length=64)", True),
    ],
)
def test_a_warm_transform_compiles_nothing_more(transform, inverse, dtype):
    script = SCRIPT.format(transform=transform, inverse=inverse, dtype=dtype)
    subprocess.run([sys.executable, "-c", script], timeout=300, check=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transform": aa.STFT}, "must be a transform, such as"),
        ({"dtype": "float16"}, "dtype='float16': must be one of"),
        ({"gradient": 1}, "gradient=1: must be one of"),
        ({"transform": aa.MelSpectrogram(sr=8000), "inverse": True}, "MelSpectrogram has no inverse"),
        ({"transform": aa.STFT(output="power"), "inverse": True}, "output='power'"),
    ],
)
def test_what_cannot_be_warmed_up(options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.warmup(**{"transform": aa.STFT(n_fft=64), **options})
