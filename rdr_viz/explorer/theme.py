"""Whether the page is dark, as the page itself tells: pictures are drawn for its ground."""

from __future__ import annotations

from anywidget import AnyWidget
from traitlets import Bool

# JupyterLab and Notebook write their theme on the page's body, Voila its own; elsewhere the reader's system decides.
_SCRIPT = """
const system = window.matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const body = document.body;
  if (body.dataset.jpThemeLight !== undefined) return body.dataset.jpThemeLight === "false";
  if (body.classList.contains("theme-dark")) return true;
  if (body.classList.contains("theme-light")) return false;
  return system.matches;
}

function initialize({ model }) {
  const tell = () => {
    if (model.get("dark") === isDark()) return;
    model.set("dark", isDark());
    model.save_changes();
  };
  const watch = new MutationObserver(tell);
  watch.observe(document.body, { attributes: true });
  system.addEventListener("change", tell);
  tell();
  return () => {
    watch.disconnect();
    system.removeEventListener("change", tell);
  };
}

export default { initialize, render: () => {} };
"""


class PageTheme(AnyWidget):
    """Shows nothing, and follows the page's theme.

    Attributes:
        dark: whether the page's ground is dark; False until the page has told.
    """

    _esm = _SCRIPT
    dark = Bool(False).tag(sync=True)
