"""The page of capabilities: it is that of its data, and another look finds the same."""

import json
from pathlib import Path

import pytest

from docs.capabilities.__main__ import collected
from docs.capabilities.page import rendered

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent.parent / "docs" / "capabilities.md"
DATA = json.loads(PAGE.with_suffix(".json").read_text())


def test_the_page_is_that_of_its_data():
    assert PAGE.read_text() == rendered(DATA)


def test_another_look_finds_the_same():
    assert collected() == DATA


def test_kernels_stand_behind_every_kind_of_transform():
    rows = DATA["calls"]["Transforms"]
    kinds = {call.partition("(")[0] for call in rows}
    for folder in ("cpu", "gpu"):
        assert kinds - {call.partition("(")[0] for call, row in rows.items() if row[folder]} == {"NSGT"}
