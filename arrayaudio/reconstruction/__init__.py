"""Waveforms and spectra from less than it takes to determine them: magnitudes, bands, cepstra."""
