"""Arrays of other libraries, in every public function: used where they lie, and results that go back without a copy."""

import jax
import numpy as np
import pytest
import torch

import arrayaudio as aa
from arrayaudio import arrays
from arrayaudio.autodiff.trees import leaves

SR = 8000
N = 2000
FRAMES = {"n_fft": 256, "hop_length": 64}
BANDS = {"sr": SR, **FRAMES, "n_mels": 20}
NOTES = {"sr": SR, "fmin": 110.0, "n_bins": 36, "hop_length": 64}


def waveform(shape=(2, N)):
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def magnitudes():
    return aa.stft(waveform(), **FRAMES, output="magnitude")


def of(function, **options):
    return lambda x: function(x, **options)


SIGNAL, MAGNITUDES, ONE = waveform, magnitudes, lambda: np.float32([110, 220, 440, 880])
LEVELS = lambda: aa.power_to_db(magnitudes())  # noqa: E731
FFT = lambda: aa.stft(waveform(), **FRAMES)  # noqa: E731
CONSTANT_Q = lambda: aa.cqt(waveform(), **NOTES)  # noqa: E731
MEL = lambda: aa.melspectrogram(waveform(), **BANDS)  # noqa: E731
CEPSTRA = lambda: aa.mfcc(waveform(), **BANDS, n_mfcc=13)  # noqa: E731
PCM = lambda: (1000 * waveform()).astype(np.int16)  # noqa: E731
MOBILE = {"win_length": 200.0, "hop_length": 64.0}
LIKE_CQT = {"sr": SR, "fmin": 110.0, "hop_length": 64}

# Every public function of arrays with what it takes.
CALLS = {
    "CFP": (aa.CFP(sr=SR, n_fft=1024, hop_length=500), SIGNAL),
    "CQT": (aa.CQT(**NOTES), SIGNAL),
    "Chroma": (aa.Chroma(sr=SR, **FRAMES), SIGNAL),
    "ChromaCQT": (aa.ChromaCQT(sr=SR, n_octaves=4, fmin=110.0), SIGNAL),
    "Gammatonegram": (aa.Gammatonegram(sr=SR, **FRAMES, n_bins=20), SIGNAL),
    "HybridCQT": (aa.HybridCQT(**NOTES), SIGNAL),
    "LFCC": (aa.LFCC(sr=SR, **FRAMES, n_filter=20, n_lfcc=13), SIGNAL),
    "MFCC": (aa.MFCC(**BANDS, n_mfcc=13), SIGNAL),
    "FrontEnd": (aa.presets.get("nemo"), SIGNAL),
    "MelSpectrogram": (aa.MelSpectrogram(**BANDS, scale="db"), SIGNAL),
    "NSGT": (aa.NSGT(sr=SR), SIGNAL),
    "PseudoCQT": (aa.PseudoCQT(**NOTES), SIGNAL),
    "STFT": (aa.STFT(**FRAMES, sr=SR, freq_scale="log", freq_bins=30, fmin=100.0), SIGNAL),
    "VQT": (aa.VQT(**NOTES, gamma=10.0), SIGNAL),
    "adaptive_melspectrogram": (of(aa.adaptive_melspectrogram, sr=SR, n_mels=20, **MOBILE), SIGNAL),
    "adaptive_stft": (of(aa.adaptive_stft, **MOBILE), SIGNAL),
    "amplitude_to_db": (aa.amplitude_to_db, MAGNITUDES),
    "asarray": (aa.asarray, SIGNAL),
    "bark_to_hz": (aa.bark_to_hz, ONE),
    "cfp": (of(aa.cfp, sr=SR, n_fft=1024, hop_length=500), SIGNAL),
    "chroma_cqt": (of(aa.chroma_cqt, sr=SR, n_octaves=4, fmin=110.0), SIGNAL),
    "chroma_stft": (of(aa.chroma_stft, sr=SR, **FRAMES), SIGNAL),
    "cqt": (of(aa.cqt, **NOTES), SIGNAL),
    "db_to_amplitude": (aa.db_to_amplitude, LEVELS),
    "db_to_power": (aa.db_to_power, LEVELS),
    "deemphasis": (aa.deemphasis, SIGNAL),
    "delta": (aa.delta, MEL),
    "erb_to_hz": (aa.erb_to_hz, ONE),
    "frames_to_samples": (aa.frames_to_samples, lambda: np.arange(4)),
    "frames_to_time": (of(aa.frames_to_time, sr=SR), lambda: np.arange(4)),
    "gammatone_filterbank": (of(aa.gammatone_filterbank, sr=SR, n_bands=4), SIGNAL),
    "gammatonegram": (of(aa.gammatonegram, sr=SR, **FRAMES, n_bins=20), SIGNAL),
    "griffinlim": (of(aa.griffinlim, n_iter=2, hop_length=64, seed=0), MAGNITUDES),
    "griffinlim_cqt": (of(aa.griffinlim_cqt, n_iter=1, seed=0, **LIKE_CQT), lambda: np.abs(CONSTANT_Q())),
    "harmonic": (of(aa.harmonic, **FRAMES), SIGNAL),
    "hpss": (aa.hpss, FFT),
    "hybrid_cqt": (of(aa.hybrid_cqt, **NOTES), SIGNAL),
    "hz_to_bark": (aa.hz_to_bark, ONE),
    "hz_to_erb": (aa.hz_to_erb, ONE),
    "hz_to_mel": (aa.hz_to_mel, ONE),
    "hz_to_midi": (aa.hz_to_midi, ONE),
    "hz_to_octs": (aa.hz_to_octs, ONE),
    "icqt": (of(aa.icqt, **LIKE_CQT, length=N), CONSTANT_Q),
    "istft": (of(aa.istft, hop_length=64), FFT),
    "lfcc": (of(aa.lfcc, sr=SR, **FRAMES, n_filter=20, n_lfcc=13), SIGNAL),
    "mel_to_audio": (of(aa.mel_to_audio, sr=SR, **FRAMES, n_iter=1, seed=0), MEL),
    "mel_to_hz": (aa.mel_to_hz, ONE),
    "mel_to_stft": (of(aa.mel_to_stft, sr=SR, n_fft=256), MEL),
    "melspectrogram": (of(aa.melspectrogram, **BANDS), SIGNAL),
    "mfcc": (of(aa.mfcc, **BANDS, n_mfcc=13), SIGNAL),
    "mfcc_to_mel": (of(aa.mfcc_to_mel, n_mels=20), CEPSTRA),
    "midi_to_hz": (aa.midi_to_hz, ONE),
    "octs_to_hz": (aa.octs_to_hz, lambda: np.float32([1, 2])),
    "pcen": (of(aa.pcen, sr=SR), MEL),
    "pcm_to_float": (aa.pcm_to_float, PCM),
    "mix_at_snr": (lambda x: aa.mix_at_snr(x, x, snr=3), SIGNAL),
    "random_stretch": (of(aa.random_stretch, seed=0, **FRAMES), SIGNAL),
    "shift_cqt": (of(aa.shift_cqt, steps=0.5), MAGNITUDES),
    "spec_augment": (of(aa.spec_augment, seed=0), MAGNITUDES),
    "percussive": (of(aa.percussive, **FRAMES), SIGNAL),
    "pghi": (of(aa.pghi, hop_length=64), MAGNITUDES),
    "phase_vocoder": (of(aa.phase_vocoder, rate=1.3), FFT),
    "power_to_db": (aa.power_to_db, MAGNITUDES),
    "preemphasis": (aa.preemphasis, SIGNAL),
    "pseudo_cqt": (of(aa.pseudo_cqt, **NOTES), SIGNAL),
    "reassigned_spectrogram": (of(aa.reassigned_spectrogram, sr=SR, **FRAMES), SIGNAL),
    "resample": (of(aa.resample, orig_sr=SR, target_sr=6000), SIGNAL),
    "rms": (aa.rms, SIGNAL),
    "samples_to_frames": (aa.samples_to_frames, lambda: np.arange(4)),
    "samples_to_time": (of(aa.samples_to_time, sr=SR), lambda: np.arange(4)),
    "spectral_bandwidth": (of(aa.spectral_bandwidth, sr=SR), SIGNAL),
    "spectral_centroid": (of(aa.spectral_centroid, sr=SR), SIGNAL),
    "spectral_contrast": (of(aa.spectral_contrast, sr=SR, n_bands=4), SIGNAL),
    "spectral_flatness": (aa.spectral_flatness, SIGNAL),
    "spectral_rolloff": (of(aa.spectral_rolloff, sr=SR), SIGNAL),
    "spectrogram": (of(aa.spectrogram, **FRAMES), SIGNAL),
    "stft": (of(aa.stft, **FRAMES), SIGNAL),
    "time_stretch": (of(aa.time_stretch, rate=1.3, **FRAMES), SIGNAL),
    "time_to_frames": (of(aa.time_to_frames, sr=SR), ONE),
    "time_to_samples": (of(aa.time_to_samples, sr=SR), ONE),
    "to_numpy": (aa.to_numpy, SIGNAL),
    "vqt": (of(aa.vqt, **NOTES, gamma=10.0), SIGNAL),
    "zero_crossing_rate": (aa.zero_crossing_rate, SIGNAL),
    # Further ways in.
    "CQT.inverse": (of(aa.CQT(**NOTES).inverse, length=N), CONSTANT_Q),
    "MelSpectrogram.stream": (lambda x: aa.MelSpectrogram(**BANDS).stream(2).push(x), SIGNAL),
    "NSGT.inverse": (lambda x: aa.NSGT(sr=SR).inverse(x, length=N), lambda: aa.NSGT(sr=SR)(waveform())),
    "STFT.inverse": (of(aa.STFT(**FRAMES).inverse), FFT),
    "STFT memory_budget": (of(aa.STFT(**FRAMES), memory_budget=10**6), SIGNAL),
    "STFT.ragged": (lambda x: aa.STFT(**FRAMES).ragged([x, x]).values, SIGNAL),
    "pcen_stream": (lambda x: aa.pcen_stream(sr=SR, channels=2).push(x), MEL),
    "resample_stream": (lambda x: aa.resample_stream(orig_sr=SR, target_sr=6000, channels=2).push(x), SIGNAL),
    "spectral_centroid S": (lambda x: aa.spectral_centroid(S=x, sr=SR), MAGNITUDES),
    "vjp": (lambda x: aa.vjp(aa.STFT(**FRAMES), x)[0], SIGNAL),
    "grad": (lambda x: aa.grad(lambda y: aa.spectrogram(y, **FRAMES).sum())(x), SIGNAL),
    "with_params": (
        lambda x: aa.MelSpectrogram(**BANDS).with_params({"bank": x})(waveform()),
        lambda: aa.filters.mel(sr=SR, n_fft=256, n_mels=20).astype(np.float32),
    ),
}
# What takes no array, or no array alone.
OTHERS = {
    "benchmark",
    "presets",
    "check_grads",
    "cqt_frequencies",
    "fft_frequencies",
    "filters",
    "gammatone_frequencies",
    "get_window",
}
OTHERS |= {"load_transform", "mel_frequencies", "optim", "set_num_threads", "show_versions", "value_and_grad", "warmup"}
OTHERS |= {"benchmark", "presets"}
OTHERS |= {"hz_to_note", "midi_to_note", "note_to_hz", "note_to_midi", "__version__"}  # text on one side


class OnlyDlpack:
    """An array of a library that has nothing else than DLPack."""

    def __init__(self, values):
        self.values = values

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


def frozen(x):
    x.setflags(write=False)
    return x


FOREIGN = {"torch": torch.from_numpy, "jax": jax.numpy.asarray, "DLPack": OnlyDlpack, "read-only NumPy": frozen}


def memory(array):
    """Where the values of an array begin."""
    return array.data.ptr if hasattr(array.data, "ptr") else array.ctypes.data


@pytest.fixture
def taken(monkeypatch):
    """Arrays of other libraries as `asarray` took them, each with what it made of it."""
    pairs = []

    def watch(name):
        take = getattr(arrays, name)

        def watched(x):
            pairs.append((x, take(x)))
            return pairs[-1][1]

        monkeypatch.setattr(arrays, name, watched)

    watch("_from_numpy_world")
    watch("in_the_same_memory")
    return pairs


def test_the_table_names_every_public_function():
    errors = {name for name in aa.__all__ if name.endswith(("Error", "Warning"))}
    assert {name for name in CALLS if name in aa.__all__} == set(aa.__all__) - OTHERS - errors


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("name", CALLS)
def test_memory_is_used_in_place_and_results_are_numpys(name, kind, taken):
    call, make = CALLS[name]
    values = make()
    if kind == "jax" and values.dtype.itemsize == 8 and values.dtype.kind != "c":
        values = values.astype(np.dtype(f"{values.dtype.kind}4"))  # JAX has no others by default
    expected = call(values.copy())
    foreign = FOREIGN[kind](values.copy())
    before = np.asarray(foreign.values if kind == "DLPack" else foreign).copy()
    taken.clear()
    result = call(foreign)
    own = np.asarray(foreign.values if kind == "DLPack" else foreign)
    if kind != "read-only NumPy":
        made = [array for given, array in taken if given is foreign]
        assert made
        assert all(memory(array) == memory(own) for array in made)
    np.testing.assert_array_equal(own, before)
    for ours, same in zip(leaves(result), leaves(expected), strict=True):
        assert isinstance(ours, np.ndarray | np.generic)
        assert ours.dtype == same.dtype
        np.testing.assert_array_equal(ours, same)


VIEWS = {"asarray", "to_numpy"}  # what they return is what they were given


@pytest.mark.parametrize("name", CALLS)
def test_results_become_tensors_without_a_copy(name):
    call, make = CALLS[name]
    for result in leaves(call(frozen(make()) if name not in VIEWS else make())):
        if result.ndim and result.dtype != bool:
            tensor = torch.from_dlpack(result)
            assert tensor.data_ptr() == result.ctypes.data


def aligned(shape, dtype):
    """New memory that begins at a multiple of 64 bytes, where JAX shares it."""
    n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.empty(n_bytes + 64, np.uint8)
    first = -room.ctypes.data % 64
    return room[first : first + n_bytes].view(dtype).reshape(shape)


def test_results_become_arrays_of_jax_without_a_copy():
    transform, y = aa.STFT(**FRAMES), waveform()
    out = aligned((2, 129, transform.n_frames(N)), np.complex64)
    S = transform(jax.numpy.asarray(y), out=out)
    assert S is out
    shared = jax.dlpack.from_dlpack(S, copy=False)
    assert shared.unsafe_buffer_pointer() == S.ctypes.data
    np.testing.assert_array_equal(np.asarray(shared), transform(y))


def test_what_jax_traces_ends_with_a_word_on_how_to_go_on():
    loss = jax.grad(lambda y: aa.spectrogram(y).sum())
    for traced in (jax.jit(aa.spectrogram), jax.vmap(aa.spectrogram), loss):
        with pytest.raises(aa.DifferentiationError, match=r"while JAX traces.*ext\.jax\.differentiable.*aa\.vjp"):
            traced(np.ones((2, 4000), np.float32))


def test_half_precision_of_jax_becomes_single():
    y = jax.numpy.asarray(waveform(), dtype=jax.numpy.bfloat16)
    np.testing.assert_array_equal(aa.stft(y), aa.stft(np.asarray(y).astype(np.float32)))


def test_numbers_of_libraries_with_dlpack_alone_come_home():
    np.testing.assert_array_equal(aa.to_numpy(OnlyDlpack(np.arange(3.0))), np.arange(3.0))
    assert aa.to_numpy([1, 2]).dtype == np.int64


class OnlyCuda:
    """An array of a library that has nothing else than the CUDA array interface."""

    def __init__(self, array):
        self.array = array
        self.__cuda_array_interface__ = array.__cuda_array_interface__


class CudaDlpack:
    """An array on a GPU of a library that has nothing else than DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, *, stream, **_):
        # The stand-in, whose memory is not a GPU's, hands itself out.
        return self.array if hasattr(self.array, "inner") else self.array.__dlpack__(stream=stream)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


ON_GPU = [(name, OnlyCuda) for name in CALLS if name not in ("to_numpy", "with_params")]
ON_GPU += [(name, CudaDlpack) for name in ("asarray", "stft", "istft", "melspectrogram", "vjp")]


@pytest.mark.parametrize(("name", "kind"), ON_GPU)
def test_memory_on_a_gpu_is_used_in_place_and_results_are_cupys(name, kind, gpu, taken):
    call, make = CALLS[name]
    foreign = kind(gpu.asarray(make()))
    expected = call(foreign.array)
    taken.clear()
    result = call(foreign)
    made = [array for given, array in taken if given is foreign]
    assert made
    assert all(memory(array) == memory(foreign.array) for array in made)
    for ours, same in zip(leaves(result), leaves(expected), strict=True):
        assert gpu.owns(ours) is gpu.owns(same) is True
        np.testing.assert_array_equal(gpu.to_numpy(ours), gpu.to_numpy(same))


def test_arrays_on_a_gpu_come_home(gpu):
    array = gpu.asarray(np.arange(3.0))
    for foreign in (OnlyCuda(array), CudaDlpack(array)):
        np.testing.assert_array_equal(aa.to_numpy(foreign), np.arange(3.0))
