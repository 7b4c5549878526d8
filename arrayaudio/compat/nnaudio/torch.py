"""nnAudio's classes as torch modules: a model that computes spectrograms on the fly changes one line.

`from nnAudio import features` becomes `from arrayaudio.compat.nnaudio import torch as features`. Arguments, shapes and
numbers are those of the classes of the same names in `arrayaudio.compat.nnaudio`; tensors go in and out. What is
trainable is a parameter, named as in arrayaudio ("basis", "bank", "kernels"), so state dicts of nnAudio do not fit.
"""

import inspect
from typing import Any, ClassVar

from arrayaudio.compat import nnaudio
from arrayaudio.compat.nnaudio.layer import Layer
from arrayaudio.ext.torch import Module

__all__ = nnaudio.__all__

# What scripts ask layers for, and no parameter changes.
SETTINGS = ("bins2freq", "freq_bins", "frequencies", "kernel_width", "n_mfcc", "output_format")


class _Layer(Module):
    """A layer that is built from nnAudio's arguments; a device among them has no effect, as tensors have theirs."""

    kind: ClassVar[type[Layer]]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(self.kind(*args, **options).to(None))

    def __getattr__(self, name: str) -> Any:
        if name in SETTINGS and "transform" in self.__dict__:
            return getattr(self.transform, name)
        return super().__getattr__(name)


def _module(kind: type[Layer]) -> type[_Layer]:
    name = kind.__name__
    text = f"nnAudio's {name} as a torch module: see `arrayaudio.compat.nnaudio.{name}`."
    content = {"kind": kind, "__doc__": text, "__module__": __name__, "__signature__": inspect.signature(kind)}
    return type(name, (_Layer,), content)


CFP = _module(nnaudio.CFP)
CQT = _module(nnaudio.CQT)
CQT1992 = _module(nnaudio.CQT1992)
CQT1992v2 = _module(nnaudio.CQT1992v2)
CQT2010 = _module(nnaudio.CQT2010)
CQT2010v2 = _module(nnaudio.CQT2010v2)
Combined_Frequency_Periodicity = _module(nnaudio.Combined_Frequency_Periodicity)
Gammatonegram = _module(nnaudio.Gammatonegram)
Griffin_Lim = _module(nnaudio.Griffin_Lim)
MFCC = _module(nnaudio.MFCC)
MelSpectrogram = _module(nnaudio.MelSpectrogram)
STFT = _module(nnaudio.STFT)
VQT = _module(nnaudio.VQT)
iSTFT = _module(nnaudio.iSTFT)  # noqa: N816
