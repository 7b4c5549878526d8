"""All that the fuzzer kept is read again, and settings that are none are refused."""

from pathlib import Path

import pytest

import arrayaudio as aa

from .fuzz.targets import KINDS, TARGETS

KEPT = sorted((Path(__file__).parent / "fuzz" / "corpus").glob("*/*"))


@pytest.mark.filterwarnings("ignore::arrayaudio.ArrayAudioWarning")
@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_kept_is_read_or_refused(path):
    TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_a_corpus():
    assert {path.parent.name for path in KEPT} == set(TARGETS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "settings are not JSON"),
        ("[" * 10**5, "settings are not JSON"),
        ("3", "settings=3: must be a dict of settings"),
        ('["a"]', r"settings=\['a'\]: must be a dict"),
        ("{}", "transform=None"),
    ],
)
def test_settings_that_are_none_are_refused(kind, text, message):
    with pytest.raises(aa.ParameterError, match=message):
        kind.from_json(text)


def test_settings_that_are_missing_are_named():
    with pytest.raises(aa.ParameterError, match="MelSpectrogram needs sr too"):
        aa.MelSpectrogram.from_dict({"transform": "MelSpectrogram"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"before": 3}, "before=3: must be a list of the settings of steps"),
        ({"after": ["Log"]}, "step='Log': must be a dict of settings"),
        ({"after": [{"step": []}]}, "must be the settings of one of the steps"),
    ],
)
def test_steps_that_are_none_are_refused(options, message):
    settings = aa.presets.get("whisper").to_dict() | options
    with pytest.raises(aa.ParameterError, match=message):
        aa.FrontEnd.from_dict(settings)
