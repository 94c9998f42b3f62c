# Two commands do everything on a fresh machine with Python, make and git:
#   make quickstart   pretrain, fine-tune with and without Q-Score, evaluate, and draw the report
#   make test         the checks of the code, then every test
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: quickstart test lint benchmark fuzz clean

quickstart: $(VENV)/.runtime
	$(BIN)/python train.py -m experiment=quickstart lambda=0,10
	$(BIN)/python -m qscore.report runs/quickstart --out runs/quickstart/report

test: $(VENV)/.dev lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --dist=loadfile \
		--cov --cov-report=term --cov-fail-under=90 --durations=25

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# About half an hour on two cores; kornia is compared with where it is installed.
benchmark: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet kornia faiss-cpu
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.evaluation
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.study
	$(BIN)/python -m benchmarks.reverse_probing
	$(BIN)/python -m benchmarks.page

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
	rm -rf $(VENV) runs
