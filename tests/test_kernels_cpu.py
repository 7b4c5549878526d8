"""The fused CPU kernels against their references, over random plans, and the pool of threads it runs on."""

import os
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.constants import Constant
from arrayaudio.frames import INDEX_MODES, Framing
from arrayaudio.inverse import synthesis
from arrayaudio.kernels.cpu import lane_frames, threads, tiles
from arrayaudio.kernels.cpu import spectrogram as fused
from arrayaudio.plan import Plan, spectrogram
from arrayaudio.spectrum import Scaling

from .tolerances import assert_same_levels, assert_same_spectrum

# Few sizes, as kernels are compiled for each: even ones with small factors, and others.
SIZES = st.sampled_from([1, 2, 7, 16, 48, 63, 74, 100, 127, 210, 256, 300])


@settings(max_examples=60)
@given(
    n_fft=SIZES,
    hop=st.integers(1, 200),
    n=st.integers(301, 2500),
    batch=st.sampled_from([(), (1,), (3,), (2, 2)]),
    centred=st.booleans(),
    mode=st.sampled_from(INDEX_MODES),
    detector=st.sampled_from(["complex", 1.0, 2.0]),
    n_bands=st.integers(0, 9),
    level=st.sampled_from([None, ("10", None), ("10", 20.0), ("e", None)]),
    dtype=st.sampled_from(["float32", "float64"]),
    step=st.sampled_from([1, 2, -1]),
    seed=st.integers(0, 2**32 - 1),
)
def test_fused_equals_reference(n_fft, hop, n, batch, centred, mode, detector, n_bands, level, dtype, step, seed):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((*batch, n * abs(step))).astype(dtype)[..., ::step]
    bank = None
    if n_bands and detector != "complex":
        # Bands with gaps, of any width, empty ones too.
        weights = rng.random((n_bands, 1 + n_fft // 2)) * (rng.random((n_bands, 1 + n_fft // 2)) < 0.4)
        bank = Constant(weights)
    scaling = None
    if level is not None and detector != "complex":
        # Far under the loudest value a logarithm shows the rounding of the spectrum: the floor leaves that out.
        scaling = Scaling(10.0, 0.3, level[0], level[1])
    framing = Framing(n_fft, hop, n_fft // 2 if centred else 0, mode)
    plan = Plan(framing, Constant(rng.random(n_fft)), detector, bank, scaling)
    result = spectrogram(y, plan)
    expected = spectrogram.reference(y.astype(np.float64), plan)
    (assert_same_levels if scaling else assert_same_spectrum)(result, expected, dtype)
    assert result.flags.c_contiguous


@pytest.mark.parametrize("n_fft", [2**13, 2**18, 2**21])
def test_frames_beyond_a_tile(n_fft, rng):
    y = rng.standard_normal(n_fft + 1000).astype(np.float32)
    plan = Plan(Framing(n_fft, 500), Constant(np.hanning(n_fft)), 2.0)
    assert_same_spectrum(spectrogram(y, plan), spectrogram.reference(y.astype(np.float64), plan), "float32")


def test_memory_is_that_of_the_result_and_a_few_tiles(rng):
    y, mel = rng.standard_normal((16, 220_500)).astype(np.float32), aa.MelSpectrogram(sr=22050)
    mel(y[:1])  # what is made once is made before
    tracemalloc.start()
    try:
        S = mel(y)
        assert tracemalloc.get_traced_memory()[1] < S.nbytes + 8e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("change", [{"detector": "phase"}, {"detector": 1.5}, {"framing": Framing(8, 4, 4, "mean")}])
def test_what_it_does_not_cover_it_declines(change):
    plan = Plan(**({"framing": Framing(8, 4, 4), "window": Constant(np.ones(8)), "detector": 2.0} | change))
    assert fused.spectrogram(np.ones(50), plan) is NotImplemented
    assert spectrogram(np.ones(50), plan).shape[0] == 5


def test_too_short_a_signal_is_the_same_error():
    with pytest.raises(aa.ParameterError, match="at least 64"):
        fused.spectrogram(np.ones(50), Plan(Framing(64, 16), Constant(np.ones(64))))


def test_banded_packs_every_nonzero_weight(rng):
    matrix = rng.random((6, 20)) * (rng.random((6, 20)) < 0.3)
    matrix[2] = 0
    starts, widths, weights = lane_frames.banded(matrix)
    rebuilt = np.zeros_like(matrix)
    for row, start, width in zip(range(6), starts, widths, strict=True):
        rebuilt[row, start : start + width] = weights[row, :width]
    np.testing.assert_array_equal(rebuilt, matrix)
    assert widths[2] == 0


@settings(max_examples=60)
@given(
    n_fft=SIZES,
    hop=st.integers(1, 400),
    n_frames=st.integers(1, 300),
    batch=st.sampled_from([(), (1,), (3,), (2, 2)]),
    dtype=st.sampled_from(["float32", "float64"]),
    tile=st.sampled_from([2**8, 2**12, 2**19]),
    seed=st.integers(0, 2**32 - 1),
)
def test_synthesis_equals_its_reference(n_fft, hop, n_frames, batch, dtype, tile, seed):
    rng = np.random.default_rng(seed)
    shape = (*batch, n_frames, 1 + n_fft // 2)
    S = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.result_type(dtype, np.complex64))
    framing, window = Framing(n_fft, hop), Constant(rng.random(n_fft))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "TILE_BYTES", tile)
        result = synthesis(S.swapaxes(-1, -2), framing, window)
    exact = synthesis.reference(S.swapaxes(-1, -2).astype(np.complex128), framing, window)
    assert_same_spectrum(result, exact, dtype)


class TestThreads:
    @pytest.fixture(autouse=True)
    def restored(self):
        before = threads.num_threads()
        yield
        aa.set_num_threads(before)

    @pytest.mark.parametrize("n", [1, 2, 5])
    def test_every_item_runs_once_whatever_the_number_of_threads(self, n):
        aa.set_num_threads(n)
        assert threads.num_threads() == n
        done = []
        threads.run(done.append, range(100))
        assert sorted(done) == list(range(100))

    def test_results_do_not_depend_on_the_number_of_threads(self, rng):
        y = rng.standard_normal((3, 50000)).astype(np.float32)
        results = []
        for n in (1, 2, 3):
            aa.set_num_threads(n)
            results.append(aa.melspectrogram(y, sr=22050, scale="db"))
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0], results[2])

    def test_work_is_shared(self):
        aa.set_num_threads(3)
        seen = set()
        threads.run(lambda _: (seen.add(threading.get_ident()), time.sleep(0.02)), range(12))
        assert len(seen) == 3

    def test_callers_that_come_together_share_the_cores(self):
        aa.set_num_threads(2)
        inside, release, seen = threading.Event(), threading.Event(), set()

        def hold(_):
            inside.set()
            release.wait()

        def see(_):
            seen.add(threading.get_ident())
            time.sleep(0.01)

        other = threading.Thread(target=threads.run, args=(hold, [0]))
        other.start()
        inside.wait()
        threads.run(see, range(12))
        release.set()
        other.join()
        assert seen == {threading.get_ident()}
        threads.run(see, range(12))
        assert len(seen) == 2

    def test_an_error_in_any_thread_reaches_the_caller(self):
        aa.set_num_threads(3)

        def fail(i):
            time.sleep(0.001)
            if i == 7:
                raise ValueError("seven")

        for _ in range(5):
            with pytest.raises(ValueError, match="seven"):
                threads.run(fail, range(30))

    @pytest.mark.parametrize("n", [0, -1, 1.5, True, "two"])
    def test_numbers_of_threads_are_checked(self, n):
        with pytest.raises(aa.ParameterError, match=f"n={n!r}: must be a whole number of at least 1"):
            aa.set_num_threads(n)

    def test_changing_the_number_under_load_loses_nothing(self):
        stop = threading.Event()

        def change():
            while not stop.is_set():
                for n in (1, 2, 4):
                    aa.set_num_threads(n)

        changer = threading.Thread(target=change)
        changer.start()
        try:
            for _ in range(200):
                done = []
                threads.run(done.append, range(20))
                assert sorted(done) == list(range(20))
        finally:
            stop.set()
            changer.join()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
    def test_a_forked_child_computes_the_same(self):
        script = """
import os, sys, warnings
import numpy as np, arrayaudio as aa
warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of every fork while threads live
aa.set_num_threads(3)
y = np.sin(np.arange(200000.0)).astype(np.float32)
expected = aa.melspectrogram(y, sr=22050)
pid = os.fork()
if pid == 0:
    os._exit(0 if np.array_equal(aa.melspectrogram(y, sr=22050), expected) else 9)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
        assert subprocess.run([sys.executable, "-c", script], timeout=120, check=False).returncode == 0

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    @pytest.mark.parametrize("chosen", [None, 2])
    def test_workers_share_the_cores_unless_told_otherwise(self, method, chosen, tmp_path):
        script = tmp_path / "workers.py"
        script.write_text(f"""
import multiprocessing, warnings
import numpy as np, arrayaudio as aa
from arrayaudio.kernels.cpu.threads import num_threads
warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of every fork while threads live
def ask(_):
    return num_threads(), float(aa.melspectrogram(np.ones(50000), sr=22050).sum())
if __name__ == "__main__":
    if {chosen}:
        aa.set_num_threads({chosen})
    own = ask(0)
    with multiprocessing.get_context("{method}").Pool(1) as pool:
        (theirs,) = pool.map(ask, [0])
    assert own[1] == theirs[1]
    assert theirs[0] == ({chosen} if {chosen} and "{method}" == "fork" else 1), theirs
""")
        subprocess.run([sys.executable, script], timeout=120, check=True)


@pytest.mark.parametrize(
    "setup", ["import sys; sys.modules['numba'] = None", "import os; os.environ['HOME'] = '/nowhere'"]
)
def test_without_numba_or_a_home_the_numbers_are_the_same(setup, tmp_path):
    script = f"""
{setup}
import numpy as np, arrayaudio as aa
y = np.sin(np.arange(5000.0) ** 1.5).astype(np.float32)
np.save(r"{tmp_path / "S.npy"}", aa.melspectrogram(y, sr=22050, n_mels=40))
from arrayaudio.primitive import problems
print(problems)
"""
    done = subprocess.run([sys.executable, "-c", script], timeout=120, check=True, capture_output=True, text=True)
    assert ("numba" in done.stdout) == ("numba" in setup)
    y = np.sin(np.arange(5000.0) ** 1.5).astype(np.float32)
    assert_same_spectrum(np.load(tmp_path / "S.npy"), aa.melspectrogram(y, sr=22050, n_mels=40))


def test_where_no_cache_can_be_written_kernels_compile_without():
    script = """
import numba.core.caching, sys
numba.core.caching.CacheImpl._locator_classes = []
numba.core.caching.CompileResultCacheImpl._locator_classes = []
import numpy as np, arrayaudio as aa
aa.stft(np.ones(5000))
from arrayaudio.kernels.cpu import lane_frames
from arrayaudio.primitive import problems
assert not problems, problems
assert type(lane_frames.copy_frames._cache).__name__ == "NullCache"
"""
    subprocess.run([sys.executable, "-c", script], timeout=120, check=True)
