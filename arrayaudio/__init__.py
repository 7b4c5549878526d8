"""Spectrograms, their inverses and their gradients on NumPy and CuPy arrays, without a deep-learning framework."""

import importlib
from typing import Any

__version__ = "0.1.0"

# Public names by the module that holds them; modules are loaded when one of their names is first used.
_PUBLIC = {
    "adaptive": ["adaptive_melspectrogram", "adaptive_stft"],
    "arrays": ["asarray", "to_numpy"],
    "augmentation.masking": ["spec_augment"],
    "augmentation.mixing": ["mix_at_snr"],
    "augmentation.moving": ["random_stretch", "shift_cqt"],
    "autodiff.check": ["check_grads"],
    "autodiff.gradients": ["grad", "value_and_grad", "vjp"],
    "descriptors.contrast": ["spectral_contrast"],
    "descriptors.level": ["rms", "zero_crossing_rate"],
    "descriptors.spectral": ["spectral_bandwidth", "spectral_centroid", "spectral_flatness", "spectral_rolloff"],
    "emphasis": ["deemphasis", "preemphasis"],
    "errors": [
        "ArrayAudioError",
        "ArrayAudioWarning",
        "AudioDecodeError",
        "BackendError",
        "DTypeError",
        "DifferentiationError",
        "MemoryBudgetError",
        "MissingExtraError",
        "ParameterError",
    ],
    "ext.params": ["load_transform"],
    "features": ["delta"],
    "functional.bands": ["cfp", "chroma_stft", "gammatonegram", "lfcc", "melspectrogram", "mfcc"],
    "functional.notes": ["chroma_cqt", "cqt", "hybrid_cqt", "icqt", "pseudo_cqt", "vqt"],
    "functional.spectra": ["istft", "spectrogram", "stft"],
    "gain_control": ["pcen"],
    "gammatone_bank": ["gammatone_frequencies"],
    "gammatone_filtering": ["gammatone_filterbank"],
    "kernels.cpu.threads": ["set_num_threads"],
    "measuring": ["benchmark"],
    "notes": ["hz_to_midi", "hz_to_note", "midi_to_hz", "midi_to_note", "note_to_hz", "note_to_midi"],
    "pcm": ["pcm_to_float"],
    "reassignment": ["reassigned_spectrogram"],
    "reconstruction.griffin_lim": ["griffinlim"],
    "reconstruction.griffin_lim_cqt": ["griffinlim_cqt"],
    "reconstruction.mel_inversion": ["mel_to_audio", "mel_to_stft", "mfcc_to_mel"],
    "reconstruction.phase_gradient": ["pghi"],
    "resampling": ["resample"],
    "scales": [
        "bark_to_hz",
        "cqt_frequencies",
        "erb_to_hz",
        "fft_frequencies",
        "hz_to_bark",
        "hz_to_erb",
        "hz_to_mel",
        "hz_to_octs",
        "mel_frequencies",
        "mel_to_hz",
        "octs_to_hz",
    ],
    "separation": ["harmonic", "hpss", "percussive"],
    "spectrum": ["amplitude_to_db", "db_to_amplitude", "db_to_power", "power_to_db"],
    "streaming.conversion": ["resample_stream"],
    "streaming.gain_control": ["pcen_stream"],
    "stretching": ["phase_vocoder", "time_stretch"],
    "times": [
        "frames_to_samples",
        "frames_to_time",
        "samples_to_frames",
        "samples_to_time",
        "time_to_frames",
        "time_to_samples",
    ],
    "transforms.cfp": ["CFP"],
    "transforms.chroma": ["Chroma"],
    "transforms.chroma_cqt": ["ChromaCQT"],
    "transforms.cqt": ["CQT", "VQT"],
    "transforms.front_end": ["FrontEnd"],
    "transforms.gammatone": ["Gammatonegram"],
    "transforms.hybrid_cqt": ["HybridCQT", "PseudoCQT"],
    "transforms.lfcc": ["LFCC"],
    "transforms.mel": ["MelSpectrogram"],
    "transforms.mfcc": ["MFCC"],
    "transforms.nsgt": ["NSGT"],
    "transforms.stft": ["STFT"],
    "versions": ["show_versions"],
    "warming": ["warmup"],
    "windows": ["get_window"],
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = sorted([*_HOME, "__version__", "filters", "optim", "presets"])


def __getattr__(name: str) -> Any:
    if name in ("filters", "optim", "presets"):
        return importlib.import_module(f"arrayaudio.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'arrayaudio' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"arrayaudio.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
