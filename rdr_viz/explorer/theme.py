"""What the page itself has to tell and to be told: whether it is dark, and that the explorer has its own keys."""

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
  // In a notebook, arrow keys and Enter are JupyterLab's unless what has the focus says otherwise.
  const keepKeys = (event) => {
    if (event.target.closest(".rdr-explorer")) event.target.dataset.lmSuppressShortcuts = "true";
  };
  const watch = new MutationObserver(tell);
  watch.observe(document.body, { attributes: true });
  system.addEventListener("change", tell);
  document.addEventListener("focusin", keepKeys);
  tell();
  return () => {
    watch.disconnect();
    system.removeEventListener("change", tell);
    document.removeEventListener("focusin", keepKeys);
  };
}

export default { initialize, render: () => {} };
"""


class PageTheme(AnyWidget):
    """Shows nothing, follows the page's theme, and keeps the page's own shortcuts out of the explorer around it.

    Attributes:
        dark: whether the page's ground is dark; False until the page has told.
    """

    _esm = _SCRIPT
    dark = Bool(False).tag(sync=True)
