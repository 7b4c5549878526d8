"""Decoders give what is in a file, and a file that is their death costs nothing else."""

import hashlib
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

import arrayaudio as aa
from arrayaudio.ext import io
from arrayaudio.jobs.decoding import Decoder, Header
from arrayaudio.jobs.extract import Task, extract_one
from arrayaudio.jobs.settings import Settings

from .recordings import BAD_FILES, NAMES, SR, encoded, tone, wav_header


@pytest.fixture(scope="module")
def decoder():
    with Decoder() as decoder:
        yield decoder


# What is in a file


@pytest.mark.parametrize("sr", [None, 4000.0])
@pytest.mark.parametrize("mono", [True, False])
@pytest.mark.parametrize("name", ["guitar.flac", "speech.flac"])
def test_samples_are_those_of_the_reader(decoder, audio, name, mono, sr):
    expected, rate = io.load(audio / name, sr=sr, mono=mono)
    y, found = decoder.load(audio / name, sr=sr, mono=mono)
    np.testing.assert_array_equal(y, expected, strict=True)
    assert found == rate


@pytest.mark.parametrize("sr", [None, 4000.0])
@pytest.mark.parametrize("mono", [True, False])
def test_samples_may_be_spooled_to_a_file_without_a_name(decoder, audio, tmp_path, mono, sr):
    expected, rate = io.load(audio / "guitar.flac", sr=sr, mono=mono)
    y, found = decoder.spool(audio / "guitar.flac", tmp_path, sr=sr, mono=mono)
    np.testing.assert_allclose(y, expected, rtol=0, atol=0 if sr is None else 1e-6, strict=True)
    assert found == rate
    assert not list(tmp_path.iterdir())


def test_samples_outlive_the_next_file_and_the_decoder(audio):
    with Decoder() as decoder:
        y, _ = decoder.load(audio / "speech.flac")
        decoder.load(audio / "piano.flac")
    np.testing.assert_array_equal(y, io.load(audio / "speech.flac")[0])


def test_the_header_tells_what_is_to_come(decoder, audio):
    y, _ = io.load(audio / "guitar.flac", mono=False)
    header, digest, loaded = decoder.begin(audio / "guitar.flac", sr=22050.0)
    assert header == Header(44100.0, *y.shape)
    assert digest == hashlib.sha256((audio / "guitar.flac").read_bytes()).hexdigest()
    np.testing.assert_array_equal(loaded[0], decoder.load(audio / "guitar.flac", sr=22050.0)[0], strict=True)
    assert loaded[1] == 22050


def test_long_ones_are_loaded_apart(decoder, tmp_path):
    for size, longer in ((2**19, False), (2**19 + 1, True)):
        soundfile.write(tmp_path / "long.wav", np.zeros((size, 2)), SR)
        assert (decoder.begin(tmp_path / "long.wav")[2] is None) == longer


KINDS = {
    "RF64": (8000, 1, "RF64", "PCM_16", 2**-15),
    "mu-law": (8000, 1, "WAV", "ULAW", 0.02),
    "IMA-ADPCM": (8000, 1, "WAV", "IMA_ADPCM", 0.05),
    "255 channels": (8000, 255, "WAV", "PCM_16", 2**-15),
    "192 kHz": (192000, 2, "WAV", "PCM_24", 2**-23),
    "24 bits in FLAC": (96000, 2, "FLAC", "PCM_24", 2**-23),
}


@pytest.mark.parametrize(("rate", "n_channels", "kind", "subtype", "tolerance"), KINDS.values(), ids=KINDS)
def test_unusual_recordings_are_read(decoder, tmp_path, rate, n_channels, kind, subtype, tolerance):
    y = np.outer(tone(3000), np.linspace(0.5, 1, n_channels)).astype(np.float32)
    soundfile.write(tmp_path / "odd", y, rate, format=kind, subtype=subtype)
    found, sr = decoder.load(tmp_path / "odd", mono=False)
    assert sr == rate
    # ADPCM needs some samples to catch up, and fills its last block.
    np.testing.assert_allclose(found[:, 100:3000], y.T[:, 100:], rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_any_name_reaches_the_decoder(decoder, tmp_path, name):
    (tmp_path / name).write_bytes(encoded(tone()))
    assert decoder.load(tmp_path / name)[0].shape == (4000,)


# Files that are none

SPOILED = {
    **{name: (content, reason) for name, (_, content, reason) in BAD_FILES.items()},
    "0 channels": (wav_header(0, 1000) + bytes(1000), "cannot be read"),
    "65535 channels": (wav_header(65535, 1000) + bytes(1000), "cannot be read"),
}


@pytest.mark.parametrize(("content", "reason"), SPOILED.values(), ids=SPOILED)
@pytest.mark.parametrize("operation", ["load", "spool"])
def test_what_cannot_be_read_is_named_with_the_reason(decoder, audio, tmp_path, operation, content, reason):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    decoder.begin(audio / "speech.flac")
    process = decoder._process
    with pytest.raises(aa.AudioDecodeError, match=rf"bad\.wav: .*{reason}"):
        decoder.load(path) if operation == "load" else decoder.spool(path, tmp_path)
    assert decoder._process is process


@pytest.mark.parametrize("place", ["gone.wav", "loop.wav", "folder.wav", "lost.wav"])
def test_links_that_lead_nowhere_are_named(decoder, tmp_path, place):
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    (tmp_path / "lost.wav").symlink_to("gone.wav")
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(aa.AudioDecodeError, match=f"{place}: cannot be read"):
        decoder.load(tmp_path / place)


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU", "W64", "RF64", "MP3", "FLAC", "OGG"])
def test_a_recording_that_ends_early_is_refused_or_remarked_upon(tmp_path, out, kind):
    whole = encoded(tone(40000), kind)
    for name, content in {"cut": whole[: len(whole) // 2], "whole": whole}.items():
        (tmp_path / name).write_bytes(content)
    settings = Settings(aa.STFT, {"output": "magnitude"})
    cut, good = (extract_one(Task(tmp_path / n, out / f"{n}.npz"), settings, out=out) for n in ("cut", "whole"))
    assert (good.status, good.reason) == ("done", None)
    if kind in ("FLAC", "OGG"):
        assert cut.status == "failed"
    else:
        assert cut.status == "done"
        assert cut.reason.startswith("ends early: has ")
        assert cut.duration < good.duration


# Decoders that die


def test_a_crash_is_the_end_of_one_file(troubled, tmp_path, audio):
    (tmp_path / "crash.wav").touch()
    with Decoder() as decoder:
        for _ in range(2):
            with pytest.raises(aa.AudioDecodeError, match=r"crash\.wav: its decoder died \(SIGSEGV\)"):
                decoder.begin(tmp_path / "crash.wav")
            assert decoder.load(audio / "speech.flac")[0].size == 113600


def test_a_hang_is_the_end_of_one_file(troubled, tmp_path, audio):
    (tmp_path / "hang.wav").touch()
    with Decoder(timeout=0.5) as decoder:
        with pytest.raises(aa.AudioDecodeError, match=r"hang\.wav: was not decoded within 0\.5 s; allow more time"):
            decoder.begin(tmp_path / "hang.wav")
        assert decoder._process is None
        decoder.timeout = 300
        assert decoder.load(audio / "speech.flac")[0].size == 113600


def test_a_pipe_that_nobody_fills_is_a_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with Decoder(timeout=0.5) as decoder, pytest.raises(aa.AudioDecodeError, match=r"pipe\.wav: was not decoded"):
        decoder.begin(tmp_path / "pipe.wav")


def test_a_decoder_that_died_between_files_is_replaced(audio):
    with Decoder() as decoder:
        decoder.begin(audio / "speech.flac")
        first = decoder._process
        first.kill()
        first.wait()
        assert decoder.begin(audio / "speech.flac")[0].n_samples == 113600
        assert decoder._process is not first


def test_the_end_of_a_decoder_is_the_end_of_its_process(audio):
    decoder = Decoder()
    decoder.begin(audio / "speech.flac")
    process = decoder._process
    decoder.close()
    assert process.returncode == -signal.SIGKILL
    decoder.close()


def test_a_decoder_that_cannot_start_says_how_to_see_why(tmp_path, monkeypatch, audio):
    (tmp_path / "soundfile.py").write_text("raise SystemExit(7)")
    monkeypatch.syspath_prepend(tmp_path)
    with (
        Decoder() as decoder,
        pytest.raises(aa.BackendError, match=r"not start \(exit code 7\): run .* to see why"),
    ):
        decoder.begin(audio / "speech.flac")


def test_decoders_may_be_started_in_daemonic_workers(audio):
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_length, (audio / "speech.flac",)) == 113600


def _length(path: Path) -> int:
    with Decoder() as decoder:
        return decoder.begin(path)[0].n_samples
