# Everything sets itself up: a virtual environment with the hashed lock, nothing outside this folder.
# `make demo` runs the loop, `make test` the tests, `make lint` the checks, `make bench` the benchmarks.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
UV     := $(BIN)/uv
# Celery and its Airflow provider stay out of what `make test` sees.
CELERY_VENV := .venv-celery
# Label Studio pins what Airflow cannot have.
LABEL_STUDIO_VENV := .venv-label-studio
ARGS   ?=
# What `make test` leaves to commands of their own; `make test-matrix` has the rest of it.
CRASH   := $(addprefix tests/faults/test_,crash_matrix.py deployment_killed.py fault_shares.py guard_killed.py killed.py label_studio_killed.py throttled.py)
MARKED  := tests/dags/test_marked.py
RUNNING := tests/running tests/demo/test_demo.py
# Four processes, each with its own Airflow and embedded AWS: more than two cores have, since many tests wait.
PYTEST := $(BIN)/python -m pytest -n 4 --dist loadgroup

# The tree is the import root, as AIRFLOW_HOME is in the Astro Runtime image.
export PYTHONPATH := $(CURDIR):$(CURDIR)/plugins
# Byte code on: Airflow starts three times faster with it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test pytest test-fast test-crash test-marked test-running test-matrix crash-points test-celery test-platforms mwaa airflow-settings label-studio lint bench docs screenshots lock clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: $(STAMP) ## make the virtual environment

$(STAMP): requirements.lock Makefile
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11, 3.12 or 3.13 is needed, this is {v[0]}.{v[1]}. Name one with: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@echo "Installing the locked packages into $(VENV) (once, about a minute) ..."
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	@touch $@

# Label Studio is installed only where people are to answer there.
demo: $(STAMP) $(if $(findstring label_studio,$(ARGS)),$(LABEL_STUDIO_VENV)/.installed) ## run the whole loop on this machine, no AWS account (ARGS=--headless ends by itself)
	@exec $(BIN)/python -m include.demo $(ARGS)

test: $(STAMP) ## lint and all tests, at the same time
	@$(MAKE) --no-print-directory -j 2 lint pytest

pytest: $(STAMP) $(LABEL_STUDIO_VENV)/.installed
	$(PYTEST) $(ARGS)

test-celery: $(CELERY_VENV)/.installed ## the loop on Celery, Postgres and Redis while its parts are killed
	$(CELERY_VENV)/bin/python -m pytest -m celery tests/distributed $(ARGS)

$(CELERY_VENV)/.installed: requirements-celery.lock $(STAMP)
	@test -x $(CELERY_VENV)/bin/python || $(BIN)/python -m venv --without-pip $(CELERY_VENV)
	@echo "Installing the locked packages into $(CELERY_VENV) (once, about a minute) ..."
	@$(UV) pip install --quiet --python $(CELERY_VENV)/bin/python --require-hashes --compile-bytecode -r requirements-celery.lock
	@touch $@

label-studio: $(LABEL_STUDIO_VENV)/.installed ## run a Label Studio of this machine, for reviews (ARGS="--port 8081 --folder FOLDER")
	@exec $(BIN)/python -m include.label_studio $(ARGS)

$(LABEL_STUDIO_VENV)/.installed: requirements-label-studio.lock $(STAMP)
	@test -x $(LABEL_STUDIO_VENV)/bin/python || $(BIN)/python -m venv --without-pip $(LABEL_STUDIO_VENV)
	@echo "Installing the locked packages into $(LABEL_STUDIO_VENV) (once, about a minute) ..."
	@$(UV) pip install --quiet --python $(LABEL_STUDIO_VENV)/bin/python --require-hashes --compile-bytecode -r requirements-label-studio.lock
	@touch $@

mwaa: $(STAMP) ## what Amazon MWAA takes, in build/mwaa, and the commands for it (ARGS="--bucket NAME --environment NAME")
	@$(BIN)/python -m include.deployments mwaa $(ARGS)

airflow-settings: $(STAMP) ## pools, connections and Variables for any Airflow, in build/airflow, and the commands for them
	@$(BIN)/python -m include.deployments airflow-settings $(ARGS)

test-platforms: $(STAMP) ## the loop on Airflow 3.2, 3.3 and 3.4, with Amazon MWAA's own versions (ARGS=mwaa-3.3.1 for one; half an hour for all)
	$(BIN)/python -m tests.platforms $(ARGS)

test-crash: $(STAMP) ## kill runs before and after every call to AWS, throttle every operation (half an hour)
	$(PYTEST) -m 'not celery' $(CRASH) $(ARGS)

test-marked: $(STAMP) ## mark every task of the DAGs that pay, start and stop as success, failed and skipped (an hour)
	$(PYTEST) -m 'not celery' $(MARKED) $(ARGS)

test-running: $(STAMP) ## a real Airflow: the whole demo, events, changed settings, a person, a backfill (a quarter of an hour)
	$(BIN)/python -m pytest -m 'not celery' $(RUNNING) $(ARGS)

test-matrix: $(STAMP) ## the other long tests that make test leaves out: full rounds of the loop, benchmarks (a quarter of an hour)
	$(PYTEST) -m 'matrix' $(addprefix --ignore=,$(CRASH) $(MARKED) $(RUNNING)) $(ARGS)

crash-points: $(STAMP) ## write anew what test-crash knows of the DAGs' calls, after the DAGs have changed
	CUSTOM_LABELS_WRITE_CRASH_POINTS=1 $(PYTEST) -m 'not celery' tests/faults/test_crash_matrix.py -k leaves_no_call_out $(ARGS)

test-fast: $(STAMP) ## the tests without those marked slow
	$(PYTEST) -m 'not slow' $(ARGS)

lint: $(STAMP) ## ruff, mypy --strict, the import rules and the CloudFormation templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/cfn-lint include/infra/*.yaml include/predict_api/predict-api.yaml

bench: $(STAMP) ## the benchmarks against their baselines (ARGS="--json FILE")
	$(BIN)/python -m tests.benchmarks $(ARGS)

docs: $(STAMP) ## write the parts of docs/ that are made from the code
	@AIRFLOW_HOME=$(CURDIR)/.demo/docs $(BIN)/python -m include.docs

screenshots: $(STAMP) ## play the demo and take the pictures of the README of it
	$(BIN)/python -m tests.browser.screenshots

lock: $(STAMP) ## resolve the locks anew (ARGS=--upgrade for newer versions)
	$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --group dev requirements.txt \
	  -o requirements.lock --custom-compile-command "make lock" $(ARGS)
	$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --group dev --group celery requirements.txt \
	  --constraints requirements.lock -o requirements-celery.lock --custom-compile-command "make lock" $(ARGS)
	$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --group label-studio \
	  -o requirements-label-studio.lock --custom-compile-command "make lock" $(ARGS)

clean: ## remove what the commands above made
	rm -rf $(VENV) $(CELERY_VENV) $(LABEL_STUDIO_VENV) .venv-platforms .demo build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
