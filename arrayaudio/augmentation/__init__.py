"""Variations of spectrograms and signals for training."""
