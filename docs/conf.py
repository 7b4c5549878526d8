"""How Sphinx builds the site: `make docs`."""

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from numpydoc import xref
from sphinx import addnodes

import arrayaudio

project = "arrayaudio"
version = release = arrayaudio.__version__
html_title = "arrayaudio"
html_show_copyright = False

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
exclude_patterns = ["_templates"]
templates_path = ["_templates"]
nitpicky = True
# Settings have no entries of their own, and Python's and NumPy's pages are elsewhere.
nitpick_ignore_regex = [("py:obj", r"[a-z_]+"), ("py:obj", r"(jax|multiprocessing|numpy|scipy)\..+")]
# The contents name this page, which need not be there.
if not Path(__file__).with_name("faults.md").exists():
    suppress_warnings = ["toc.not_readable"]

# Markdown: the headings have the anchors that GitHub gives them.
myst_heading_anchors = 3

# Docstrings say types in words, with shapes and units.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autosummary_generate = True
default_role = "autolink"
numpydoc_show_class_members = False
numpydoc_validation_checks = {
    *("GL03", "GL05", "GL06", "GL07", "GL10"),  # sections: their spacing, names and order
    *("SS01", "SS04", "PR05", "PR09", "PR10", "RT05", "YD01"),  # summaries, parameters, results
}
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
xref.DEFAULT_LINKS.clear()  # Python's and NumPy's own pages are elsewhere
numpydoc_xref_aliases = {
    name: f"arrayaudio.{name}" for name in arrayaudio.__all__ if name.endswith(("Error", "Warning"))
}
# Some file systems do not tell STFT.html from stft.html.
autosummary_filename_map = {
    f"arrayaudio.{name}": f"arrayaudio.{name}_class"
    for name in arrayaudio.__all__
    if name != name.lower() and name.lower() in arrayaudio.__all__
}

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_logo = html_favicon = "_static/logo.svg"
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {"index": [], "tutorial": []}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "header_links_before_dropdown": 8,
    "logo": {"text": "arrayaudio"},
    "navbar_end": ["theme-switcher"],
    "footer_start": ["sphinx-version"],
    "footer_end": ["theme-version"],
    "show_prev_next": True,
    "navigation_with_keys": False,
}


def _in_plain_text(app: Any, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Keep bars and stars of formulas in docstrings from being markup, and say in full what `aa` is."""
    for i, line in enumerate(lines):
        if ">>>" not in line:
            parts = re.split(r"(``?[^`]+``?)", line.replace("`aa.", "`~arrayaudio."))
            parts[::2] = [re.sub(r"\||(?<=\()\*", r"\\\g<0>", part) for part in parts[::2]]
            lines[i] = "".join(parts)


def _in_the_site(app: Any, page: str, source: list[str]) -> None:
    """Link what lies above the pages to what stands for it here."""
    source[0] = (
        source[0].replace("](../CHANGELOG.md", "](changelog.md").replace("](../README.md#speed", "](benchmarks.md")
    )


def _with_links(app: Any, doctree: nodes.document) -> None:
    """Link names such as `aa.stft` on the pages to what the reference says about them."""
    for literal in list(doctree.findall(nodes.literal)):
        named = re.fullmatch(r"aa(\.\w+)+", literal.astext())
        if named and not isinstance(literal.parent, nodes.reference):
            target = "arrayaudio" + literal.astext().removeprefix("aa")
            link = addnodes.pending_xref("", refdomain="py", reftype="obj", reftarget=target, refwarn=True)
            link.source, link.line = literal.source, literal.line
            literal.replace_self(link)
            link += literal


def setup(app: Any) -> dict[str, bool]:
    """Put our steps in: before pages are read, before numpydoc's, and after."""
    app.connect("source-read", _in_the_site)
    app.connect("autodoc-process-docstring", _in_plain_text, priority=400)
    app.connect("doctree-read", _with_links)
    return {"parallel_read_safe": True}
