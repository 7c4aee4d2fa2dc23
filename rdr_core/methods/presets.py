"""The three RDRs: ours, the authors' released code, and their paper's text, as sets of RDR's parameters.

What each choice does is told and measured in ``docs/methods/three-rdrs.md``.
"""

from __future__ import annotations

from rdr_core.methods.ratio import RIDGE

#: By name, the parameters of ``rdr`` in which they differ.
#:
#: "released" is main.py of github.com/GoodMorningPeter/RDR, commit bb55ea9f906f: CIFAR with cross-entropy.
#: "text" is Algorithm 1 as it is printed. It gives T0 no value and says nothing of ratios below zero; there it is ours.
PRESETS: dict[str, dict[str, float | str]] = {
    "ours": {"momentum": 0.5, "ridge": RIDGE, "floor": 0.0, "start": "mean", "unseen": "one", "warmup": 0.025},
    "released": {"momentum": 0.9, "ridge": 0.0, "floor": 1e-9, "start": "mean", "unseen": "zero", "warmup": 0.8},
    "text": {"momentum": 0.5, "ridge": 0.0, "floor": 0.0, "start": "zero", "unseen": "zero", "warmup": 0.025},
}
