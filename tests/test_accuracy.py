"""The accuracy page: it is that of its data, leaves nothing out, and its errors are within the limits."""

import json
from pathlib import Path

import pytest

import arrayaudio as aa
from arrayaudio.compat import nnaudio
from docs.accuracy.__main__ import FAMILIES
from docs.accuracy.cases import measured
from docs.accuracy.page import rendered

from .tolerances import LEVELS, PEAK

PAGE = Path(__file__).parent.parent / "docs" / "accuracy.md"
DATA = json.loads(PAGE.with_suffix(".json").read_text())
ROWS = [(family, row) for family, rows in DATA["families"].items() for row in rows]
rows = pytest.mark.parametrize(("family", "row"), ROWS, ids=[f"{f}: {row['transform']}" for f, row in ROWS])

# Modules whose public names take no signal and return none, or only scale or copy it.
NO_SIGNALS = {
    "arrays",
    "autodiff.check",
    "autodiff.gradients",
    "errors",
    "ext.params",
    "gammatone_bank",
    "kernels.cpu.threads",
    "measuring",
    "notes",
    "pcm",
    "scales",
    "streaming.conversion",
    "streaming.gain_control",
    "times",
    "versions",
    "warming",
    "windows",
}
# Those whose errors are on the page of parity, or that draw at random: their own tests hold them to loops.
ON_ANOTHER_PAGE = {"transforms.front_end", "augmentation.masking", "augmentation.mixing", "augmentation.moving"}
# Forms that are no exact sums: by halving the rate; and roots of what should be zero.
BY_OCTAVES = {"float32": 5e-4, "float64": 5e-4}
WITH_ROOTS = {"float32": PEAK["float32"], "float64": 1e-11}
APPROXIMATE = {
    'CQT(sr=22050, method="2010")': BY_OCTAVES,
    'CQT(sr=22050, method="2010v2")': BY_OCTAVES,
    'VQT(sr=22050, gamma=None, method="2010v2")': BY_OCTAVES,
    "CQT2010(fmin=220, n_bins=36, hop_length=64)": BY_OCTAVES,
    "CQT2010v2(fmin=220, n_bins=36, hop_length=64)": BY_OCTAVES,
    "VQT(fmin=220, n_bins=36, hop_length=64, gamma=10)": BY_OCTAVES,
    # Weak coefficients, whose phases hold few digits, are given large magnitudes.
    "griffinlim(n_fft=64), one iteration from phases of zero": {"float32": 5e-6, "float64": PEAK["float64"]},
    'CFP(output="cfp", n_fft=128)': WITH_ROOTS,
    'CFP(output="frequency", n_fft=128)': WITH_ROOTS,
    'CFP(output="periodicity", n_fft=128)': WITH_ROOTS,
}
# Of the sweep, where quiet bins decide: float32, float64.
QUIET = {
    "spectral_bandwidth": (1e-4, 1e-12),
    "spectral_contrast": (5, 1e-6),
    "harmonic(n_fft=256, hop_length=64)": (1e-5, 1e-12),
    "percussive(n_fft=256, hop_length=64)": (1e-5, 1e-12),
    "time_stretch(rate=1.3, n_fft=256, hop_length=64)": (1, 1e-8),
    "ChromaCQT(n_octaves=4, hop_length=256, norm=inf)": (1e-3, 1e-11),
}


def limits(row):
    if row["transform"] in APPROXIMATE:
        return APPROXIMATE[row["transform"]]
    if row["unit"] == "dB":
        return {dtype: limit * max(1, row["largest"]) for dtype, limit in LEVELS.items()}
    return PEAK


def test_the_page_is_that_of_its_data():
    assert PAGE.read_text() == rendered(DATA)


def test_the_data_are_those_of_the_rows():
    for family, cases in FAMILIES.items():
        described = [
            (row["transform"], row["definition"], row["peer"], row["covers"]) for row in DATA["families"][family]
        ]
        assert described == [(c.transform, c.definition, c.peer, list(c.covers)) for c in cases]


def test_every_transform_has_a_row():
    tables = [row for _, row in ROWS] + DATA["round_trips"] + DATA["searches"]
    covered = {name for row in tables for name in row["covers"]}
    elsewhere = NO_SIGNALS | ON_ANOTHER_PAGE
    public = {name for module, names in aa._PUBLIC.items() if module not in elsewhere for name in names}
    assert covered == public | {f"nnaudio.{name}" for name in nnaudio.__all__}
    assert set(aa._PUBLIC) > elsewhere


def test_no_cell_is_empty():
    text = PAGE.read_text()
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert len(tables) > 80
    for line in tables:
        assert all(cell.strip() for cell in line.strip("|").split("|")), line
    for word in ("not implemented", "nan", " inf ", "None |"):
        assert word not in text.lower()


@rows
def test_errors_are_within_the_limits(family, row):
    for dtype, limit in limits(row).items():
        assert row["errors"][dtype] <= limit


@rows
def test_errors_fit_together(family, row):
    """Two results are no further apart than both from the exact values, up to the digits that the data keep."""
    errors = row["errors"]
    for dtype in ("float32", "float64"):
        if "peer" in errors:
            assert errors[f"{dtype} to peer"] <= 1.01 * (errors[dtype] + errors["peer"])
        else:
            assert row["peer"].startswith("none")


def test_quiet_bins_cost_no_more_than_they_may():
    for row in DATA["quiet"]:
        single, double = QUIET[row["transform"]]
        assert row["errors"]["float32"] <= single
        assert row["errors"]["float64"] <= double


def test_halving_costs_what_the_transform_says():
    for row in DATA["decimation"]:
        limit = 1e-12 if row["hop_length"] % 2 else {"hann": 5e-4, "hamming": 0.1}[row["window"]]
        for method in ("2010", "2010v2"):
            for signal, error in row["errors"][method].items():
                assert error <= limit
                assert row["window"] == "hamming" or error < row["errors"]["librosa"][signal] / 50


def test_signals_come_back():
    least = {"istft": (130, 290), "STFT": (115, 115), "NSGT": (125, 290), "deemphasis": (120, 290)}
    least |= {"icqt": (60, 60), "griffinlim_cqt": (45, 45)}
    for row in DATA["round_trips"]:
        name = next((name for name in least if row["transform"].startswith(name)), None)
        single, double = least[name] if name else (60, 75)  # the rows that begin "the same"
        assert row["snr"]["float32"] >= single
        assert row["snr"]["float64"] >= double


def test_searches_come_as_near_as_their_peers():
    for row in DATA["searches"]:
        found = row["convergence"]
        if not row["transform"].startswith("pghi"):
            assert found["float64"] <= 1.03 * found["peer"]
        assert found["float32"] == pytest.approx(found["float64"], rel=0.02)


CHEAP = [
    ("Fourier transforms", "STFT(n_fft=256, hop_length=64)"),
    ("Bands and cepstra", "MFCC(n_mfcc=13, n_mels=24)"),
    ("Bands and cepstra", "gammatone_filterbank(n_bands=8)"),
    ("Pitch", 'CQT(sr=22050, method="auto")'),
    ("Pitch", 'CFP(output="cfp", n_fft=128)'),
    ("Descriptors, parts and filters", "pcen(sr=22050)"),
    ("Descriptors, parts and filters", "phase_vocoder(rate=1.3)"),
    ("Inverses", "mfcc_to_mel(n_mels=40) of 13 coefficients"),
    ("nnAudio's classes", "CQT2010v2(fmin=220, n_bins=36, hop_length=64)"),
]


@pytest.mark.parametrize(("family", "transform"), CHEAP, ids=[name for _, name in CHEAP])
def test_rows_can_be_measured_again(family, transform):
    case = next(case for case in FAMILIES[family] if case.transform == transform)
    before = next(row for row in DATA["families"][family] if row["transform"] == transform)
    now = measured(case)
    for dtype, limit in limits(before).items():
        assert now["errors"][dtype] <= limit
    if before["errors"].get("peer", 0) > 1e-4:  # what makes a peer's error is no rounding
        assert now["errors"]["peer"] == pytest.approx(before["errors"]["peer"], rel=0.05)
