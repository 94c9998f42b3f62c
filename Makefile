# Two commands do everything on a fresh machine with Python, make and git:
#   make quickstart   pretrain, fine-tune with and without Q-Score, evaluate, and draw the report
#   make test         the checks of the code, then every test
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: quickstart test test-oldest lint docs benchmark faults fuzz clean

quickstart: $(VENV)/.runtime
	$(BIN)/python train.py -m experiment=quickstart lambda=0,10
	$(BIN)/python -m qscore.report runs/quickstart --out runs/quickstart/report

test: $(VENV)/.dev lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder \
		--cov --cov-report=term --cov-fail-under=90 --durations=25

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# site/index.html; a broken link, an unknown name or a page that is not in the menu is an error.
docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# With the oldest versions that pyproject.toml allows, in an environment of its own: 6 GB, half an hour on two cores.
# Warnings are no errors there, and shapes are not checked: old packages warn beside newer ones that they come with.
OLDEST_TESTS := tests/score tests/regularizer tests/methods tests/evaluation tests/report tests/study tests/encoders
test-oldest:
	test -d $(VENV)-oldest || $(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --quiet --constraint constraints/oldest.txt \
		--editable ".[study,tensorboard,parquet]" pytest pytest-timeout pytest-xdist beartype hypothesis httpx lightning
	OMP_NUM_THREADS=1 $(VENV)-oldest/bin/python -m pytest --numprocesses=auto --dist=loadfile -W default -m "not slow" \
		--override-ini addopts="--strict-markers -p no:cacheprovider" --ignore-glob="*test_browser.py" \
		--ignore=tests/encoders/test_targets.py $(OLDEST_TESTS)

# About half an hour on two cores; kornia is compared with where it is installed.
benchmark: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet kornia faiss-cpu
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.evaluation
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.study
	$(BIN)/python -m benchmarks.reverse_probing
	$(BIN)/python -m benchmarks.page

# 200 kills over all stages, four minutes on two idle cores; goes on where it was interrupted.
faults: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults --kills 200

# Half an hour of spoilt files and settings; exit status 1, and the files in runs/bad-input, for each find.
MINUTES ?= 30
SEED ?= 0
fuzz: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.bad_input --minutes $(MINUTES) --seed $(SEED)

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.runtime: pyproject.toml | $(VENV)/.created
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.created
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) $(VENV)-oldest runs site
