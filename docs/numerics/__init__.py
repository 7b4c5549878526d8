"""The errors of every transform on hard signals, and what its numbers depend on: docs/numerics.md."""
