"""The rows: every call that the page of gradients has, but for nnAudio's, which are the same transforms."""

from docs.gradients.cases import FAMILIES

GROUPS = {name: cases for name, cases in FAMILIES.items() if name != "nnAudio's classes"}
CALLS = [case for cases in GROUPS.values() for case in cases]
