"""Run one target for some seconds, beginning with its corpus; a finding is written to the folder that is named.

python -m tests.fuzz TARGET [--seconds N] [--seed N] [--findings FOLDER] [--keep]
"""

import argparse
import contextlib
import sys
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["arrayaudio"]):
    from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


def main() -> None:
    """Fuzz one target."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="0 for another each time")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--keep", action="store_true", help="add inputs that reach something new to the corpus")
    given = parser.parse_args()
    corpus, findings = CORPUS / given.target, given.findings / given.target
    new = corpus if given.keep else findings / "new"
    for folder in (findings, new):
        folder.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={given.seconds}", f"-seed={given.seed}", f"-artifact_prefix={findings}/"]
    options += ["-max_len=4096", "-timeout=60", "-rss_limit_mb=4096"]
    warnings.simplefilter("ignore")
    atheris.Setup([sys.argv[0], *options, str(new), str(corpus)], TARGETS[given.target])
    with contextlib.suppress(SystemExit):
        atheris.Fuzz()


if __name__ == "__main__":
    main()
