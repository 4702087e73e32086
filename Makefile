# Every target sets up what it needs: a fresh machine needs only Python 3.11 to 3.14 and make.
PYTHON ?= python3
VENV   := .venv
PORT   ?= 5000
READY  := $(VENV)/.ready
RUN    := MLFLOW_DISABLE_TELEMETRY=true $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup sweep ui test check lint types docs bench bench-executors bench-diagnosis bench-search proof \
    matrix replications chaos readme screenshots lesson lock audit clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: $(READY) ## Create .venv from the lock (again only when the lock or setup.py changes)

$(READY): requirements.lock setup.py
	@$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))" || \
	    { echo "Initlab needs Python 3.11 to 3.14; choose one by make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@PYTHONWARNINGS=ignore $(VENV)/bin/python -m compileall -qq -j 0 -x '/tests/' $(VENV)/lib || true # on all cores; what does not compile stays
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

sweep: setup ## Compare three starts: zeros, large random weights, He's scale
	$(RUN)/python -m src.train -m init=zeros,random,he

ui: setup ## Open the tracked runs in MLflow's UI, on this machine only
	$(RUN)/initlab ui --port $(PORT) --uri sqlite:///$(CURDIR)/mlruns/mlflow.db

test: setup ## Run the tests
	PYTHONDONTWRITEBYTECODE= $(RUN)/python -m pytest --numprocesses auto --dist loadfile

lint: setup
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .

types: setup
	$(RUN)/mypy

docs: setup ## Build the pages and the API reference into site/
	NO_MKDOCS_2_WARNING=true $(VENV)/bin/mkdocs build

check: lint types docs test ## Lint, types, docs and tests: what CI runs

bench: setup ## Measure the speed beside other ways to do the same; some minutes
	$(RUN)/python -m benchmarks

bench-executors: setup ## Train one sweep on Ray, SLURM and in processes, kill nodes, compare every bit; some minutes
	$(RUN)/python -m benchmarks.executors --page

bench-diagnosis: setup ## Measure whether the diagnosis is right, and its advice mends; some minutes
	$(RUN)/python -m benchmarks.diagnosis

proof: setup ## Measure whether the statistics hold what they say; some minutes
	$(RUN)/python -m benchmarks.proof

matrix: setup ## Test with other Pythons, other MLflows and the oldest packages allowed; forty minutes
	$(RUN)/python -m pip install --quiet uv
	$(RUN)/python -m tools.matrix

replications: setup ## Measure the papers on the shelf anew; within an hour on two cores
	$(RUN)/python -m tools.replications

chaos: setup ## Kill sweeps, take their stores away, and count what is lost; an hour or more
	$(RUN)/python -m benchmarks.chaos --page

bench-search: setup ## Measure what a search finds beside the whole grid; ten minutes
	$(RUN)/python -m benchmarks.search

readme: setup ## Make the README's pictures and table anew
	$(RUN)/python -m tools.readme

screenshots: setup ## Make the README's screenshots anew, in Chromium
	$(RUN)/python -m tools.screenshots

lesson: setup ## Run examples/lesson.ipynb and keep what it shows; about a minute
	$(RUN)/python -m tools.lesson

lock: setup ## Bring the lock up to pyproject.toml; `make lock UPGRADE=--upgrade` takes the newest of everything
	$(RUN)/python -m pip install --quiet uv
	$(RUN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    $(UPGRADE) --extra dev pyproject.toml --output-file requirements.lock

audit: setup ## Ask whether weaknesses of the locked packages are known; needs the advisories' service
	@$(RUN)/python -m tools.audit

clean: ## Remove the environment, caches and job folders; tracked runs in mlruns/ stay
	rm -rf $(VENV) outputs multirun build dist site .mypy_cache .pytest_cache .ruff_cache src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
