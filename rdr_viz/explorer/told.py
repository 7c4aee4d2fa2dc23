"""Whatever goes wrong in the page is a sentence in the page."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from rdr_core.errors import RdrError


def told(call: Callable[..., None]) -> Callable[..., None]:
    """A method of something that can ``say`` a sentence: an error in it is said, not raised."""

    @functools.wraps(call)
    def telling(self: Any, *arguments: Any) -> None:
        try:
            call(self, *arguments)
        except RdrError as error:
            self.say(str(error))
        except Exception as error:
            logging.getLogger(__name__).debug("in the explorer", exc_info=True)
            self.say(f"The explorer failed ({type(error).__name__}: {error}); choose again, or rerun the cell.")

    return telling
