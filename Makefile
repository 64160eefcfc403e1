# Everything that is needed is installed into .venv (and .meltano, .cache) of this checkout.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
.DEFAULT_GOAL := help
export UV_NO_CONFIG := 1

.PHONY: help demo test lint dist plugins bench constraints bench-constraints clean

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

demo: $(INSTALLED) ## Run Meltano on the embedded sandbox: tap-ory into target-jsonl
	@$(BIN)/python -m ory_sandbox.demo

test: $(INSTALLED) ## Lint, check types and run all tests, two at a time
	$(MAKE) lint
	$(BIN)/python -m pytest --numprocesses 2

lint: $(INSTALLED) ## Check style, types, who imports whom, and the files for Meltano and GitHub
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/check-jsonschema --builtin-schema vendor.meltano meltano.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	$(BIN)/zizmor --quiet --offline --persona pedantic .github

dist: $(INSTALLED) ## Build wheel and sdist into dist/
	$(BIN)/python -m hatchling build --directory dist

plugins: $(INSTALLED) ## Tell Meltano of the settings: hub/*.yml and meltano.yml
	$(BIN)/python -m hub

site: $(INSTALLED) ## Build the docs as a site, into .cache/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(INSTALLED) ## Measure the figures of docs/speed.md and draw its plot
	$(BIN)/python -m benchmarks --plot docs/speed.svg

constraints: $(INSTALLED) ## Pin all dependencies again, with hashes
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes --all-extras --group dev \
		pyproject.toml --output-file constraints.txt --custom-compile-command "make constraints"
	cd tests/real && ../../$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes \
		arrow.in --output-file arrow.txt --custom-compile-command "make constraints"
	cd tests/real && ../../$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		spark.in --output-file spark.txt --custom-compile-command "make constraints"

bench-constraints: $(INSTALLED) ## Pin what the benchmarks and Airbyte's own tests install beside .venv
	cd benchmarks && for peer in airbyte dlt jsonl; do ../$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 \
		--generate-hashes $$peer.in --output-file $$peer.txt --custom-compile-command "make bench-constraints" || exit 1; done

clean: ## Remove what make has installed and written
	rm -rf .venv .meltano .cache dist output .pytest_cache .mypy_cache .ruff_cache .hypothesis

# uv is itself installed by hash, from its own lines of constraints.txt.
$(INSTALLED): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "The venv module is missing: install python3-venv"; exit 1; }
	@awk '/^uv==/ { own = 1; print; next } /^[^ ]/ { own = 0 } own' constraints.txt > .venv/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r constraints.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
