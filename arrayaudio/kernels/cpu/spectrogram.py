"""Waveform to final feature, one tile of frames after the other, with nothing in between in main memory."""

from typing import Any

import numpy as np

from arrayaudio.kernels.cpu.fft import covered
from arrayaudio.kernels.cpu.lane_frames import lane_spectrogram
from arrayaudio.kernels.cpu.threads import run


def spectrogram(y: np.ndarray, plan: Any) -> Any:
    """Run `plan` on (..., n_samples), or decline what `written` declines."""
    return written(None, y, plan)


def written(out: np.ndarray | None, y: np.ndarray, plan: Any) -> Any:
    """Write what `plan` makes of (..., n_samples) to `out`, or to fresh memory.

    Declined are phases, odd powers, levels and bands at other frequencies, frames whose size has large prime factors,
    computed padding, conditioned frames, learned arrays, and results in half precision.
    """
    if out is not None and out.dtype != plan.dtype(y.dtype):
        return NotImplemented
    if plan.conditioning is not None:
        return NotImplemented
    if plan.basis is not None or not (plan.window.fixed and (plan.bank is None or plan.bank.fixed)):
        return NotImplemented
    between, own = plan.interpolation(y), plan.frequencies is None
    if not covered(plan.framing.frame_length, y.dtype) if own else between is None or plan.bank or plan.scaling:
        return NotImplemented
    edges = plan.framing.edge_indices(y.shape[-1])
    if edges is None or plan.detector not in ("complex", 1.0, 2.0) or (plan.detector == "complex" and plan.bank):
        return NotImplemented
    if out is None:
        out = np.empty(plan.shape(y.shape), plan.dtype(y.dtype))
    if out.size == 0:
        return out
    signals = np.ascontiguousarray(y).reshape(-1, y.shape[-1])
    results = out.reshape(len(signals), *out.shape[-2:])
    if own:
        lane_spectrogram(signals, plan, edges, results)
    else:
        from arrayaudio.kernels.cpu.interpolated import interpolated  # and SciPy's FFT, which takes long

        interpolated(signals, plan, edges, between, results)
    if plan.scaling is not None and plan.scaling.range is not None:
        run(lambda result: limit_range(result, plan.scaling.range), results)
    return out


def limit_range(levels: np.ndarray, span: float) -> None:
    """Raise what lies more than `span` under the maximum to that level, in place."""
    np.maximum(levels, levels.max() - levels.dtype.type(span), out=levels)
