"""Pages with a clip and its spectrograms: what is in them, whatever the file is called, and when there is none."""

import base64
import hashlib
import io
import itertools
import json
import re
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

import arrayaudio as aa
from arrayaudio.ext.explore import explore
from arrayaudio.ext.explore.cells import described
from arrayaudio.ext.explore.clips import MOST_SAMPLES
from arrayaudio.ext.explore.views import views

from .command_line import SPOILED, run, run_without, written
from .recordings import SR, encoded, tone

FAMILIES = ["STFT", "Mel", "Gammatone", "CQT", "VQT", "Chroma", "MFCC", "CFP"]
EVIL = "</script></title><img src=x onerror=alert(1)>'\" {{data}} &lt;.wav"


class Page(HTMLParser):
    """Elements of a page with their attributes, and the text in them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "input"):  # which have no end
            self.open.append(dict(attributes).get("type") or tag)

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_data(self, data):
        if self.open:
            self.texts[self.open[-1]] = self.texts.get(self.open[-1], "") + data

    def tags(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]

    @property
    def data(self):
        return json.loads(self.texts["application/json"])

    @property
    def sound(self):
        (audio,) = self.tags("audio")
        start = "data:audio/wav;base64,"
        assert audio["src"].startswith(start)
        return soundfile.read(io.BytesIO(base64.b64decode(audio["src"].removeprefix(start))))


def signal():
    """A tone with overtones that begins in the middle, over noise."""
    t = np.arange(3000) / SR
    notes = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 8)) * (t > 0.15)
    return (0.2 * notes + 1e-3 * np.random.default_rng(0).standard_normal(len(t))).astype(np.float32)


@pytest.fixture(scope="module")
def made():
    """A page of `signal`, as text; pages take a second each."""
    return explore(signal(), SR)


@pytest.fixture(scope="module")
def page(made):
    return Page(made)


def cells(view):
    """The bytes of a view, one by one."""
    packed = zlib.decompress(base64.b64decode(view["cells"]))
    rows = [packed[k : k + view["columns"]] for k in range(0, len(packed), view["columns"])]
    return np.array([list(itertools.accumulate(row, lambda a, b: (a + b) % 256)) for row in rows])


# What is in a page


@pytest.mark.parametrize("family", FAMILIES)
def test_cells_are_what_the_code_on_the_page_computes(page, family):
    for view in [view for view in page.data["views"] if view["family"] == family]:
        transform = eval(f"aa.{view['code']}", {"aa": aa, "inf": np.inf})
        S = transform(signal().astype(np.float64))
        assert (view["rows"], view["columns"]) == S.shape
        if view["unit"] == "dB":
            level = 10 if family == "Mel" else 20
            S = level * np.log10(np.maximum(S, 1e-16))
            assert view["high"] == pytest.approx(S.max(), abs=1e-3)
            assert view["high"] - view["low"] == pytest.approx(100)
        step = (view["high"] - view["low"]) / 255
        shown = view["low"] + cells(view) * step
        assert S.min() >= view["low"] or view["beyond"] in ("min", "both")
        assert S.max() <= view["high"] + 1e-4 or view["beyond"] in ("max", "both")
        # Half a step, and what float32 leaves open.
        assert np.abs(shown - np.clip(S, view["low"], view["high"])).max() <= 0.51 * step
        assert len(np.unique(cells(view))) > 20


def test_all_families_are_there_in_all_combinations_of_their_settings(page):
    views = page.data["views"]
    assert list(page.data["families"]) == FAMILIES
    for family in FAMILIES:
        settings = [view["settings"] for view in views if view["family"] == family]
        options = [{chosen[name] for chosen in settings} for name in settings[0]]
        assert len({tuple(chosen.items()) for chosen in settings}) == len(settings)
        assert 2 <= len(settings) == np.prod([len(some) for some in options])


@pytest.mark.parametrize(("sr", "n_samples"), [(3000, 1), (3000, 1000), (5001, 7), (11025, 1000), (24000, 1000)])
def test_every_rate_and_length_has_a_page(sr, n_samples):
    views = Page(explore(np.ones(n_samples), sr)).data["views"]
    assert [family for family in FAMILIES if any(view["family"] == family for view in views)] == FAMILIES
    for view in views:
        assert cells(view).shape == (view["rows"], view["columns"])
        assert view["low"] < view["high"]


def test_axes_are_those_of_the_transforms(page):
    for view in page.data["views"]:
        transform = eval(f"aa.{view['code']}", {"aa": aa, "inf": np.inf})
        np.testing.assert_allclose(view["frequencies"], transform.frequencies, atol=6e-4)
        middles = view["start"] + (np.arange(view["columns"]) + 0.5) * view["step"]
        np.testing.assert_allclose(middles, transform.times(len(signal())), atol=1e-9)
        assert (view["names"] is not None) == (view["family"] == "Chroma")
    assert page.data["views"][0]["axis"] == "frequency"


def test_long_clips_keep_all_their_columns():
    y = np.zeros(1_000_000, np.float32)
    made = described(views(SR)[0], y)
    assert made["columns"] == aa.STFT(sr=SR, n_fft=128).n_frames(len(y)) > 20_000
    assert made["step"] == 32 / SR


def test_pitch_classes_have_their_names():
    t = np.arange(SR) / SR
    for view in [view for view in Page(explore(np.sin(2 * np.pi * 440 * t), SR)).data["views"] if view["names"]]:
        assert view["names"][cells(view)[:, view["columns"] // 2].argmax()] == "A"


def test_silence_is_dark():
    for view in Page(explore(np.zeros(4000), SR)).data["views"]:
        if view["unit"] == "dB":
            assert not cells(view).any()


def test_the_sound_is_the_signal_in_16_bits(page):
    sound, rate = page.sound
    assert (rate, page.data["rate"], page.data["samples"]) == (SR, SR, len(signal()))
    assert np.abs(sound * 32768 / 32767 - signal()).max() < 0.51 / 32767


def test_samples_beyond_1_are_played_more_softly_and_shown_as_they_are(page):
    loud = Page(explore(10 * signal(), SR))
    assert np.abs(loud.sound[0]).max() == 32767 / 32768
    assert loud.data["views"][0]["high"] == pytest.approx(page.data["views"][0]["high"] + 20, abs=1e-3)


def test_pcm_is_taken_as_what_it_stands_for():
    pcm = (signal() * 32768).astype(np.int16)
    assert explore(pcm, SR) == explore(pcm / np.float32(32768), SR)


def test_the_same_clip_gives_the_same_page(made):
    assert explore(signal(), SR) == made


# Whatever it is called


def test_the_page_is_whole_and_refers_to_nothing_else(page):
    assert page.open == []
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "style", "onclick", "onload"):
            assert attributes.get(name, "data:").startswith("data:")
    assert "@import" not in page.texts["style"]
    assert "url(" not in page.texts["style"]
    assert not re.search(r"https?://|fetch\(|import\(|XMLHttpRequest", page.texts["module"])


def test_its_policy_lets_only_its_own_script_and_style_run(page):
    (policy,) = [meta["content"] for meta in page.tags("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for rule, text in (("script-src", page.texts["module"]), ("style-src", page.texts["style"])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert {rules["img-src"], rules["media-src"]} == {"data:"}


def test_titles_are_text(page):
    titled = Page(explore(signal(), SR, title=EVIL))
    assert titled.texts["title"] == titled.texts["h1"] == EVIL
    assert [tag for tag, _ in titled.elements] == [tag for tag, _ in page.elements]


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.wav", "{{data}}\"'.wav", "caf\udce9.wav", "日本語.wav"])
def test_names_of_files_are_text(tmp_path, name):
    (tmp_path / name).write_bytes(encoded(tone()))
    made = Page(explore(tmp_path / name))
    assert made.texts["title"] == made.texts["h1"] == name.replace("\udce9", "\N{REPLACEMENT CHARACTER}")
    assert not made.tags("img")


def test_text_in_the_data_cannot_end_their_element(made):
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', made, re.DOTALL)[1]
    assert "<" not in data


# Files and parts


def test_a_part_of_a_file_is_that_part(tmp_path):
    y = np.round(np.random.default_rng(1).uniform(-1, 1, 4 * SR) * 32767) / 32768
    soundfile.write(tmp_path / "clip.wav", y, SR)
    part = y[SR : SR + 2000].astype(np.float32)
    expected = explore(part, SR, title="clip.wav")
    assert explore(tmp_path / "clip.wav", start=1, seconds=0.25) == expected
    assert explore(y, SR, start=1, seconds=0.25, title="clip.wav") == expected
    assert Page(explore(tmp_path / "clip.wav", start=3.9)).data["samples"] == 0.1 * SR


def test_parts_far_into_a_file_are_found(tmp_path):
    y = np.zeros(200_000, np.float32)
    y[150_000:150_100] = 0.5
    soundfile.write(tmp_path / "clip.wav", y, SR)
    sound, _ = Page(explore(tmp_path / "clip.wav", start=149_900 / SR, seconds=300 / SR)).sound
    np.testing.assert_array_equal(np.flatnonzero(sound), np.arange(100, 200))


def test_channels_are_averaged_and_files_resampled(tmp_path):
    soundfile.write(tmp_path / "clip.wav", np.stack([signal(), -signal()], axis=1), SR)
    made = Page(explore(tmp_path / "clip.wav", 4000))
    assert np.abs(made.sound[0]).max() <= 1 / 32767
    assert (made.data["rate"], made.data["samples"]) == (4000, len(signal()) // 2)


# Errors


@pytest.mark.parametrize(
    ("source", "options", "reason"),
    [
        (np.ones(100), {}, "sr=None: a signal needs its sampling rate"),
        (np.ones(100), {"sr": 44100.5}, "sr=44100.5: must be a whole number from 3000 to 192000 Hz"),
        (np.ones(100), {"sr": 2000}, "sr=2000: must be a whole number from 3000"),
        (np.ones(0), {"sr": SR}, "holds no samples"),
        (np.ones((2, 100)), {"sr": SR}, r"shape \(2, 100\): must be \(n_samples,\); average the channels"),
        (np.array([0, np.nan, np.inf]), {"sr": SR}, "2 NaN or infinite samples"),
        (np.full(100, 1e7), {"sr": SR}, "reaches 1e[+]07: must stay below 1e[+]06; scale it"),
        (np.ones(100), {"sr": SR, "start": 1}, "start=1: must be less than its length, 0.0125 s"),
        (np.ones(100), {"sr": SR, "start": -1}, "start=-1: must be at least 0"),
        (np.ones(100), {"sr": SR, "seconds": 0}, "seconds=0: must be greater than 0"),
        (np.ones(MOST_SAMPLES + 1, np.float32), {"sr": SR}, "at most 1500000, 187 s at 8000 Hz; choose a part"),
    ],
)
def test_what_makes_no_page_is_an_error(source, options, reason):
    with pytest.raises(aa.ParameterError, match=reason):
        explore(source, **options)


def test_a_long_file_is_refused_before_it_is_read(tmp_path):
    soundfile.write(tmp_path / "long.flac", np.zeros(MOST_SAMPLES + 1, np.int16), SR)
    with pytest.raises(aa.ParameterError, match=r"long\.flac: 1500001 samples, 188 s: a page holds at most"):
        explore(tmp_path / "long.flac")
    assert Page(explore(tmp_path / "long.flac", seconds=0.1)).data["samples"] == 800


def test_no_page_is_left_behind_an_error(tmp_path):
    with pytest.raises(aa.ParameterError):
        explore(np.ones(0), SR, out=tmp_path / "page.html")
    assert written(tmp_path) == []


# The command


def test_the_command_writes_the_page(clip, tmp_path):
    result = run("explore", clip, "-o", tmp_path / "page.html", "--start", "0.1", "--seconds", "0.2", "--sr", "4000")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"page written to {tmp_path / 'page.html'}\n", "")
    expected = explore(clip, 4000, start=0.1, seconds=0.2)
    assert (tmp_path / "page.html").read_text("utf-8") == expected
    assert Page(expected).data["samples"] == 800


@pytest.mark.parametrize(("name", "content", "reason"), SPOILED.values(), ids=SPOILED)
def test_a_bad_file_has_no_page(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    result = run("explore", tmp_path / name, "-o", tmp_path / "page.html")
    assert result.exit_code == 3
    assert result.stderr.startswith("failed: ")
    assert name in result.stderr
    assert reason in result.stderr
    assert written(tmp_path) == [name]


@pytest.mark.parametrize("options", [["--seconds", "0"], ["--start", "-1"], ["--sr", "fast"], ["--part", "1"]])
def test_wrong_usage_is_refused(clip, tmp_path, options):
    result = run("explore", clip, "-o", tmp_path / "page.html", *options)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")
    assert written(tmp_path) == ["in/clip.wav"]


def test_a_rate_that_browsers_do_not_play_is_refused(clip, tmp_path):
    result = run("explore", clip, "-o", tmp_path / "page.html", "--sr", "100")
    assert (result.exit_code, result.stderr.startswith("failed: sr=100: must be")) == (3, True)


def test_reading_files_needs_its_extra(clip, tmp_path):
    refused = run_without(["soundfile"], "explore", clip, "-o", tmp_path / "page.html")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "pip install 'arrayaudio[io]'" in refused.stderr


@pytest.mark.slow
def test_no_other_extra_is_needed(clip, tmp_path):
    assert run_without(["matplotlib"], "explore", clip, "-o", tmp_path / "page.html").returncode == 0
