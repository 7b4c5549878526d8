"""Front ends of well-known models, and the defaults of other libraries, by name."""

import dataclasses
from typing import Any, NamedTuple

from arrayaudio.arrays import ArrayLike, to_numpy
from arrayaudio.checks import one_of
from arrayaudio.errors import ParameterError
from arrayaudio.transforms.base import ALIASES, Transform
from arrayaudio.transforms.framed import FramedTransform
from arrayaudio.transforms.front_end import FrontEnd
from arrayaudio.transforms.mel import MelSpectrogram
from arrayaudio.transforms.mfcc import MFCC
from arrayaudio.transforms.step import Step
from arrayaudio.transforms.steps import (
    Affine,
    Bands,
    Limit,
    Log,
    Patches,
    PerFeature,
    PerWindow,
    Preemphasis,
    Reflect,
    Root,
    Stack,
    WithoutLast,
)
from arrayaudio.transforms.stft import STFT

__all__ = ["get", "names"]

# Samples from -1 to 1 as Kaldi takes them, as those of 16 bits.
AS_16_BITS = Affine(scale=2.0**15)


class Recipe(NamedTuple):
    """A transform's settings, and the steps before and after it."""

    kind: type[FramedTransform]
    settings: dict[str, Any]
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()


def _recipe(
    kind: type[FramedTransform], *, before: tuple[Step, ...] = (), after: tuple[Step, ...] = (), **settings: Any
) -> Recipe:
    return Recipe(kind, settings, before, after)


def _whisper(n_mels: int) -> Recipe:
    return _recipe(
        MelSpectrogram,
        sr=16000,
        n_fft=400,
        hop_length=160,
        pad_mode="reflect",
        n_mels=n_mels,
        fmax=8000,
        scale="log10",
        after=(WithoutLast(), Limit(8.0), Affine(4.0, 0.25)),
    )


def _clap(mel_scale: str, norm: str | None) -> Recipe:
    return _recipe(
        MelSpectrogram,
        sr=48000,
        n_fft=1024,
        hop_length=480,
        pad_mode="reflect",
        n_mels=64,
        fmax=14000,
        mel_scale=mel_scale,
        norm=norm,
        scale="db",
        top_db=None,
    )


PRESETS = {
    "whisper": _whisper(80),
    "whisper_v3": _whisper(128),
    "kaldi_fbank": _recipe(MelSpectrogram, compat="kaldi", n_mels=80, before=(AS_16_BITS,)),
    "kaldi_mfcc": _recipe(MFCC, compat="kaldi", before=(AS_16_BITS,)),
    "ast": _recipe(
        MelSpectrogram,
        compat="kaldi",
        window="hann_symmetric",
        n_mels=128,
        after=(Affine(4.2677393, 0.5 / 4.5689974),),
    ),
    "vggish": _recipe(
        MelSpectrogram,
        sr=16000,
        n_fft=512,
        win_length=400,
        hop_length=160,
        window_at="start",
        center=False,
        n_mels=64,
        fmin=125,
        fmax=7500,
        mel_scale="kaldi",
        norm=None,
        power=1,
        after=(Log(offset=0.01), Patches(96)),
    ),
    "clap": _clap("htk", None),
    "clap_unfused": _clap("slaney", "slaney"),
    "hifigan": _recipe(
        STFT,
        sr=22050,
        n_fft=1024,
        hop_length=256,
        center=False,
        output="power",
        before=(Reflect(),),
        after=(Root(offset=1e-9), Bands(n_mels=80, fmax=8000), Log(floor=1e-5)),
    ),
    "speecht5": _recipe(
        MelSpectrogram,
        sr=16000,
        n_fft=1024,
        hop_length=256,
        pad_mode="reflect",
        n_mels=80,
        fmin=80,
        fmax=7600,
        power=1,
        scale="log10",
    ),
    "nemo": _recipe(
        MelSpectrogram,
        sr=16000,
        n_fft=512,
        win_length=400,
        hop_length=160,
        window="hann_symmetric",
        n_mels=80,
        fmax=8000,
        before=(Preemphasis(0.97),),
        after=(Log(offset=2.0**-24), WithoutLast(), PerFeature(eps=1e-5)),
    ),
    "sensevoice": _recipe(
        MelSpectrogram,
        compat="kaldi",
        window="hamming_symmetric",
        n_mels=80,
        before=(AS_16_BITS,),
        after=(Stack(7, 6),),
    ),
    "encodec": _recipe(
        MelSpectrogram,
        sr=24000,
        n_fft=1024,
        hop_length=None,
        center=False,
        n_mels=64,
        fmin=64,
        mel_scale="htk",
        norm=None,
        before=(Reflect(whole=True),),
        after=(PerWindow(), Log(offset=1e-5, base="10")),
    ),
    "librosa": _recipe(MelSpectrogram, compat="librosa"),
    "torchaudio": _recipe(MelSpectrogram, compat="torchaudio"),
    "nnaudio": _recipe(MelSpectrogram, compat="nnaudio"),
}


def names() -> list[str]:
    """Return the names of all presets.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.presets.names()[:3]
    ['whisper', 'whisper_v3', 'kaldi_fbank']
    """
    return list(PRESETS)


def get(name: str, *, cmvn: tuple[ArrayLike, ArrayLike] | None = None, **changes: Any) -> Any:
    """Return the front end of a model, or the mel spectrogram of a library, by name.

    Parameters
    ----------
    name : str
        One of `names()`; docs/presets.md says what each is.
    cmvn : pair of arrays (n_rows,), optional
        Shift and scale of each row, as a model comes with: features become (x + shift) * scale at the end.
    **changes
        Settings of the transform in the place of the preset's, such as `n_mels`, `device` and `pcm`.

    Returns
    -------
    FrontEnd, or the transform itself where it needs no steps
        Called on a signal (..., n_samples) with samples from -1 to 1, it returns (..., freq, time).

    Raises
    ------
    ParameterError
        If the name is unknown, or a setting or `cmvn` breaks a rule.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.presets.get("kaldi_fbank")(np.ones(16000)).shape
    (80, 98)
    >>> aa.presets.get("nemo", n_mels=128)(np.ones(16000)).shape
    (128, 100)
    """
    kind, settings, before, after = PRESETS[one_of("name", name, PRESETS)]
    changes = {ALIASES.get(key, key): value for key, value in changes.items()}
    shared = {field.name for field in dataclasses.fields(Transform)}
    after += () if cmvn is None else (_normalisation(cmvn),)
    if not before + after:
        return kind(**settings | changes)
    around = {key: changes.pop(key) for key in shared & changes.keys()}
    return FrontEnd(core=kind(**settings | changes), before=before, after=after, **around)


def _normalisation(cmvn: Any) -> Affine:
    if not isinstance(cmvn, list | tuple) or len(cmvn) != 2:
        raise ParameterError(f"cmvn of type {type(cmvn).__name__}: must be a pair of arrays, shift and scale")
    shift, scale = (to_numpy(part) for part in cmvn)
    if shift.ndim != 1 or shift.shape != scale.shape:
        raise ParameterError(f"cmvn has the shapes {shift.shape} and {scale.shape}: must be those of two equal rows")
    return Affine(tuple(shift.tolist()), tuple(scale.tolist()))
