"""Pictures of signals, spectrograms, filterbanks and bases, with axes in seconds, Hz and notes.

Figures are made without pyplot, and no setting of matplotlib is touched. Functions draw into axes that are given, or
make a figure of their own in one of two sizes: "screen", or "paper", which fills a column of 3.3 inches with letters of
7 points. CuPy arrays are brought to the host.
"""

from arrayaudio.ext.plot.banks import filterbank
from arrayaudio.ext.plot.figures import lettered, new_figure, save
from arrayaudio.ext.plot.grids import compare
from arrayaudio.ext.plot.learned import bases
from arrayaudio.ext.plot.overviews import draw_one, overview
from arrayaudio.ext.plot.spectrograms import spectrogram
from arrayaudio.ext.plot.waveforms import waveform

__all__ = [
    "bases",
    "compare",
    "draw_one",
    "filterbank",
    "lettered",
    "new_figure",
    "overview",
    "save",
    "spectrogram",
    "waveform",
]
