"""Settings out of range, of other types and out of this world, in every transform and every public function."""

import contextlib
import dataclasses
import functools
import inspect
import json
import operator
import warnings

import numpy as np
import pytest

import arrayaudio as aa

from .every import FRAMES, NOTES, SETTINGS, SR
from .test_any_array import CALLS

ODD = {
    "0": 0,
    "negative": -4,
    "fraction": 2.5,
    "slip": 10**12,
    "endless": 10**400,
    "tiny": 1e-30,
    "huge": 1e30,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "truth": True,
    "None": None,
    "a word": "many",
    "no word": "",
    "bytes": b"x",
    "a list": [],
    "a pair": (1, 2),
    "an array": np.array([1, 2]),
    "a dict": {},
    "complex": 1 + 2j,
    "an object": object(),
    "words": ["full"],
    "a ragged list": [[1], [2, 3]],
    "lists in a list": [[1.0, 2.0], [3.0, 4.0]],
}

LIKE_CQT = {"sr": SR, "fmin": 110.0, "hop_length": 64}
MOBILE = {"win_length": 200.0, "hop_length": 64.0}
# What every function takes beside its array, if it takes one.
OPTIONS = {
    "adaptive_melspectrogram": {"sr": SR, "n_mels": 20, **MOBILE},
    "adaptive_stft": MOBILE,
    "cfp": SETTINGS["CFP"],
    "chroma_cqt": SETTINGS["ChromaCQT"],
    "chroma_stft": SETTINGS["Chroma"],
    "cqt": NOTES,
    "frames_to_time": {"sr": SR},
    "gammatone_filterbank": {"sr": SR, "n_bands": 4},
    "gammatonegram": SETTINGS["Gammatonegram"],
    "griffinlim": {"n_iter": 1, "hop_length": 64, "seed": 0},
    "griffinlim_cqt": {"n_iter": 1, "seed": 0, **LIKE_CQT},
    "hybrid_cqt": NOTES,
    "icqt": {"n_iter": 2, **LIKE_CQT},
    "istft": {"hop_length": 64},
    "lfcc": SETTINGS["LFCC"],
    "mel_to_audio": {"sr": SR, "n_iter": 1, "seed": 0, **FRAMES},
    "mel_to_stft": {"sr": SR, "n_fft": 256},
    "melspectrogram": SETTINGS["MelSpectrogram"],
    "mfcc": SETTINGS["MFCC"],
    "mfcc_to_mel": {"n_mels": 20},
    "mix_at_snr": {"noise": np.ones((2, 2000), np.float32), "snr": 3.0},
    "pcen": {"sr": SR},
    "pghi": {"hop_length": 64},
    "phase_vocoder": {"rate": 1.3},
    "pseudo_cqt": NOTES,
    "random_stretch": {"seed": 0, **FRAMES},
    "reassigned_spectrogram": {"sr": SR, **FRAMES},
    "resample": {"orig_sr": SR, "target_sr": 6000},
    "samples_to_time": {"sr": SR},
    "shift_cqt": {"steps": 0.5},
    "spectral_bandwidth": {"sr": SR},
    "spectral_centroid": {"sr": SR},
    "spectral_contrast": {"sr": SR, "n_bands": 4},
    "spectral_rolloff": {"sr": SR},
    "time_stretch": {"rate": 1.3, **FRAMES},
    "time_to_frames": {"sr": SR},
    "time_to_samples": {"sr": SR},
    "vqt": NOTES | {"gamma": 10.0},
}
# What takes no array.
ALONE = {
    "cqt_frequencies": {"n_bins": 12, "fmin": 110.0},
    "fft_frequencies": {"sr": SR, "n_fft": 64},
    "gammatone_frequencies": {"n_bins": 8, "fmin": 100.0, "fmax": 2000.0},
    "get_window": {"window": "hann", "length": 64},
    "mel_frequencies": {},
    "filters.mel": {"sr": SR, "n_fft": 256},
    "filters.linear": {"sr": SR, "n_fft": 256},
    "filters.chroma": {"sr": SR, "n_fft": 256},
    "filters.gammatone": {"sr": SR, "n_fft": 256},
    "filters.cq_to_chroma": {"n_input": 24},
    "optim.SGD": {"learning_rate": 0.1},
    "optim.Adam": {},
    "optim.AdamW": {},
    "pcen_stream": {"sr": SR},
    "resample_stream": {"orig_sr": SR, "target_sr": 6000},
    "set_num_threads": {"n": 2},
    "warmup": {"transform": aa.STFT(n_fft=64)},
}
TEXT = {"hz_to_note": 440.0, "midi_to_note": 60.0, "note_to_hz": "A4", "note_to_midi": "A4"}


def function(name):
    return operator.attrgetter(name)(aa)


def options_of(name):
    """Options of a function by name, without those that it passes on."""
    given = inspect.signature(function(name)).parameters.values()
    passed = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    names = [parameter.name for parameter in given if parameter.kind not in passed]
    return names if name in ALONE else names[1:]


FUNCTIONS = sorted(n for n in CALLS if callable(getattr(aa, n, None)) and not inspect.isclass(getattr(aa, n)))
SETTINGS_OF = [(name, field.name) for name in SETTINGS for field in dataclasses.fields(getattr(aa, name))]
OPTIONS_OF = [(name, option) for name in [*FUNCTIONS, *ALONE, *TEXT] for option in options_of(name)]


def test_every_function_is_tested():
    apart = {"asarray", "benchmark", "check_grads", "grad", "load_transform", "show_versions", "to_numpy"}
    apart |= {"value_and_grad", "vjp"}
    functions = {name for name in aa.__all__ if inspect.isfunction(getattr(aa, name))}
    assert functions - apart <= {*FUNCTIONS, *ALONE, *TEXT}


@pytest.fixture(autouse=True)
def _threads():
    from arrayaudio.kernels.cpu import threads

    before = threads.num_threads()
    yield
    aa.set_num_threads(before)


def tried(call):
    """Call with an odd setting: it serves, or is refused with a rule; numbers too large for the format may warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", aa.ArrayAudioWarning)
        warnings.filterwarnings("ignore", "overflow", RuntimeWarning)
        try:
            call()
        except (aa.ParameterError, aa.DTypeError, aa.BackendError) as error:
            assert any(rule in str(error) for rule in ("must ", "need", "use ", "give ")), error


@functools.cache
def array_of(name):
    return CALLS[name][1]()


@pytest.mark.parametrize(("name", "setting"), SETTINGS_OF)
def test_settings_of_transforms(name, setting):
    for value in ODD.values():
        tried(lambda value=value: getattr(aa, name)(**SETTINGS[name] | {setting: value})(array_of("stft")))


@pytest.mark.parametrize(("name", "setting"), SETTINGS_OF)
def test_settings_of_transforms_as_dicts(name, setting):
    """What reads files of settings has one error to look for."""
    kind = getattr(aa, name)
    for value in ODD.values():
        with warnings.catch_warnings(), contextlib.suppress(aa.ParameterError):
            warnings.simplefilter("ignore", aa.ArrayAudioWarning)
            kind.from_dict({"transform": name, **SETTINGS[name], setting: value})


def places(settings, path=()):
    """Yield the way to every value within nested settings."""
    for key, value in settings.items() if isinstance(settings, dict) else enumerate(settings):
        yield *path, key
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@pytest.mark.filterwarnings("ignore::arrayaudio.ArrayAudioWarning")
@pytest.mark.parametrize("name", sorted(aa.presets.names()))
def test_settings_of_presets_as_dicts(name):
    kind, text = type(aa.presets.get(name)), aa.presets.get(name).to_json()
    for *path, last in places(json.loads(text)):
        for value in ODD.values():
            settings = json.loads(text)
            functools.reduce(operator.getitem, path, settings)[last] = value
            with contextlib.suppress(aa.ParameterError):
                kind.from_dict(settings)


def called(call, x, options):
    """Call with options, the positional ones in their place."""
    parameters = list(inspect.signature(call).parameters.values())[1:]
    first = [options.pop(p.name) for p in parameters if p.kind is p.POSITIONAL_ONLY and p.name in options]
    return call(x, *first, **options)


@pytest.mark.parametrize(("name", "option"), OPTIONS_OF)
def test_options_of_functions(name, option):
    call = function(name)
    for value in ODD.values():
        if name in ALONE:
            tried(functools.partial(call, **ALONE[name] | {option: value}))
        else:
            x = TEXT[name] if name in TEXT else array_of(name)
            tried(lambda x=x, value=value: called(call, x, OPTIONS.get(name, {}) | {option: value}))
