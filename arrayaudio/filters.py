"""Public names of the filterbanks: `aa.filters.mel` and its kin, matrices of shape (n_bands, 1 + n_fft // 2)."""

from arrayaudio.filterbanks import mel

__all__ = ["mel"]
