"""Pages for those who come from other libraries: scripts say the same before and after, and so do tables of names."""

import re
import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.signal
import torch

import arrayaudio as aa
from docs.parity import outside

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ["from_librosa.md", "from_torchaudio.md", "from_cusignal.md", "nnaudio.md"]
# Without its compiled part, which needs PyTorch for CUDA.
TORCHAUDIO = "from docs.parity.outside import torchaudio; torchaudio()\n"


def rows(page):
    """Both sides of each row of the table of names, and the most that they may differ by."""
    found = re.findall(r"^\| `(.+?)` \| `(.+?)` \| (\S+) \|$", (DOCS / page).read_text(), re.MULTILINE)
    return [pytest.param(theirs, ours, float(most), id=ours) for theirs, ours, most in found]


@pytest.fixture(scope="module")
def names():
    """What the rows of the page for librosa are about."""
    rng, sr = np.random.default_rng(0), 22050
    t = np.arange(2 * sr) / sr
    y = sum(np.exp(-k * t) * np.sin(2 * np.pi * 220 * k * t) for k in range(1, 6)) + 0.01 * rng.standard_normal(t.size)
    y = y.astype("float32")
    D = librosa.stft(y)
    M, C = librosa.feature.melspectrogram(y=y, sr=sr), librosa.cqt(y, sr=sr)
    return {"librosa": librosa, "aa": aa, "np": np, "y": y, "sr": sr, "D": D, "S": abs(D), "M": M, "C": C}


@pytest.fixture(scope="module")
def tensors():
    """What the rows of the page for torchaudio are about."""
    torchaudio, y = outside.torchaudio(), np.random.default_rng(0).standard_normal(32000).astype("float32")
    X = torch.from_numpy(aa.STFT(compat="torchaudio", output="complex")(y))
    modules = {
        "T": torchaudio.transforms,
        "F": torchaudio.functional,
        "torchaudio": torchaudio,
        "torch": torch,
        "aa": aa,
    }
    return modules | {"sr": 16000, "y": y, "x": torch.from_numpy(y), "X": X, "S": abs(X) ** 2}


@pytest.fixture(scope="module")
def signals():
    """What the rows of the page for cuSignal are about."""
    y, window = np.random.default_rng(0).standard_normal(32000), scipy.signal.get_window("hann", 512).sum()
    X = scipy.signal.stft(y, nperseg=512)[2] * window
    return {"signal": scipy.signal, "aa": aa, "y": y, "Y": np.stack([y, y[::-1]]), "X": X, "window": window}


def check(theirs, ours, most, names):
    expected, found = (np.asarray(eval(side, names), complex) for side in (theirs, ours))
    assert found.shape == expected.shape
    assert np.linalg.norm(found - expected) <= most * np.linalg.norm(expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("theirs", "ours", "most"), rows("from_librosa.md"))
def test_names_of_librosa(theirs, ours, most, names):
    check(theirs, ours, most, names)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("theirs", "ours", "most"), rows("from_torchaudio.md"))
def test_names_of_torchaudio(theirs, ours, most, tensors):
    check(theirs, ours, most, tensors)


@pytest.mark.parametrize(("theirs", "ours", "most"), rows("from_cusignal.md"))
def test_names_of_cusignal(theirs, ours, most, signals):
    check(theirs, ours, most, signals)


@pytest.mark.parametrize("page", PAGES)
def test_scripts_say_the_same_before_and_after(page):
    before, after = re.findall(r"```py(?:thon)?\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)[:2]
    before = TORCHAUDIO * ("torchaudio" in before) + before
    said = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=DOCS.parent, timeout=120)
        for script in (before, after)
    ]
    assert [run.returncode for run in said] == [0, 0], said
    assert said[0].stdout == said[1].stdout != ""


def test_all_pages_have_rows():
    assert [len(rows(page)) >= 7 for page in PAGES[:3]] == [True] * 3
