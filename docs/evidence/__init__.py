"""The figures that nnAudio was published with, drawn and measured again. `python -m docs.evidence` does it all."""
