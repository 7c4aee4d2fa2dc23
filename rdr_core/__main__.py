"""``python -m rdr_core``: the core's commands, as torchrun starts them."""

from rdr_core.cli import app
from rdr_core.ending import run_app

run_app(app)
