"""Machine code of NVIDIA GPUs as text, by nvdisasm, and as instructions."""

import importlib.metadata
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

_LINE = re.compile(r"/\*([0-9a-f]+)\*/\s+(?:@(!?)(U?P\w+)\s+)?([\w.]+)\s*(.*?)\s*;")

KINDS = {
    "float": ("FADD", "FMUL", "FFMA", "FSEL", "FSETP", "FMNMX"),
    "shared": ("LDS", "STS"),
    "global": ("LDG", "STG"),
}
OPERATIONS = {"FADD": 1, "FMUL": 1, "FFMA": 2}


class Operand(NamedTuple):
    """A register, predicate, number, constant, address, label or name, with its signs."""

    kind: str  # R, UR, P, UP, immediate, constant, address, label or name
    value: int | float | str = 0  # number of a register or predicate; offset of a constant or an address
    negative: bool = False  # - of numbers
    inverted: bool = False  # ~ of bits, ! of predicates
    absolute: bool = False
    base: str = ""  # registers of an address


class Instruction(NamedTuple):
    """An instruction, its guard, and what it works on."""

    opcode: str
    flags: tuple[str, ...]
    operands: tuple[Operand, ...]
    guard: Operand


def kind_of(instruction: Instruction) -> str:
    """The class that an instruction is counted in."""
    return next((kind for kind, names in KINDS.items() if instruction.opcode in names), "other")


def nvdisasm() -> Path:
    """Where the disassembler is: in the package nvidia-cuda-nvdisasm."""
    files = importlib.metadata.files("nvidia-cuda-nvdisasm") or []
    return next(Path(str(file.locate())) for file in files if file.name == "nvdisasm")


def disassembled(cubin: bytes, kernel: str) -> str:
    """The instructions of a kernel as text. CuPy leaves out the last byte of a cubin, which is zero."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin + b"\0")
        file.flush()
        command = [str(nvdisasm()), "-c", "-gi", file.name]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return text.partition(f".section\t.text.{kernel},")[2].partition(".section")[0]


def _number(text: str) -> int | float | None:
    if re.fullmatch(r"-?0x[0-9a-f]+", text):
        return int(text, 16)
    try:
        return float(text.replace("INF", "inf").replace("QNAN", "nan"))
    except ValueError:
        return None


def _operand(text: str) -> Operand:
    text = text.strip().replace(".reuse", "").replace(" ", "")
    if found := re.fullmatch(r"(?:desc\[\w+\])?\[(.*)\]", text):
        *bases, last = found[1].split("+")
        offset = int(last, 16) if re.fullmatch(r"-?0x[0-9a-f]+", last) else 0
        return Operand("address", offset, base="+".join(bases if offset or "0x" in last else [*bases, last]))
    if (number := _number(text)) is not None:
        return Operand("immediate", number)
    if (register := text.partition("`")[0]) and register != text:  # a return, and the function that it goes to
        text = register
    negative, text = text.startswith("-"), text.removeprefix("-")
    inverted, text = text[0] in "~!", text.lstrip("~!")
    absolute, text = text[0] == "|", text.strip("|")
    if found := re.fullmatch(r"c\[(0x[0-9a-f]+)\]\[(0x[0-9a-f]+)\]", text):
        return Operand("constant", int(found[2], 16), negative, inverted, absolute, found[1])
    if found := re.fullmatch(r"`\((.+)\)", text):
        return Operand("label", found[1])
    if found := re.fullmatch(r"(UR|R|UP|P)(\d+|Z|T)", text):
        number = {"Z": 63 if found[1] == "UR" else 255, "T": 7}.get(found[2])
        return Operand(found[1], int(found[2]) if number is None else number, negative, inverted, absolute)
    return Operand("name", text)


def lines(text: str) -> list[int]:
    """The line of the source that each instruction comes from, the innermost where functions are inlined."""
    found, line, inside = [], 0, False
    for part in text.splitlines():
        if comment := re.search(r"//## File .*?, line (\d+)", part):
            line, inside = line if inside else int(comment[1]), True
        elif _LINE.search(part):
            found.append(line)
            inside = False
    return found


def parsed(text: str) -> tuple[list[Instruction], dict[str, int]]:
    """Instructions in the order of their addresses, 16 bytes each, and the places of labels."""
    instructions: list[Instruction] = []
    labels: dict[str, int] = {}
    for line in text.splitlines():
        if found := re.match(r"^([.$]?[\w$.]+):", line):
            labels[found[1]] = len(instructions)
        if not (found := _LINE.search(line)):
            continue
        address, inverted, guard, opcode, rest = found.groups()
        assert int(address, 16) == 16 * len(instructions)
        name, *flags = opcode.split(".")
        operands = tuple(_operand(part) for part in rest.split(",")) if rest else ()
        instructions.append(
            Instruction(name, tuple(flags), operands, _operand(("!" if inverted else "") + (guard or "PT")))
        )
    return instructions, labels
