"""What a frame costs: launches of the package's own code, whose machine code is run for one block.

The stand-in for CuPy of the tests takes the place of a device.
"""

import functools
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from docs.machine_code.interpreter import Block
from docs.machine_code.memory import SECTOR, Memory
from docs.machine_code.sass import disassembled, parsed

ARCHITECTURE = 90
PARAMETERS = 0x210  # where those of a kernel lie among the constants
TILE = 5  # the block that is run, within the first clip

# An H100: multiprocessors, warps that can issue at a time in each, clock, bytes of shared memory in a clock, and the
# bytes that a copy moves in a second.
MULTIPROCESSORS, ISSUES, HERTZ, SHARED_BYTES, COPY = 132, 4, 1.755e9, 128, 3.0e12
SHARED_MEMORY = 227 * 1024  # of a block
BATCH, SECONDS = 64, 10  # clips that floors are for, and how long they are


class Case(NamedTuple):
    """A spectrogram, an inverse STFT, or an iteration of Griffin-Lim."""

    n_fft: int
    kind: str
    sr: int
    hop: int
    n_mels: int

    @property
    def n_frames(self) -> int:
        """Frames of a clip."""
        return 1 + SECONDS * self.sr // self.hop


FRAMES = ((400, 16000, 160, 80), (512, 22050, 128, 64), (1024, 22050, 256, 128), (2048, 22050, 512, 128))
KINDS = ("complex", "power", "mel", "inverse", "Griffin-Lim")
CASES = [Case(n_fft, kind, *rest) for n_fft, *rest in FRAMES for kind in KINDS]


@functools.cache
def machine_code(program: Any) -> str:
    """What NVRTC makes of a kernel, as text, in a process with the real CuPy."""
    script = (
        "import pickle, sys; from arrayaudio.kernels.gpu import loader; program = pickle.load(sys.stdin.buffer); "
        f"sys.stdout.buffer.write(loader.compile_cubin(program, {ARCHITECTURE}, '--generate-line-info')[0])"
    )
    done = subprocess.run([sys.executable, "-c", script], input=pickle.dumps(program), capture_output=True, check=True)
    return disassembled(done.stdout, program.name)


@functools.cache
def compiled(program: Any) -> Any:
    """Its instructions and labels."""
    return parsed(machine_code(program))


def parameters(
    arguments: Sequence[Any], addresses: Sequence[int], block: tuple[int, ...], grid: tuple[int, ...]
) -> np.ndarray:
    """The constants of a launch: sizes, and arguments at multiples of their own, of arrays the addresses."""
    addresses = list(addresses)
    constants, at = np.zeros(0x400, np.uint8), PARAMETERS
    for place, sizes in ((0, block), (12, grid)):
        whole = np.array([*sizes, 1, 1][:3], np.uint32)
        constants[place : place + 12] = whole.view(np.uint8)
    for argument in arguments:
        value = np.uint64(addresses.pop(0)) if hasattr(argument, "inner") else argument
        raw = np.frombuffer(np.asarray(value).tobytes(), np.uint8)
        at += -at % raw.size
        constants[at : at + raw.size] = raw
        at += raw.size
    return constants


class Interpreted:
    """A kernel whose launches run one block of its machine code."""

    def __init__(self, program: Any, seen: Callable[[Block], None]) -> None:
        self.program, self.seen = program, seen

    def __call__(self, grid: Any, block: Any, arguments: Sequence[Any], shared_bytes: int) -> None:
        """Run the block."""
        memory = Memory([argument.inner for argument in arguments if hasattr(argument, "inner")], shared_bytes)
        constants = parameters(arguments, memory.addresses, block, grid)
        one = Block(compiled(self.program), constants, memory, int(np.prod(block)), TILE)
        one.run()
        self.seen(one)


class Work(NamedTuple):
    """A launch, what the first clip of its result must be, and values that a frame adds to the result and moves."""

    call: Callable[[], Any]
    exact: np.ndarray
    new: int
    moved: int


def first_of_many(item: np.ndarray, count: int) -> Any:
    """A batch on the device that begins with an item, and is silent else."""
    import cupy

    batch = np.zeros((count, *item.shape), item.dtype)
    batch[0] = item
    return cupy.asarray(batch)


def work(case: Case) -> Work:
    """What a case launches, and the same in float64."""
    import arrayaudio as aa
    from arrayaudio.inverse import synthesis
    from arrayaudio.reconstruction.griffin_lim import rephased
    from arrayaudio.transforms.base import compiled

    rng, n_bins = np.random.default_rng(0), 1 + case.n_fft // 2
    y, previous = rng.standard_normal((2, SECONDS * case.sr), dtype=np.float32)
    frames: dict[str, Any] = {"n_fft": case.n_fft, "hop_length": case.hop}
    if case.kind in ("complex", "power", "mel"):
        layer: Any = aa.STFT(**frames, output=case.kind) if case.kind != "mel" else None
        layer = layer or aa.MelSpectrogram(**frames, sr=case.sr, n_mels=case.n_mels)
        signals = first_of_many(y, BATCH)
        exact = layer(y.astype(np.float64))
        return Work(lambda: layer(signals), exact, len(exact), case.hop + len(exact) * (1 + (case.kind == "complex")))
    plan = compiled(aa.STFT(**frames))
    S = aa.stft(y, **frames).astype(np.complex64)
    if case.kind == "inverse":
        spectra = first_of_many(S, BATCH)
        exact = synthesis.reference(S.astype(np.complex128), plan.framing, plan.window)  # type: ignore[attr-defined]
        return Work(lambda: synthesis(spectra, plan.framing, plan.window), exact, case.hop, case.hop + 2 * n_bins)
    gain = rng.random(y.shape, dtype=np.float32)
    arrays = [first_of_many(x, BATCH) for x in (y, previous, abs(S))]
    doubles = [x.astype(np.float64) for x in (y, previous, abs(S), gain)]
    exact = rephased.reference(*doubles[:3], plan.framing, plan.window, 0.5, doubles[3])  # type: ignore[attr-defined]
    given = first_of_many(gain, 1)[0]
    call = functools.partial(rephased, *arrays, plan.framing, plan.window, 0.5, given)
    return Work(call, exact, case.hop, 3 * case.hop + n_bins)


class Ran(NamedTuple):
    """A block that was run, of which program, how many frames it made, and their relative error."""

    program: Any
    block: Block
    n_frames: int
    error: float
    moved: int


def ran(case: Case, put: Callable[[Any, str, Any], None] = setattr) -> Ran:
    """Run a block of a case; `put` replaces what loads kernels, for launches that run machine code."""
    from arrayaudio.kernels.gpu import loader

    blocks: list[tuple[Any, Block]] = []
    put(loader, "_kernel", lambda program, _: Interpreted(program, lambda block: blocks.append((program, block))))
    launch = work(case)
    result = launch.call()[0].get()
    ((program, block),) = blocks
    made = np.isfinite(result)  # new memory holds NaN
    error = float(np.linalg.norm(result[made] - launch.exact[made]) / np.linalg.norm(launch.exact[made]))
    n_frames, rest = divmod(int(made.sum()), launch.new)
    assert n_frames and not rest
    return Ran(program, block, n_frames, error, launch.moved)


def counted(case: Case, put: Callable[[Any, str, Any], None] = setattr) -> tuple[dict[str, float], float]:
    """Counts for a frame, and the relative error of what a block made."""
    found = ran(case, put)
    counts = {name: value / found.n_frames for name, value in sorted(found.block.counts.items())}
    return counts | {"essential bytes": 4 * found.moved}, found.error


def floors(case: Case, counts: dict[str, float]) -> dict[str, float]:
    """Microseconds that a batch takes at least on an H100, by what is counted."""
    n_frames = BATCH * case.n_frames
    clocks = n_frames / (MULTIPROCESSORS * HERTZ) * 1e6  # microseconds of all frames, for a clock of each
    sectors = counts["read sectors"] + counts["written sectors"]
    return {
        "issue": counts["issued"] / ISSUES * clocks,
        "shared memory": (counts["shared wavefronts"] + SECTOR * sectors / SHARED_BYTES) * clocks,
        "memory": counts["essential bytes"] * n_frames / COPY * 1e6,
    }
