"""Signals that come block by block: the same results as those of the whole signal, with bounded memory."""
