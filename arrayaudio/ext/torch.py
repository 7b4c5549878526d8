"""Transforms as PyTorch modules: parameters, gradients and devices are torch's, and arrayaudio does the work."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from arrayaudio.arrays import Array, asarray
from arrayaudio.autodiff.gradients import vjp
from arrayaudio.autodiff.trees import leaves, mapped, rebuilt
from arrayaudio.cuda import on_stream
from arrayaudio.errors import BackendError, DifferentiationError, MissingExtraError, ParameterError

try:
    import torch
    from torch.utils.dlpack import from_dlpack
except ImportError as problem:
    raise MissingExtraError("PyTorch modules", "torch", problem) from problem

__all__ = ["Module"]

# Half precision is computed in single, here as everywhere in this library.
WIDER = {torch.float16: torch.float32, torch.bfloat16: torch.float32, torch.complex32: torch.complex64}


class Module(torch.nn.Module):
    """Any transform as a torch module: from tensors to tensors, with gradients for both the signal and what is learned.

    What the transform learns (`params`) becomes parameters of the module, by the same names. Work is done where the
    tensors are, without a copy: by NumPy and this library's kernels in host memory, and by CuPy on a GPU, on torch's
    current stream. Where nothing requires a gradient, nothing is recorded.

    Parameters
    ----------
    transform
        A transform, or a layer of `arrayaudio.compat.nnaudio`; without a device of its own.

    Raises
    ------
    ParameterError
        If `transform` is something else or has a device; in a call, if the signal is no dense tensor.
    BackendError
        In a call, if signal and parameters are on different devices, on one that is neither a CPU nor a CUDA device, or
        on a GPU that CuPy cannot use, or the call is being exported or traced.
    DifferentiationError
        On the way back, with `create_graph=True`.

    Notes
    -----
    Results have the precision of the signal: half precision (float16, bfloat16), as under autocast, becomes float32,
    and gradients come back in the precision of what they belong to. Gradients cannot be differentiated again.

    Examples
    --------
    >>> import torch
    >>> import arrayaudio as aa
    >>> from arrayaudio.ext.torch import Module
    >>> mel = Module(aa.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40, trainable_mel=True))
    >>> {name: tuple(p.shape) for name, p in mel.named_parameters()}
    {'bank': (40, 201)}
    >>> S = mel(torch.ones(8, 16000))
    >>> S.shape
    torch.Size([8, 40, 101])
    >>> S.mean().backward()
    >>> mel.bank.grad.shape
    torch.Size([40, 201])
    """

    def __init__(self, transform: Any) -> None:
        super().__init__()
        if isinstance(transform, type) or not (callable(transform) and hasattr(transform, "with_params")):
            raise ParameterError(
                f"transform={transform!r}: must be a transform, as arrayaudio.STFT() is, or a layer of compat.nnaudio"
            )
        place = getattr(transform, "device", getattr(transform, "_device", None))
        if place is not None:
            raise ParameterError(
                f"device={place!r}: a module works where its tensors are; give it transform.to(None), and move the "
                "module and its input"
            )
        self.transform = transform
        self._names = tuple(transform.params)
        for name, value in transform.params.items():
            made = mapped(lambda array: torch.nn.Parameter(_tensor(array).clone()), value)
            setattr(self, name, torch.nn.ParameterList(made) if isinstance(made, list) else made)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters in the structure that the transform's `params` have."""
        found = {name: getattr(self, name) for name in self._names}
        return {name: list(p) if isinstance(p, torch.nn.ParameterList) else p for name, p in found.items()}

    def learned(self) -> Any:
        """Return the transform with the parameters as they are now: copies, to be used without torch, or saved."""
        return self.transform.with_params(mapped(lambda p: _array(_wide(p)).copy(), self.params))

    def forward(self, x: torch.Tensor, *args: Any, **options: Any) -> Any:
        """Transform a signal (..., n_samples), with the further arguments of the transform."""
        return self._run("__call__", x, args, options)

    def inverse(self, S: torch.Tensor, *args: Any, **options: Any) -> Any:
        """Reconstruct a waveform by the transform's `inverse`, which has gradients too."""
        return self._run("inverse", S, args, options)

    def extra_repr(self) -> str:
        """Return the settings, for `repr`."""
        return repr(self.transform)

    def _run(self, method: str, x: torch.Tensor, args: Any, options: Any) -> Any:
        if torch.compiler.is_compiling():  # what is compiled breaks off here, and goes on with the result
            return torch.compiler.disable(self._compute)(method, x, args, options)  # type: ignore[no-untyped-call]
        return self._compute(method, x, args, options)

    def _compute(self, method: str, x: torch.Tensor, args: Any, options: Any) -> Any:
        params = self.params
        _require_usable(x, dict(self.named_parameters()))
        tensors = [_wide(tensor) for tensor in (x, *leaves(params))]

        def call(y: Array, *arrays: Array) -> Any:
            transform = self.transform.with_params(rebuilt(params, list(arrays))) if arrays else self.transform
            return getattr(transform, method)(y, *args, **options)

        if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
            return _OnTape.apply(call, *tensors)  # type: ignore[no-untyped-call]
        with _stream_of(x):
            return mapped(_tensor, call(*map(_array, tensors)))


class _OnTape(torch.autograd.Function):
    """A function of arrays, recorded on this library's tape: one step on that of torch."""

    @staticmethod
    def forward(ctx: Any, call: Callable[..., Any], *tensors: torch.Tensor) -> Any:
        ctx.call, ctx.wanted = call, ctx.needs_input_grad[1:]
        value, pullback = _recorded(call, tensors, ctx.wanted)
        # As a part of what torch saves, the tape is given up when that is. All tensors whose memory the tape shares are
        # saved as well, so that torch refuses to go back once they have been changed in place.
        tape = torch.empty(0)
        tape.pullback = pullback  # type: ignore[attr-defined]
        ctx.save_for_backward(tape, *tensors, *leaves(value))
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        if torch.is_grad_enabled():
            raise DifferentiationError("create_graph=True: gradients of transforms cannot be differentiated again")
        tape, *tensors = ctx.saved_tensors
        tensors = tensors[: len(ctx.wanted)]
        pullback = getattr(tape, "pullback", None)
        if pullback is None:  # hooks put another tensor in its place, as those of checkpoints do, to save memory
            _, pullback = _recorded(ctx.call, tensors, ctx.wanted)
        with _stream_of(tensors[0]):
            found = map(_tensor, pullback([_array(g) for g in gradients]))
            return None, *(next(found) if wanted else None for wanted in ctx.wanted)


def _recorded(call: Callable[..., Any], tensors: Any, wanted: tuple[bool, ...]) -> tuple[Any, Callable[[Any], Any]]:
    """The value of a function of arrays as tensors, and the pullback to those arrays that want a gradient."""
    with _stream_of(tensors[0]):
        arrays = [_array(tensor) for tensor in tensors]

        def function(*on_tape: Any) -> Any:
            chosen = iter(on_tape)
            return call(*(next(chosen) if w else array for w, array in zip(wanted, arrays, strict=True)))

        value, pullback = vjp(function, *(array for w, array in zip(wanted, arrays, strict=True) if w))
        return mapped(_tensor, value), pullback


def _require_usable(x: Any, params: dict[str, torch.Tensor]) -> None:
    """Raise unless a signal is a dense tensor, and where it can be worked on."""
    if not isinstance(x, torch.Tensor):
        raise ParameterError(
            f"signal of type {type(x).__name__}: must be a torch.Tensor; torch.from_numpy makes one of an array, which "
            "the transform itself takes as well"
        )
    if x.layout is not torch.strided:
        raise ParameterError(f"signal has layout {x.layout}: must be dense; call x.to_dense()")
    if x.device.type not in ("cpu", "cuda"):
        raise BackendError(f"signal is on {x.device}: must be on a CPU or a CUDA device; move it with x.to(...)")
    for name, p in params.items():
        if p.device != x.device:
            raise BackendError(f"signal is on {x.device} and {name} on {p.device}: move one, as in module.to(x.device)")
    if torch.compiler.is_exporting() or torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        raise BackendError(
            "torch.export and torch.jit.trace see torch's operations alone: leave this module out, and give what is "
            "exported its result"
        )


def _stream_of(tensor: torch.Tensor) -> AbstractContextManager[Any]:
    """Return a context in which work goes to the stream that torch uses now, where a tensor is."""
    if tensor.device.type == "cpu":
        return contextlib.nullcontext()
    stream = torch.cuda.current_stream(tensor.device)
    return on_stream(stream.device_index, stream)


def _wide(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to(WIDER.get(tensor.dtype, tensor.dtype))


def _array(tensor: torch.Tensor) -> Array:
    """A tensor as an array in the same memory, but for those that torch has only noted to conjugate or to negate."""
    return asarray(tensor.detach().resolve_conj().resolve_neg())


def _tensor(array: Array) -> torch.Tensor:
    """An array as a tensor in the same memory, but for views and read-only ones, of which torch would not know."""
    array = asarray(array)
    if not (array.flags.c_contiguous and getattr(array.flags, "writeable", True)):
        array = array.copy()
    return from_dlpack(array)
