"""What the pages of a built site hold: their anchors, links, and what they load."""

from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

# Links to what a page shows or runs, and not to where a reader may go.
LOADED = {"apple-touch-icon", "icon", "manifest", "modulepreload", "preload", "prefetch", "shortcut icon", "stylesheet"}


class Page(HTMLParser):
    """A page of a site."""

    def __init__(self, site: Path, path: Path) -> None:
        super().__init__()
        self.site, self.path = site, path
        self.anchors: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.titles = 0
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.titles += tag == "h1"
        self.anchors += [values[name] for name in ("id", "name") if values.get(name) and tag != "meta"]
        if tag == "link":
            (self.loaded if values.get("rel") in LOADED else self.links).append(values["href"])
        elif values.get("href"):
            self.links.append(values["href"])
        self.loaded += [values[name] for name in ("src", "srcset", "data", "poster") if values.get(name)]

    @cached_property
    def name(self) -> str:
        return self.path.relative_to(self.site).as_posix()

    def place_of(self, link: str) -> tuple[Path, str]:
        """The file that a link leads to, and the anchor in it."""
        target, anchor = urldefrag(link)
        path = unquote(urlsplit(target).path)
        return (self.path.parent / path).resolve() if path else self.path, unquote(anchor)


def is_elsewhere(link: str) -> bool:
    """Whether a link leads out of the site."""
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)
