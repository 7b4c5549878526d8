"""The page: template, style, script and data in one file of HTML."""

import base64
import hashlib
import html
import importlib.resources
import json
import os
import re
from pathlib import Path
from typing import Any

from arrayaudio import __version__
from arrayaudio.arrays import ArrayLike
from arrayaudio.ext.explore.cells import described
from arrayaudio.ext.explore.clips import clip, wav
from arrayaudio.ext.explore.views import FAMILIES, views
from arrayaudio.ext.io import printable, write_whole

HERE = importlib.resources.files("arrayaudio.ext.explore")
# In this order they are one script.
SCRIPTS = (
    *("cells.js", "colours.js", "scales.js", "ticks.js", "painting.js", "waveform.js"),
    *("controls.js", "showing.js", "player.js", "input.js"),
)


def explore(
    source: str | os.PathLike[str] | ArrayLike,
    sr: float | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    title: str | None = None,
    start: float = 0.0,
    seconds: float | None = None,
) -> str:
    """Make a page of HTML on which a clip is heard and seen, in many transforms and settings.

    The page needs nothing but itself: the sound is in it as 16-bit PCM, and each spectrogram in 256 steps, levels in
    0.4 dB over 100 dB. The same clip gives the same page. It takes about 0.4 MB for each second at 44.1 kHz, beside
    0.12 MB for the sound.

    Parameters
    ----------
    source : path or array, shape (n_samples,)
        A file in any format that libsndfile reads, whose channels are averaged; or a signal, PCM or floats.
    sr : float, optional
        Sampling rate in Hz, a whole number from 3000 to 192 000: of a signal, or what a file is resampled to.
    out : path, optional
        File to write; it is whole or not there.
    title : str, optional
        What to write above all: the name of the file, or "signal".
    start, seconds : float
        The part of the clip to take; all by default, which must be at most 1 500 000 samples, 34 s at 44.1 kHz.

    Returns
    -------
    str
        The page.

    Raises
    ------
    ParameterError
        If the part is empty or too long, the rate cannot be played, or samples are not finite.
    AudioDecodeError
        If the file cannot be read as audio.
    MissingExtraError
        If there is a file and soundfile is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.ext.explore import explore
    >>> page = explore(np.sin(np.arange(2000.0)), sr=4000, title="a tone")
    >>> "<title>a tone" in page
    True
    """
    y, rate = clip(source, sr, start, seconds)
    if title is None:
        title = printable(Path(source).name) if isinstance(source, str | os.PathLike) else "signal"
    data = {
        "rate": rate,
        "samples": len(y),
        "families": FAMILIES,
        "views": [described(view, y) for view in views(rate)],
    }
    page = _filled(title, data, wav(y, rate))
    if out is not None:
        write_whole(Path(out), lambda file: file.write(page.encode()))
    return page


def _filled(title: str, data: dict[str, Any], sound: bytes) -> str:
    style = (HERE / "page.css").read_text("utf-8")
    script = "\n".join((HERE / name).read_text("utf-8") for name in SCRIPTS)
    parts = {
        # Only this style and this script may run, and nothing may be fetched.
        "policy": f"default-src 'none'; img-src data:; media-src data:; style-src {_hash(style)}; "
        f"script-src {_hash(script)}",
        "title": html.escape(title.encode("utf-8", "replace").decode()),
        "facts": f"{data['samples'] / data['rate']:.2f} s at {data['rate']} Hz",
        "version": __version__,
        "style": style,
        "script": script,
        # Nothing in it can end the element that holds it.
        "data": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        "sound": base64.b64encode(sound).decode(),
    }
    # In one pass, so that what is filled in is not filled again.
    template = (HERE / "page.html").read_text("utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
