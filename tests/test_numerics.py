"""Errors on hard signals are small, and the page that says so is that of its data."""

import json
from pathlib import Path

import pytest

from docs.gradients.cases import TRANSFORMS
from docs.numerics.__main__ import collected
from docs.numerics.page import LIMITS, rendered

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent.parent / "docs" / "numerics.md"
DATA = json.loads(PAGE.with_suffix(".json").read_text())
IN_CHUNKS = 1e-7


@pytest.fixture(scope="module", params=["written", "measured again"])
def data(request):
    return DATA if request.param == "written" else collected()


def test_the_page_is_that_of_its_data():
    assert PAGE.read_text() == rendered(DATA)


def test_every_transform_is_there(data):
    calls = [case.transform for case in TRANSFORMS]
    assert [list(rows) for rows in data["errors"].values()] == [calls, calls]
    assert list(data["depends"]) == calls


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_errors_are_within_their_limits(data, dtype):
    for call, row in data["errors"][dtype].items():
        if "phase" in call:
            assert row["noise"] <= LIMITS[dtype]["phases"]
            continue
        for name, error in row.items():
            limit = LIMITS[dtype][name]
            assert limit is None or error <= limit, (call, name, error)


def test_bits_depend_on_nothing_but_the_signal(data):
    for call, row in data["depends"].items():
        assert row["threads"], call
        assert row["mates"], call
        assert (row["chunks"] or 0) <= IN_CHUNKS, call
