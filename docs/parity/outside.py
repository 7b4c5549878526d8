"""The outside implementations, each called with one signal (n_samples,) and returning (freq, time)."""

import functools
import importlib
import sys
import types
import warnings
from typing import Any

import numpy as np


@functools.cache
def torchaudio() -> Any:
    """Torchaudio's Python, without its compiled part, which needs PyTorch for CUDA and none of what is used here."""
    extension: Any = types.ModuleType("torchaudio._extension")
    extension._IS_TORCHAUDIO_EXT_AVAILABLE = extension._IS_ALIGN_AVAILABLE = False
    extension.fail_if_no_align = lambda function: function
    sys.modules.setdefault("torchaudio._extension", extension)
    return _quietly_imported("torchaudio")


@functools.cache
def transformers() -> Any:
    """Hugging Face's transformers; one of its feature extractors calls torchaudio."""
    torchaudio()
    return _quietly_imported("transformers")


def _quietly_imported(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


@functools.cache
def extractor(name: str, **options: Any) -> Any:
    """A feature extractor of transformers."""
    return getattr(transformers(), name)(**options)


def extracted(
    y: np.ndarray, name: str, key: str = "input_features", argument: str = "raw_speech", **options: Any
) -> Any:
    """What a feature extractor of transformers gives: (freq, time)."""
    made = extractor(name, **options)
    result = made(**{argument: y}, sampling_rate=made.sampling_rate, return_tensors="np")
    return np.asarray(result[key])[0].T


def whisper(y: np.ndarray, n_mels: int) -> Any:
    """Transformers' Whisper features, of the signal and no more."""
    made = extractor("WhisperFeatureExtractor", feature_size=n_mels)
    return made(y, sampling_rate=16000, padding="do_not_pad", return_tensors="np").input_features[0]


def whisper_in_c(y: np.ndarray, n_mels: int) -> Any:
    """Asrfront's Whisper features."""
    from asrfront import whisper

    return whisper.log_mel(y.astype(np.float32), n_mels=n_mels, pad_or_trim=False)


def sensevoice(y: np.ndarray, cmvn: Any = None) -> Any:
    """Asrfront's SenseVoice features."""
    from asrfront import sensevoice

    return sensevoice.fbank(y.astype(np.float32), cmvn=cmvn).T


def kaldi(y: np.ndarray, kind: str, **mel_options: Any) -> Any:
    """kaldi-native-fbank with its defaults, but without dither; `kind` is "Fbank" or "Mfcc"."""
    import kaldi_native_fbank as native

    options = getattr(native, f"{kind}Options")()
    options.frame_opts.dither = 0
    for name, value in mel_options.items():
        setattr(options.mel_opts, name, value)
    online = getattr(native, f"Online{kind}")(options)
    online.accept_waveform(options.frame_opts.samp_freq, y.astype(np.float32).tolist())
    online.input_finished()
    return np.stack([online.get_frame(i) for i in range(online.num_frames_ready)], axis=-1)


def kaldi_in_torch(y: np.ndarray, kind: str, **options: Any) -> Any:
    """Torchaudio's Kaldi features in the precision of the signal; `kind` is "fbank" or "mfcc"."""
    import torch

    made = getattr(torchaudio().compliance.kaldi, kind)(torch.from_numpy(y)[None], **options)
    return made.numpy().T


def clap(y: np.ndarray, filters: str) -> Any:
    """Transformers' CLAP features of the whole signal, with one of the two banks."""
    made = extractor("ClapFeatureExtractor")
    return made._np_extract_fbank_features(y, getattr(made, filters)).T


def hifigan(y: np.ndarray) -> Any:
    """Transformers' UnivNet features, whose formula is HiFi-GAN's, with HiFi-GAN's numbers."""
    made = extractor(
        "UnivNetFeatureExtractor", sampling_rate=22050, num_mel_bins=80, hop_length=256, fmin=0.0, fmax=8000.0
    )
    return made.mel_spectrogram(y).T


def ast(y: np.ndarray) -> Any:
    """Transformers' features for the audio spectrogram transformer, through torchaudio's Kaldi, without filling up."""
    n_frames = 1 + (len(y) - 400) // 160
    return extracted(y.astype(np.float32), "ASTFeatureExtractor", "input_values", max_length=n_frames)


def nemo(y: np.ndarray) -> Any:
    """Transformers' Parakeet features, without the frame of zeros that their mask leaves out."""
    return extracted(y, "ParakeetFeatureExtractor")[:, : len(y) // 160]


def of_torchaudio(y: np.ndarray, kind: str, **options: Any) -> Any:
    """A transform of torchaudio, by default with all its defaults, in the precision of the signal."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = getattr(torchaudio().transforms, kind)(**options).to(torch.from_numpy(y).dtype)
    return made(torch.from_numpy(y)).numpy()


def encodec(y: np.ndarray) -> Any:
    """Torchaudio's mel spectrogram with the settings and the padding of audiocraft's loss."""
    n_fft, hop = 1024, 256
    padded = np.pad(np.pad(y, (n_fft - hop) // 2, mode="reflect"), (0, -len(y) % hop))
    options = {"n_fft": n_fft, "hop_length": hop, "n_mels": 64, "f_min": 64.0, "normalized": True, "center": False}
    return np.log10(1e-5 + of_torchaudio(padded, "MelSpectrogram", sample_rate=24000, **options))


def of_nnaudio(y: np.ndarray, module: str, kind: str) -> Any:
    """A class of nnAudio with its defaults."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = getattr(importlib.import_module(f"nnAudio.features.{module}"), kind)(verbose=False)
        result = made(torch.from_numpy(y)[None].float())[0]
    return (torch.view_as_complex(result.contiguous()) if result.ndim == 3 else result).numpy()
