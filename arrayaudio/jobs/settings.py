"""What the numbers in the outputs of a job depend on."""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import arrayaudio
from arrayaudio.transforms.framed import Framed


@dataclass(frozen=True)
class Settings:
    """A transform for recordings of any sampling rate, and how their samples are brought to it.

    Parameters
    ----------
    make : class of a transform
    options : mapping
        Its settings but the sampling rate.
    sr : float, optional
        Sampling rate in Hz to resample to; that of each recording by default.
    mono : bool
        Average the channels.
    device : str
        "cpu" or "cuda".

    Examples
    --------
    >>> import arrayaudio as aa
    >>> from arrayaudio.jobs.settings import Settings
    >>> settings = Settings(aa.MelSpectrogram, {"n_mels": 80}, sr=16000)
    >>> settings.transform(44100.0)
    MelSpectrogram(sr=16000.0, win_length=2048, fmax=8000.0, n_mels=80)
    """

    make: type[Framed]
    options: Mapping[str, Any] = field(default_factory=dict)
    sr: float | None = None
    mono: bool = True
    device: str = "cpu"

    def transform(self, rate: float) -> Framed:
        """Return the transform for a recording of this sampling rate."""
        make: Any = self.make
        return _built(make, rate if self.sr is None else self.sr, tuple(sorted(self.options.items())))

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as a dict that JSON can hold."""
        ours = {"transform": self.make.__name__, "sr": self.sr, "mono": self.mono, "device": self.device}
        return ours | dict(self.options)

    @property
    def described(self) -> str | None:
        """All of it as JSON, from which a process without this one's memory makes it again; None if that cannot be."""
        known = self.device == "cpu" and getattr(arrayaudio, self.make.__name__, None) is self.make
        return json.dumps(self.to_dict()) if known else None

    @property
    def digest(self) -> str:
        """A short name of these settings; others have another."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]


# Equal settings give one transform, which keeps what it has made ready.
@functools.lru_cache(maxsize=16)
def _built(make: Any, rate: float, options: tuple[tuple[str, Any], ...]) -> Framed:
    return make(sr=rate, **dict(options))
