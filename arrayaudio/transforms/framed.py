"""What the transforms share whose columns are frames of the signal."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray, on_device_of
from arrayaudio.checks import one_of, real, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import PAD_MODES, Framing
from arrayaudio.streaming.analysis import Analysis
from arrayaudio.streaming.base import Channels
from arrayaudio.transforms.base import Transform, compiled, settings
from arrayaudio.transforms.by_frames import ByFrames
from arrayaudio.transforms.long_signals import blocks, in_chunks
from arrayaudio.transforms.ragged import Ragged, ragged, require_alike
from arrayaudio.windows import Window, centred_window, freeze_window

PRECISIONS = (None, "tf32", "bf16x3")


@settings
class Framed(Transform):
    """Base of the transforms whose columns are frames of the signal, `hop_length` samples apart."""

    sr: float | None
    hop_length: int | None = None
    center: bool = True
    pad_mode: str = "constant"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("center", self.center, (True, False))
        one_of("pad_mode", self.pad_mode, PAD_MODES)
        if self.sr is not None:
            self._replace(sr=real("sr", self.sr, above=0))

    @property
    def framing(self) -> Framing:
        """How signals are cut into frames."""
        raise NotImplementedError

    @property
    def min_length(self) -> int:
        """The shortest signal that can be transformed, in samples."""
        return self.framing.min_length

    def stream(self, channels: Channels = None) -> Analysis:
        """Return this transform for a signal that comes block by block: see `Analysis`.

        Parameters
        ----------
        channels : None, int or tuple
            Shape of the blocks before their last axis: (n,), (channels, n) or (*channels, n).

        Raises
        ------
        ParameterError
            If results depend on the whole signal.
        """
        steps = self._by_frames()
        if steps.span is not None:
            raise ParameterError(
                f"top_db={steps.span!r}: counts from the loudest value of the whole signal, which a stream does not "
                "know; use top_db=None"
            )
        return Analysis(self.framing, self._checked, lambda y: steps.finish(steps.run(y)), channels)

    def ragged(self, clips: Sequence[ArrayLike], *, fill: float = 0.0) -> Ragged:
        """Transform clips of different lengths into one padded array, with lengths and a mask.

        Each clip gives what it gives alone, whatever the others are.

        Parameters
        ----------
        clips : list or tuple of arrays (..., n_samples)
            Of the same dtype, with the same axes but the last.
        fill : float
            Values behind the frames of shorter clips.

        Returns
        -------
        Ragged
            `values`, (n_clips, ..., freq, longest); `lengths`, the numbers of frames, (n_clips,); `mask`, True where
            frames are, (n_clips, longest).

        Raises
        ------
        ParameterError
            If there is no clip, or clips do not fit together or are too short.

        Examples
        --------
        >>> import numpy as np
        >>> import arrayaudio as aa
        >>> mel = aa.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40)
        >>> values, lengths, mask = mel.ragged([np.ones(16000), np.ones(8000)])
        >>> values.shape, lengths.tolist(), int(mask.sum())
        ((2, 40, 101), [101, 51], 152)
        """
        if not isinstance(clips, list | tuple) or not clips:
            raise ParameterError(f"clips of type {type(clips).__name__}: must be a list or tuple of one signal or more")
        signals = [self._checked(clip) for clip in clips]
        require_alike(signals)
        with on_device_of(signals[0]):
            return ragged(signals, self.framing, self._by_frames(), real("fill", fill))

    def _in_chunks(self, y: ArrayLike, budget: int, out: Array | None) -> Array:
        signal = asarray(y, device=self.device)
        if signal.ndim == 0 or signal.shape[-1] == 0:
            self._checked(signal)  # which refuses it
        with on_device_of(signal):
            return in_chunks(signal, self._checked, self.framing, self._by_frames(), budget, out)

    def blocks(
        self, source: ArrayLike | str | os.PathLike[str], *, block_length: int = 2**18, mono: bool = True
    ) -> Iterator[Array]:
        """Iterate over the frames of a long signal, block by block, so that memory does not grow with its length.

        Parameters
        ----------
        source : array (..., n_samples), or path of an audio file
            Arrays may be memory-mapped. Files are read block by block, as float32, and must have the sampling rate of
            the transform.
        block_length : int
            Samples in a block, to the next multiple of the hop.
        mono : bool
            Whether to average the channels of a file.

        Returns
        -------
        iterator of arrays, shape (..., freq, n_frames)
            Each of one or more frames; joined along time, all of them are the transform of the whole signal.

        Raises
        ------
        ParameterError
            If results depend on the whole signal, or the sampling rate of a file is another.
        AudioDecodeError
            If a file cannot be read.

        Examples
        --------
        >>> import numpy as np
        >>> import arrayaudio as aa
        >>> mel = aa.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40)
        >>> parts = list(mel.blocks("docs/audio/speech.flac", block_length=16000))
        >>> len(parts), parts[1].shape
        (9, (40, 100))
        """
        hop = self.framing.hop_length
        size = -(-whole("block_length", block_length) // hop) * hop
        return blocks(source, self.stream, self.sr, size, one_of("mono", mono, (True, False)))

    def _by_frames(self) -> ByFrames:
        """The transform as steps that act on each frame by itself, or ParameterError if there are none."""
        return ByFrames(self._uncentred()._apply)

    def _uncentred(self, **changes: Any) -> Self:
        """A copy with the frames that lie inside the signal."""
        return dataclasses.replace(self, center=False, **changes)._with(self._given)

    def n_frames(self, n_samples: int) -> int:
        """The number of frames that a signal of `n_samples` samples gives."""
        return self.framing.n_frames(whole("n_samples", n_samples, most=2**63 - 1))

    def _known_sr(self) -> float:
        if self.sr is None:
            raise ParameterError("sr=None: Hz and seconds need the sampling rate; build the transform with sr=...")
        return self.sr

    @property
    def frequencies(self) -> np.ndarray:
        """Frequency of each row in Hz."""
        raise NotImplementedError

    def times(self, n_samples: int) -> np.ndarray:
        """Time of the middle of each frame in seconds, for a signal of `n_samples` samples."""
        framing = self.framing
        middle = 0.0 if self.center else framing.frame_length / 2
        return (np.arange(self.n_frames(n_samples)) * framing.hop_length + middle) / self._known_sr()


@settings
class FramedTransform(Framed):
    """Base of the transforms whose frames are windowed, and have `n_fft` samples."""

    reads_stored: ClassVar[bool] = True

    n_fft: int = 2048
    win_length: int | None = None
    window: Window = "hann"
    precision: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        n_fft = whole("n_fft", self.n_fft)
        win_length = n_fft if self.win_length is None else whole("win_length", self.win_length)
        if win_length > n_fft:
            raise ParameterError(f"win_length={win_length}: must be at most n_fft={n_fft}")
        hop = max(1, win_length // 4) if self.hop_length is None else whole("hop_length", self.hop_length)
        window = freeze_window(self.window, win_length)
        one_of("precision", self.precision, PRECISIONS)
        self._replace(n_fft=n_fft, win_length=win_length, hop_length=hop, window=window)

    @property
    def framing(self) -> Framing:
        """How signals are cut into frames."""
        assert self.hop_length is not None
        return Framing(self.n_fft, self.hop_length, self.n_fft // 2 if self.center else 0, self.pad_mode)

    @property
    def _precision(self) -> str | None:
        return self.precision

    def _checked(self, y: ArrayLike) -> Array:
        if self.precision is not None and "basis" not in (self._given or {}):
            raise ParameterError(
                f"precision={self.precision!r}: is that of products with a learned basis; give one by with_params, or "
                "leave the precision out"
            )
        return super()._checked(y)

    def _by_frames(self) -> ByFrames:
        return super()._by_frames()._replace(separate=self._separate)

    @property
    def _separate(self) -> bool:
        """Whether frames are separate: FFTs are, products of matrices are not."""
        return "basis" not in (self._given or {})

    @property
    def _arrays(self) -> dict[str, Callable[[], Any]]:
        plan = compiled(self)
        found = {"window": lambda: plan.window.value, "basis": plan.fourier_basis}
        return found if plan.bank is None else found | {"bank": lambda: plan.bank.value}

    @property
    def _shapes(self) -> dict[str, Any]:
        length = self.framing.frame_length
        found = {"window": (length,), "basis": (2, self._n_rows, length)}
        return found if self._n_bands is None else found | {"bank": (self._n_bands, self._n_rows)}

    @property
    def _n_rows(self) -> int:
        """The number of rows before the bands."""
        return 1 + self.n_fft // 2

    @property
    def _n_bands(self) -> int | None:
        """The number of bands, if the spectrum is gathered into any."""
        return None

    @property
    def frame_window(self) -> Constant:
        """The window in the middle of a frame."""
        assert self.win_length is not None
        return Constant(centred_window(self.window, self.win_length, self.framing.frame_length))
