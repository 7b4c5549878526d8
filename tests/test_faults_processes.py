"""Threads, forks, copies and other processes, for every transform; and what is missing or not allowed there."""

import copy
import hashlib
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.autodiff.trees import leaves

from .every import LEVELLED, TRANSFORMS
from .every_call import OF_SIGNALS
from .tolerances import assert_same_levels, assert_same_spectrum
from .unprivileged import bound_by_permissions

ROOT = Path(__file__).parent.parent
FILE = """
import sys
sys.path.insert(0, {root!r})
import numpy as np
from tests.every import TRANSFORMS
y = np.random.default_rng(5).standard_normal((2, 4000)).astype(np.float32)
"""


def apart(script, tmp_path, timeout=300, **options):
    """Run Python with every transform at hand, in a process of its own."""
    words = [
        sys.executable,
        "-W",
        "error",
        "-W",
        "ignore::DeprecationWarning",
        "-c",
        FILE.format(root=str(ROOT)) + script,
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def y():
    return np.random.default_rng(5).standard_normal((2, 4000)).astype(np.float32)


@pytest.mark.parametrize("name", [*TRANSFORMS, *OF_SIGNALS])
def test_eight_threads_get_the_same(name, y):
    call = TRANSFORMS.get(name) or OF_SIGNALS[name]
    y = y[:, :2000]
    expected, results = call(y), []
    begin = threading.Barrier(8)

    def work():
        begin.wait()
        results.extend(call(y) for _ in range(2))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 16
    for result in results:
        for found, wanted in zip(leaves(result), leaves(expected), strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.slow
def test_first_calls_may_be_made_by_eight_threads_at_once(tmp_path):
    """Nothing is compiled or built yet, and all of it is wanted eight times."""
    script = """
import threading
found, begin = {name: [] for name in TRANSFORMS}, threading.Barrier(8)
def work():
    begin.wait()
    for name, transform in TRANSFORMS.items():
        found[name].append(transform(y))
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for name, results in found.items():
    assert len(results) == 8, name
    for result in results:
        np.testing.assert_array_equal(result, results[0], err_msg=name)
"""
    apart(script, tmp_path)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_number_of_threads_changes_nothing(n, y, monkeypatch):
    from arrayaudio.kernels.cpu import threads

    before = threads.num_threads()
    expected = {name: transform(y) for name, transform in TRANSFORMS.items()}
    try:
        aa.set_num_threads(n)
        for name, transform in TRANSFORMS.items():
            np.testing.assert_array_equal(transform(y), expected[name], err_msg=name)
    finally:
        aa.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forks_among_live_threads_compute_the_same(tmp_path):
    """Other threads are at work, and hold what they hold, whenever the process forks."""
    script = """
import os, signal, sys, threading, warnings
import arrayaudio as aa
aa.set_num_threads(3)
expected = {name: transform(y) for name, transform in TRANSFORMS.items()}
stop = threading.Event()
def work():
    while not stop.is_set():
        TRANSFORMS["mel dB"](y), TRANSFORMS["CQT"](y)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
failed = []
for k in range(8):
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # a deadlock is the death of the child
        some = list(TRANSFORMS)[k::8]
        same = all(np.array_equal(TRANSFORMS[name](y), expected[name]) for name in some)
        os._exit(0 if same else 9)
    failed.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
stop.set()
for thread in threads: thread.join()
sys.exit(max(map(abs, failed)))
"""
    apart(script, tmp_path)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_copies_are_equal_and_compute_the_same(name, y):
    transform = TRANSFORMS[name]
    expected = transform(y)
    for other in (pickle.loads(pickle.dumps(transform)), copy.deepcopy(transform), copy.copy(transform)):
        assert other == transform
        assert hash(other) == hash(transform)
        np.testing.assert_array_equal(other(y), expected)


@pytest.mark.slow
def test_spawned_processes_compute_the_same(y):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.starmap(_called, [(transform, y) for transform in TRANSFORMS.values()])
    for (name, transform), result in zip(TRANSFORMS.items(), results, strict=True):
        np.testing.assert_array_equal(result, transform(y), err_msg=name)


def _called(transform, y):
    return transform(y)


# Nothing can be written, or is at home


PLACES = {
    "a read-only home": {"HOME": "{home}"},
    "no home": {"HOME": None},
    "a home that is not there": {"HOME": "/nowhere"},
    "a home that is a file": {"HOME": __file__},
    "caches that cannot be written": {
        "NUMBA_CACHE_DIR": "{home}",
        "ARRAYAUDIO_CACHE": "{home}",
        "MPLCONFIGDIR": "{home}",
    },
    "no folder for what is temporary": {"TMPDIR": "{home}"},
}


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_where_nothing_can_be_written_all_is_computed(place, tmp_path, y):
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o555)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    for name, value in PLACES[place].items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value.format(home=home)
    script = """
import hashlib
for name in ("STFT", "mel dB", "CQT", "MFCC"):
    print(name, hashlib.sha256(TRANSFORMS[name](y).tobytes()).hexdigest(), sep="|")
from arrayaudio.primitive import problems
assert not problems, problems
"""
    for line in apart(script, tmp_path, env=environment, preexec_fn=bound_by_permissions).splitlines():
        name, digest = line.split("|")
        assert digest == hashlib.sha256(TRANSFORMS[name](y).tobytes()).hexdigest(), name
    assert not list(home.iterdir())


# Numba or CuPy is not there, or broken

BROKEN = {
    "missing": "import sys; sys.modules[{module!r}] = None",
    "broken": """
import importlib.abc, sys
class Broken(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {module!r}:
            raise {error}
sys.meta_path.insert(0, Broken())
""",
}
ERRORS = {"ImportError": "ImportError('libllvm is missing')", "OSError": "OSError('libcuda.so: wrong ELF class')"}
ERRORS |= {"RuntimeError": "RuntimeError('driver too old')", "AttributeError": "AttributeError('_ARRAY_API not found')"}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["missing", *ERRORS])
@pytest.mark.parametrize("module", ["numba", "cupy"])
def test_without_an_accelerator_the_rest_works(module, how, tmp_path, y):
    broken = BROKEN["missing" if how == "missing" else "broken"].format(module=module, error=ERRORS.get(how))
    script = f"""
np.savez({str(tmp_path / "found.npz")!r}, **{{name: transform(y) for name, transform in TRANSFORMS.items()}})
import arrayaudio as aa
from arrayaudio.primitive import problems
print(problems)
aa.show_versions()
try:
    aa.STFT(device="cuda")(y)
except aa.BackendError as error:
    assert "pip install 'arrayaudio[cuda13]'" in str(error), error
    print(error)
"""
    words = [sys.executable, "-c", broken + FILE.format(root=str(ROOT)) + script]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "found.npz") as found:
        for name, transform in TRANSFORMS.items():
            expected = transform(y.astype(np.float64))
            if name != "STFT phase":
                (assert_same_levels if name in LEVELLED else assert_same_spectrum)(found[name], expected, "float32")
    if how != "missing":
        reason = ERRORS[how].partition("'")[2].rpartition("'")[0]
        assert reason in done.stdout, done.stdout
