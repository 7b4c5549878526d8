"""Functions with librosa's names, one line each over a transform.

Each takes the settings of its transform as keywords, and shows them in its signature.
"""
