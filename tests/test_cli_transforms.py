"""The options of the command line become the settings of transforms, and feature files become transforms again."""

import dataclasses
import json

import click
import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.cli_transforms import OPTIONS, OUTPUTS, TRANSFORMS, build, check, described, transform_options

SR = 8000.0


COMMAND = click.command()(transform_options(lambda **given: given))


def test_every_option_is_a_setting_of_a_transform_and_not_given_by_itself():
    given = COMMAND.main([], standalone_mode=False)
    known = {field.name for make, _ in TRANSFORMS.values() for field in dataclasses.fields(make)}
    assert len(given) == len(OPTIONS)
    assert set(given) <= known
    assert set(given.values()) == {None}


@pytest.mark.parametrize(
    ("option", "default"),
    [
        ("n_fft", {"stft": 2048, "cfp": 8192}),
        ("hop_length", dict.fromkeys(["mel", "cqt", "chroma", "cfp"], 512)),
        ("n_bins", {"cqt": 84, "vqt": 84, "gammatone": 64}),
        ("bins_per_octave", {"cqt": 12, "vqt": 12, "cfp": 48}),
        ("n_chroma", {"chroma": 12}),
        ("n_mfcc", {"mfcc": 20}),
        ("n_lfcc", {"lfcc": 40}),
        ("n_filter", {"lfcc": 128}),
        ("n_mels", {"mel": 128, "mfcc": 128}),
        ("window", {"stft": "hann", "cqt": "hann", "cfp": "blackmanharris"}),
        ("method", {"cqt": "auto"}),
        ("output", {"stft": "magnitude", "cqt": "magnitude", "vqt": "magnitude", "cfp": "cfp"}),
        ("fmin", {"mel": 0, "gammatone": 20, "cfp": 80}),
    ],
)
def test_the_help_tells_the_defaults(option, default):
    (parameter,) = (parameter for parameter in COMMAND.params if parameter.name == option)
    for name, value in default.items():
        assert getattr(build(name, sr=SR), option) == value
        assert str(value) in parameter.help.partition("[default: ")[2]


def test_every_output_is_one_of_a_transform():
    for output in OUTPUTS:
        makers = [name for name in ("stft", "cqt", "vqt", "cfp") if _builds(name, output)]
        assert makers in (["stft", "cqt", "vqt"], ["cfp"])


def _builds(name, output):
    try:
        return build(name, sr=SR, output=output).output == output
    except aa.ParameterError:
        return False


def test_equal_settings_are_one_transform():
    assert build("cqt", sr=SR, n_bins=12) is build("cqt", sr=SR, n_bins=12)
    assert build("cqt", sr=SR, n_bins=12) != build("cqt", sr=2 * SR, n_bins=12)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mel", {"fmax": 20000.0}),  # suits one of the rates
        ("mel", {"fmax": 90000.0}),  # suits neither, but a faster one
        ("cqt", {"n_bins": 100}),
        ("cqt", {"n_bins": 500}),
        ("cqt", {"fmin": 1e-6}),
        ("cfp", {"fmin": 3.0}),
        ("gammatone", {"fmin": 30000.0}),
    ],
)
def test_what_depends_on_the_rate_is_left_for_later(name, options):
    check(name, sr=None, **options)


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("sr", [None, 22050.0])
def test_wrong_at_every_rate_is_wrong(name, sr):
    check(name, sr=sr)
    with pytest.raises(aa.ParameterError, match="hop_length=0: must be at least 1"):
        check(name, sr=sr, hop_length=0)


def test_a_known_rate_is_the_one_that_counts():
    check("mel", sr=44100.0, fmax=20000.0)
    with pytest.raises(aa.ParameterError, match="at most sr / 2 = 8000 Hz"):
        check("mel", sr=16000.0, fmax=20000.0)


def test_options_of_other_transforms_are_named():
    with pytest.raises(click.UsageError, match="--transform chroma has no --bins-per-octave, --n-mfcc"):
        check("chroma", sr=None, n_mfcc=13, bins_per_octave=12)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_settings_become_the_transform_again(name):
    transform = build(name, sr=SR)
    S = transform(np.ones((2, 3000)))
    settings = json.loads(json.dumps({"n_samples": 3000, "sr": SR} | transform.to_dict()))
    before = dict(settings)
    assert described(S, settings) == (transform, 3000)
    assert settings == before
    with pytest.raises(aa.ParameterError, match=r"features have shape \(2, \d+, \d+\), its settings say"):
        described(S[..., 1:], settings)
    with pytest.raises(aa.ParameterError, match="must name a transform among STFT, MelSpectrogram"):
        described(S, settings | {"transform": "CWT"})
