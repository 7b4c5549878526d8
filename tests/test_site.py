"""The site: it is built without a warning, its links lead somewhere, it loads nothing from elsewhere, and it fits."""

import functools
import http.server
import importlib
import pkgutil
import re
import subprocess
import sys
import threading
from pathlib import Path

import filelock
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

import arrayaudio as aa
from arrayaudio import ext
from arrayaudio.compat import nnaudio

from .site_pages import Page, is_elsewhere

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
BROWSED = [
    "index.html",
    "tutorial.html",
    "guides.html",
    "which_transform.html",
    "shapes_scales_units.html",
    "gallery.html",
    "benchmarks.html",
    "gpu_guide.html",
    "learning.html",
    "nnaudio.html",
    "architecture.html",
    "api.html",
    "api/transforms.html",
    "api/generated/arrayaudio.STFT_class.html",
    "api/generated/arrayaudio.melspectrogram.html",
]

# What the text stands in; code and tables scroll by themselves.
TOO_NARROW = """
const around = document.querySelectorAll("html, body, .bd-main, .bd-content, .bd-article-container, article, section");
return [...around].filter(e => e.scrollWidth > e.clientWidth).map(e => [e.tagName, e.id, e.scrollWidth, e.clientWidth]);
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id):
    """The folder of the built site; one worker builds it, and others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "site"
    with filelock.FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            command = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--jobs", "auto", "--quiet", "docs", folder]
            done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=500)
            assert done.returncode == 0, done.stderr
            (folder / "done").touch()
    return folder


@pytest.fixture(scope="session")
def pages(site):
    return {path.resolve(): Page(site, path) for path in site.rglob("*.html") if "_static" not in path.parts}


def test_every_link_leads_to_a_file_and_an_anchor(pages):
    assert len(pages) > 200
    count = 0
    for page in pages.values():
        for link in page.links + page.loaded:
            if is_elsewhere(link):
                continue
            place, anchor = page.place_of(link)
            assert place.is_file(), f"{page.name}: {link}"
            if anchor and place in pages:
                assert anchor in pages[place].anchors, f"{page.name}: {link}"
            count += 1
    assert count > 10_000


def test_pages_load_nothing_from_elsewhere(site, pages):
    for page in pages.values():
        assert [link for link in page.loaded if is_elsewhere(link) and not link.startswith("data:")] == [], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", sheet.read_text()), sheet


def test_every_page_has_one_title(pages):
    made_by_sphinx = {"genindex.html", "py-modindex.html", "search.html"}
    assert {
        page.name: page.titles for page in pages.values() if page.titles != 1 and page.name not in made_by_sphinx
    } == {}


def public_names():
    names = [f"arrayaudio.{name}" for name in aa._HOME]
    modules = ["arrayaudio.filters", "arrayaudio.optim", "arrayaudio.presets", "arrayaudio.compat.nnaudio"]
    modules += ["arrayaudio.compat.nnaudio.torch"]
    modules += [f"arrayaudio.ext.{module.name}" for module in pkgutil.iter_modules(ext.__path__)]
    for module in modules:
        names += [f"{module}.{name}" for name in getattr(importlib.import_module(module), "__all__", [])]
    names.remove("arrayaudio.ext.params.load_transform")  # which is aa.load_transform
    return names


def test_every_public_name_has_its_place_in_the_reference(pages):
    anchors = {anchor for page in pages.values() if page.name.startswith("api/") for anchor in page.anchors}
    names = public_names()
    assert len(names) > 150
    assert {f"arrayaudio.compat.nnaudio.{name}" for name in nnaudio.__all__} < set(names)
    assert [name for name in names if name not in anchors] == []


def test_contents_name_pages_that_exist():
    """Sphinx is told to pass over one that need not be there, and passes over all."""
    for page in (ROOT / "docs").rglob("*.md"):
        for contents in re.findall(r"```{toctree}\n(.*?)```", page.read_text(), re.DOTALL):
            for name in re.findall(r"^(?!:)\S+$", contents, re.MULTILINE):
                there = page.parent.joinpath(f"{name}.md").exists()
                assert there or name == "faults", f"{page.name}: {name}"


@pytest.fixture(scope="module")
def address(site):
    """Where a server on this machine shows the site."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    for argument in (
        *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-dev-shm-usage"),
        *("disable-background-networking", "disable-component-update", "disable-sync"),
        f"user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver")) as driver:
        yield driver


def resize(browser, size):
    width, height = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def asked_for(browser):
    """The addresses that pages have asked for since the last call."""
    messages = [
        re.search(r'"Network.requestWillBeSent".*?"url":"(.*?)"', e["message"]) for e in browser.get_log("performance")
    ]
    return [found[1] for found in messages if found]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", BROWSED)
def test_pages_fit_and_have_no_errors(browser, address, page, size):
    resize(browser, size)
    asked_for(browser)
    browser.get(f"{address}/{page}")
    assert browser.execute_script(TOO_NARROW) == []
    wide = "return [...document.images].filter(i => i.getBoundingClientRect().width > innerWidth || !i.naturalWidth)"
    assert browser.execute_script(f"{wide}.map(i => i.src)") == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"] == []
    requests = asked_for(browser)
    assert f"{address}/{page}" in requests
    assert [url for url in requests if not url.startswith((address, "data:"))] == []


@pytest.mark.parametrize("size", SIZES)
def test_all_pages_fit(browser, address, pages, size):
    resize(browser, size)
    found = {}
    for page in pages.values():
        browser.get(f"{address}/{page.name}")
        found[page.name] = browser.execute_script(TOO_NARROW)
    assert {name: wide for name, wide in found.items() if wide} == {}


@pytest.mark.parametrize("size", SIZES)
def test_what_is_too_wide_is_found(browser, address, size):
    resize(browser, size)
    browser.get(f"{address}/index.html")
    wide = "const d = document.createElement('div'); d.style = 'width: 2000px; height: 1px';"
    browser.execute_script(f"{wide} document.querySelector('article section').append(d)")
    assert browser.execute_script(TOO_NARROW) != []


def test_one_walks_through_the_site_on_a_desktop(browser, address):
    resize(browser, "desktop")
    browser.get(f"{address}/index.html")
    browser.find_element(By.CSS_SELECTOR, ".bd-header").find_element(By.LINK_TEXT, "Guides").click()
    assert browser.title.startswith("Guides")
    browser.find_element(By.CSS_SELECTOR, ".bd-sidebar-primary").find_element(By.LINK_TEXT, "Learnable bases").click()
    assert browser.title.startswith("Learnable bases")
    browser.find_element(By.CSS_SELECTOR, "article").find_element(By.LINK_TEXT, "aa.value_and_grad").click()
    assert browser.title.startswith("value_and_grad")


def test_one_walks_through_the_site_on_a_phone(browser, address):
    resize(browser, "phone")
    browser.get(f"{address}/index.html")
    browser.find_element(By.CSS_SELECTOR, "button.primary-toggle").click()
    menu = WebDriverWait(browser, 10).until(lambda b: b.find_element(By.CSS_SELECTOR, "dialog[open]"))
    WebDriverWait(browser, 10).until(lambda b: menu.find_element(By.LINK_TEXT, "Moving").is_displayed())
    menu.find_element(By.LINK_TEXT, "Moving").click()
    assert browser.title.startswith("Moving")


def test_the_search_finds_a_transform(browser, address):
    resize(browser, "desktop")
    browser.get(f"{address}/search.html?q=gammatonegram")
    WebDriverWait(browser, 20).until(lambda b: b.find_elements(By.CSS_SELECTOR, "#search-results li a"))
    links = [a.get_attribute("href") for a in browser.find_elements(By.CSS_SELECTOR, "#search-results li a")]
    assert any("arrayaudio.Gammatonegram" in link for link in links)
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
