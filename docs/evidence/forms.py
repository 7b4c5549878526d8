"""Forms of the constant-Q transform, ours, librosa's and nnAudio's, and what halving the rate does to them."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import librosa
import numpy as np

import arrayaudio as aa
from arrayaudio.compat import nnaudio
from docs.evidence import exact
from docs.evidence.exact import NNAUDIO_FMIN
from docs.evidence.measures import decibels, distance, errors, short
from docs.evidence.signals import HOP, SR, beyond, in_silence, signals
from tests.nnaudio_peer import paired, run, theirs

EVEN = "logarithmic sweep"  # stays as long in every octave
FEW = 24  # bins, two octaves above C1, for which the rate may be divided before all else


class Form(NamedTuple):
    """Whose form, its name, whose definition it follows, and how it is called: signal -> complex coefficients."""

    who: str
    name: str
    definition: str
    call: Callable[..., np.ndarray]


def ours(y: np.ndarray, method: str, n_bins: int = exact.N_BINS) -> np.ndarray:
    """Call our transform with one of its methods."""
    return aa.cqt(y, sr=SR, hop_length=HOP, n_bins=n_bins, method=method)


def by_librosa(y: np.ndarray, n_bins: int = exact.N_BINS, **options: Any) -> np.ndarray:
    """Call librosa."""
    return librosa.cqt(y, sr=SR, hop_length=HOP, n_bins=n_bins, **options)


def settings(n_bins: int) -> dict[str, Any]:
    """Settings of nnAudio's classes; zeros around the signal, as with the others."""
    return {"sr": SR, "hop_length": HOP, "fmin": NNAUDIO_FMIN, "n_bins": n_bins, "pad_mode": "constant"}


def by_our_classes(y: np.ndarray, name: str, n_bins: int = exact.N_BINS) -> np.ndarray:
    """Call a class of `arrayaudio.compat.nnaudio`."""
    return paired(getattr(nnaudio, name)(**settings(n_bins))(y, "Complex"))[0]


@functools.cache
def layer(name: str, n_bins: int, **options: Any) -> Any:
    """Build a layer of nnAudio, once."""
    quiet = {} if name == "CQT1992" else {"verbose": False}
    return theirs(name, **settings(n_bins), **quiet, **options)


def by_nnaudio(y: np.ndarray, name: str, n_bins: int = exact.N_BINS, **options: Any) -> np.ndarray:
    """Call a class of nnAudio; where it returns conjugates, these are conjugated."""
    pairs = run(layer(name, n_bins, **options), y[None], output_format="Complex")[0]
    return paired(pairs).conj() if name == "CQT2010" else paired(pairs)


LIBROSA = Form("librosa", "cqt", "librosa", by_librosa)
FORMS = (
    *(
        Form("arrayaudio", f'"{method}"', "librosa", functools.partial(ours, method=method))
        for method in ("auto", "1992", "1992v2", "2010", "2010v2")
    ),
    LIBROSA,
    *(
        Form(who, name, "nnAudio", functools.partial(call, name=name))
        for name in ("CQT1992", "CQT1992v2", "CQT2010", "CQT2010v2")
        for who, call in (("arrayaudio", by_our_classes), ("nnAudio", by_nnaudio))
    ),
)
HALVING = [form for form in FORMS if "2010" in form.name or form.who == "librosa"]


@functools.cache
def exactly(signal: str, definition: str) -> np.ndarray:
    """Exact sums of one of the signals."""
    return exact.constant_q(signals()[signal], definition)


@functools.cache
def result(form: Form, signal: str) -> np.ndarray:
    """What a form makes of one of the signals."""
    return form.call(signals()[signal])


def compared(form: Form) -> dict[str, Any]:
    """Measure a form on all signals: of magnitudes, and the worst distance with phases."""
    pairs = {name: (result(form, name), exactly(name, form.definition)) for name in signals()}
    return {
        "who": form.who,
        "form": form.name,
        "definition": form.definition,
        "errors": {name: errors(*pair) for name, pair in pairs.items()},
        "with phases": max(distance(*pair) for pair in pairs.values()),
    }


def by_octave(form: Form) -> dict[str, Any]:
    """Errors of a form in each octave, and what it hears there of a sweep that lies above all bins."""
    found, wanted = (exact.octaves(C) for C in (result(form, EVEN), exactly(EVEN, form.definition)))
    return {
        "who": form.who,
        "form": form.name,
        "errors": [errors(*pair)["l2"] for pair in zip(found, wanted, strict=True)],
        "heard": heard(form.call(beyond()), form.definition),
    }


def heard(C: np.ndarray, definition: str) -> list[float]:
    """The loudest value in each octave in dB, 0 being what a tone of amplitude 1 gives in its bin."""
    fmin, length = exact.DEFINITIONS[definition]
    of_tone = np.sqrt([length(f) for f in exact.frequencies(fmin)])[:, None] / 2
    return [round(float(octave.max()), 1) for octave in exact.octaves(decibels(C / of_tone, 1.0))]


def folded() -> dict[str, list[float]]:
    """What halving adds to a sweep above all bins: the most that octaves hear, in dB, less what kernels leak.

    These are the exact ones for ours; for librosa, all parts kept, and for nnAudio they are those they make.
    """
    y = beyond()
    pairs = {
        "arrayaudio": (ours(y, "2010v2"), exact.constant_q(y), "librosa"),
        "librosa": (by_librosa(y, sparsity=0), exact.by_octaves(y, "librosa"), "librosa"),
        "nnAudio": (by_nnaudio(y, "CQT2010v2"), exact.by_octaves(y, "nnAudio"), "nnAudio"),
    }
    return {who: heard(np.maximum(np.abs(C) - np.abs(leaks), 0), name) for who, (C, leaks, name) in pairs.items()}


def filter_of_nnaudio() -> dict[str, float]:
    """How uneven its low-pass filter is for the bins of the first halving, and what it lets fold onto these, in dB."""
    taps = layer("CQT2010v2", exact.N_BINS).lowpass_filter.numpy().ravel()
    gain, hz = np.abs(np.fft.rfft(taps, 2**16)), np.fft.rfftfreq(2**16, 1 / SR)
    highest = exact.frequencies(NNAUDIO_FMIN)[-exact.OCTAVE - 1]
    uneven = np.abs(gain[hz <= highest] - 1).max()
    return {"ripple": short(uneven), "folded": short(decibels(gain[hz >= SR / 2 - highest].max(), 1.0))}


def causes(signal: str) -> dict[str, dict[str, float]]:
    """What is left of librosa's error, and of nnAudio's with phases, when one cause after the other is taken away."""
    y, quiet = signals()[signal], in_silence(signals()[signal])
    whole = by_librosa(quiet, sparsity=0)
    delayed, inside = by_nnaudio(y, "CQT2010v2"), by_nnaudio(quiet, "CQT2010v2")
    first, then = exact.constant_q(quiet), exact.constant_q(quiet, "nnAudio")
    return {
        "librosa": {
            "as it is": distance(result(LIBROSA, signal), exactly(signal, "librosa")),
            "in silence": distance(by_librosa(quiet), first),
            "all of its kernels": distance(whole, first),
            "to its own kernels": distance(whole, exact.by_octaves(quiet, "librosa")),
        },
        "nnAudio": {
            "as it is": distance(delayed, exactly(signal, "nnAudio")),
            "in silence": distance(inside, then),
            "to its own kernels": distance(inside, exact.by_octaves(quiet, "nnAudio")),
        },
    }


def early() -> list[dict[str, Any]]:
    """Two octaves from C1 on, where the rate may be divided before all else: loudness, and errors of magnitudes."""
    y = signals()[EVEN]
    wanted = {definition: exact.constant_q(y, definition, FEW) for definition in exact.DEFINITIONS}
    rows = []
    for form in HALVING:
        for option in ({}, {"earlydownsample": False}) if form.who == "nnAudio" else ({},):
            found = form.call(y, n_bins=FEW, **option)
            against = wanted[form.definition]
            divided = layer(form.name, FEW, **option).downsample_factor if form.who == "nnAudio" else None
            rows.append(
                {
                    "who": form.who,
                    "form": form.name,
                    "earlydownsample": option.get("earlydownsample"),
                    "divided": divided and int(divided),
                    "loudness": short(np.linalg.norm(found) / np.linalg.norm(against)),
                    "l2": errors(found, against)["l2"],
                }
            )
    return rows


def kernels_of_librosa() -> float:
    """How far librosa's wavelets are from the kernels of the exact sums, by the largest value of each."""
    hz = np.array(exact.frequencies(exact.C1))
    made, _ = librosa.filters.wavelet(
        freqs=hz, sr=SR, window="hann", filter_scale=1, norm=1, pad_fft=False, dtype=np.complex128
    )
    return short(max(exact.kernel_distance(k, wavelet) for k, wavelet in enumerate(made)))


def measured() -> dict[str, Any]:
    """Measure all."""
    return {
        "forms": [compared(form) for form in FORMS],
        "octaves": [by_octave(form) for form in HALVING],
        "heard exactly": {name: heard(exact.constant_q(beyond(), name), name) for name in exact.DEFINITIONS},
        "folded": folded(),
        "filter": filter_of_nnaudio(),
        "causes": {signal: causes(signal) for signal in signals()},
        "early": early(),
        "rounding": {name: short(exact.rounding(name)) for name in exact.DEFINITIONS},
        "wavelets": kernels_of_librosa(),
    }
