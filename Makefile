# The commands of this repository; `make` lists them. Everything is installed into .venv/ and nowhere else.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/ready

.DEFAULT_GOAL := help
.PHONY: help setup demo lab paper docs test slow stress fuzz coverage check bench constraints

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*##/  make \1 \t/p' $(MAKEFILE_LIST)

setup: $(READY)  ## install everything into .venv/, exactly as constraints.txt says

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Setting up .venv (a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet -c constraints.txt -b constraints.txt -e '.[notebooks,cluster,docs,trainers,beyond,dev]'
	@touch $(READY)

demo: $(READY)  ## train CE, 1/n and RDR on real digits and draw what they did (a minute or two)
	@$(BIN)/rdr demo

lab: $(READY)  ## open the notebooks in JupyterLab, in copies of your own below rdr-notebooks/
	@$(BIN)/rdr lab

paper: $(READY)  ## the whole paper from shipped runs: figures, tables, claims and paper/index.html (a minute or two)
	@$(BIN)/rdr paper

docs: $(READY)  ## build the site: methods, gallery, API, notebooks with outputs, paper; site/index.html (a few minutes)
	@$(BIN)/python docs/build.py

test: $(READY)  ## run the tests (a few minutes)
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

# Three processes for two cores: many of these tests wait for others, of servers, browsers and trainings. Files without
# such tests are not even read, which would take each process a third of a minute.
slow: $(READY)  ## run the slow tests too: long trainings, notebooks, the site, real browsers (ten minutes more)
	@$(BIN)/python -m pytest -n 3 --dist worksteal -m slow $$(grep -rl --include='test_*.py' 'mark\.slow' tests)

# Other moments each time, so that an hour tries more than any test before it.
stress: $(READY)  ## kill trainings for RDR_STRESS seconds (an hour), give each reader RDR_FUZZ contents (10,000)
	@RDR_TEST_PATIENCE=10 RDR_STRESS=$${RDR_STRESS:-3600} RDR_STRESS_SEED=$${RDR_STRESS_SEED:-$$$$} \
		RDR_FUZZ=$${RDR_FUZZ:-10000} RDR_TABS=$${RDR_TABS:-20} RDR_KILLS=$${RDR_KILLS:-20} $(BIN)/python -m pytest -q -s \
		tests/runs/test_faults.py tests/test_fuzzed_readers.py tests/explorer/front/test_links.py tests/explorer/test_tabs.py \
		tests/jobs/test_cluster.py \
		-k "killed_at_random or every_call or whatever or closed"

fuzz: $(READY)  ## look, guided by coverage, for contents that a reader does not answer to (needs pip install atheris)
	@$(BIN)/python tests/fuzz.py --seconds $${RDR_FUZZ_SECONDS:-60}

coverage: $(READY)  ## which lines the fast tests run, file by file (a few minutes)
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" --cov --cov-report=term:skip-covered -q

check: $(READY)  ## lint, types, and that no test judges by the clock
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python .ci/clocks.py

bench: $(READY)  ## measure speed, as ratios
	@$(BIN)/python benchmarks/speed.py

constraints: $(READY)  ## write constraints.txt and environment.yml anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --upgrade --all-extras --python-version 3.11 --no-header --no-annotate \
		--no-emit-index-url pyproject.toml -o constraints.txt
	@$(BIN)/python .ci/environment.py
