"""The parity page: presets and defaults beside the code they follow. `python -m docs.parity` measures and writes it."""
