"""Pages on which a clip is heard and seen: one file of HTML with the sound, its spectrograms, and what draws them.

Python computes and quantises; the scripts beside these files colour, label and play.
"""

from arrayaudio.ext.explore.pages import explore

__all__ = ["explore"]
