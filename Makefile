# make setup   the environment: .venv with what constraints.txt pins, and this package
# make demo    a camera stream over a narrow link, end to end, on this machine; results in out/demo
#              INPUT=video.mp4 | folder | bag | 0 | synthetic:7   LINK=500kbit,40ms,2% | trace.up
#              SECONDS=20  OUT=out/demo  ARGS="any other option of sc2 demo"
# make test    the whole suite, on two cores; WORKERS=4 on four, WORKERS=0 in one process
# make check   ruff, mypy, and that imports run downwards
# make figures measures what the README claims again, and says which sentence no longer holds

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
STAMP := $(VENV)/.ready

OUT ?= out/demo
WORKERS ?= 2
# SECONDS is also a variable of bash; only one given to make counts.
DEMO_SECONDS := $(if $(filter command line,$(origin SECONDS)),$(SECONDS),20)

# A word of the shell, whatever is in it.
quoted = '$(subst ','\'',$(1))'

.PHONY: setup demo test check figures clean
.DEFAULT_GOAL := setup

setup: $(STAMP)

$(STAMP): setup.py setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "error: $(PYTHON) is missing or older than 3.10; name another one: make setup PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "error: $(PYTHON) cannot make a virtual environment; install it: sudo apt install python3-venv" >&2; exit 1; }
	$(PIP) install -q -c constraints.txt -e '.[dev]'
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || \
	  $(PIP) install -q --no-deps -c constraints.txt compressai || \
	  { echo "error: compressai could not be compiled for this Python; sudo apt install g++ python3-dev, or take an older one: rm -r $(VENV); make setup PYTHON=python3.12" >&2; exit 1; }
	@touch $@

demo: $(STAMP)
	$(BIN)/sc2 demo $(if $(INPUT),--input $(call quoted,$(INPUT))) $(if $(LINK),--link $(call quoted,$(LINK))) \
	  --seconds $(DEMO_SECONDS) --out $(call quoted,$(OUT)) $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) --max-worker-restart=0 $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

figures: $(STAMP)
	$(BIN)/python benchmarks/figures.py $(ARGS)

clean:
	rm -rf out build *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
