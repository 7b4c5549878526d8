"""nnAudio's classes on arrays: its names, arguments, defaults, shapes and numbers (nnAudio 0.3.4, without its faults).

A script changes one line: `from nnAudio import features` becomes `from arrayaudio.compat import nnaudio as features`.
The files are named as nnAudio's. docs/nnaudio.md says, class by class, what is the same and what is not.
"""

from arrayaudio.compat.nnaudio.cfp import CFP, Combined_Frequency_Periodicity
from arrayaudio.compat.nnaudio.cqt import CQT, CQT1992, CQT2010, CQT1992v2, CQT2010v2
from arrayaudio.compat.nnaudio.gammatone import Gammatonegram
from arrayaudio.compat.nnaudio.griffin_lim import Griffin_Lim
from arrayaudio.compat.nnaudio.mel import MFCC, MelSpectrogram
from arrayaudio.compat.nnaudio.stft import STFT, iSTFT
from arrayaudio.compat.nnaudio.vqt import VQT

__all__ = [
    "CFP",
    "CQT",
    "CQT1992",
    "CQT2010",
    "MFCC",
    "STFT",
    "VQT",
    "CQT1992v2",
    "CQT2010v2",
    "Combined_Frequency_Periodicity",
    "Gammatonegram",
    "Griffin_Lim",
    "MelSpectrogram",
    "iSTFT",
]
