"""Draw the pictures that the pages show: `python -m docs.pictures`, or `make docs`."""

from pathlib import Path

from arrayaudio.ext.io import load
from arrayaudio.ext.plot import overview

HERE = Path(__file__).parent


def main() -> None:
    """Draw the overview of the README."""
    y, sr = load(HERE / "audio" / "speech.flac")
    overview(y, sr, title="speech.flac").savefig(HERE / "pictures" / "overview.png")


if __name__ == "__main__":
    main()
