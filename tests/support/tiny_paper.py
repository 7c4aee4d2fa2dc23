"""`rdr`, of which the only paper is the tests' tiny one: python tiny_paper.py PAPERS HOW NOTES ARGUMENTS...

HOW is "killed": the process kills itself, as ``kill -9`` does, when it has saved an epoch for the first time; or
"beside": after its first run it begins no other before another process, that notes itself in the folder NOTES too, has
begun one.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from waiting import wait_for

from rdr_core.jobs.task import Training
from rdr_core.runs.folder import RunFolder
from rdr_viz.cli import main
from rdr_viz.papers import work
from rdr_viz.papers.paper import load_paper

if __name__ == "__main__":
    papers, how, notes = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    sys.argv[1:4] = []
    work.paper_names, work.load_paper = lambda: ["tiny"], lambda name: load_paper(name, papers)
    checkpoint, train = RunFolder.checkpoint, Training.run

    def deadly(folder: RunFolder, tree: dict) -> None:
        checkpoint(folder, tree)
        os.kill(os.getpid(), signal.SIGKILL)

    def patient(task: Training, deadline: float) -> bool:
        (notes / str(os.getpid())).touch()
        here = train(task, deadline)
        wait_for(lambda: len(list(notes.iterdir())) >= 2, "another process to begin a run", seen=notes.iterdir)
        return here

    if how == "killed":
        RunFolder.checkpoint = deadly
    else:
        Training.run = patient
    main()
