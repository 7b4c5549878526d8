"""Arrays on the tape, and the namespace of functions that record what is done to them."""

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

from arrayaudio import arrays
from arrayaudio.arrays import Array
from arrayaudio.autodiff.linear import JOINING, checked_subscripts, einsum_part
from arrayaudio.autodiff.rules import RULES
from arrayaudio.autodiff.tape import INEXACT, Node, Pull
from arrayaudio.errors import DifferentiationError

# Functions whose result does not change with their argument, or changes in steps: it comes back as a plain array.
CONSTANT = (
    {"all", "any", "argmax", "argmin", "argsort", "count_nonzero", "nonzero", "searchsorted"}
    | {"equal", "greater", "greater_equal", "less", "less_equal", "not_equal", "allclose", "array_equal", "isclose"}
    | {"iscomplexobj", "isfinite", "isinf", "isnan", "isreal", "logical_and", "logical_not", "logical_or"}
    | {"ceil", "floor", "rint", "round", "sign", "signbit", "trunc"}
    | {"empty_like", "ones_like", "zeros_like", "ndim", "shape", "size", "result_type"}
)
# NumPy's names for functions that the array API standard, and so the rules, call otherwise.
STANDARD = {
    "absolute": "abs",
    "amax": "max",
    "amin": "min",
    "arccos": "acos",
    "arcsin": "asin",
    "arctan": "atan",
    "arctan2": "atan2",
    "concatenate": "concat",
    "conjugate": "conj",
    "power": "pow",
    "true_divide": "divide",
}


class Var:
    """An array on the tape: immutable, and good wherever an array is. `value` is the array itself."""

    __slots__ = ("node", "value")
    __array_priority__ = 1000  # so that CuPy's operators leave it to these

    def __init__(self, value: Array, parents: list[tuple[Node, Pull]] | None = None) -> None:
        self.value = value
        self.node = Node(value, parents or [])

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return facade(arrays.namespace(self.value))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or "out" in options:
            what = (
                f"np.{ufunc.__name__}"
                + ("" if method == "__call__" else f".{method}")
                + "(out=...)" * ("out" in options)
            )
            raise DifferentiationError(f"{what} cannot be recorded: write it with functions that make new arrays")
        return record(ufunc.__name__, ufunc, inputs, options)

    def __array_function__(self, function: Any, _types: Any, args: Any, options: Any) -> Any:
        folder = function.__module__.removeprefix("numpy").removeprefix(".")
        return record(f"{folder}.{function.__name__}" if folder else function.__name__, function, args, options)

    def __getitem__(self, index: Any) -> "Var":
        return record("getitem", lambda x, i: x[i], (self, index), {})

    def __len__(self) -> int:
        return len(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __iter__(self) -> Any:
        return (self[k] for k in range(len(self)))

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise DifferentiationError("an array on the tape cannot become a plain one: use its functions, or .value")

    __float__ = __int__ = __complex__ = __index__ = __array__

    def __repr__(self) -> str:
        return f"Var({self.value!r})"

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    dtype = property(lambda self: self.value.dtype)
    device = property(lambda self: self.value.device)
    real = property(lambda self: self._call("real"))
    imag = property(lambda self: self._call("imag"))
    T = property(lambda self: self._call("permute_dims", tuple(range(self.ndim))[::-1]))
    mT = property(lambda self: self._call("matrix_transpose"))  # noqa: N815

    def _call(self, name: str, *args: Any, **options: Any) -> Any:
        return getattr(self.__array_namespace__(), name)(self, *args, **options)

    def reshape(self, *shape: Any) -> "Var":
        """The same values in another shape."""
        return self._call("reshape", shape[0] if len(shape) == 1 else shape)

    def astype(self, dtype: Any) -> "Var":
        """The same values in another dtype."""
        return self._call("asarray", dtype=dtype)

    def transpose(self, *axes: Any) -> "Var":
        """The same values with axes in another order."""
        return self._call("permute_dims", axes[0] if len(axes) == 1 else axes) if axes else self.T

    def copy(self) -> "Var":
        """Itself, which never changes."""
        return self


def _method(name: str) -> Callable[..., Any]:
    def method(self: Var, *args: Any, **options: Any) -> Any:
        return self._call(name, *args, **options)

    method.__name__ = name
    return method


for _name in ("sum", "mean", "max", "min", "var", "std", "clip", "conj", "cumsum", "ravel", "squeeze", "take"):
    setattr(Var, _name, _method(_name))


def _operator(name: str, swapped: bool = False) -> Callable[..., Any]:
    def operator(self: Var, *others: Any) -> Any:
        return self._call(name, *others) if not swapped else _apply(self, name, others[0], self)

    return operator


def _apply(var: Var, name: str, *args: Any) -> Any:
    return getattr(var.__array_namespace__(), name)(*args)


for _name, _function in {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "pow": "pow",
    "matmul": "matmul",
}.items():
    setattr(Var, f"__{_name}__", _operator(_function))
    setattr(Var, f"__r{_name}__", _operator(_function, swapped=True))
for _name, _function in {
    "neg": "negative",
    "pos": "positive",
    "abs": "abs",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}.items():
    setattr(Var, f"__{_name}__", _operator(_function))
Var.__hash__ = object.__hash__  # type: ignore[method-assign]


def value_of(x: Any) -> Any:
    """What an argument is without the tape: itself, or the values in it."""
    if isinstance(x, Var):
        return x.value
    if isinstance(x, list | tuple):
        values = [value_of(part) for part in x]
        return values if any(value is not part for value, part in zip(values, x, strict=True)) else x
    return x


def record(name: str, function: Callable[..., Any], args: Any, options: dict[str, Any]) -> Any:
    """Call a function on values, and put the result on the tape if any argument is on it."""
    name = STANDARD.get(name, name)
    plain = [value_of(arg) for arg in args]
    if any(value_of(option) is not option for option in options.values()):
        raise DifferentiationError(f"xp.{name}: give arrays by position, so that they can be recorded")
    places = [place for place, (arg, value) in enumerate(zip(args, plain, strict=True)) if arg is not value]
    if not places or name in CONSTANT:
        return function(*plain, **options)
    if name == "einsum":
        part = functools.partial(einsum_part, subscripts=checked_subscripts(plain[0]))
        return _joining(name, function(*plain, **options), part, args[1:], plain[1:], (), {})
    if name in JOINING:
        _check_options(name, JOINING[name], len(plain), tuple(options))
        return _joining(name, function(*plain, **options), JOINING[name], args[0], plain[0], plain[1:], options)
    rules = RULES.get(name, ())
    unknown = [place for place in places if place >= len(rules)]
    if unknown:
        raise DifferentiationError(
            f"no VJP for argument {unknown[0] + 1} of xp.{name}: write it with functions that have one"
        )
    used = [(_node(name, args[place]), rule) for place in places if (rule := rules[place])]
    if options or len(plain) > len(rules):
        for _, rule in used:
            _check_options(name, rule, len(plain), tuple(options))
    result = function(*plain, **options)
    made = Var(result, [(node, _pull(rule, result, plain, options)) for node, rule in used])
    return made if made.node.parents and made.node.like[1].startswith(INEXACT) else result


@functools.cache
def _check_options(name: str, rule: Callable[..., Any], count: int, options: tuple[str, ...]) -> None:
    """Raise DifferentiationError unless a rule takes a gradient, a result, and these arguments."""
    try:
        inspect.signature(rule).bind(*range(2 + count), **dict.fromkeys(options))
    except TypeError as error:
        raise DifferentiationError(f"no VJP for xp.{name} with these options ({error}): leave them out") from None


def _pull(rule: Callable[..., Array], result: Array, args: list[Any], options: dict[str, Any]) -> Pull:
    return lambda g: rule(g, result, *args, **options)


def _node(name: str, x: Any) -> Node:
    if isinstance(x, Var):
        return x.node
    raise DifferentiationError(f"xp.{name}: a list of arrays on the tape was given as an array: use xp.stack first")


def _joining(name: str, result: Array, rule: Any, inputs: Any, plain: Any, more: Any, options: dict[str, Any]) -> Any:
    """Put a function of a list of arrays on the tape."""

    def pull(k: int) -> Pull:
        return lambda g: rule(g, k, plain, *more, **options)

    return Var(result, [(_node(name, x), pull(k)) for k, x in enumerate(inputs) if x is not plain[k]])


class Facade(types.ModuleType):
    """An array library whose functions record what is done to arrays on the tape, and take its plain arrays too."""

    lifts = True

    def __init__(self, library: Any, prefix: str = "") -> None:
        super().__init__(f"arrayaudio.autodiff({library.__name__})")
        self._library, self._prefix = library, prefix

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._library, name)
        if isinstance(found, types.ModuleType):
            made: Any = Facade(found, f"{self._prefix}{name}.")
        elif callable(found) and not isinstance(found, type):
            made = _recorded(self._prefix + name, found)
        else:
            made = found
        self.__dict__[name] = made
        return made


def _recorded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        return record(name, function, args, options)

    call.__name__ = name
    return call


@functools.cache
def facade(library: Any) -> Facade:
    """The one recording namespace of an array library."""
    return Facade(library)
