"""Kernels on their way from source to launch: kept on disk, made again where that fails, loaded once a device."""

import functools
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.kernels.gpu import disk_cache, loader

PROGRAM = loader.Program("windowed_frames", "float32")


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ARRAYAUDIO_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def compiled(monkeypatch):
    """Calls of a compiler whose machine code says what it was made of."""
    calls = []

    def compile_cubin(program, architecture, *extra):
        calls.append((program, architecture))
        return f"{program} for {architecture}".encode(), "no log"

    monkeypatch.setattr(loader, "compile_cubin", compile_cubin)
    return calls


def test_what_was_compiled_is_kept(compiled, cache):
    first = loader.cubin(PROGRAM, 90)
    assert loader.cubin(PROGRAM, 90) == first == f"{PROGRAM} for 90".encode()
    assert len(compiled) == 1
    assert [path.name.partition("-")[0] for path in cache.iterdir()] == ["windowed_frames"]


def test_everything_that_changes_the_code_changes_the_key(compiled, cache, monkeypatch):
    programs = [
        PROGRAM,
        PROGRAM._replace(dtype="float64"),
        PROGRAM._replace(macros=("SIZE=2",)),
        PROGRAM._replace(prefix="// more\n"),
    ]
    for program in programs:
        loader.cubin(program, 90)
    loader.cubin(PROGRAM, 80)
    monkeypatch.setattr(loader, "_nvrtc", lambda: SimpleNamespace(getVersion=lambda: (99, 0)))
    loader.cubin(PROGRAM, 90)
    monkeypatch.setattr(loader, "_included", lambda name: "// another header")
    loader.cubin(PROGRAM, 90)
    assert len(compiled) == len(list(cache.iterdir())) == 7


@pytest.mark.parametrize(
    "damage", [lambda code: code[:-1], lambda code: b"", lambda code: code[:40] + b"?" + code[41:]]
)
def test_damaged_files_are_made_again(damage, compiled, cache):
    whole = loader.cubin(PROGRAM, 90)
    (file,) = cache.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert loader.cubin(PROGRAM, 90) == loader.cubin(PROGRAM, 90) == whole
    assert len(compiled) == 2


def test_where_nothing_can_be_kept_it_is_compiled_each_time(compiled, cache):
    cache.write_text("a file where the folder should be")
    assert loader.cubin(PROGRAM, 90) == loader.cubin(PROGRAM, 90)
    assert len(compiled) == 2


def test_a_file_that_cannot_be_finished_leaves_nothing(cache, monkeypatch):
    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(disk_cache.os, "replace", full)
    assert disk_cache.kept("name", lambda: b"code") == b"code"
    assert list(cache.iterdir()) == []


def test_where_it_is_kept(monkeypatch, tmp_path):
    assert disk_cache.folder() == tmp_path / "kept"
    monkeypatch.delenv("ARRAYAUDIO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert disk_cache.folder() == tmp_path / "arrayaudio"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert disk_cache.folder() == tmp_path / ".cache" / "arrayaudio"


def test_real_machine_code_is_kept_for_the_next_process():
    code = loader.cubin(PROGRAM, 90)
    script = (
        "from arrayaudio.kernels.gpu import loader; loader.compile_cubin = None; "
        "print(len(loader.cubin(loader.Program('windowed_frames', 'float32'), 90)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(code)


def test_without_nvrtc_the_remedy_is_named(monkeypatch):
    def missing(*_):
        raise RuntimeError("libnvrtc.so is not there")

    monkeypatch.setattr(loader, "_nvrtc", lambda: SimpleNamespace(getVersion=missing, createProgram=missing))
    with pytest.raises(aa.BackendError, match="pip install nvidia-cuda-nvrtc"):
        loader.cubin(PROGRAM, 90)


def test_a_kernel_is_loaded_once_and_may_take_all_shared_memory(compiled, monkeypatch):
    loaded, attributes, launched = [], [], []

    def device(number=3):
        limit = {"MaxSharedMemoryPerBlockOptin": 232448}
        return SimpleNamespace(id=number, compute_capability="90", attributes=limit)

    class Kernel:
        ptr = 77

        def __call__(self, *arguments):
            launched.append(arguments)

    module = SimpleNamespace(load=loaded.append, get_function=lambda name: Kernel())
    driver = SimpleNamespace(funcSetAttribute=lambda *arguments: attributes.append(arguments))
    function = SimpleNamespace(Module=lambda: module)
    cuda = SimpleNamespace(Device=device, function=function, driver=driver)
    monkeypatch.setattr(loader, "cupy", SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(loader, "_kernel", functools.cache(loader._kernel.__wrapped__))
    monkeypatch.setattr(loader, "shared_limit", functools.cache(loader.shared_limit.__wrapped__))
    for _ in range(2):
        loader.launch(PROGRAM, [5], [256], [np.int64(1)], 70000)
    assert loader.current_device() == 3
    assert loaded == [f"{PROGRAM} for 90".encode()]
    assert attributes == [(77, 8, 232448)]
    assert launched == [((5,), (256,), (np.int64(1),), 70000)] * 2
