"""The page of gradients: it is that of its data, leaves nothing out, and its errors are small."""

import json
from pathlib import Path

import pytest

import arrayaudio as aa
from arrayaudio.compat import nnaudio
from arrayaudio.transforms.base import Transform
from docs.gradients.cases import FAMILIES, WITHOUT, y
from docs.gradients.measuring import Case, error, measured, refused
from docs.gradients.page import rendered
from docs.gradients.searches import ITERATIONS, distance

from .test_accuracy import NO_SIGNALS, ON_ANOTHER_PAGE

PAGE = Path(__file__).parent.parent / "docs" / "gradients.md"
DATA = json.loads(PAGE.with_suffix(".json").read_text())
ROWS = [row for rows in DATA["families"].values() for row in rows]
CASES = {case.transform: case for cases in FAMILIES.values() for case in cases}
LIMIT = 1e-7
WITHOUT_PHASES = (aa.HybridCQT, aa.PseudoCQT)
STEPS = {"zero_crossing_rate", "spectral_rolloff"}


def test_the_page_is_that_of_its_data():
    assert PAGE.read_text() == rendered(DATA)


def test_the_data_are_those_of_the_rows():
    for family, cases in FAMILIES.items():
        described = [(row["transform"], row["covers"], list(row["errors"])) for row in DATA["families"][family]]
        assert described == [(case.transform, case.covers, list(case.of)) for case in cases]
    assert [row["covers"] for row in DATA["without"]] == [name for name, *_ in WITHOUT]
    assert list(DATA["searches"]) == [str(n) for n in ITERATIONS]


def test_every_transform_has_a_row():
    elsewhere = NO_SIGNALS | ON_ANOTHER_PAGE  # whose gradients their own tests check
    names = {name for module, names in aa._PUBLIC.items() if module not in elsewhere for name in names}
    kinds = {name: getattr(aa, name) for name in names if isinstance(getattr(aa, name), type)}
    inverses = {f"{name}.inverse" for name, kind in kinds.items() if kind.inverse is not Transform.inverse}
    inverses -= {f"{kind.__name__}.inverse" for kind in WITHOUT_PHASES}
    ours = {row["covers"] for row in ROWS} | {row["covers"] for row in DATA["without"]}
    assert ours == names | inverses | {f"nnaudio.{name}" for name in nnaudio.__all__}


@pytest.mark.parametrize("kind", WITHOUT_PHASES)
def test_transforms_without_phases_have_no_inverse(kind):
    made = kind(sr=8000, fmin=500, n_bins=24, hop_length=128)
    with pytest.raises(aa.ParameterError, match="only complex coefficients determine"):
        made.inverse(made(y) + 0j)


def test_every_array_that_can_be_given_is_in_a_row():
    for case in FAMILIES["Transforms"]:
        made = case.of["signal"][0]
        assert isinstance(made, getattr(aa, case.covers))
        assert set(case.of) == {"signal", *made._shapes}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["transform"])
def test_errors_are_small(row):
    if row["covers"] in STEPS:
        assert set(row["errors"].values()) == {None}
    else:
        assert all(value is not None and value < LIMIT for value in row["errors"].values())


def test_no_primitive_goes_back_by_hand_unseen():
    from arrayaudio.primitive import adjoints

    assert {name for row in ROWS for names in row["by_hand"].values() for name in names} == set(adjoints)


@pytest.mark.parametrize(
    "name",
    [
        'MelSpectrogram(sr=8000, n_fft=128, n_mels=10, scale="db")',
        'CQT(sr=8000, fmin=500, n_bins=24, method="auto")',
        "pcen(sr=8000)",
        "adaptive_stft(win_length=40.3, hop_length=16.7, n_fft=64)",
        "spectral_rolloff(sr=8000, n_fft=128)",
        "istft()",
        "NSGT(sr=8000, fmin=300).inverse()",
    ],
)
def test_rows_can_be_measured_again(name):
    before, now = next(row for row in ROWS if row["transform"] == name), measured(CASES[name])
    assert now["by_hand"] == before["by_hand"]
    for array, value in now["errors"].items():
        assert (value is None) == (before["errors"][array] is None)
        assert value is None or value < LIMIT


def test_gradients_of_searches_come_nearer_with_each_iteration():
    first, *_, last = DATA["searches"].values()
    assert last < 1e-5 < first
    assert distance(ITERATIONS[-1]) < 3 * last


def test_wrong_gradients_have_large_errors(monkeypatch):
    from arrayaudio.autodiff import namespace

    case = Case(transform="x", covers="x", of={"signal": (lambda x: -x, y)})
    assert measured(case)["errors"]["signal"] < LIMIT
    monkeypatch.setitem(namespace.RULES, "negative", (lambda g, r, x: -1.001 * g,))
    assert error(*case.of["signal"]) == pytest.approx(1e-3, rel=0.1)


def test_what_has_gradients_is_not_listed_without():
    with pytest.raises(AssertionError, match="stft has a gradient after all"):
        refused("stft", y, "")
    assert refused(*WITHOUT[0]) == DATA["without"][0]
