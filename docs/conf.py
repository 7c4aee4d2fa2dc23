"""How Sphinx makes the site; `make docs` calls it through build.py, which gathers the pages first.

Sphinx, because its autodoc reads the docstrings as they are and a link that leads nowhere is an error; MyST, because
the pages are Markdown that is read in the repository too; Furo, because it loads nothing from anywhere, follows the
reader's light or dark theme and is readable on a telephone. Formulas become MathML, which browsers draw by themselves.
"""

from __future__ import annotations

import os
from importlib.metadata import version as installed

# Signatures then show the shapes of tensors; read when rdr_core is first imported.
os.environ["RDR_CHECK_SHAPES"] = "1"

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

project = "RDR toolkit"
author = "The RDR toolkit contributors"
version = release = installed("rdr-toolkit")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
templates_path = ["_templates"]
# Gathered beside the pages so that links to them lead somewhere, but no pages themselves.
exclude_patterns = ["examples", "tests", "benchmarks/*", "speed.md"]

myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 3
# build.py has run them.
nb_execution_mode = "off"
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
add_module_names = False
autodoc_inherit_docstrings = False
smartquotes_action = "D"  # dashes; quotes stay as they are written
highlight_language = "text"

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = html_show_copyright = False
html_math_renderer = "mathml"
# Relative to this file; build.py sets it to where the paper's page lies.
html_extra_path: list[str] = []
_FONTS = {
    "font-stack": 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif',
    "font-stack--monospace": 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
}


def _colors(primary: str, secondary: str, border: str, brand: str) -> dict[str, str]:
    grounds = {"primary": primary, "secondary": secondary, "border": border}
    return {f"color-background-{name}": color for name, color in grounds.items()} | {
        f"color-brand-{name}": brand for name in ("primary", "content", "visited")
    }


# Those of the paper's page and of the galleries.
html_theme_options = {
    "light_css_variables": _FONTS | _colors("#fdfcfa", "#f4f1ec", "#e4dfd8", "#6a4c9c"),
    "dark_css_variables": _FONTS | _colors("#191817", "#1f1d1c", "#3a3733", "#b9a3e3"),
}


def _inline(translator, node: nodes.math) -> None:
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(translator, node: nodes.math_block) -> None:
    translator.body.append(convert(node.astext(), display="block"))
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
