"""The page of faults has a row for each, and each row names tests that exist and run."""

import ast
import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "faults.md"
ROWS = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
TESTS = sorted(set(re.findall(r"\[(test_\w+)\]\(\.\./tests/(test_\w+)\.py\)", PAGE.read_text())))


def test_rows_are_counted_from_1_to_44():
    assert [int(number) for number, _ in ROWS] == list(range(1, 45))


@pytest.mark.parametrize(("number", "row"), ROWS)
def test_each_row_says_what_happens_and_names_its_tests(number, row):
    fault, outcome, tests = re.split(r"(?<!\\) \| ", row)
    assert fault
    assert outcome
    links = re.findall(r"\[([^]]+)\]\(([^)]+)\)", tests)
    assert links
    assert tests == ", ".join(f"[{name}]({place})" for name, place in links)
    assert set(links) <= {(name, f"../tests/{module}.py") for name, module in TESTS}


@pytest.mark.parametrize(("name", "module"), TESTS)
def test_the_tests_exist_and_are_not_passed_over(name, module):
    tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text())
    defined = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    owners = [owner for owner in defined if any(getattr(node, "name", None) == name for node in owner.body)]
    assert len(owners) == 1
    found = importlib.import_module(f".{module}", __package__)
    marks = [getattr(found, "pytestmark", [])]
    if isinstance(owners[0], ast.ClassDef):
        found = getattr(found, owners[0].name)
    marks += [getattr(found, "pytestmark", []), getattr(getattr(found, name), "pytestmark", [])]
    for mark in (mark for some in marks for mark in (some if isinstance(some, list) else [some])):
        assert mark.name not in ("skip", "xfail")
        assert mark.name != "skipif" or not mark.args[0]
