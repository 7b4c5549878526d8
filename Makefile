# make demo   spectrograms of the recordings in docs/audio, into demo-output/
# make demo-batch   jobs that are killed and go on, here and on Dask workers, and what they leave
# make test   linters, types, import contracts and the tests; those that take the longest are left to `make test-slow`
# make docs   the documentation as a site, into site/
# make test-gpu, make bench-gpu   the tests and the benchmark where there is a GPU; PYTHON=python3 make test-gpu takes
#                                 the libraries that are there and installs nothing
# All set-up happens inside this folder, in virtual environments that git ignores.

PYTHON ?= python3
BIN := .venv/bin
RECORDINGS := docs/audio
PYTEST := -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal --timeout 600
# What versions have no part in: machine code for GPUs, and the pages.
ELSEWHERE := $(PYTEST) -m "not slow" --ignore=tests/test_kernels_gpu.py --ignore=tests/test_docs.py

# A Python that is given has what it needs.
ifeq ($(origin PYTHON),file)
GPU_PYTHON := $(BIN)/python
GPU_READY := .venv/dev.ready
else
GPU_PYTHON := $(PYTHON)
endif
# Without CuPy's pool, so that each array is an allocation whose ends are watched.
WATCHED := -c 'import sys, cupy, pytest; cupy.cuda.set_allocator(None); sys.exit(pytest.main(sys.argv[1:]))'

.PHONY: demo demo-batch test test-slow test-gpu fuzz coverage mutants lock audit lint bench bench-gpu figure docs pages experiments test-oldest test-pythons clean

demo: .venv/demo.ready
	@for name in stft logmel gammatone cqt vqt chroma mfcc lfcc cfp; do \
	  $(BIN)/arrayaudio extract $(RECORDINGS) -o demo-output/$$name --transform $$name --plot || exit 1; \
	done
	@for clip in speech guitar piano; do \
	  $(BIN)/arrayaudio plot $(RECORDINGS)/$$clip.flac -o demo-output/$$clip-overview.png || exit 1; \
	done
	@$(BIN)/arrayaudio explore $(RECORDINGS)/piano.flac -o demo-output/piano.html
	@echo
	@echo "Look at   demo-output/*-overview.png   each clip as STFT, mel, gammatone, CQT and MFCC"
	@echo "          demo-output/piano.html       in a browser: hear the piano, and see it in all transforms"
	@echo "          demo-output/cqt/, ...        features and pictures of all clips, a folder for each transform"
	@echo "Go on     $(BIN)/arrayaudio extract YOUR_FOLDER -o features --transform mfcc"
	@echo "          $(BIN)/arrayaudio extract --help"

# Jobs over a thousand clips that are killed and go on, beside one that nobody disturbs.
demo-batch: .venv/batch.ready
	$(BIN)/python -m docs.demo_batch

test: lint
	$(BIN)/python $(PYTEST) -m "not slow"
	$(BIN)/python $(PYTEST) -m "not slow" --stand-in

# Jobs that are killed, models that are trained, pictures in every size, other libraries beside ours.
test-slow: .venv/dev.ready
	$(BIN)/python $(PYTEST) -m slow

# What reads text and files of anyone, SECONDS for each of five targets; SEED=0 looks elsewhere each time.
SECONDS ?= 15
SEED ?= 0
fuzz: .venv/dev.ready
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	@for target in settings params features manifest arguments; do \
	  $(BIN)/python -m tests.fuzz $$target --seconds $(SECONDS) --seed $(SEED) || exit 1; \
	done

# Branches of the package that all tests together reach, in other processes too; kernels are compiled anew, as some of
# what is counted runs when they are.
coverage: export COVERAGE_FILE = $(CURDIR)/.coverage
coverage: export NUMBA_CACHE_DIR = $(CURDIR)/.coverage-numba
coverage: .venv/dev.ready
	$(BIN)/python -m pip install --quiet --editable '.[coverage]'
	rm -rf .coverage .coverage.* .coverage-numba
	$(BIN)/coverage run $(PYTEST) -m "not slow"
	$(BIN)/coverage run $(PYTEST) -m "not slow" --stand-in
	$(BIN)/coverage run $(PYTEST) -m slow
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --fail-under 97

# Small changes of stages and tape, and whether a test notices each. cosmic-ray changes files in place: a copy of them.
mutants: .venv/dev.ready
	$(BIN)/python -m pip install --quiet --editable '.[mutants]'
	$(BIN)/mutmut run
	rm -rf mutants/tables* && mkdir mutants/tables && cp -r arrayaudio tests pyproject.toml mutants/tables
	cd mutants/tables && export PATH="$(CURDIR)/$(BIN):$$PATH" && cosmic-ray init tests/tables.toml ../tables.sqlite && \
	  cr-filter-operators ../tables.sqlite tests/tables.toml && cosmic-ray exec tests/tables.toml ../tables.sqlite
	$(BIN)/python -m docs.mutants

# The versions that .ci/run installs for the first half of its tests, all newest ones; and whether flaws of theirs are known.
lock: .venv-lock/bin/python
	.venv-lock/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable '.[dev,bench,fuzz]'
	.venv-lock/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' > .ci/lock.txt

audit: .venv/dev.ready
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --requirement .ci/lock.txt --no-deps --disable-pip

lint: .venv/dev.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev.ready
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python -m bench.cpu
	$(BIN)/python -m bench.training
	$(BIN)/python -m bench.torch_layers
	$(BIN)/python -m bench.scaling
	$(BIN)/python -m bench.batch
	$(BIN)/python -m bench.corpus

# All tests, on the GPU too; then those of the kernels again, watched for wild addresses and races.
test-gpu: $(GPU_READY)
	$(GPU_PYTHON) -m pytest
	@if command -v compute-sanitizer > /dev/null; then \
	  for tool in memcheck racecheck; do \
	    compute-sanitizer --tool $$tool --error-exitcode 1 \
	      $(GPU_PYTHON) $(WATCHED) -q -k "not compile" tests/test_kernels_gpu*.py || exit 1; \
	  done; \
	else echo "compute-sanitizer is not on PATH: kernels were not watched"; fi

bench-gpu: $(GPU_READY)
	$(GPU_PYTHON) -m bench.gpu

# Draws what `make bench` measured.
figure: .venv/dev.ready
	$(BIN)/python -m bench.figure

# The site, into site/: open site/index.html.
docs: .venv/dev.ready
	$(BIN)/sphinx-build --fail-on-warning --keep-going --jobs auto --quiet docs site

# Measures, and writes, the pages and tables that are made of numbers.
pages: .venv/dev.ready
	$(BIN)/python -m docs.pictures
	$(BIN)/python -m docs.accuracy
	$(BIN)/python -m docs.gradients
	$(BIN)/python -m docs.parity
	$(BIN)/python -m docs.numerics
	$(BIN)/python -m docs.capabilities
	$(BIN)/python -m docs.house
	$(BIN)/python -m docs.evidence
	$(BIN)/python -m docs.recovery
	$(BIN)/python -m docs.machine_code
	$(BIN)/python -m docs.tables

# Trains the spectrograms of docs/experiments.md, which takes minutes.
experiments: .venv/dev.ready
	$(BIN)/python -m docs.experiments

# The tests with the oldest versions that pyproject.toml allows.
test-oldest: .venv-oldest/dev.ready
	.venv-oldest/bin/python $(ELSEWHERE)

# The tests on the other Pythons that this machine has.
test-pythons:
	@for version in 3.12 3.13; do \
	  if python$$version -c '' 2>/dev/null; then \
	    $(MAKE) .venv-$$version/dev.ready PYTHON=python$$version && .venv-$$version/bin/python $(ELSEWHERE) || exit 1; \
	  else echo "python$$version is not here: not tested"; fi; \
	done

.venv/bin/python .venv-3.12/bin/python .venv-3.13/bin/python .venv-oldest/bin/python .venv-lock/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(@D:/bin=)

.venv/demo.ready: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[io,plot,cli]'
	touch $@

.venv/batch.ready: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[io,plot,cli,dask]'
	touch $@

%/dev.ready: pyproject.toml | %/bin/python
	$*/bin/python -m pip install --quiet --editable '.[dev]'
	touch $@

.venv-oldest/bin/python: PYTHON = python3.11
.venv-oldest/dev.ready: pyproject.toml | .venv-oldest/bin/python
	.venv-oldest/bin/python -m pip install --quiet --editable '.[dev]' 'numpy==2.0.*' 'scipy==1.13.*' 'numba==0.60.*'
	touch $@

clean:
	rm -rf .venv .venv-* demo-output site docs/api/generated
