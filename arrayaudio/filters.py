"""Public names of the filterbanks: `aa.filters.mel` and its kin, matrices of shape (n_bands, 1 + n_fft // 2)."""

from arrayaudio.chroma_bank import chroma
from arrayaudio.filterbanks import linear, mel
from arrayaudio.gammatone_bank import gammatone

__all__ = ["chroma", "gammatone", "linear", "mel"]
