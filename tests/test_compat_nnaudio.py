"""What all of nnAudio's classes share: names, arguments, shapes, devices, and what is refused."""

import importlib
import inspect
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from nnAudio import features

import arrayaudio as aa
from arrayaudio.compat import nnaudio
from arrayaudio.compat.nnaudio.layer import variant

SMALL = {
    "STFT": {"n_fft": 64},
    "MelSpectrogram": {"sr": 8000, "n_fft": 256, "n_mels": 12, "hop_length": 64},
    "MFCC": {"sr": 8000, "n_fft": 256, "n_mels": 12, "n_mfcc": 5, "hop_length": 64},
    "Gammatonegram": {"sr": 8000, "n_fft": 64, "n_bins": 6},
    "CFP": {"fs": 1000, "fr": 10, "window_size": 33, "hop_length": 25, "fc": 50, "tc": 1 / 300},
    "Combined_Frequency_Periodicity": {"fs": 1000, "fr": 10, "window_size": 33, "fc": 50, "tc": 1 / 300},
    "CQT": {"sr": 4000, "fmin": 200, "n_bins": 24, "hop_length": 64},
    "CQT1992": {"sr": 4000, "fmin": 200, "n_bins": 24, "hop_length": 64},
    "CQT1992v2": {"sr": 4000, "fmin": 200, "n_bins": 24, "hop_length": 64},
    "CQT2010": {"sr": 4000, "fmin": 200, "n_bins": 24, "hop_length": 64},
    "CQT2010v2": {"sr": 4000, "fmin": 200, "n_bins": 24, "hop_length": 64},
    "VQT": {"sr": 4000, "fmin": 200, "n_bins": 24, "hop_length": 64, "gamma": 5},
}
CONSTANT_Q = [name for name in SMALL if "QT" in name]


def layer_of(name, **options):
    return getattr(nnaudio, name)(**SMALL[name] | options)


def first(result):
    return result[0] if isinstance(result, tuple) else result


# Ours gives the bins that fit, and lets the array decide; tuples cannot be changed by accident.
OTHER_DEFAULTS = {("CQT1992", "n_bins"): None, ("Griffin_Lim", "device"): None}


@pytest.mark.parametrize("name", nnaudio.__all__)
def test_arguments_and_defaults_are_nnaudios(name):
    mine = inspect.signature(getattr(nnaudio, name)).parameters
    others = inspect.signature(getattr(features, name)).parameters
    positional = [p for p in mine.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    expected = [p for p in others.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [p.name for p in positional] == [p.name for p in expected]
    for ours, theirs in zip(positional, expected, strict=True):
        default = tuple(theirs.default) if isinstance(theirs.default, list) else theirs.default
        assert ours.default == OTHER_DEFAULTS.get((name, ours.name), default)


@pytest.mark.parametrize("name", nnaudio.__all__)
def test_calls_take_nnaudios_arguments_in_their_order(name):
    mine = list(inspect.signature(getattr(nnaudio, name).forward).parameters.values())
    others = list(inspect.signature(getattr(features, name).forward).parameters.values())
    mine = [p for p in mine if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [(p.name, p.default) for p in mine] == [(p.name, p.default) for p in others]


def test_all_public_classes_of_nnaudio_are_here():
    public = {
        name
        for name, thing in vars(features).items()
        if inspect.isclass(thing) and issubclass(thing, torch.nn.Module) and thing.__module__.startswith("nnAudio")
    }
    assert public - {"STFTBase"} == set(nnaudio.__all__)


@pytest.mark.parametrize("name", nnaudio.__all__)
def test_modules_are_named_as_nnaudios(name):
    home = getattr(features, name).__module__.rpartition(".")[2]
    module = importlib.import_module(f"arrayaudio.compat.nnaudio.{home}")
    assert getattr(module, name) is getattr(nnaudio, name)
    assert name in module.__all__


@pytest.mark.parametrize("name", SMALL)
class TestEveryLayer:
    def test_takes_nnaudios_three_shapes(self, name, rng):
        y, layer = rng.standard_normal((2, 1500)), layer_of(name)
        both = first(layer(y))
        assert both.shape[0] == 2
        np.testing.assert_array_equal(first(layer(y[:, None])), both)
        for k in range(2):
            alone = first(layer(y[k]))
            assert alone.shape == (1, *both.shape[1:])
            np.testing.assert_allclose(alone[0], both[k], rtol=0, atol=1e-12 * np.abs(both).max())
        np.testing.assert_array_equal(first(layer.forward(y)), both)

    def test_runs_on_every_library_in_both_dtypes(self, name, library, dtype, rng):
        y, layer = rng.standard_normal((2, 1500)).astype(dtype), layer_of(name)
        result = library.to_numpy(first(layer(library.asarray(y))))
        assert result.dtype == dtype
        expected = first(layer(y.astype(np.float64)))
        scale = np.abs(expected).max()
        np.testing.assert_allclose(result, expected, rtol=0, atol=scale * (1e-5 if dtype == "float32" else 1e-12))

    def test_takes_the_tensors_that_numpy_can_read(self, name, rng):
        y, layer = rng.standard_normal(1500), layer_of(name)
        np.testing.assert_array_equal(first(layer(torch.tensor(y))), first(layer(y)))

    def test_prints_nothing_and_pickles(self, name, rng, capsys):
        options = {} if "CFP" in name or name in ("Combined_Frequency_Periodicity", "CQT1992") else {"verbose": True}
        layer, y = layer_of(name, **options), rng.standard_normal(1500)
        copy = pickle.loads(pickle.dumps(layer))
        np.testing.assert_array_equal(first(copy(y)), first(layer(y)))
        assert capsys.readouterr().out == ""
        assert repr(layer).startswith(f"{name}(")

    def test_moves_where_it_is_told(self, name, rng):
        y, layer = rng.standard_normal(1500), layer_of(name)
        expected = first(layer(y))
        for place in ("cpu", torch.device("cpu"), None):
            assert layer.to(place) is layer
            np.testing.assert_array_equal(first(layer(y)), expected)
        np.testing.assert_array_equal(first(layer.cpu().eval()(y)), expected)
        with pytest.raises(aa.BackendError, match="device='cuda:99'"):
            layer.cuda(99)(y)
        with pytest.raises(aa.ParameterError, match="device='tpu'"):
            layer.to("tpu")

    def test_silence_is_finite(self, name):
        assert np.isfinite(first(layer_of(name)(np.zeros((1, 1500), np.float32)))).all()

    @pytest.mark.parametrize(
        ("x", "message"),
        [
            (np.zeros((2, 3, 900)), r"signal has shape \(2, 3, 900\): must be \(n_samples,\), \(batch, n_samples\) or"),
            (np.zeros((1, 1, 1, 900)), r"must be \(n_samples,\), \(batch, n_samples\) or \(batch, 1, n_samples\)"),
            (np.zeros((2, 0)), "signal has 0 samples"),
            (np.float64(1), "single number"),
            (np.full(1500, np.nan), "1500 NaN or infinite samples"),
        ],
        ids=["channels", "4-d", "empty", "number", "nan"],
    )
    def test_refuses_what_is_no_batch_of_signals(self, name, x, message):
        with pytest.raises(aa.ParameterError, match=message):
            layer_of(name)(x)

    def test_refuses_integers(self, name):
        with pytest.raises(aa.DTypeError, match="int16"):
            layer_of(name)(np.zeros(1500, np.int16))


LEARNING = [
    ("STFT", "trainable"),
    ("iSTFT", "trainable_kernels"),
    ("iSTFT", "trainable_window"),
    ("MelSpectrogram", "trainable_mel"),
    ("MelSpectrogram", "trainable_STFT"),
    ("MFCC", "trainable_mel"),
    ("MFCC", "trainable_STFT"),
    ("Gammatonegram", "trainable_bins"),
    ("Gammatonegram", "trainable_STFT"),
    ("CQT1992", "trainable_STFT"),
    ("CQT1992", "trainable_CQT"),
    ("CQT1992v2", "trainable"),
    ("CQT", "trainable"),
    ("CQT2010", "trainable_STFT"),
    ("CQT2010", "trainable_CQT"),
    ("CQT2010v2", "trainable"),
    ("VQT", "trainable"),
]


# What these classes could learn in nnAudio has no counterpart here.
REFUSED = {
    ("iSTFT", "trainable_kernels"),
    ("iSTFT", "trainable_window"),
    ("CQT1992", "trainable_STFT"),
    ("CQT2010", "trainable_STFT"),
}


@pytest.mark.parametrize(("name", "argument"), sorted(REFUSED))
def test_what_has_no_counterpart_cannot_be_learned(name, argument):
    getattr(nnaudio, name)(**{argument: False})
    with pytest.raises(aa.ParameterError, match=f"{argument}=True: {name} has nothing to learn by that name here"):
        getattr(nnaudio, name)(**{argument: True})


@pytest.mark.parametrize(("name", "argument"), [case for case in LEARNING if case not in REFUSED])
def test_learned_arrays_take_the_place_of_those_they_began_as(name, argument, rng):
    y = rng.standard_normal((2, 9000))
    options = SMALL.get(name, {})
    fixed, layer = (getattr(nnaudio, name)(**options, **{argument: flag}) for flag in (False, True))
    assert fixed.params == {}
    (key,) = layer.params
    learned = layer.with_params(layer.params)
    expected = fixed(y)
    assert np.linalg.norm(learned(y) - expected) <= 1e-3 * np.linalg.norm(expected)
    if name.startswith("CQT") and "2010" not in name:
        for scale in ("convolutional", "wrap"):
            assert np.allclose(
                learned(y, normalization_type=scale), fixed(y, normalization_type=scale), atol=1e-5 * expected.max()
            )

    def loss(params):
        return (layer.with_params(params)(y) ** 2).mean()

    value, gradient = aa.value_and_grad(loss)(layer.params)
    assert value > 0
    assert all(np.isfinite(g).all() and np.abs(g).max() > 0 for g in parts(gradient[key]))


def parts(arrays):
    """One array, or those of a list."""
    return arrays if isinstance(arrays, list) else [arrays]


def test_every_argument_for_learning_is_tested():
    inside = {("MFCC", name) for name in ("trainable_mel", "trainable_STFT")}
    listed = {
        (name, p)
        for name in nnaudio.__all__
        for p in inspect.signature(getattr(nnaudio, name)).parameters
        if "train" in p
    }
    assert listed | inside == set(LEARNING)


@pytest.mark.parametrize("name", ["STFT", *CONSTANT_Q])
def test_output_formats_that_do_not_exist_are_errors(name):
    rule = re.escape("must be one of 'Magnitude', 'Complex', 'Phase'")
    with pytest.raises(aa.ParameterError, match=f"output_format='Power': {rule}"):
        layer_of(name, output_format="Power")
    with pytest.raises(aa.ParameterError, match=f"output_format='complex': {rule}"):
        layer_of(name)(np.ones(1500), output_format="complex")


@pytest.mark.parametrize("name", ["STFT", *CONSTANT_Q])
def test_formats_at_call_time_change_nothing_in_the_layer(name, rng):
    y, layer = rng.standard_normal((1, 1500)), layer_of(name)
    before = layer(y)
    shapes = {kind: layer(y, output_format=kind).shape for kind in ("Magnitude", "Complex", "Phase")}
    assert shapes["Complex"] == (*shapes["Magnitude"], 2)
    assert shapes["Phase"] == shapes["Magnitude" if name == "STFT" else "Complex"]
    np.testing.assert_array_equal(layer(y), before)


def test_the_page_about_moving_names_every_class():
    page = (Path(__file__).parent.parent / "docs" / "nnaudio.md").read_text()
    for name in nnaudio.__all__:
        assert re.search(rf"^\| [^|]*`{name}`[^|]* \|", page, re.MULTILINE), name


def test_a_changed_transform_is_made_once():
    transform = aa.STFT(n_fft=64)
    assert variant(transform, output="power") is variant(transform, output="power")
