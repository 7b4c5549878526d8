"""A soundfile for decoder processes that crashes, hangs or waits, as the names of the files say."""

import os

import pytest

SOUNDFILE = """
import os, resource, signal, sys
here = os.path.dirname(__file__)
sys.path.remove(here)
del sys.modules["soundfile"]
import soundfile
sys.path.insert(0, here)

class SoundFile(soundfile.SoundFile):
    def __init__(self, file, *args, **options):
        name = os.path.basename(os.fsdecode(file.name))
        if name.startswith("crash"):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.raise_signal(signal.SIGSEGV)
        while name.startswith("hang"):
            signal.pause()
        if name.startswith("wait"):
            open(os.path.join(here, "gate")).close()  # until somebody opens it to write
        super().__init__(file, *args, **options)

soundfile.SoundFile = SoundFile
"""


@pytest.fixture
def troubled(tmp_path_factory, monkeypatch):
    """Let decoders find that soundfile; files that wait go on while the gate, a pipe in the returned folder, is open.

    This process has the real one already, and `PYTHONPATH` of the folder gives it to others.
    """
    import soundfile  # noqa: F401

    folder = tmp_path_factory.mktemp("troubled")
    (folder / "soundfile.py").write_text(SOUNDFILE)
    os.mkfifo(folder / "gate")
    monkeypatch.syspath_prepend(folder)
    return folder
