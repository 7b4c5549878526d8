"""Arrays that a transform holds: built once, and cast once for each precision and device they meet."""

from collections.abc import Callable
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, cast, device, dtype_name, namespace, on_device_of, plain, settled


class Constant:
    """A read-only float64 or complex128 array that hands out copies in the precision, and on the device, of another.

    Windows, filterbanks and bases are built once in double precision by NumPy and cast once for each dtype and device.
    Two constants with the same values are equal and hash alike; the copies are not pickled.
    """

    fixed = True
    """Whether the values stay as they are, so that what is derived from them may be kept."""
    taped = False
    """Whether what is done with it must be recorded."""

    def __init__(self, value: ArrayLike) -> None:
        given = np.asarray(value)
        self.value = np.array(given, dtype=np.complex128 if np.iscomplexobj(given) else np.float64)
        self.value.setflags(write=False)
        self._dtype = given.dtype if given.dtype in (np.float16, np.float32) else self.value.dtype
        self._copies: dict[tuple[str, str, str], Array] = {}
        self._derived: dict[tuple[Any, ...], Any] = {}

    def like(self, array: Array) -> Array:
        """Return the constant in the precision of `array`, to be combined with it."""
        xp = namespace(array)
        single = dtype_name(array) in ("float32", "complex64")
        kinds = {"f": ("float64", "float32"), "c": ("complex128", "complex64")}
        dtype = kinds[self.value.dtype.kind][single]
        key = (xp.__name__, dtype, device(array))
        if key not in self._copies:
            with on_device_of(array):
                copy = settled(xp.asarray(self.value, dtype=getattr(xp, dtype)))
            if isinstance(copy, np.ndarray):
                copy.setflags(write=False)
            self._copies[key] = copy
        return self._copies[key]

    @property
    def original(self) -> Array:
        """A copy of the values in the precision in which they came."""
        return self.value.astype(self._dtype)

    def derived(self, build: Callable[..., Any], *options: Any) -> Any:
        """Return build(value, *options), computed once; `build` must be the same function each time."""
        key = (build, *options)
        if key not in self._derived:
            self._derived[key] = build(self.value, *options)
        return self._derived[key]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and np.array_equal(self.value, other.value)

    def __hash__(self) -> int:
        return hash((self.value.shape, self.value.tobytes()))

    def __reduce__(self) -> tuple[type["Constant"], tuple[np.ndarray]]:
        return Constant, (self.original,)

    def __repr__(self) -> str:
        return f"Constant(shape={self.value.shape})"


class Given(Constant):
    """An array of the caller's in the place of a constant: one that is being learned, or is on the tape."""

    fixed = False

    def __init__(self, value: Array) -> None:
        self.value = value
        self.taped = plain(value) is not value

    def like(self, array: Array) -> Array:
        """Return the array in the precision of another, to be combined with it."""
        namespace(array, self.value)  # refuses what lives elsewhere
        return cast(self.value, "float32" if dtype_name(array) in ("float32", "complex64") else "float64")

    @property
    def original(self) -> Array:
        """The array itself."""
        return self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Given) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)

    def __reduce__(self) -> tuple[type["Given"], tuple[Array]]:
        return Given, (self.value,)


def constant(value: Array) -> Constant:
    """Return plain NumPy arrays as a `Constant`, which fast versions know, and all others as `Given`."""
    return Constant(value) if isinstance(value, np.ndarray) else Given(value)
