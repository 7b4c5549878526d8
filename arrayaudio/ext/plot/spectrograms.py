"""A spectrogram in axes in Hz or notes, and seconds, with a colour bar."""

import dataclasses
from typing import Any, Literal

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray, plain, to_numpy
from arrayaudio.errors import ParameterError
from arrayaudio.ext.plot.figures import lettered, new_axes
from arrayaudio.ext.plot.frequency_axis import label_rows
from arrayaudio.ext.plot.values import Picture, picture
from arrayaudio.transforms.base import Transform

# More columns than this are no more to see, and take memory that an hour of audio does not find.
MOST_COLUMNS = 20_000


def spectrogram(
    S: ArrayLike,
    transform: Transform,
    ax: Any = None,
    *,
    unit: str | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    cmap: str | None = None,
    colorbar: bool = True,
    title: str | None = None,
    size: Literal["screen", "paper"] = "screen",
) -> Any:
    """Draw a spectrogram, with the axes and the unit that its transform's settings say.

    Magnitudes and powers, also those of complex coefficients, are drawn in dB over 80 dB; levels as they are; cepstra
    around zero; phases as angles. All rows are equally high, so that the scale is that of the transform: linear, mel,
    logarithmic. Places on it are frequencies in Hz and times in seconds, so that other curves fit in, such as
    `ax.plot(times, pitch)`.

    Parameters
    ----------
    S : array, shape (freq, n_frames)
        What the transform returned, on the host or on a GPU. Axes of length 1 before these are dropped.
    transform : Transform
        With `sr`, where that is a setting.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure is made.
    unit : str, optional
        Label of the colour bar; with it, S is drawn as it is, and complex S as its magnitude.
    vmin, vmax : float, optional
        Limits of the colours.
    cmap : str, optional
        Name of a colour map.
    colorbar : bool
        Whether to draw a colour bar.
    title : str, optional
        By default, the kind of the spectrogram; "" for none.
    size : "screen" or "paper"
        Of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        `ax.figure.savefig(path)` writes the picture.

    Raises
    ------
    ParameterError
        If S is none of this transform, or holds several items.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> from arrayaudio.ext import plot
    >>> mel = aa.MelSpectrogram(sr=16000, n_mels=40, scale="db")
    >>> ax = plot.spectrogram(mel(np.sin(np.arange(16000.0))), mel, size="paper")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('time (s)', 'frequency (Hz)')
    """
    shown = pictured(S, transform, unit, title)
    limits = {name: float(value) for name, value in (("low", vmin), ("high", vmax)) if value is not None}
    shown = dataclasses.replace(shown, **({"cmap": cmap} if cmap else {}), **limits)  # type: ignore[arg-type]
    if shown.low >= shown.high:
        raise ParameterError(f"vmin={shown.low:g}: must be less than vmax={shown.high:g}")
    axes = new_axes(size) if ax is None else ax
    mesh = draw(axes, shown, transform, n_frames=np.shape(S)[-1])
    axes.set_xlabel("time (s)")
    if colorbar:
        bar(axes.figure, mesh, axes, shown)
    if ax is None:
        lettered(axes.figure, size)
    return axes


def pictured(S: ArrayLike, transform: Any, unit: str | None = None, title: str | None = None) -> Picture:
    """What to draw of one spectrogram, with as many columns as are of use; ParameterError if it is none."""
    if not isinstance(transform, Transform):
        raise ParameterError(f"transform={transform!r}: must be a transform, such as aa.STFT(sr=...)")
    array = plain(asarray(S))
    n_rows = len(transform.frequencies)  # type: ignore[attr-defined]
    if array.ndim < 2 or array.shape[-2] != n_rows or array.shape[-1] == 0:
        raise ParameterError(
            f"S has shape {tuple(array.shape)}: must be ({n_rows}, n_frames), what this {type(transform).__name__} "
            "returns of one signal"
        )
    if array.size != n_rows * array.shape[-1]:
        raise ParameterError(
            f"S has shape {tuple(array.shape)}: holds several spectrograms; draw one, as S[0], or all, as "
            "arrayaudio.ext.plot.compare([(transform, one) for one in S])"
        )
    values = to_numpy(array[..., :: stride(array.shape[-1])]).reshape(n_rows, -1)
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    shown = picture(values, transform, unit)
    return shown if title is None else dataclasses.replace(shown, title=title)


def draw(axes: Any, shown: Picture, transform: Any, n_frames: int) -> Any:
    """Draw a picture into axes, with its title and the labels of its rows; return the cells."""
    mesh = axes.pcolormesh(
        *(time_edges(transform, n_frames), label_rows(axes, transform), shown.values),
        vmin=shown.low,
        vmax=shown.high,
        cmap=shown.cmap,
        rasterized=True,
    )
    start, *_, end = time_edges(transform, n_frames)
    axes.set_xlim(max(0.0, start), end)
    axes.set_title(shown.title, loc="left", parse_math=False)
    return mesh


def bar(figure: Any, mesh: Any, axes: Any, shown: Picture) -> Any:
    """Draw the colour bar of a picture beside axes."""
    return figure.colorbar(mesh, ax=axes, label=shown.unit, pad=0.02, extend=shown.beyond)


def stride(n_frames: int) -> int:
    """Every how many-th column is drawn."""
    return -(-n_frames // MOST_COLUMNS)


def time_edges(transform: Any, n_frames: int) -> np.ndarray:
    """Where the columns that are drawn begin and end in seconds, half a step from their times."""
    start = transform.times(transform.min_length)[0]  # which needs the sampling rate, and says so
    step = stride(n_frames) * (transform.hop_length or 1) / float(transform.sr)
    return start + step * (np.arange(-(-n_frames // stride(n_frames)) + 1) - 0.5)


def host(x: Array) -> np.ndarray:
    """An array of any library in the memory of the host."""
    return to_numpy(plain(asarray(x)))
