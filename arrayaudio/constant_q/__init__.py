"""Constant-Q and variable-Q analysis: its kernels, four ways to apply them, and the ways back."""
