"""Cross-entropy at a temperature."""

import torch.nn.functional as F

from rdr_core import at_least, part


@part("temper", kind="loss", summary="cross-entropy at a temperature", formula="CE(z / t)", source="",
      ranges={"t": at_least(0.1)})  # fmt: skip
def temper(logits, labels, class_counts, t=2.0):
    """Cross-entropy of the logits over ``t``; (B,)."""
    return F.cross_entropy(logits / t, labels, reduction="none")
