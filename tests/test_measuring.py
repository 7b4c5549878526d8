"""`aa.benchmark`: what is timed, by a clock that tells what the test says, and what is made of the times."""

import dataclasses
import itertools
import json
import re
import statistics
import time
from pathlib import Path

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio import measuring
from arrayaudio.measurements import Benchmark, Measurement, Spread

SR = 8000
MEL = aa.MelSpectrogram(sr=SR, n_fft=64, hop_length=32, n_mels=8)


class Clock:
    """Tells the time; between an even and the next odd look, the next of some durations passes."""

    def __init__(self, durations):
        self.durations, self.now, self.looks = itertools.chain(durations, itertools.repeat(1e-3)), 0.0, 0

    def __call__(self):
        self.looks += 1
        if self.looks % 2 == 0:
            self.now += next(self.durations)
        return self.now


def measured(durations, **options):
    settings = {"seconds": 0.1, "batch_sizes": (2,), "devices": ["cpu"], "repeats": 7}
    return aa.benchmark(MEL, clock=Clock(durations), **(settings | options))


def test_the_first_call_counts_by_itself_and_the_others_give_median_and_quartiles():
    times = [0.001, 0.009, 0.004, 0.002, 0.005, 0.003, 0.006]
    (row,) = measured([3.0, *times]).measurements
    assert row.first == pytest.approx(3.0)
    assert row.call.repeats == 7
    assert row.call.median == pytest.approx(0.004)
    assert (row.call.lower, row.call.upper) == pytest.approx((0.0025, 0.0055))
    assert row.call.half_range == pytest.approx(0.0015)
    assert (row.upload, row.download, row.transfers) == (None, None, 0)


def test_rates_are_frames_and_seconds_of_the_whole_batch():
    (row,) = measured([1.0] + 7 * [0.004]).measurements
    assert row.frames == 2 * MEL.n_frames(800)
    assert row.seconds == pytest.approx(0.2)
    assert row.frames_per_second == pytest.approx(2 * MEL.n_frames(800) / 0.004)
    assert row.times_real_time == pytest.approx(50)


@pytest.mark.parametrize(("each", "repeats"), [(0.01, 20), (0.15, 7), (0.3, 5), (10.0, 5)])
def test_slow_calls_are_repeated_until_the_budget_is_spent_but_five_times_at_least(each, repeats):
    (row,) = measured([1.0] + 20 * [each], repeats=20).measurements
    assert row.call.repeats == repeats


def test_each_batch_size_is_measured_in_the_dtype_and_length_asked_for():
    seen = []

    class Watched(aa.STFT):
        def __call__(self, y, **options):
            seen.append((y.shape, y.dtype.name, float(np.abs(y).max())))
            return super().__call__(y, **options)

    found = aa.benchmark(
        Watched(sr=SR, n_fft=64), seconds=0.05, batch_sizes=(1, 3), dtype="float64", devices=["cpu"], repeats=5
    )
    assert [row.batch_size for row in found.measurements] == [1, 3]
    assert [shape for shape, _, _ in seen] == 8 * [(1, 400)] + 8 * [(3, 400)]
    assert {dtype for _, dtype, _ in seen} == {"float64"}
    assert all(0.9 < loudest <= 1 for *_, loudest in seen)
    assert found.dtype == "float64"


def test_the_device_of_the_transform_is_of_no_effect():
    found = aa.benchmark(MEL.to("cuda"), seconds=0.05, batch_sizes=(1,), devices=["cpu"], repeats=5)
    assert found.transform == repr(MEL)
    assert [row.device for row in found.measurements] == ["cpu"]


@pytest.mark.parametrize(
    "transform", [aa.CQT(sr=SR, fmin=200, n_bins=12), aa.NSGT(sr=SR), aa.ChromaCQT(sr=SR, n_octaves=5)]
)
def test_every_kind_of_transform_is_measured(transform):
    (row,) = aa.benchmark(transform, seconds=0.5, batch_sizes=(2,), devices=["cpu"], repeats=5).measurements
    assert row.frames == 2 * transform.n_frames(4000)
    assert row.call.lower <= row.call.median <= row.call.upper


def test_on_a_gpu_all_is_done_when_the_clock_is_looked_at(stand_in):
    import cupy

    stream = cupy.cuda.Stream(non_blocking=True)
    waited = []

    def clock():
        waited.append(stream.done == stream.issued)
        return float(len(waited))

    with stream:
        found = aa.benchmark(MEL, seconds=0.02, batch_sizes=(1,), devices=["cuda"], repeats=5, clock=clock)
    (row,) = found.measurements
    assert stream.issued > 8
    assert all(waited)
    assert len(waited) == 2 * (1 + 5 + 5 + 5)
    assert row.device == "cuda"


def test_transfers_on_a_gpu_are_timed_by_themselves(gpu):
    durations = [1.0, *(5 * [0.004]), *(5 * [0.001]), *(5 * [0.0005])]
    (row,) = measured(durations, devices=["cuda"], repeats=5).measurements
    assert row.call.median == pytest.approx(0.004)
    assert row.upload.median == pytest.approx(0.001)
    assert row.download.median == pytest.approx(0.0005)
    assert row.transfers == pytest.approx(0.0015)
    assert row.with_transfers == pytest.approx(0.0055)


def test_both_devices_are_measured_where_there_is_a_gpu(gpu):
    found = measured([], devices=None, batch_sizes=(1, 2), repeats=5)
    assert [(row.device, row.batch_size) for row in found.measurements] == [
        ("cpu", 1),
        ("cpu", 2),
        ("cuda", 1),
        ("cuda", 2),
    ]
    assert not found.gpu.startswith("none")


def test_without_a_gpu_the_cpu_is_measured_and_the_reason_told(monkeypatch):
    monkeypatch.setattr(measuring, "cuda_problem", lambda: "no CUDA device is visible")
    monkeypatch.setattr(measuring, "gpu", lambda: "none: no CUDA device is visible")
    found = measured([], devices=None)
    assert [row.device for row in found.measurements] == ["cpu"]
    assert found.hint == "No GPU to compare with: no CUDA device is visible."


def steady(seconds):
    return Spread(seconds, seconds, seconds, 5)


def compared(*times):
    """A benchmark of batches 1, 8, ... with milliseconds on the CPU, on the GPU, and for each transfer."""
    rows = []
    for power, (cpu, gpu, moved) in enumerate(times):
        shared = {"batch_size": 8**power, "frames": 100, "seconds": 1.0, "first": 1.0}
        rows.append(Measurement("cpu", call=steady(cpu / 1e3), **shared))
        move = steady(moved / 1e3)
        rows.append(Measurement("cuda", call=steady(gpu / 1e3), upload=move, download=move, **shared))
    return Benchmark("STFT(sr=8000)", 8000.0, 1.0, "float32", 2, "a processor", "a GPU", tuple(rows))


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([(4, 1, 0.5), (30, 2, 1)], "The GPU pays at all of these batch sizes, transfers included: 1: 4.00 ms"),
        ([(1, 1.5, 0.5), (30, 2, 1), (99, 9, 9)], "The GPU pays for batches of 8 and 64, transfers included: "),
        ([(2, 1, 0.5), (3, 1, 1), (3, 2, 1)], "The GPU pays for batches of 1, 8 and 64 only where signals and results"),
        ([(2, 3, 0.5)], "The GPU does not pay at these batch sizes: 1: 2.00 ms on the CPU, 4.00 ms on the GPU. Larger"),
    ],
)
def test_the_hint_says_from_which_batch_on_a_gpu_pays(times, words):
    assert compared(*times).hint.startswith(words)


def test_the_hint_gives_times_with_transfers():
    hint = compared((1, 1.5, 0.5), (30, 2, 1)).hint
    assert hint.endswith("1: 1.00 ms on the CPU, 2.50 ms on the GPU; 8: 30.00 ms on the CPU, 4.00 ms on the GPU.")


def test_the_page_quotes_the_hints():
    page = " ".join((Path(__file__).parent.parent / "docs" / "benchmarking.md").read_text().split())
    quotes = re.findall(r'"(The GPU [^"]*?)(?: \.\.\.)?"', page.replace(": ... Larger", ': ..." "Larger'))
    hints = [
        compared((4, 1, 0.5)).hint,
        compared((1, 1.5, 0.5), (30, 2, 1), (99, 9, 9)).hint,
        compared((1, 2, 0.5), (1, 2, 1), (3, 2, 1)).hint,
        compared((2, 3, 0.5)).hint,
    ]
    assert len(quotes) == 4
    for quote, hint in zip(quotes, hints, strict=True):
        assert hint.startswith(quote.removesuffix(" ..."))


def test_devices_that_were_not_both_measured_are_not_compared():
    found = compared((4, 1, 0.5))
    alone = dataclasses.replace(found, measurements=found.measurements[1:])
    assert alone.hint == "CPU and GPU were not compared: they were not both measured."


def test_the_table_has_a_row_for_each_measurement_and_ends_with_the_hint():
    found = compared((4, 1, 0.5), (30, 0.02, 1))
    lines = str(found).splitlines()
    assert lines[:4] == [
        "STFT(sr=8000)",
        "clips of 1 s at 8000 Hz, float32",
        "CPU: a processor, 2 threads",
        "GPU: a GPU",
    ]
    assert lines[5].split("  ")[0].strip() == "device"
    assert len({len(line) for line in lines[5:10]}) == 1
    assert " ".join(lines[9].split()) == "cuda 8 20.0 µs ± 0.0 µs 1.00 s 1.00 ms 1.00 ms 5,000,000 50,000"
    assert lines[-1] == found.hint


def test_a_table_without_gpu_has_no_columns_for_transfers():
    found = compared((4, 1, 0.5))
    table = str(dataclasses.replace(found, measurements=found.measurements[:1]))
    assert "to GPU" not in table
    assert "first call" in table


def test_the_dict_is_json_and_holds_all_times():
    found = compared((4, 1, 0.5))
    data = json.loads(json.dumps(found.to_dict()))
    assert data["hint"] == found.hint
    assert data["measurements"][1]["upload"]["median"] == 0.0005
    assert data["measurements"][1]["with_transfers"] == pytest.approx(0.002)
    assert data["measurements"][0]["frames_per_second"] == pytest.approx(25_000)
    assert data["measurements"][0]["upload"] is None


def test_times_are_those_of_the_clock_on_the_wall():
    (row,) = aa.benchmark(MEL, seconds=0.5, batch_sizes=(4,), devices=["cpu"], repeats=9).measurements
    y = np.ones((4, 4000), np.float32)
    times = []
    for _ in range(9):
        start = time.perf_counter()
        MEL(y)
        times.append(time.perf_counter() - start)
    assert statistics.median(times) / 20 < row.call.median < 20 * statistics.median(times)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0}, "seconds=0: must be greater than 0"),
        ({"batch_sizes": (0,)}, "batch_sizes=0: must be at least 1"),
        ({"batch_sizes": ()}, "must each have at least one"),
        ({"devices": ()}, "must each have at least one"),
        ({"devices": ["tpu"]}, "devices='tpu': must be one of 'cpu', 'cuda'"),
        ({"dtype": "float16"}, "dtype='float16': must be one of 'float32', 'float64'"),
        ({"repeats": 4}, "repeats=4: must be at least 5"),
        ({"budget": -1}, "budget=-1: must be at least 0"),
    ],
)
def test_wrong_settings_say_why(options, message):
    with pytest.raises(aa.ParameterError, match=message):
        measured([], **options)


def test_what_is_no_transform_or_has_no_rate_is_refused():
    with pytest.raises(aa.ParameterError, match="must be a transform"):
        aa.benchmark(np.fft.rfft)
    with pytest.raises(aa.ParameterError, match="sr=None: seconds of audio need the sampling rate"):
        aa.benchmark(aa.STFT())


def test_a_gpu_that_is_asked_for_and_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr("arrayaudio.cuda.cuda_problem", lambda: "no CUDA device is visible")
    with pytest.raises(aa.BackendError, match="device='cuda': no CUDA device is visible"):
        measured([], devices=["cuda"])
