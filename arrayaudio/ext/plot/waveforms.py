"""Signals over time: as lines, or as the range of their values where there are more samples than can be seen."""

from typing import Any, Literal

import numpy as np

from arrayaudio.arrays import ArrayLike
from arrayaudio.checks import real
from arrayaudio.errors import ParameterError
from arrayaudio.ext.plot.figures import lettered, new_axes
from arrayaudio.ext.plot.spectrograms import host
from arrayaudio.signals import as_signal

# More samples than this are drawn as an envelope of so many columns: more than a page or a screen has.
MOST_SAMPLES, COLUMNS = 8000, 2000
MOST_CHANNELS = 32


def waveform(
    y: ArrayLike,
    ax: Any = None,
    *,
    sr: float,
    color: str | None = None,
    label: str | None = None,
    title: str | None = None,
    size: Literal["screen", "paper"] = "screen",
) -> Any:
    """Draw a signal over time, its channels above each other in one scale.

    Of a long signal the smallest and the largest value in each of 2000 pieces are drawn, so that no peak is lost.

    Parameters
    ----------
    y : array, shape (n_samples,) or (channels, n_samples)
        On the host or on a GPU; floating point.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure is made.
    sr : float
        Sampling rate in Hz.
    color, label : str, optional
        As matplotlib has them.
    title : str, optional
    size : "screen" or "paper"
        Of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterError
        If the signal has more axes, or more than 32 channels.
    DTypeError
        If it is not floating point.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.ext import plot
    >>> ax = plot.waveform(np.sin(np.arange(16000.0)), sr=16000)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('time (s)', 'amplitude')
    """
    signal = host(as_signal(y))
    if signal.ndim > 2 or (signal.ndim == 2 and not 1 <= len(signal) <= MOST_CHANNELS):
        raise ParameterError(
            f"signal has shape {signal.shape}: must be (n_samples,) or (channels, n_samples) with at most "
            f"{MOST_CHANNELS} channels"
        )
    rate = real("sr", sr, above=0)
    channels = signal.reshape(-1, signal.shape[-1])
    axes = new_axes(size, panels=0.6 if len(channels) == 1 else 0.4 + 0.3 * len(channels)) if ax is None else ax
    finite = np.abs(channels[np.isfinite(channels)])
    peak = float(finite.max(initial=0.0)) or 1.0
    distance = 2.2 * peak
    color = color or "C0"
    for k, channel in enumerate(channels):
        _line(axes, channel, -k * distance, rate, color, label if k == 0 else None)
    axes.set_xlim(0, signal.shape[-1] / rate)
    axes.set_ylim(-(len(channels) - 1) * distance - 1.1 * peak, 1.1 * peak)
    axes.set_xlabel("time (s)")
    if len(channels) == 1:
        axes.set_ylabel("amplitude")
    else:
        axes.set_yticks(-distance * np.arange(len(channels)), [str(k + 1) for k in range(len(channels))])
        axes.set_ylabel(f"channel, each ±{peak:.2g}")
    if title:
        axes.set_title(title, loc="left", parse_math=False)
    if ax is None:
        lettered(axes.figure, size)
    return axes


def _line(axes: Any, y: np.ndarray, height: float, sr: float, color: str, label: str | None) -> None:
    """Draw one channel around a height."""
    if len(y) <= MOST_SAMPLES:
        axes.plot(np.arange(len(y)) / sr, y + height, color=color, linewidth=0.8, label=label)
        return
    times, low, high = envelope(y, sr)
    # The edge has a width, so that silence is a line and not nothing.
    axes.fill_between(times, low + height, high + height, facecolor=color, edgecolor=color, linewidth=0.5, label=label)


def envelope(y: np.ndarray, sr: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times at which the pieces of a signal begin and end, and there the smallest and the largest value of each."""
    starts = np.linspace(0, len(y), COLUMNS, endpoint=False).astype(np.intp)
    stops = np.append(starts[1:], len(y))
    low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    times = np.stack([starts, stops - 1], axis=1).ravel() / sr
    return times, np.repeat(low, 2), np.repeat(high, 2)
