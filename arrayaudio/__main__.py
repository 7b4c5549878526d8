"""The command `arrayaudio`, also as `python -m arrayaudio`."""

import sys

from arrayaudio.errors import MissingExtraError


def main() -> None:
    """Run the command, or say which extra it lacks and leave with exit code 2."""
    try:
        from arrayaudio.cli import command
    except ModuleNotFoundError as error:
        if error.name not in ("click", "filelock", "tqdm"):
            raise
        sys.exit(_complain(MissingExtraError("the command arrayaudio", "cli", error)))
    command(prog_name="arrayaudio")


def _complain(error: Exception) -> int:
    sys.stderr.write(f"arrayaudio: {error}\n")
    return 2


if __name__ == "__main__":
    main()
