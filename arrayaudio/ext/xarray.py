"""Spectrograms as xarray's DataArrays, which know their times, frequencies, units and settings."""

from collections.abc import Sequence

import numpy as np

import arrayaudio
from arrayaudio.arrays import ArrayLike, asarray
from arrayaudio.errors import MissingExtraError, ParameterError
from arrayaudio.transforms.bands import Banded, Cepstral
from arrayaudio.transforms.base import Transform
from arrayaudio.transforms.chroma import Chroma
from arrayaudio.transforms.chroma_cqt import ChromaCQT
from arrayaudio.transforms.framed import Framed
from arrayaudio.transforms.nsgt import NSGT

try:
    import xarray
except ImportError as problem:
    raise MissingExtraError("DataArrays", "xarray", problem) from problem

__all__ = ["to_xarray"]

LEADING = {0: (), 1: ("channel",), 2: ("batch", "channel")}
UNITS = {"db": "dB", "phase": "rad"}


def to_xarray(
    S: ArrayLike,
    transform: Framed | NSGT,
    *,
    n_samples: int | None = None,
    dims: Sequence[str] | None = None,
    name: str | None = None,
) -> xarray.DataArray:
    """Return a spectrogram as a DataArray, with its times in seconds and its frequencies in Hz as coordinates.

    Parameters
    ----------
    S : array, shape (..., freq, time)
        What `transform` made of a signal. NumPy's, CuPy's and Dask's arrays stay as they are; others become NumPy's or
        CuPy's in the same memory.
    transform : Framed or NSGT
        With a sampling rate.
    n_samples : int, optional
        Length of the signal. NSGT needs it; elsewhere it only checks the number of frames.
    dims : sequence of str, optional
        Names of the axes before frequency; "channel" for one and "batch", "channel" for two by default.
    name : str, optional
        Name of the DataArray; that of the transform by default.

    Returns
    -------
    DataArray, dims (..., "frequency", "time")
        In the place of "frequency", cepstra have "coefficient" and chroma has "pitch_class", which are numbers. The
        attributes are strings: `units` and `long_name`, `transform` and `settings` (JSON, for `from_json`; arrays from
        `with_params` are not part of it), and `arrayaudio_version`.

    Raises
    ------
    ParameterError
        If shapes, names or lengths do not fit, or the transform knows no sampling rate.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> from arrayaudio.ext.xarray import to_xarray
    >>> mel = aa.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40, scale="db")
    >>> S = to_xarray(mel(np.sin(np.arange(16000.0))), mel)
    >>> S.sel(frequency=2500, method="nearest").sel(time=slice(0.1, 0.2)).shape
    (11,)
    >>> S.attrs["units"], S.time.attrs["units"]
    ('dB', 's')
    """
    if not isinstance(transform, Framed | NSGT):
        raise ParameterError(f"transform={transform!r}: must be a transform, as arrayaudio.STFT(sr=16000) is")
    values = S if hasattr(S, "__array_function__") and not isinstance(S, np.generic) else asarray(S)
    n_rows = len(transform.frequencies)
    if values.ndim < 2 or values.shape[-2] != n_rows:
        raise ParameterError(
            f"spectrogram has shape {tuple(values.shape)}: must be (..., {n_rows}, n_frames), as "
            f"{type(transform).__name__} makes it"
        )
    times = _times(transform, values.shape[-1], n_samples)
    rows = _rows(transform)
    return xarray.DataArray(
        values,
        dims=(*_leading(dims, values.ndim - 2), rows.dims[0], "time"),
        coords={
            rows.dims[0]: rows,
            "time": ("time", times, {"units": "s", "long_name": "time of the middle of the frame"}),
        },
        name=type(transform).__name__ if name is None else name,
        attrs=_quantity(transform)
        | {
            "transform": type(transform).__name__,
            "settings": transform.to_json(),
            "arrayaudio_version": arrayaudio.__version__,
        },
    )


def _times(transform: Framed | NSGT, n_frames: int, n_samples: int | None) -> np.ndarray:
    if n_samples is not None:
        times = transform.times(n_samples)
        if len(times) != n_frames:
            raise ParameterError(
                f"n_samples={n_samples}: gives {len(times)} frames, and the spectrogram has {n_frames}; give the "
                "length of the signal it was made of"
            )
        return times
    if isinstance(transform, NSGT):
        raise ParameterError("n_samples=None: the times of NSGT depend on the length of the signal; give it")
    framing = transform.framing
    enough = n_frames * framing.hop_length + framing.frame_length
    return transform.times(enough)[:n_frames]


def _leading(dims: Sequence[str] | None, n_axes: int) -> tuple[str, ...]:
    names = LEADING.get(n_axes) if dims is None else tuple(dims)
    if names is None or len(names) != n_axes:
        raise ParameterError(f"dims={dims!r}: must name the {n_axes} axes before frequency, as in ('batch', 'channel')")
    return names


def _rows(transform: Transform) -> xarray.Variable:
    """What rows stand for, as a coordinate: frequencies, or numbers of what has none."""
    frequencies = transform.frequencies  # type: ignore[attr-defined]
    if isinstance(transform, Cepstral):
        return xarray.Variable("coefficient", frequencies, {"units": "1", "long_name": "number of the coefficient"})
    if isinstance(transform, Chroma | ChromaCQT):
        return xarray.Variable("pitch_class", frequencies, {"units": "1", "long_name": "number of the pitch class"})
    return xarray.Variable("frequency", frequencies, {"units": "Hz", "long_name": "frequency"})


def _quantity(transform: Transform) -> dict[str, str]:
    """What values are, and their unit: dB, rad, or 1 for those that are relative to full scale."""
    if isinstance(transform, Cepstral):
        kind = "cepstral coefficient"
    elif isinstance(transform, Banded):
        kind = {"db": "level", "log": "natural logarithm", "log10": "decimal logarithm", None: "band"}[transform.scale]
        kind += f" of |X|^{transform.power:g}" if transform.scale != "db" else ""
        return {"long_name": kind, "units": UNITS.get(str(transform.scale), "1")}
    elif isinstance(transform, Chroma | ChromaCQT):
        kind = "chroma"
    else:
        output = getattr(transform, "output", "complex")
        kind = {"complex": "complex coefficient", "cfp": "salience"}.get(output, output)
    return {"long_name": kind, "units": UNITS.get(kind, "1")}
