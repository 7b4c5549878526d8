"""One family of errors. Every message gives the value, the rule and the remedy."""

__all__ = [
    "ArrayAudioError",
    "ArrayAudioWarning",
    "AudioDecodeError",
    "BackendError",
    "DTypeError",
    "DifferentiationError",
    "MemoryBudgetError",
    "MissingExtraError",
    "ParameterError",
]


class ArrayAudioError(Exception):
    """Base of every error that arrayaudio raises on purpose."""


class ParameterError(ArrayAudioError, ValueError):
    """A parameter, or the shape or the values of an array, cannot be used."""


class DTypeError(ArrayAudioError, TypeError):
    """An array has a dtype that cannot hold a signal or a spectrum."""


class BackendError(ArrayAudioError, RuntimeError):
    """A device is missing, or arrays live on different devices."""


class MemoryBudgetError(ArrayAudioError, MemoryError):
    """A device has too little memory, also for one item at a time."""


class AudioDecodeError(ArrayAudioError, OSError):
    """A file could not be read as audio."""


class MissingExtraError(ArrayAudioError, ImportError):
    """A feature needs an optional package that is not installed."""

    def __init__(self, feature: str, extra: str, reason: object) -> None:
        super().__init__(f"{feature} needs the [{extra}] extra ({reason}): pip install 'arrayaudio[{extra}]'")


class ArrayAudioWarning(UserWarning):
    """The result is usable, but something about it deserves attention."""


class DifferentiationError(ArrayAudioError, TypeError):
    """Something was asked of the tape that has no derivative here."""
