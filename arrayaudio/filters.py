"""Public names of the filterbanks: `aa.filters.mel` and its kin, matrices of shape (n_bands, n_bins)."""

from arrayaudio.chroma_bank import chroma, cq_to_chroma
from arrayaudio.filterbanks import linear, mel
from arrayaudio.gammatone_bank import gammatone

__all__ = ["chroma", "cq_to_chroma", "gammatone", "linear", "mel"]
