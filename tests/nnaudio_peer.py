"""nnAudio's own layers, built and run in silence, and fed with NumPy arrays."""

import contextlib
import io
import warnings

import numpy as np
import torch
from nnAudio import features

from arrayaudio.compat import nnaudio

# The part of nnAudio's results, by their norm, that its float32 arithmetic may be wrong by.
PEER = 1e-5


def theirs(name, *args, **options):
    """Build nnAudio's layer of that name, which prints and warns; its warnings are those of deprecated calls."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return features.__dict__[name](*args, **options)


def run(layer, x, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = layer(torch.tensor(np.asarray(x)), **options)
    return tuple(part.numpy() for part in result) if isinstance(result, tuple) else result.detach().numpy()


def paired(pairs):
    """(..., 2) -> complex."""
    return pairs[..., 0] + 1j * pairs[..., 1]


def complex_of(name, y, normalization_type="librosa", **options):
    return paired(getattr(nnaudio, name)(**options)(y, "Complex", normalization_type))


def complex_of_theirs(name, y, normalization_type="librosa", **options):
    quiet = {} if name == "CQT1992" else {"verbose": False}
    layer = theirs(name, **quiet, **options)
    return paired(run(layer, y, output_format="Complex", normalization_type=normalization_type))
