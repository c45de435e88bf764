# Needs JDK 17, Maven (or sbt), cargo, Python 3.11 and make. Everything else is fetched.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help jar release-jar cli demo pages test test-build test-rust test-nginx test-network test-instructions test-scala test-e2e chaos lint deny notices fmt lock bench bench-rate bench-transport bench-latency bench-parts bench-append soak clean

VENV := .venv
PY := $(VENV)/bin/python
SBT := build/sbt
PYTHON_SOURCES := demo python tests
# Always the whole workspace, whatever is wanted of it: a dependency has the features that all packages asked for want together, and is
# built anew for other ones. NativePlugin.scala asks for the same.
ALL_CRATES := --release --locked --workspace --exclude apisink-example-middleware --lib
CARGO_RELEASE := cargo build $(ALL_CRATES)

help: ## what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'

jar: ## dist/apisink.jar with the native library, Delta's jars in dist/delta, and dist/apisink
	$(CARGO_RELEASE) --bin apisink --bin apisink-origin
	@mkdir -p dist && cp target/release/apisink dist/apisink
	$(SBT) assembly deltaJars
	@ls -l dist/apisink.jar dist/delta

# The oldest glibc that the library of the release jar runs with: that of CentOS 7 and Amazon Linux 2 (2.26) and all since.
OLDEST_GLIBC := 2.17
TARGET := $(shell uname -m)-unknown-linux-gnu

release-jar: $(VENV)/ready $(VENV)/release ## dist/apisink.jar whose native library runs on old Linuxes, too
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo zigbuild $(ALL_CRATES) --target $(TARGET).$(OLDEST_GLIBC)
	APISINK_NATIVE_LIBRARY=$(CURDIR)/target/$(TARGET)/release/libapisink.so $(SBT) assembly deltaJars
	APISINK_OLDEST_GLIBC=$(OLDEST_GLIBC) $(PY) -m pytest -q tests/dist
	@ls -l dist/apisink.jar

cli: ## dist/apisink, the command line that needs no Spark
	$(CARGO_RELEASE) --bin apisink
	@mkdir -p dist && cp target/release/apisink dist/apisink

demo: jar $(VENV)/ready ## the main job on a local Spark, against an API server that misbehaves
	@$(PY) demo/run.py

pages: jar $(VENV)/ready ## docs/images: Spark's SQL page after the demo's job; wants a Chromium
	@$(PY) demo/pages.py

test: test-rust test-nginx test-network test-build test-scala test-e2e test-instructions ## all tests

test-build: ## what the tests below want of cargo, side by side
	$(CARGO_RELEASE) --bin apisink --bin apisink-origin --bin apisink-count

test-rust: ## unit and integration tests of the Rust crates
	cargo test --workspace --locked --no-fail-fast

test-nginx: ## the transport behind a real nginx; left out where there is none on PATH (Debian: nginx-light)
	@if command -v nginx > /dev/null; then \
	  cargo test --workspace --locked --test transport nginx -- --ignored; \
	else \
	  echo "SKIPPED: there is no nginx on PATH; Debian has it as nginx-light"; \
	fi

test-network: ## the transport over a link that fails; left out where network namespaces may not be made
	@if unshare --map-root-user --net sh -c 'ip link add name here0 type veth peer name there0 && tc qdisc add dev here0 root tbf rate 1mbit burst 4k latency 1s' 2> /dev/null; then \
	  cargo test --workspace --locked --test transport --no-run && \
	  unshare --map-root-user --net sh -c 'ip link set lo up && cargo test --workspace --locked --offline --test transport namespace -- --ignored'; \
	else \
	  echo "SKIPPED: network namespaces cannot be made here, or ip and tc (Debian: iproute2) are missing"; \
	fi

test-instructions: $(VENV)/ready ## instructions of a request beside a bare hyper loop's, within a bound; left out without valgrind
	@if command -v valgrind > /dev/null; then \
	  $(CARGO_RELEASE) --bin apisink-count --bin apisink-origin && \
	  $(PY) tests/bench/instructions.py; \
	else \
	  echo "SKIPPED: there is no valgrind on PATH"; \
	fi

test-scala: ## the Scala suites, on one local Spark
	$(SBT) test

test-e2e: jar $(VENV)/spark.jsa ## the jar on real clusters, from Python
	$(PY) -m pytest -q tests/docs tests/dist tests/e2e tests/chaos

chaos: jar $(VENV)/ready ## processes killed and frozen, disks full, files cut, at random points; ROUNDS=7 SEED=1 for a look
	$(PY) tests/chaos/chaos.py $(if $(ROUNDS),--rounds $(ROUNDS),--write docs/chaos.md) $(if $(SEED),--seed $(SEED))

soak: $(VENV)/bench ## tests that take their time, and the transport under mixed faults for half an hour; SOAK_SECONDS=60 for a look
	cargo test --release --locked --package apisink-runtime --test behaviour -- --ignored --nocapture
	$(PY) tests/bench/soak.py $(if $(SOAK_SECONDS),--seconds $(SOAK_SECONDS),--write docs/soak.md)

lint: $(VENV)/ready ## formatting and linters of all languages
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(SBT) scalafmtCheckAll scalafmtSbtCheck
	$(VENV)/bin/ruff check $(PYTHON_SOURCES)
	$(VENV)/bin/ruff format --check $(PYTHON_SOURCES)
	cd tests && ../$(VENV)/bin/mypy e2e && ../$(VENV)/bin/mypy chaos && ../$(VENV)/bin/mypy ../demo && ../$(VENV)/bin/mypy bench && ../$(VENV)/bin/mypy docs && ../$(VENV)/bin/mypy dist && ../$(VENV)/bin/mypy ../python/src

deny: ## licences, known holes and banned crates of the Rust side; needs cargo-deny and the network
	cargo deny --locked check

notices: ## THIRD-PARTY: whose works the Rust side holds, and their licences; needs cargo-about and the network
	cargo about generate --locked --workspace --config build/release/about.toml --output-file THIRD-PARTY build/release/third-party.hbs

fmt: $(VENV)/ready ## formats everything
	cargo fmt --all
	$(SBT) scalafmtAll scalafmtSbt
	$(VENV)/bin/ruff check --fix $(PYTHON_SOURCES)
	$(VENV)/bin/ruff format $(PYTHON_SOURCES)

bench: jar $(VENV)/bench ## apisink beside a bare hyper loop and an aiohttp job; ARGS="--rounds 1" for a look
	$(CARGO_RELEASE) --bin apisink-bare-loop --bin apisink-latency --bin apisink-origin
	$(PY) tests/bench/bench.py $(or $(ARGS),--write docs/performance.md)

bench-rate: jar $(VENV)/ready ## how much of a rate limit a standalone cluster uses, into docs/rate.md
	$(CARGO_RELEASE) --bin apisink-origin
	$(PY) tests/bench/rate_bench.py $(or $(ARGS),--write docs/rate.md)

bench-transport: ## CPU time of the transport beside that of a bare hyper loop, for each request, in turns
	cargo bench --locked --package apisink-bench --bench transport

bench-latency: ## time of a request at a fixed rate, over the transport beside over a bare hyper loop, in turns
	$(CARGO_RELEASE) --bin apisink-latency
	target/release/apisink-latency $(ARGS)

bench-parts: ## time of a row in each part: batches, boundary, journal, append, and by criterion the chain
	$(SBT) "connector/Test/runMain io.apisink.bench.PartsBench"
	cargo bench --locked --package apisink-bench --bench chain

bench-append: jar $(VENV)/bench ## what Spark alone takes to write the rows that jobs of the benchmark leave
	$(CARGO_RELEASE) --bin apisink-origin
	$(PY) tests/bench/append_bench.py

lock: ## writes the lock files of the Python environments
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet pip-tools
	cd tests && ../$(VENV)/bin/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links requirements.in
	cd tests/bench && ../../$(VENV)/bin/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links requirements.in
	cd build/release && ../../$(VENV)/bin/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links requirements.in

$(VENV)/ready: tests/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
	@touch $@

$(VENV)/spark.jsa: $(VENV)/ready tests/e2e/class_archive.py | jar
	$(PY) tests/e2e/class_archive.py $@

$(VENV)/bench: $(VENV)/ready tests/bench/requirements.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement tests/bench/requirements.txt
	@touch $@

$(VENV)/release: $(VENV)/ready build/release/requirements.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement build/release/requirements.txt
	@touch $@

clean: ## removes what was built, but no caches outside of the checkout
	rm -rf target dist demo-output $(VENV) project/target project/project scala/target
