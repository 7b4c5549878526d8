"""Pages in a browser: they play, seek, switch and tell what is under the pointer, and fetch nothing."""

import base64
import io
import json
import math
import re

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from arrayaudio.ext.explore import explore
from arrayaudio.ext.explore.cells import decoded
from arrayaudio.ext.io import load

pytestmark = pytest.mark.slow

SR, SECONDS, HZ, AMPLITUDE = 16000, 3, 1000, 0.5
FAMILIES = ["STFT", "Mel", "Gammatone", "CQT", "VQT", "Chroma", "MFCC", "CFP"]
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"),
    *("--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--autoplay-policy=no-user-gesture-required",
]
# What a person would hear and see of the page.
CURRENT_TIME = "return document.getElementById('audio').currentTime"
PLAYHEAD = """const place = (id) => document.getElementById(id).getBoundingClientRect();
const [head, surface] = ["playhead", "surface"].map(place);
return (head.left + head.width / 2 - surface.left) / surface.width"""
PICTURE = "return document.getElementById('picture').toDataURL().split(',')[1]"
OVERFLOW = "return document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module")
def tone(tmp_path_factory):
    """The page of a tone that begins after a second, and grows by 3 dB after another."""
    t = np.arange(SECONDS * SR) / SR
    y = np.sin(2 * np.pi * HZ * t) * np.select([t < 1, t < 2], [0, AMPLITUDE / math.sqrt(2)], AMPLITUDE)
    path = tmp_path_factory.mktemp("page") / "tone.html"
    explore(y, SR, out=path, title="tone")
    return path


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


class Browser:
    """A page in the browser, and what a person does there."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path, width=1200, height=1000, density=1, dark=False):
        size = {"width": width, "height": height, "deviceScaleFactor": density, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.driver.get(path.as_uri())
        self.ready()
        return self

    def ready(self):
        self.until(lambda: self.find("figure").get_attribute("aria-busy") == "false")

    def until(self, condition):
        return WebDriverWait(self.driver, 20, 0.05).until(lambda _: condition())

    def find(self, name):
        return self.driver.find_element(By.ID, name)

    def run(self, script):
        return self.driver.execute_script(script)

    def choose(self, name, option):
        radio = self.driver.find_element(By.CSS_SELECTOR, f'input[name="{name}"][value="{option}"]')
        self.run("window.scrollTo(0, 0)")
        ActionChains(self.driver).move_to_element(radio).click().perform()
        assert radio.is_selected()
        self.ready()

    def shown(self, name):
        return bool(self.driver.find_elements(By.CSS_SELECTOR, f'input[name="{name}"]'))

    def pixels(self):
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(self.run(PICTURE)))).convert("RGB"))

    def at(self, across, up, where="surface"):
        """Bring the pointer to a place of an element, from its left lower corner."""
        place = self.find(where)
        width, height = place.size["width"], place.size["height"]
        x, y = round(width * (across - 0.5)), round(height * (0.5 - up))
        return ActionChains(self.driver, duration=0).move_to_element_with_offset(place, x, y)

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def time(self):
        return self.run(CURRENT_TIME)


@pytest.fixture
def browser(chromium, tone):
    chromium.get_log("browser"), chromium.get_log("performance")
    page = Browser(chromium).open(tone)
    yield page
    assert chromium.get_log("browser") == []  # no test leaves an error


def requested(driver):
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def test_a_page_loads_from_a_file_and_asks_for_nothing_else(browser, tone):
    for family in FAMILIES:
        browser.choose("family", family)
    browser.run("document.getElementById('play').click()")
    browser.until(lambda: browser.time() > 0.1)
    urls = requested(browser.driver)
    assert [url for url in urls if not url.startswith("data:")] == [tone.as_uri()]


def test_playing_moves_the_playhead_with_the_sound(browser):
    assert browser.run(PLAYHEAD) == pytest.approx(0, abs=2e-3)
    browser.find("play").click()
    browser.until(lambda: browser.time() > 0.4)
    assert browser.find("play").text == "Pause"
    time, place = browser.run(f"return [(() => {{{CURRENT_TIME}}})(), (() => {{{PLAYHEAD}}})()]")
    assert place == pytest.approx(time / SECONDS, abs=0.1 / SECONDS)
    browser.press(" ")  # the button has the focus, and pauses once
    assert browser.run("return document.getElementById('audio').paused")
    time = browser.time()
    browser.until(lambda: abs(browser.run(PLAYHEAD) - time / SECONDS) < 2e-3)
    assert browser.find("play").text == "Play"


def test_the_space_bar_plays_wherever_the_focus_is_but_on_buttons(browser):
    paused = "return document.getElementById('audio').paused"
    browser.choose("family", "Mel")
    for expected in (False, True):
        browser.press(" ")
        assert browser.run(paused) == expected
    browser.run("document.getElementById('loop').focus()")
    browser.press(" ")
    assert browser.find("loop").is_selected()
    assert browser.run("return document.getElementById('audio').loop")
    assert browser.run(paused)


def test_a_click_or_a_drag_goes_there(browser):
    browser.at(0.5, 0.3).click().perform()
    assert browser.time() == pytest.approx(SECONDS / 2, abs=0.01)
    assert browser.run(PLAYHEAD) == pytest.approx(0.5, abs=4e-3)
    assert browser.find("clock").text == f"{browser.time():.2f} of {SECONDS}.00 s"
    width = browser.find("surface").size["width"]
    browser.at(0.25, 0.5).click_and_hold().move_by_offset(round(width / 2), 0).release().perform()
    assert browser.time() == pytest.approx(0.75 * SECONDS, abs=0.01)
    browser.at(0.1, 0.5, "strip").click().perform()
    assert browser.time() == pytest.approx(0.1 * SECONDS, abs=0.01)


def test_keys_go_there_too(browser):
    browser.run("document.getElementById('surface').focus()")
    moves = {Keys.ARROW_RIGHT: 0.1, Keys.END: SECONDS, Keys.ARROW_LEFT: SECONDS - 0.1, Keys.HOME: 0}
    for key, expected in moves.items():
        browser.press(key)
        assert browser.time() == pytest.approx(expected, abs=1e-3)
        assert float(browser.find("surface").get_attribute("aria-valuenow")) == pytest.approx(expected, abs=0.01)
    ActionChains(browser.driver).key_down(Keys.SHIFT).send_keys(Keys.ARROW_RIGHT).key_up(Keys.SHIFT).perform()
    assert browser.time() == pytest.approx(1, abs=1e-3)


def test_switching_changes_the_picture_and_the_settings_that_are_offered(browser):
    offered = {
        "STFT": {"Window", "Frequency scale", "Up to"},
        "Mel": {"Window", "Bands"},
        "Gammatone": {"Window", "Bands"},
        "CQT": {"Rows in an octave"},
        "VQT": {"Rows in an octave"},
        "Chroma": {"From"},
        "MFCC": {"Window", "Coefficients"},
        "CFP": {"Part"},
    }
    pictures = {}
    for family in FAMILIES:
        browser.choose("family", family)
        assert {name for name in set().union(*offered.values()) if browser.shown(name)} == offered[family]
        pictures[family] = browser.pixels().tobytes()
        assert browser.find("levels").is_displayed() == (family not in ("Chroma", "MFCC", "CFP"))
        assert browser.find("maps").is_displayed() == (family != "MFCC")
    assert len(set(pictures.values())) == len(FAMILIES)
    browser.choose("family", "STFT")
    assert browser.pixels().tobytes() == pictures["STFT"]
    for name, option in (("Window", "16 ms"), ("Frequency scale", "logarithmic"), ("Up to", "2 kHz"), ("map", "grey")):
        before = browser.pixels().tobytes()
        browser.choose(name, option)
        assert browser.pixels().tobytes() != before


def test_a_setting_stays_when_the_transform_is_switched(browser):
    browser.choose("Window", "256 ms")
    browser.choose("family", "Mel")
    assert "win_length=4096" in browser.find("code").text
    assert browser.run("return document.querySelector('[name=Window]:checked').value") == "256 ms"


def brightest(browser, across):
    """Height of the brightest pixel of a column, from 0 to 1."""
    column = browser.pixels().sum(axis=2, dtype=int)
    column = column[:, round(across * column.shape[1])]
    return 1 - (np.mean(np.flatnonzero(column == column.max())) + 0.5) / len(column)


def test_the_tone_is_drawn_and_read_at_its_frequency_and_level(browser):
    n_fft = 1024  # 64 ms
    level = 20 * math.log10(AMPLITUDE * n_fft / 4)  # of the Hann window, whose samples sum to half its length
    height = (HZ * n_fft / SR + 0.5) / (n_fft // 2 + 1)
    assert brightest(browser, 0.9) == pytest.approx(height, abs=0.006)
    for across, expected in ((0.9, level), (0.5, level - 10 * math.log10(2))):
        browser.at(across, height).perform()
        time, frequency, shown = re.split(r"\s+·\s+", browser.find("readout").text)
        assert float(time.removesuffix(" s")) == pytest.approx(across * SECONDS, abs=0.01)
        hz, note = re.fullmatch(r"(\S+) Hz \((.*)\)", frequency).groups()
        assert float(hz) == pytest.approx(HZ, abs=0.51 * SR / n_fft)
        assert note.startswith("B5")
        assert float(shown.removesuffix(" dB")) == pytest.approx(expected, abs=0.25)
    browser.at(0.1, height).perform()
    assert "≤ " in browser.find("readout").text  # silence
    browser.choose("family", "MFCC")
    browser.at(0.1, 0.01).perform()
    assert "coefficient 0 · ≤ −" in re.sub(r"\s+", " ", browser.find("readout").text)
    browser.at(0.5, 0.5, "strip").perform()
    assert browser.find("readout").text == "Point at the picture to read it."


@pytest.mark.parametrize("family", ["Mel", "Gammatone", "CQT"])
def test_every_cell_has_its_shade(browser, tone, family):
    browser.choose("family", family)
    browser.choose("map", "grey")
    browser.run("document.getElementById('range').focus()")
    browser.press(*[Keys.ARROW_RIGHT] * 4)  # 100 dB, from white to black in 256 steps
    shades = browser.pixels()[::-1, :, 0].astype(int)
    code = browser.find("code").text
    data = json.loads(re.search(r'id="data">(.*?)</script>', tone.read_text("utf-8"), re.DOTALL)[1])
    (view,) = [view for view in data["views"] if code.startswith(f"aa.{view['code']}(y)")]
    rows = (np.arange(view["rows"]) + 0.5) / view["rows"] * shades.shape[0]
    times = view["start"] + (np.arange(view["columns"]) + 0.5) * view["step"]
    inside = (times > 0) & (times < SECONDS)
    columns = times[inside] / SECONDS * shades.shape[1]
    np.testing.assert_array_equal(
        255 - shades[np.ix_(rows.astype(int), columns.astype(int))],
        decoded(view["cells"], view["rows"], view["columns"])[:, inside],
    )


@pytest.mark.parametrize("option", ["2 kHz", "4 kHz"])
def test_limits_and_logarithms_keep_the_tone_at_its_place(browser, option):
    browser.choose("Up to", option)
    top = 1000 * float(option.split()[0])
    assert brightest(browser, 0.9) == pytest.approx(HZ / top, abs=0.01)
    browser.choose("Frequency scale", "logarithmic")
    assert brightest(browser, 0.9) == pytest.approx(math.log(HZ / 20) / math.log(top / 20), abs=0.01)


def test_labels_stand_at_their_frequencies(browser):
    def heights():
        labels = browser.driver.find_elements(By.CSS_SELECTOR, "#rows span")
        return {span.text: float(span.get_attribute("style").split()[1].rstrip("%;")) / 100 for span in labels}

    rows = 513
    assert heights()["4k"] == pytest.approx((256 + 0.5) / rows)
    browser.choose("family", "CQT")
    assert heights()["C5"] == pytest.approx((4 * 24 + 0.5) / (24 * 7))  # from C1 on, 24 rows to the octave
    browser.choose("family", "Chroma")
    assert heights()["A"] == pytest.approx((9 + 0.5) / 12)
    assert brightest(browser, 0.9) == pytest.approx((11 + 0.5) / 12, abs=0.01)  # 1000 Hz is a B


def test_a_smaller_range_darkens_what_is_soft(browser):
    def brightness():
        return browser.pixels().sum(axis=2, dtype=int)

    browser.choose("Window", "16 ms")
    before = brightness()
    browser.run("document.getElementById('range').focus()")
    browser.press(*[Keys.ARROW_LEFT] * 6)
    assert browser.find("decibels").text == "50 dB"
    after = brightness()
    assert np.all(after <= before)
    assert np.sum(after == after.min()) > np.sum(before == after.min())
    assert after.max() == before.max()
    low, high = (float(browser.find(end).text.removesuffix(" dB").replace("−", "-")) for end in ("low", "high"))
    assert high - low == pytest.approx(50, abs=0.11)


def test_zooming_keeps_the_playhead_and_shows_less(browser):
    browser.at(0.5, 0.5).click().perform()
    browser.find("closer").click()
    assert browser.run(PLAYHEAD) == pytest.approx(0.5, abs=0.01)
    browser.at(0.0, 0.5).click().perform()
    assert browser.time() == pytest.approx(0.25 * SECONDS, abs=0.02)
    browser.press(Keys.HOME)  # which is outside
    assert browser.run(PLAYHEAD) == pytest.approx(0, abs=0.01)
    browser.find("whole").click()
    assert not browser.find("window").is_displayed()


@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (320, False), (768, False)])
def test_nothing_is_wider_than_a_phone(chromium, tone, width, dark):
    browser = Browser(chromium).open(tone, width=width, height=844, density=2, dark=dark)
    for family in FAMILIES:
        browser.choose("family", family)
        assert browser.run(OVERFLOW) == 0
    colour = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", colour)[:3])) < 200) == dark


def test_pictures_are_as_sharp_as_the_screen(chromium, tone):
    browser = Browser(chromium).open(tone, density=3)
    sizes = browser.run("const c = document.getElementById('picture'); return [c.width, c.height]")
    shown = browser.find("picture").size
    assert sizes == [3 * shown["width"], 3 * shown["height"]]


def test_every_control_has_a_name(browser):
    nameless = """return [...document.querySelectorAll("button, input, select, [role=slider], output")].filter(
      (e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.[0]?.textContent.trim())).length"""
    assert browser.run(nameless) == 0


def test_a_name_with_elements_does_nothing(chromium, tmp_path):
    name = "</script></title><img src=x onerror=\"document.title='caught'\"><svg onload=alert(1)>"
    explore(np.zeros(800), 8000, title=name, out=tmp_path / "page.html")
    browser = Browser(chromium).open(tmp_path / "page.html")
    assert browser.driver.title == browser.driver.find_element(By.TAG_NAME, "h1").text == name
    assert browser.run("return document.images.length") == 0
    assert chromium.get_log("browser") == []


def test_five_seconds_at_44100_hz_take_less_than_3_mb_beside_the_sound(audio):
    y, sr = load(audio / "guitar.flac")
    n_samples = 5 * int(sr)
    assert len(explore(y[:n_samples], sr).encode()) - 2 * n_samples * 4 / 3 < 3e6
