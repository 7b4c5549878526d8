"""Bases that learn to hear the frequency of a tone. `python -m docs.experiments` trains, draws and writes it all."""
