"""What mel spectrograms and cepstra share: bands, their levels, and the cosine transform of these."""

from typing import ClassVar

import numpy as np

from arrayaudio.arrays import Array
from arrayaudio.bases import DCT_NORMS, DCT_TYPES, cepstral
from arrayaudio.checks import frequency_range, one_of, real, whole
from arrayaudio.conditioning import Conditioning
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import Framing
from arrayaudio.plan import Plan, spectrogram
from arrayaudio.project import mix_rows
from arrayaudio.spectrum import Scaling
from arrayaudio.transforms.base import compiled, settings
from arrayaudio.transforms.by_frames import ByFrames
from arrayaudio.transforms.framed import FramedTransform

LEVELS = ("db", "log", "log10", None)
PLACES = ("middle", "start")


@settings
class Banded(FramedTransform):
    """Base of the transforms that start with the bands of a spectrogram."""

    sr: float
    hop_length: int | None = 512
    fmin: float = 0.0
    fmax: float | None = None
    power: float = 2.0
    scale: str | None = None
    amin: float = 1e-10
    top_db: float | None = 80.0
    window_at: str = "middle"
    remove_dc: bool = False
    preemphasis: float = 0.0
    trainable_stft: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sr is None:
            raise ParameterError("sr=None: bands need the sampling rate in Hz")
        fmin, fmax = frequency_range(self.fmin, self.fmax, self.sr)
        one_of("scale", self.scale, LEVELS)
        one_of("trainable_stft", self.trainable_stft, (True, False))
        one_of("window_at", self.window_at, PLACES)
        one_of("remove_dc", self.remove_dc, (True, False))
        self._replace(
            fmin=fmin,
            fmax=fmax,
            power=real("power", self.power, above=0),
            amin=real("amin", self.amin, above=0),
            top_db=None if self.top_db is None else real("top_db", self.top_db, least=0),
            preemphasis=real("preemphasis", self.preemphasis, least=0),
        )
        if self.preemphasis > 1:
            raise ParameterError(f"preemphasis={self.preemphasis:g}: must be at most 1")
        if (self.remove_dc or self.preemphasis) and self.framing.frame_length != self.win_length:
            raise ParameterError(
                f"remove_dc={self.remove_dc}, preemphasis={self.preemphasis:g}: act on frames as long as the window; "
                f"use window_at='start', or win_length={self.n_fft}"
            )

    @property
    def framing(self) -> Framing:
        """How signals are cut into frames."""
        assert self.hop_length is not None
        assert self.win_length is not None
        length = self.win_length if self.window_at == "start" else self.n_fft
        return Framing(length, self.hop_length, length // 2 if self.center else 0, self.pad_mode)

    @property
    def _conditioning(self) -> Conditioning | None:
        if self.remove_dc or self.preemphasis or self.framing.frame_length != self.n_fft:
            return Conditioning(self.n_fft, self.remove_dc, self.preemphasis)
        return None

    @property
    def _trainable_bank(self) -> bool:
        return False

    @property
    def _learned(self) -> tuple[str, ...]:
        return ("bank",) * self._trainable_bank + ("basis",) * self.trainable_stft

    def _bank(self) -> np.ndarray:
        raise NotImplementedError

    def _by_frames(self) -> ByFrames:
        plan = compiled(self._uncentred(top_db=None))
        span = self.top_db if self.scale == "db" else None
        return ByFrames(lambda y: spectrogram(y, plan), span, separate=self._separate)

    def _plan(self) -> Plan:
        bank = Constant(self._bank())
        return Plan(self.framing, self.frame_window, self.power, bank, self._scaling(), conditioning=self._conditioning)

    def _scaling(self) -> Scaling | None:
        if self.scale == "db":
            return Scaling(20 / self.power, self.amin, range=self.top_db)
        return None if self.scale is None else Scaling(1.0, self.amin, base="e" if self.scale == "log" else "10")


@settings
class Cepstral(Banded):
    """Base of the transforms that end with the cosine transform of levels."""

    scale: str | None = "db"
    dct_type: int = 2
    norm: str | None = "ortho"
    lifter: float = 0.0
    lifter_from: int = 1

    sizes: ClassVar[tuple[str, str]]
    """The names of two settings: how many coefficients are kept, and of how many bands."""

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("dct_type", self.dct_type, DCT_TYPES)
        one_of("norm", self.norm, DCT_NORMS)
        (kept, n_kept), (bands, n_bands) = ((name, whole(name, getattr(self, name))) for name in self.sizes)
        if n_kept > n_bands:
            raise ParameterError(f"{kept}={n_kept}: must be at most {bands}={n_bands}")
        if self.dct_type == 1 and n_bands < 2:
            raise ParameterError(f"dct_type=1: needs {bands} of at least 2")
        self._replace(**{kept: n_kept, bands: n_bands}, lifter=real("lifter", self.lifter, least=0))
        one_of("lifter_from", self.lifter_from, (0, 1))

    def _apply(self, y: Array) -> Array:
        return self._cepstra(super()._apply(y))

    def _by_frames(self) -> ByFrames:
        return super()._by_frames()._replace(finish=self._cepstra)

    def _cepstra(self, S: Array) -> Array:
        n_kept, n_bands = (getattr(self, name) for name in self.sizes)
        return mix_rows(S, cepstral(n_kept, n_bands, self.dct_type, self.norm, self.lifter, self.lifter_from))

    @property
    def frequencies(self) -> np.ndarray:
        """Number of each coefficient, from 0; cepstra have no frequencies in Hz."""
        return np.arange(getattr(self, self.sizes[0]), dtype=np.float64)
