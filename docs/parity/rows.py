"""The rows of the parity table."""

import functools
from typing import Any

import numpy as np

import arrayaudio as aa
from docs.parity import outside
from docs.parity.cases import Case, Reason
from docs.parity.vggish import vggish

CMVN = tuple(np.random.default_rng(n).uniform(0.1, 1, 560).astype(np.float32) for n in (1, 2))


def preset(name: str, outside: str, theirs: Any, title: str = "", **options: Any) -> Case:
    """A row of a preset."""
    changes = {key: options.pop(key) for key in ("cmvn", "n_mels") if key in options}
    return Case(
        name=title or name,
        ours=functools.partial(aa.presets.get, name, **changes),
        outside=outside,
        theirs=theirs,
        **options,
    )


QUIET = Reason("float32 rounds, and quiet bands of a frame are nearer to that; in float64 both agree", float32=1e-3)
FILTERS = Reason("the other side rounds its filters to float32; with its filters both agree to 1e-11", 1e-3, 1e-3)
SINGLE = Reason("the other side computes in float32, its filters too", 1e-3, 1e-3)
CEPSTRA = Reason("the other side rounds window, filters, cosines to float32; values are in the hundreds", 1e-3, 1e-3)
EMPTY = Reason("float32 rounds: above 8 kHz, where the recording ends, bands hold nothing but rounding", float32=0.3)
KERNELS = Reason("librosa's kernels run backwards, and the rate is halved: see [constant-Q](constant_q.md)", 0.1, 0.1)
LENGTHS = Reason("nnAudio's kernels are 3 % shorter: for its numbers see [its classes](nnaudio.md)", 0.03, 0.03)


def scaled(y: np.ndarray) -> np.ndarray:
    """Samples as Kaldi takes them."""
    return y * y.dtype.type(2**15)


PRESETS = [
    preset("whisper", "transformers", lambda y: outside.whisper(y, 80)),
    preset("whisper", "asrfront", lambda y: outside.whisper_in_c(y, 80)),
    preset("whisper_v3", "transformers", lambda y: outside.whisper(y, 128)),
    preset("whisper_v3", "asrfront", lambda y: outside.whisper_in_c(y, 128)),
    preset(
        "kaldi_fbank", "kaldi-native-fbank", lambda y: outside.kaldi(scaled(y), "Fbank", num_bins=80), reason=SINGLE
    ),
    preset(
        "kaldi_fbank",
        "torchaudio",
        lambda y: outside.kaldi_in_torch(scaled(y), "fbank", num_mel_bins=80),
        reason=FILTERS,
    ),
    preset(
        "kaldi_fbank",
        "transformers, SeamlessM4T",
        lambda y: outside.extractor("SeamlessM4TFeatureExtractor")._extract_fbank_features(y).T,
        reason=QUIET,
    ),
    preset("kaldi_mfcc", "kaldi-native-fbank", lambda y: outside.kaldi(scaled(y), "Mfcc"), reason=SINGLE),
    preset(
        "kaldi_mfcc",
        "torchaudio",
        lambda y: outside.kaldi_in_torch(scaled(y), "mfcc", use_energy=True, energy_floor=0.0),
        reason=CEPSTRA,
    ),
    preset("ast", "transformers and torchaudio", outside.ast),
    preset("vggish", "formula, float64", vggish),
    preset("clap", "transformers", lambda y: outside.clap(y, "mel_filters"), sr=48000, reason=EMPTY),
    preset("clap_unfused", "transformers", lambda y: outside.clap(y, "mel_filters_slaney"), sr=48000, reason=EMPTY),
    preset("hifigan", "transformers, UnivNet", outside.hifigan, sr=22050, reason=EMPTY),
    preset(
        "speecht5",
        "transformers",
        lambda y: outside.extracted(y, "SpeechT5FeatureExtractor", "input_values", "audio_target"),
    ),
    preset("nemo", "transformers, Parakeet", outside.nemo),
    preset("sensevoice", "asrfront", outside.sensevoice, reason=SINGLE),
    preset(
        "sensevoice",
        "asrfront",
        lambda y: outside.sensevoice(y, CMVN),
        "sensevoice, with CMVN",
        cmvn=CMVN,
        reason=SINGLE,
    ),
    preset("encodec", "torchaudio, padding by formula", outside.encodec, sr=24000),
]


def default(kind: str, compat: str, theirs: Any, **options: Any) -> Case:
    """A row of a transform with the defaults of a library."""
    names = {"kaldi": "kaldi-native-fbank", "nnaudio": "nnAudio"}
    sr = 16000 if compat in ("torchaudio", "kaldi") else 22050
    settings = {"output": "magnitude"} if kind in ("CQT", "VQT") and compat == "librosa" else {}
    shown = "".join(f', {name}="{value}"' for name, value in settings.items())
    return Case(
        name=f'{kind}(compat="{compat}"{shown})',
        ours=functools.partial(getattr(aa, kind), compat=compat, **settings),
        outside=names.get(compat, compat),
        theirs=theirs,
        **{"sr": sr, "level": False} | options,
    )


def of_librosa(call: str, **options: Any) -> Any:
    """A call of librosa with its defaults."""
    import librosa

    *module, name = call.split(".")
    function = functools.reduce(getattr, [*module, name], librosa)
    if module:
        return lambda y: function(y=y, **options)
    return lambda y: function(y, **options)


DEFAULTS = [
    default("STFT", "librosa", of_librosa("stft")),
    default("MelSpectrogram", "librosa", of_librosa("feature.melspectrogram")),
    default("MFCC", "librosa", of_librosa("feature.mfcc"), level=True),
    default("Chroma", "librosa", of_librosa("feature.chroma_stft", tuning=0.0)),
    default("CQT", "librosa", lambda y: np.abs(of_librosa("cqt")(y)), reason=KERNELS),
    default("VQT", "librosa", lambda y: np.abs(of_librosa("vqt")(y)), reason=KERNELS),
    default("STFT", "torchaudio", lambda y: outside.of_torchaudio(y, "Spectrogram")),
    default("MelSpectrogram", "torchaudio", lambda y: outside.of_torchaudio(y, "MelSpectrogram")),
    default("MFCC", "torchaudio", lambda y: outside.of_torchaudio(y, "MFCC"), level=True, reason=CEPSTRA),
    default("LFCC", "torchaudio", lambda y: outside.of_torchaudio(y, "LFCC"), level=True, reason=CEPSTRA),
    default("STFT", "nnaudio", lambda y: outside.of_nnaudio(y, "stft", "STFT")),
    default("MelSpectrogram", "nnaudio", lambda y: outside.of_nnaudio(y, "mel", "MelSpectrogram")),
    default("MFCC", "nnaudio", lambda y: outside.of_nnaudio(y, "mel", "MFCC"), level=True),
    default("CQT", "nnaudio", lambda y: outside.of_nnaudio(y, "cqt", "CQT"), reason=LENGTHS),
    default("MelSpectrogram", "kaldi", lambda y: outside.kaldi(y, "Fbank"), level=True),
    default("MFCC", "kaldi", lambda y: outside.kaldi(y, "Mfcc"), level=True, reason=SINGLE),
]
