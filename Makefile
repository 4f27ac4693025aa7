# The same commands for a person and for CI. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup fit test check lock docs wheel clean moved coverage structure same speed

PYTHON_RUN = .venv/bin/python
STAMP = .venv/.installed
# For example: make test OPTIONS="-k split -x", make lock OPTIONS=--upgrade
OPTIONS =
# The files of tests are divided among processes; most of a test's work is that of one thread.
TESTS = $(PYTHON_RUN) -m pytest -n auto --maxprocesses 4 --dist loadfile

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@echo "The environment is .venv, made when first needed; name its Python (3.11, 3.12 or 3.13) with PYTHON=..."

fit: $(STAMP) ## train on the Adult data with configs/adult.yaml
	@.venv/bin/bptrain fit configs/adult.yaml $(OPTIONS)

test: $(STAMP) ## run all tests and show the 10 slowest
	@$(TESTS) $(OPTIONS)

check: $(STAMP) ## format, lint, types and the fast tests
	$(PYTHON_RUN) -m ruff format --check .
	$(PYTHON_RUN) -m ruff check .
	$(PYTHON_RUN) -m mypy
	$(TESTS) -m "not slow" $(OPTIONS)

coverage: $(STAMP) ## lines of bptrain/ that make test runs, subprocesses included; exit 2 below 95 %
	@rm -rf .proof/coverage && mkdir -p .proof/coverage
	@$(PYTHON_RUN) -m coverage run -m $(subst $(PYTHON_RUN) -m ,,$(TESTS)) $(OPTIONS) || echo "tests failed" >&2
	@$(PYTHON_RUN) -m coverage combine --quiet
	@$(PYTHON_RUN) -m coverage report --fail-under=95

structure: $(STAMP) ## size of the package and length of ways through it, before the restructuring and now
	@$(PYTHON_RUN) tools/structure.py

same: $(STAMP) ## 12 configs with the code before the restructuring and with this one: equal bit for bit (12 minutes)
	@$(PYTHON_RUN) tools/same.py $(OPTIONS)

speed: $(STAMP) ## training and a whole fit with the code before the restructuring and with this one, in turn (20 minutes)
	@$(PYTHON_RUN) tools/speed.py $(OPTIONS)

setup: $(STAMP) ## make or refresh the environment .venv

# A virtual environment does not survive a move: the stamp holds the folder it was made for.
ifneq ($(shell cat .venv/.installed 2>/dev/null),$(shell pwd -P))
MOVED = moved
endif
$(STAMP): requirements.lock pyproject.toml tools/environment.sh $(MOVED)
	@sh tools/environment.sh

lock: $(STAMP) ## write requirements.lock anew from pyproject.toml
	@$(PYTHON_RUN) -m uv --version >/dev/null 2>&1 || $(PYTHON_RUN) -m pip install --quiet uv
	$(PYTHON_RUN) -m uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	    --fork-strategy fewest --extra dev --no-annotate --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" $(OPTIONS) --output-file requirements.lock pyproject.toml

docs: $(STAMP) ## write the reference in docs/ anew from the code
	$(PYTHON_RUN) tools/reference.py

wheel: $(STAMP) ## build the wheel into dist/
	$(PYTHON_RUN) -m build --wheel --no-isolation --outdir dist .

clean: ## remove what building and testing left behind (not .venv, not runs/)
	rm -rf build dist .proof/coverage *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# Proofs of what the README promises: one target `proof-NAME: $(STAMP) ## ...` each, below this line.

proof-california: $(STAMP) ## California housing, three seeds: mean test RMSE at most 0.50
	$(PYTHON_RUN) benchmarks/california.py

proof-init: $(STAMP) ## init, then fit unedited, on every shipped table: kinds right, better than trivial
	$(PYTHON_RUN) benchmarks/init_proof.py

proof-wheel: $(STAMP) ## the wheel in a clean environment, a read-only folder, with a hostile keras.json
	@sh benchmarks/wheel_proof.sh

proof-predict: $(STAMP) ## predict 2 million rows: bounded memory, equal for all chunk sizes and to evaluate
	$(PYTHON_RUN) benchmarks/predict_proof.py

proof-stream: $(STAMP) ## fit 2 and 20 million rows: memory and speed, resident and streamed (15 minutes)
	$(PYTHON_RUN) benchmarks/stream_proof.py $(ROWS)

proof-jax: $(STAMP) ## Adult and California with TensorFlow and with JAX, three seeds each
	$(PYTHON_RUN) benchmarks/jax_proof.py

proof-repeat: $(STAMP) ## 50 fits in fresh processes under all that may not matter: one set of digests
	$(PYTHON_RUN) benchmarks/proofs.py repeat $(HOW_MANY)

proof-cores: $(STAMP) ## every optimizer x schedule on one core and on two, in memory and streamed; JAX
	$(PYTHON_RUN) benchmarks/proofs.py cores $(HOW_MANY)

proof-kill: $(STAMP) ## 200 runs killed at random moments and inside writes, resumed to the same digests
	$(PYTHON_RUN) benchmarks/proofs.py kill $(HOW_MANY)

proof-presets: $(STAMP) ## every preset: 10 fits with one digest, 50 kills and resumes to the same
	$(PYTHON_RUN) benchmarks/proofs.py presets $(HOW_MANY)

bench-quality: $(STAMP) ## presets beside boosting and others on six tables (needs PEERS=python with lightgbm, xgboost, catboost)
	$(PYTHON_RUN) benchmarks/quality.py --peers $(or $(PEERS),$(PYTHON_RUN)) $(OPTIONS)

bench-published: $(STAMP) ## presets on the split of California that papers use
	$(PYTHON_RUN) benchmarks/quality.py --published $(OPTIONS)

bench-predict: $(STAMP) ## 100 000 rows of Adult predicted by the default, and by CatBoost (needs PEERS=python with it)
	$(PYTHON_RUN) benchmarks/predicting.py $(if $(PEERS),--peers $(PEERS)) $(OPTIONS)

bench-made: $(STAMP) ## the default on made tables: few rows, many columns or levels, missing cells, rare labels (10 minutes)
	$(PYTHON_RUN) benchmarks/made.py

bench-minutes: $(STAMP) ## a minute of training on 500 000 rows, the default beside mlp (7 minutes)
	$(PYTHON_RUN) benchmarks/minutes.py

bench-ablate: $(STAMP) ## what each part of the default network gives, on training rows alone
	$(PYTHON_RUN) benchmarks/ablate.py $(OPTIONS)

proof-signals: $(STAMP) ## 50 signals at random moments: exit code, time, exact resume
	$(PYTHON_RUN) benchmarks/proofs.py signals $(HOW_MANY)

proof-starts: $(STAMP) ## 20 simultaneous starts of one run: one makes it, 19 exit 8
	$(PYTHON_RUN) benchmarks/proofs.py starts $(HOW_MANY)

proof-tamper: $(STAMP) ## 1000 changes of a run directory, each noticed before use
	$(PYTHON_RUN) benchmarks/proofs.py tamper $(HOW_MANY)

proof-causes: $(STAMP) ## 20 planted changes, each named by reproduce
	$(PYTHON_RUN) benchmarks/proofs.py causes $(HOW_MANY)

proof-cost: $(STAMP) ## what checkpoints cost on Adult and California
	$(PYTHON_RUN) benchmarks/proofs.py cost $(HOW_MANY)

proof-folds: $(STAMP) ## 20 simulated tables: cross-validation's interval covers the held-out score
	$(PYTHON_RUN) benchmarks/folds_proof.py

proof-gradients: $(STAMP) ## backpropagation against central differences: every network x kind x loss x penalty
	$(PYTHON_RUN) benchmarks/gradients_proof.py $(EVERY)

bench-engine: $(STAMP) ## samples per second beside Keras, scikit-learn, PyTorch, JAX and loops written by hand
	$(PYTHON_RUN) benchmarks/engine.py $(ROUNDS)

bench-wall: $(STAMP) ## process start to process end: fit beside plain Keras scripts, and a 344-row table
	$(PYTHON_RUN) benchmarks/wall.py $(ROUNDS)

bench-startup: $(STAMP) ## start of --help and check: at most 3 and 1.6 times what they must import
	$(PYTHON_RUN) benchmarks/startup.py
