"""CUDA kernels without a GPU: emulated on the CPU, launch code included, and compiled for each architecture."""

import ast
import re
from pathlib import Path

import cupy
import numpy as np
import pytest
from cupy.cuda import nvrtc

import arrayaudio as aa
from arrayaudio.constants import Constant
from arrayaudio.frames import INDEX_MODES, Framing
from arrayaudio.frames import windowed_frames as primitive
from arrayaudio.kernels.gpu import (
    loader,
    median_filter,
    merged,
    mix_rows,
    one_pole,
    overlap_add,
    polyphase,
    spectrogram,
    windowed_frames,
)
from arrayaudio.kernels.gpu.fft import radices

ARCHITECTURES = [80, 90, 120]
COMPILER = nvrtc.getVersion()  # which decides how many registers a kernel takes


@pytest.mark.parametrize("mode", INDEX_MODES)
@pytest.mark.parametrize(
    ("shape", "n_fft", "hop", "padding"),
    [
        ((50,), 8, 3, 4),
        ((2, 3, 33), 16, 5, 8),
        ((2, 9), 16, 4, 8),
        ((1, 40), 7, 11, 3),
        ((3, 64), 64, 1, 0),
        ((2,), 6, 1, 9),
    ],
)
def test_windowed_frames_equal_the_reference(gpu, mode, shape, n_fft, hop, padding, dtype, rng):
    y = rng.standard_normal(shape).astype(dtype)
    framing, window = Framing(n_fft, hop, padding, mode), Constant(rng.standard_normal(n_fft))
    if shape[-1] < framing.min_length:
        with pytest.raises(aa.ParameterError, match="at least"):
            windowed_frames.windowed_frames(gpu.asarray(y), framing, window)
        return
    given = gpu.asarray(y)
    result = windowed_frames.windowed_frames(given, framing, window)
    assert [program.name for program in gpu.launches] == ["windowed_frames"]
    np.testing.assert_array_equal(gpu.to_numpy(result), primitive.reference(y, framing, window))
    np.testing.assert_array_equal(gpu.to_numpy(given), y)


def test_windowed_frames_stride_over_what_one_grid_cannot_hold(gpu, monkeypatch, rng):
    monkeypatch.setattr(windowed_frames, "MOST_BLOCKS", 2)
    y = rng.standard_normal((2, 300))
    framing, window = Framing(16, 4, 8), Constant(np.hanning(16))
    result = windowed_frames.windowed_frames(gpu.asarray(y)[:, ::-1], framing, window)
    np.testing.assert_array_equal(gpu.to_numpy(result), primitive.reference(y[:, ::-1], framing, window))


def test_windowed_frames_of_other_streams(gpu, dtype, rng):
    y, framing, window = rng.standard_normal((2, 500)).astype(dtype), Framing(64, 10, 32), Constant(np.hanning(64))
    with cupy.cuda.Stream(non_blocking=True):
        result = windowed_frames.windowed_frames(gpu.asarray(y), framing, window)
        np.testing.assert_array_equal(gpu.to_numpy(result), primitive.reference(y, framing, window))


def test_windowed_frames_decline_and_skip(gpu):
    window = Constant(np.ones(8))
    signal, none = gpu.asarray(np.ones(50)), gpu.asarray(np.ones((0, 50)))
    assert windowed_frames.windowed_frames(signal, Framing(8, 4, 4, "mean"), window) is NotImplemented
    assert windowed_frames.windowed_frames(none, Framing(8, 4), window).shape == (0, 11, 8)
    assert gpu.launches == []


WINDOWED_FRAMES = loader.Program("windowed_frames", "")
# The most registers of a thread, in float32, there on sm_120, and in float64: what lets three blocks of 256 threads
# share a multiprocessor, two, and one. There is no spilling.
REGISTERS = {WINDOWED_FRAMES: (40, 40, 40)} | {
    spectrogram.program(radices(n_fft), ""): registers
    for n_fft, registers in {
        64: (80, 128, 255),
        400: (128, 128, 255),
        512: (80, 128, 255),
        1024: (80, 128, 255),
        2048: (80, 128, 255),
        4096: (80, 128, 255),
        16384: (80, 128, 255),
    }.items()
}

REGISTERS |= {
    spectrogram.program(radices(n_fft), "", signal, result): (128 if n_fft == 400 else 80, 128, 255)
    for n_fft in (400, 1024, 2048)
    for signal, result in (("int16", ""), ("float16", "float16"))
}

# What lets 512 and 256 threads in smaller blocks share one.
REGISTERS |= {
    mix_rows.program(n_rows, n_columns, ""): (128, 128, 255) for n_rows in (4, 8, 12, 16) for n_columns in (1, 2)
}
REGISTERS |= {
    merged.program(name, phases, ""): (64, 64, 80) for name in ("merged", "merged_adjoint") for phases in (1, 2, 4)
}
REGISTERS |= {one_pole.program("", ends=ends): (64, 64, 80) for ends in (False, True)}
REGISTERS |= {loader.Program(name, ""): (40, 48, 48) for name in ("segments", "overlapped", "controlled", "bfloat16")}
REGISTERS |= {polyphase.program(frames, ""): (64, 64, 96) for frames in polyphase.FRAMES}
REGISTERS |= {median_filter.program(size, ""): (128, 128, 255) for size in (1, 17, 31, median_filter.LARGEST)}
REGISTERS |= {
    overlap_add.program(name, n_fft, ""): (128 if n_fft == 800 else 80, 128, 255)
    for name in ("synthesis", "rephased", "gabor_multiplier")
    for n_fft in (64, 400, 512, 800, 1024, 2048, 4096, 16384)
}
REGISTERS |= {loader.Program(name, ""): (128, 128, 255) for name in ("constant_q", "constant_q_adjoint")}


def test_every_kernel_is_known():
    assert {path.stem for path in Path(loader.__file__).parent.glob("*.cu")} == {kernel.name for kernel in REGISTERS}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kernel", REGISTERS, ids=lambda kernel: " ".join((kernel.name, *kernel.macros)))
def test_every_kernel_compiles_and_stays_in_its_registers(kernel, architecture, dtype):
    cubin, log = loader.compile_cubin(kernel._replace(dtype=dtype), architecture)
    assert cubin[:4] == b"\x7fELF"
    assert kernel.name.encode() in cubin
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in log
    if COMPILER >= (13, 5):
        used = int(re.search(r"Used (\d+) registers", log)[1])
        assert used <= REGISTERS[kernel][2 if dtype == "float64" else architecture == 120]


# Frames for which compilers spill, or did, where as many blocks share a multiprocessor as for others.
@pytest.mark.parametrize(
    ("name", "n_fft", "architecture"),
    [
        ("synthesis", 32, 90),
        ("gabor_multiplier", 32, 90),
        ("gabor_multiplier", 640, 90),
        ("gabor_multiplier", 2400, 90),
        ("rephased", 1600, 90),
        ("rephased", 1920, 90),
        ("rephased", 400, 80),
    ],
)
def test_registers_that_do_not_suffice_are_shared_by_fewer(name, n_fft, architecture):
    _, log = loader.compile_cubin(overlap_add.program(name, n_fft, "float32"), architecture)
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in log


def test_a_kernel_that_does_not_compile_is_explained(monkeypatch, tmp_path):
    broken = tmp_path / "broken.cu"
    broken.write_text('extern "C" __global__ void broken() {\n missing(); }')
    monkeypatch.setattr(loader, "source_path", lambda name: broken)
    with pytest.raises(aa.BackendError, match=r"(?s)broken\.cu does not compile for sm_90.*broken\.cu\(2\).*missing"):
        loader.compile_cubin(loader.Program("broken", "float32"), 90)


def test_stage_code_uses_only_what_every_library_has():
    """CuPy cannot run here, but its names can be looked up."""
    package = Path(aa.__file__).parent
    used = {
        node.attr
        for path in package.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "xp"
    }
    assert {"concat", "take", "matmul", "fft"} <= used
    missing = {name for name in used - {"__name__"} if not hasattr(cupy, name) or not hasattr(np, name)}
    assert not missing
