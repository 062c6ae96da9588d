# The commands a person needs. `make` alone lists them.
BUILD  := build/release
JOBS   ?= $(shell nproc)
PREFIX ?= /usr/local

.PHONY: help
help:
	@echo 'make run        install the Debian packages needed, build, start a broker on localhost:9092 with data in ./data'
	@echo 'make test       build and run every test this machine can run, with one shard and with four'
	@echo 'make build      build the release binary; bin/ works with it'
	@echo 'make bench      the full benchmarks (most of an hour; small ones are part of make test)'
	@echo 'make sim        simulated scenarios: SEEDS=n, SCENARIO=x, SEED=s'
	@echo 'make mutants    plant bugs, one after the other, and see that the scenarios catch each'
	@echo 'make lint       the repository lint alone'
	@echo 'make sanitize   unit tests, scenarios and real nodes under the address and undefined-behaviour, then the thread sanitizer'
	@echo 'make fuzz       search with libFuzzer for SECONDS=60 in total, over all targets or TARGET=x'
	@echo 'make test-long  TIER=sanitizers, mutants, seeds, fuzz, crash or soak; hours, noted in docs/TESTING.md'
	@echo 'make format     clang-format over all sources'
	@echo 'make install    install below PREFIX ($(PREFIX))'
	@echo 'make packages   install the Debian packages alone'
	@echo 'make clean      remove build/; ./data stays'

.PHONY: packages
packages:
	@tools/dev/packages.sh tools/dev/debian-packages.txt

.PHONY: configure
configure: packages
	@test -f $(BUILD)/build.ninja || cmake --preset release

.PHONY: build
build: configure
	cmake --build $(BUILD) -j $(JOBS) --target dohle

.PHONY: run
run: build
	@tools/dev/run.sh

.PHONY: test
test: configure
	@tools/dev/packages.sh tools/dev/debian-packages-test.txt
	@python3 tools/dev/test.py

SEEDS ?= 400
.PHONY: sim
sim: configure
	cmake --build $(BUILD) -j $(JOBS) --target dohle_simulator
	@python3 tests/scenarios/simulate.py --seeds $(SEEDS) $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(SEED),--seed $(SEED))

TRIES ?= 500
.PHONY: mutants
mutants: packages
	cmake --preset release
	cmake --build $(BUILD) -j $(JOBS) --target dohle_simulator dohle_planted dohle
	@python3 tests/scenarios/mutants.py --tries $(TRIES) $(if $(MUTANT),--mutant $(MUTANT))

.PHONY: bench
bench: build
	@python3 tools/dev/test.py --bench

.PHONY: lint
lint:
	@python3 -m tools.tidy

.PHONY: sanitize
sanitize: packages
	@tools/dev/packages.sh tools/dev/debian-packages-test.txt
	@python3 tools/dev/test.py --preset asan && python3 tools/dev/test.py --preset tsan

.PHONY: fuzz
fuzz: packages
	@tools/dev/fuzz.py --seconds $(or $(SECONDS),60) $(addprefix --target ,$(TARGET))

# What the tiers run on is built by `make test`.
.PHONY: test-long
test-long: packages
	@tools/dev/test_long.py $(TIER)

.PHONY: format
format:
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

.PHONY: install
install: build
	DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix "$(PREFIX)"

.PHONY: clean
clean:
	rm -rf build
