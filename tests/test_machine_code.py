"""The page of GPU kernels is that of its data, and their machine code computes what it counts."""

import importlib.metadata
import json
from pathlib import Path

import numpy as np
import pytest

from .tolerances import SPECTRUM

PAGE = Path(__file__).parent.parent / "docs" / "gpu.md"
DATA = json.loads(PAGE.with_suffix(".json").read_text())


def test_the_page_is_that_of_its_data(stand_in):
    from docs.machine_code.counts import CASES
    from docs.machine_code.page import rendered

    assert PAGE.read_text() == rendered(DATA)
    assert [tuple(row["case"]) for row in DATA["rows"]] == CASES
    assert all(row["error"] < SPECTRUM["float32"] for row in DATA["rows"])


@pytest.mark.parametrize("number", [2, 10, 9])
def test_a_row_is_found_again(number, stand_in, monkeypatch):
    from docs.machine_code.counts import CASES, SHARED_MEMORY, counted

    stand_in.limit_shared_memory(SHARED_MEMORY)
    counts, error = counted(CASES[number], monkeypatch.setattr)
    assert error < SPECTRUM["float32"]
    if importlib.metadata.version("nvidia-cuda-nvrtc") == DATA["nvrtc"]:
        assert counts == DATA["rows"][number]["counts"]
    for name in ("essential bytes", "shared bytes"):  # whatever a compiler makes of it
        assert counts[name] == DATA["rows"][number]["counts"][name]


def test_instructions_know_their_lines(stand_in, monkeypatch):
    from docs.machine_code.counts import CASES, machine_code, ran
    from docs.machine_code.sass import lines

    found = ran(CASES[0], monkeypatch.setattr)
    numbers = lines(machine_code(found.program))
    assert found.block.issued.sum() == found.block.counts["issued"]
    source = found.program.text.partition("#line 1 ")[2].splitlines()
    stores = [n for n, x in zip(numbers, found.block.code, strict=True) if x.opcode == "STG"]
    assert stores
    assert all(any(place in source[n] for place in ("low = ", "high = ", "*place = x")) for n in stores)


def test_passes_through_shared_memory(stand_in):
    from docs.machine_code.memory import wavefronts

    lanes, warps = np.arange(64), np.arange(64) // 32
    assert wavefronts(4 * lanes, warps, 4) == 2
    assert wavefronts(8 * lanes, warps, 4) == 4
    assert wavefronts(128 * lanes, warps, 4) == 64
    assert wavefronts(0 * lanes, warps, 4) == 2
    assert wavefronts(8 * lanes, warps, 8) == 4
    assert wavefronts(4 * lanes[:7], warps[:7], 4) == 1


def test_wrong_machine_code_shows(stand_in, monkeypatch):
    """A sum that becomes a product."""
    from docs.machine_code import counts

    stand_in.limit_shared_memory(counts.SHARED_MEMORY)
    compiled = counts.compiled

    def spoiled(program):
        instructions, labels = compiled(program)
        return [x._replace(opcode="FMUL") if x.opcode == "FADD" else x for x in instructions], labels

    monkeypatch.setattr(counts, "compiled", spoiled)
    _, error = counts.counted(counts.CASES[0], monkeypatch.setattr)
    assert not error < SPECTRUM["float32"]
