# `make` lists what there is. A fresh machine needs Go and make for `make run`;
# `make test` installs or names what else it needs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
# Time zones are part of the binary: a schedule must not depend on what the
# machine has installed.
GOBUILD := CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags "-s -w -X main.version=$(VERSION)"
WITHPOSTGRES := go run ./app/harness/pgtest/cmd/withpostgres

GOLANGCI_LINT := .tools/golangci-lint-v2.15.0
OPENAPILINT := .tools/openapilint
OPENAPI := app/web/api/openapi.yaml

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build, and serve on ./tocsin.db
	./tocsin serve

.PHONY: demo
demo: build ## Build, and serve a lived-in sample organisation
	./tocsin demo

.PHONY: build
build: ## Build ./tocsin
	$(GOBUILD) -o tocsin ./cmd/tocsin

# What is built for others is built by the same rule, in dist.
PLATFORMS := linux-amd64 linux-arm64 darwin-amd64 darwin-arm64
ARCH ?= $(shell go env GOARCH)
DATE := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.PHONY: dist
dist: $(PLATFORMS:%=dist/tocsin-$(VERSION)-%) ## Build static binaries for Linux and macOS, with checksums, in dist
	cd dist && $$(command -v sha256sum || echo shasum -a 256) $(PLATFORMS:%=tocsin-$(VERSION)-%) > SHA256SUMS

.PHONY: image
image: dist/tocsin-$(VERSION)-linux-$(ARCH) ## Write a container image as an OCI archive to dist, without a daemon; ARCH=arm64 for another processor
	cd .ci/image && go run . --binary ../../$< --arch $(ARCH) --version "$(VERSION)" --created $(DATE) --output ../../$<.tar
	@echo "dist/$(<F).tar: load it with docker load --input, or podman load --input"

.PHONY: FORCE
dist/tocsin-$(VERSION)-%: FORCE
	@mkdir -p dist
	GOOS=$(firstword $(subst -, ,$*)) GOARCH=$(lastword $(subst -, ,$*)) $(GOBUILD) -o $@ ./cmd/tocsin

.PHONY: generate
generate: ## Write the Go code of the views
	go tool templ generate -path views

# `make check` vets, so that the tests need not.
.PHONY: test
test: ## Run every test, on both databases and in a browser
	.ci/prepare
	$(WITHPOSTGRES) go test -vet=off ./...

.PHONY: test-peers
test-peers: ## Run a real Alertmanager and a real PagerDuty client against the server
	.ci/prepare peers
	go vet -tags peers ./app/harness/peers
	go test -count=1 -tags peers ./app/harness/peers

.PHONY: check
check: format vet lint openapi generated tidy archive race fuzz ## Run everything that keeps the code as it should be

.PHONY: format
format: ## Check that gofmt has nothing to say
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then echo "gofmt -w these:"; echo "$$unformatted"; exit 1; fi

.PHONY: vet
vet: ## Run go vet
	go vet ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run the linters, the arrows between packages among them
	$(GOLANGCI_LINT) run ./...

.PHONY: openapi
openapi: $(OPENAPILINT) ## Lint the description of the API
	$(OPENAPILINT) $(OPENAPI)

.PHONY: generated
generated: ## Check that generated code is what its sources say
	.ci/generated

.PHONY: tidy
tidy: ## Check that go.mod names what is used and no more
	go mod tidy -diff

# A browser adds no goroutine of ours, and minutes: packages whose tests drive
# one are left to `make test`.
IMPORTS := {{$$p := .ImportPath}}{{range .TestImports}}{{$$p}} {{.}}{{"\n"}}{{end}}{{range .XTestImports}}{{$$p}} {{.}}{{"\n"}}{{end}}
BROWSING = go list -f '$(IMPORTS)' ./... | awk '$$2 ~ "/app/harness/browser$$" {print $$1}'
RACED = $$(go list ./... | grep -vxF "$$($(BROWSING) | sort -u)")

.PHONY: archive
archive: ## Test what writes the container image
	cd .ci/image && go vet . && go test .

.PHONY: race
race: ## Run the tests under the race detector
	$(WITHPOSTGRES) go test -race -vet=off -timeout 40m $(RACED)

.PHONY: fuzz
fuzz: ## Fuzz each decoder for some seconds
	.ci/fuzz 100000x

.PHONY: bench
bench: build ## Measure both databases, with every commit on the disk; BASELINE=FILE compares with another build: see BENCHMARKS.md
	go run ./cmd/tocsin-load --tocsin ./tocsin $(if $(BASELINE),--baseline $(BASELINE))

.PHONY: clean
clean: ## Remove what was built
	rm -rf tocsin tocsin-load dist .tools

# The tools are built from source at a pinned version and kept in .tools.
$(GOLANGCI_LINT):
	GOBIN=$(CURDIR)/.tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(lastword $(subst -, ,$@))
	mv .tools/golangci-lint $@

$(OPENAPILINT): $(wildcard .ci/openapilint/*)
	cd .ci/openapilint && go build -o ../../$@ .
