"""Presets and defaults beside the code of others, and the page that says how far they are apart."""

import json
from pathlib import Path

import numpy as np
import pytest

import arrayaudio as aa
from docs.parity import outside
from docs.parity.cases import LIMIT, measured, signals
from docs.parity.page import SIGNALS, rendered
from docs.parity.rows import DEFAULTS, PRESETS, scaled

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent.parent / "docs" / "parity.md"
DATA = json.loads(PAGE.with_suffix(".json").read_text())
CASES = PRESETS + DEFAULTS
ROWS = DATA["presets"] + DATA["defaults"]


def within_limits(case, row, allowed=1.0):
    for signal in SIGNALS:
        assert row["errors"][signal] <= allowed * getattr(case.reason, signal.rpartition(" ")[2]), signal


def test_the_page_is_that_of_its_data():
    assert PAGE.read_text() == rendered(DATA)
    assert [(c.name, c.outside, c.reason.text) for c in CASES] == [(r["name"], r["outside"], r["reason"]) for r in ROWS]


@pytest.mark.parametrize(
    ("case", "row"), [*zip(CASES, ROWS, strict=True)], ids=[f"{case.name} {case.outside}" for case in CASES]
)
def test_rows_stay_within_their_limits(case, row):
    within_limits(case, row)
    within_limits(case, measured(case), allowed=2.0)  # as other processors, and versions, round otherwise


def test_reasons_stand_where_errors_are_above_the_limit_and_nowhere_else():
    for row in ROWS:
        assert bool(row["reason"]) == (max(row["errors"].values()) > LIMIT), row["name"]


def test_every_preset_has_a_row():
    rows = {row["name"] for row in ROWS}
    rows |= {name.removeprefix('MelSpectrogram(compat="').removesuffix('")') for name in rows}
    assert set(aa.presets.names()) <= rows


def test_with_its_filters_torchaudio_agrees():
    y = signals(16000)["speech"].astype(np.float64)
    bank, _ = outside.torchaudio().compliance.kaldi.get_mel_banks(80, 512, 16000.0, 20.0, 0.0, 100.0, -500.0, 1.0)
    bank = np.pad(bank.numpy().astype(np.float64), ((0, 0), (0, 1)))
    ours = aa.presets.get("kaldi_fbank").with_params({"bank": bank})
    theirs = outside.kaldi_in_torch(scaled(y), "fbank", num_mel_bins=80)
    assert np.abs(ours(y) - theirs).max() < 1e-11
