"""The public face: names, stub, signatures, documentation, and how light the import is."""

import dataclasses
import importlib
import importlib.metadata
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import arrayaudio as aa

HOMES = aa._HOME
STUB = Path(aa.__file__).with_name("__init__.pyi")


def expected_stub():
    lines = [
        '"""Public names, for type checkers and editors; at run time they are loaded on first use."""',
        "",
        "from arrayaudio import filters as filters",
        "from arrayaudio import optim as optim",
        "from arrayaudio import presets as presets",
        *sorted(f"from arrayaudio.{module} import {name} as {name}" for name, module in HOMES.items()),
        "",
        "__version__: str",
        "",
    ]
    return "\n".join(lines)


def test_the_stub_lists_every_name():
    assert STUB.read_text() == expected_stub()


@pytest.mark.parametrize("name", sorted(HOMES))
def test_every_name_loads_from_its_module(name):
    module = importlib.import_module(f"arrayaudio.{HOMES[name]}")
    assert getattr(aa, name) is getattr(module, name)
    assert name in module.__all__
    assert name in dir(aa)


def test_modules_hold_no_public_name_that_the_package_hides():
    listed = {module: set(names) for module, names in aa._PUBLIC.items()}
    for module, names in listed.items():
        assert set(importlib.import_module(f"arrayaudio.{module}").__all__) == names


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="'arrayaudio' has no attribute 'sftf'"):
        _ = aa.sftf


@pytest.mark.parametrize("name", [n for n in sorted(HOMES) if not n.endswith(("Error", "Warning"))])
def test_every_name_is_documented_with_an_example(name):
    doc = inspect.getdoc(getattr(aa, name))
    assert doc.splitlines()[0].endswith((".", ":", ")", "0.")) or len(doc.splitlines()) > 1
    assert ">>> import arrayaudio as aa" in doc


@pytest.mark.parametrize(
    ("function", "transform", "defaults"),
    [
        (aa.stft, aa.STFT, {}),
        (aa.spectrogram, aa.STFT, {"output": "power"}),
        (aa.melspectrogram, aa.MelSpectrogram, {}),
        (aa.mfcc, aa.MFCC, {}),
        (aa.lfcc, aa.LFCC, {}),
        (aa.gammatonegram, aa.Gammatonegram, {}),
        (aa.cfp, aa.CFP, {}),
        (aa.chroma_stft, aa.Chroma, {}),
        (aa.cqt, aa.CQT, {}),
        (aa.vqt, aa.VQT, {}),
    ],
)
def test_functions_take_the_signal_first_and_the_settings_of_their_transform(function, transform, defaults):
    signal, *settings = inspect.signature(function).parameters.values()
    assert signal.kind is inspect.Parameter.POSITIONAL_ONLY
    for field, parameter in zip(dataclasses.fields(transform), settings, strict=True):
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.name == field.name
        required = field.default is dataclasses.MISSING and field.name not in defaults
        expected = inspect.Parameter.empty if required else defaults.get(field.name, field.default)
        assert parameter.default == expected


def test_sampling_rates_have_no_default_where_the_result_depends_on_them():
    for function in (
        aa.melspectrogram,
        aa.adaptive_melspectrogram,
        aa.mfcc,
        aa.lfcc,
        aa.gammatonegram,
        aa.gammatone_filterbank,
        aa.cfp,
        aa.chroma_stft,
        aa.cqt,
        aa.vqt,
        aa.resample,
        aa.fft_frequencies,
        aa.frames_to_time,
    ):
        rates = [p for name, p in inspect.signature(function).parameters.items() if name.endswith("sr")]
        assert rates
        assert all(rate.default is inspect.Parameter.empty for rate in rates)


def test_the_version_is_that_of_the_distribution():
    assert aa.__version__ == importlib.metadata.version("arrayaudio")


def run(script):
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def test_the_import_loads_nothing_heavier_than_numpy():
    loaded = run("import sys; import arrayaudio; print(*sorted({name.partition('.')[0] for name in sys.modules}))")
    heavy = {"scipy", "numba", "llvmlite", "cupy", "matplotlib", "click", "tqdm", "librosa", "torch"}
    heavy |= {"soundfile", "safetensors"}
    assert "arrayaudio" in loaded.split()
    assert heavy.isdisjoint(loaded.split())


def test_the_import_adds_little_to_that_of_numpy():
    script = "import numpy, time; t = time.perf_counter(); import arrayaudio; print(time.perf_counter() - t)"
    assert min(float(run(script)) for _ in range(3)) < 0.05


def test_type_checkers_see_the_settings_of_functions(tmp_path):
    script = tmp_path / "user.py"
    script.write_text(
        "import arrayaudio as aa\naa.stft([0.0], n_fft=64)\naa.stft([0.0], nfft=64)\naa.STFT(hop_length='x')\n"
        "aa.STFT(compat='librosa')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(script)],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert 'user.py:3: error: Unexpected keyword argument "nfft"' in done.stdout
    assert 'user.py:4: error: Argument "hop_length"' in done.stdout
    assert "user.py:2" not in done.stdout
    assert "user.py:5" not in done.stdout
