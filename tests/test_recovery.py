"""The sentence found by its log-mel spectrogram is as near as the page says, and descent brings it there."""

import json
import re
from pathlib import Path

import pytest

from arrayaudio.ext.io import load
from docs import recovery

DOCS = Path(__file__).parent.parent / "docs"
DATA = json.loads((DOCS / "recovery.json").read_text())


def test_the_sound_has_the_numbers_of_the_data():
    found, _ = load(DOCS / "sounds" / "recovered.flac")
    now = recovery.distances(found, recovery.sentence())
    for name, value in now.items():
        assert value == pytest.approx(DATA["descent"][name], rel=0.02)


def test_the_page_has_the_numbers_of_the_data():
    text = " ".join((DOCS / "learning.md").read_text().split())
    before, after, magnitudes = re.search(r"([\d.]+) dB \(root .* to ([\d.]+) dB\..* STFT, (\d+) % off", text).groups()
    assert (before, after) == tuple(f"{DATA[name]['log-mel, dB']:.2f}" for name in ("mel_to_audio", "descent"))
    assert all(f"{100 * row['magnitudes']:.0f}" == magnitudes for row in DATA.values())
    assert recovery.STEPS * len(recovery.RATES) == 400


def test_descent_begins_where_the_data_say_and_comes_nearer():
    original = recovery.sentence()
    target = recovery.LOGMEL(original)
    start = recovery.started(target)
    assert recovery.distances(start, original)["log-mel, dB"] == pytest.approx(
        DATA["mel_to_audio"]["log-mel, dB"], rel=0.02
    )
    found = recovery.descended(start, target, steps=10)
    assert recovery.distances(found, original)["log-mel, dB"] < 0.9 * DATA["mel_to_audio"]["log-mel, dB"]
