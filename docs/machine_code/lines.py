"""Where in a kernel's source the instructions come from: `python -m docs.machine_code.lines N_FFT RESULT`.

Results are those of the page: complex, power, mel, inverse, Griffin-Lim. For each line of the source, with its headers
put in, it prints the instructions that a warp issues for a frame, those of them that are neither arithmetic in float32
nor access to memory, and the line.
"""

import sys
from collections import Counter

from tests import stand_in


def main(n_fft: int, kind: str) -> None:
    """Run a block and print the lines that cost most, in their order."""
    stand_in.install()  # before CuPy is imported
    import cupy

    from docs.machine_code.counts import CASES, SHARED_MEMORY, machine_code, ran
    from docs.machine_code.sass import kind_of, lines

    cupy.cuda.Device.shared_bytes = SHARED_MEMORY
    found = ran(next(case for case in CASES if (case.n_fft, case.kind) == (n_fft, kind)))
    issued: Counter[int] = Counter()
    others: Counter[int] = Counter()
    lines_of = lines(machine_code(found.program))
    for line, instruction, count in zip(lines_of, found.block.code, found.block.issued, strict=True):
        issued[line] += int(count)
        others[line] += int(count) if kind_of(instruction) == "other" else 0
    source = found.program.text.partition("#line 1 ")[2].splitlines()
    for line, count in sorted(issued.items()):
        if 200 * count > issued.total():
            text = source[line] if 0 < line < len(source) else ""
            print(f"{count / found.n_frames:8.0f}{others[line] / found.n_frames:8.0f}   {line:4}  {text}")
    print(f"{issued.total() / found.n_frames:8.0f}{others.total() / found.n_frames:8.0f}   in all, for each frame")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
