# The whole developer interface. `make` alone says what there is.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
STAMP := .venv/.installed

# The first Python that is new enough, oldest first: the pinned versions were tested with 3.11.
# Another one: make setup PYTHON=/path/to/python3
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$python" -c '$(NEW_ENOUGH)' 2>/dev/null && { echo "$$python"; break; }; done)

# One line for every twenty packages pip looks at, and of its complaints the errors only.
PROGRESS := awk '/^(Collecting|Processing) /{ if (++n % 20 == 0) { print "  " n " packages found"; fflush() } } \
	/^Installing collected packages/{ print "  installing all of them, which takes a minute or two"; fflush() }'

.PHONY: help
help: ## say what there is (default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## create .venv with the pinned versions; at once when nothing changed
	@:

.PHONY: demo
demo: setup ## simulated history to trained model to running service
	@$(BIN)/leadscore demo $(ARGS)

.PHONY: mlflow
mlflow: setup ## open MLflow's pages over what was trained here; another port: make mlflow ARGS="--port 5001"
	@$(BIN)/python -m training.registry.mlflow_ui $(ARGS)

.PHONY: test
test: setup ## every test that is not marked slow, on two cores
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -m "not slow" -n 2 --dist worksteal $(ARGS)

.PHONY: lint
lint: setup ## ruff, mypy --strict, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict
	@$(BIN)/lint-imports

.PHONY: bench
bench: setup ## measure and write docs/benchmarks.json; some of them: make bench ONLY="name name"
	@$(BIN)/python -m tests.bench $(ONLY)

.PHONY: spark
spark: setup ## add PySpark to .venv; Java 17 or newer comes from the system
	@$(BIN)/python -c 'import grpc, pyspark' 2>/dev/null || $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -q \
		-c constraints.txt -e '.[spark]'

.PHONY: bench-spark
bench-spark: spark ## scores by Spark beside DuckDB in one run, and what the shuffle costs
	@$(BIN)/python -m tests.bench.spark_vs_duckdb

.PHONY: bench-automl
bench-automl: setup ## the model beside AutoGluon on the same rows, five minutes for each of five histories
	@$(BIN)/python -m tests.bench.automl $(ONLY)

.PHONY: bench-faults
bench-faults: setup ## kill the storing process 1,000 times, the service 20 times, PostgreSQL 20 times; send 20,000 bodies; leave 100 answers unread; ten minutes of everything
	@$(BIN)/python -m tests.faults.storing 1000
	@$(BIN)/python -m tests.faults.serving 20
	@$(BIN)/python -m tests.faults.database_server 20
	@$(BIN)/python -m tests.faults.bodies 20000
	@$(BIN)/python -m tests.faults.unread 100
	@$(BIN)/python -m tests.faults.chaos 10 20

.PHONY: figures
figures: setup ## train on the demo and the real log, then write docs/results.md, the README's table and its picture
	@$(BIN)/python -m tests.bench.figures
	@$(BIN)/python -m tests.bench.sweep_picture

.PHONY: pages
pages: setup ## write docs/results.md, docs/settings.md and the README's table from what was measured last
	@$(BIN)/python -m tests.bench.pages

.PHONY: house
house: setup ## print the figures of the house: lengths, names, docstrings, circles, arrows
	@$(BIN)/python -m tests.house

.PHONY: notebooks
notebooks: setup ## train on a simulated company, run the notebooks and keep their outputs
	@$(BIN)/python -m tests.notebooks

$(STAMP): pyproject.toml client/pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { \
		echo "No Python 3.11 or newer was found. Install one, or name it: make setup PYTHON=/path/to/python3" >&2; exit 2; }
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' || { \
		echo "$(PYTHON) is not a Python 3.11 or newer. Name one that is: make setup PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "Setting up .venv with $$("$(PYTHON)" --version), about three minutes the first time"
	@"$(PYTHON)" -m venv .venv || { \
		echo "$(PYTHON) cannot create a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
		-c constraints.txt -e client -e '.[serving,training,dev]' \
		2> >(grep -v '^WARNING: ' >&2) | $(PROGRESS)
	@$(BIN)/python -c 'import lightgbm' 2>/dev/null || { \
		echo "LightGBM cannot be loaded, most likely for want of the OpenMP library. On Debian and Ubuntu: apt-get install libgomp1" >&2; exit 2; }
	@$(BIN)/python -c "import models.shapley, training.statistics.bootstrap_kernel; from data.files.csv_cells import compile_loops; \
		from features.sweep.kernel import compile_sweep; from features.sweep.version_sweep import compile_version_sweep; \
		compile_loops(); compile_sweep(); compile_version_sweep()" # compiles the kernels once, so that nothing waits
	@touch $@
	@echo "Done: .venv is ready"
