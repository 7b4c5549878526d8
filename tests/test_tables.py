"""The tables of defaults and times are those of the code and the data."""

import ast
import inspect
import json
import re

import numpy as np
import pytest

import arrayaudio as aa
from docs.tables import defaults
from docs.tables.page import DOCS, PAGES, TABLES, rendered

MARKS = re.compile(r"<!-- table (.+?) -->\n(.*?)<!-- end -->", re.DOTALL)
RESULTS = DOCS.parent / "bench" / "results"
SIGNAL = np.random.default_rng(0).standard_normal(16000).astype(np.float32)


def rows(page, table):
    """The cells of a table on a page, without its head."""
    text = dict(MARKS.findall((DOCS / page).read_text()))[table]
    head, _, *body = [line.strip("|").split("|") for line in text.splitlines() if line]
    return [cell.strip(" `") for cell in head], [[cell.strip() for cell in line] for line in body]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_pages_are_those_of_code_and_data(page):
    assert page.read_text() == rendered(page.read_text())


def test_every_table_is_on_a_page():
    assert sorted(name for page in PAGES for name, _ in MARKS.findall(page.read_text())) == sorted(TABLES)


def test_what_stands_around_tables_stays():
    text = "before\n<!-- table start-up -->\n<!-- end -->\nbetween | bars\n"
    text += "<!-- table mel scales -->\n| 1 |\n\n<!-- end -->\nafter"
    assert MARKS.sub("", rendered(text)) == MARKS.sub("", text)
    assert "| 8000 | 45.25 |" in rendered(text)
    assert "| 1 |" not in rendered(text)
    assert rendered(rendered(text)) == rendered(text)


@pytest.mark.parametrize(
    ("table", "names"), [("defaults of frames", defaults.FRAMES), ("defaults of constant-Q", defaults.CONSTANT_Q)]
)
def test_defaults_are_those_of_the_signatures(table, names):
    head, body = rows("shapes_scales_units.md", table)
    assert tuple(head[1:]) == names
    for column, name in enumerate(names, start=1):
        written = {line[0].strip("`"): line[column] for line in body if line[column]}
        signature = inspect.signature(getattr(aa, name)).parameters
        assert written.keys() == signature.keys() - {"device", "check_finite", "pcm"}
        for setting, cell in written.items():
            default = signature[setting].default
            if default is inspect.Parameter.empty:
                assert cell == "required"
            elif default == np.inf:
                assert cell == "`inf`"
            else:
                assert ast.literal_eval(cell.partition(":")[0].strip("` ")) == default, (name, setting)


def test_every_transform_is_in_the_tables():
    kinds = {name for name in aa._HOME if aa._HOME[name].startswith("transforms.")}
    assert {*defaults.FRAMES, *defaults.CONSTANT_Q, "FrontEnd"} == kinds


def test_times_are_those_of_the_file():
    _, body = rows("benchmarks.md", "workloads")
    data = json.loads((RESULTS / "cpu-amd-epyc-2-cores.json").read_text())["results"]
    measured = [(who, row["median_ms"], row["ratio_to_ours"]) for found in data.values() for who, row in found.items()]
    for line, (who, median, ratio) in zip(body, measured, strict=True):
        assert line[1] == who
        assert float(line[2]) == pytest.approx(median, rel=5e-3)
        assert float(line[4].removesuffix(" x")) == pytest.approx(ratio, abs=6e-3)


def test_the_method_is_that_of_the_benchmark():
    script = (DOCS.parent / "bench" / "cpu.py").read_text()
    assert "RUNS, ROUNDS, REPEATS = 3, 3, 5\nPAUSE = 0.2" in script
    page = (DOCS / "benchmarks.md").read_text()
    assert "a pause of 0.2 s" in page
    assert (
        "one call that is not counted, and five that are. There are three\n  turns, and all workloads run three times"
        in page
    )


TASKS = re.findall(
    r"^\| ([^|]+) \| `(aa\.[^|]+)` \| (\([^|]+\)) \|", (DOCS / "which_transform.md").read_text(), re.MULTILINE
)


def test_every_transform_has_a_task():
    text = (DOCS / "which_transform.md").read_text()
    assert len(TASKS) > 20
    for name in (*defaults.FRAMES, *defaults.CONSTANT_Q):
        assert f"`{name}`" in text


@pytest.mark.parametrize(("task", "code", "shape"), TASKS, ids=[task for task, _, _ in TASKS])
def test_lines_to_begin_with_return_what_the_page_says(task, code, shape):
    found = eval(code, {"aa": aa, "y": SIGNAL, "sr": 16000})
    assert found.shape == ast.literal_eval(shape)
