# Everything that is done with this repository. "make help" lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
HOSTS ?= 3
PACKAGES ?= inventory pki templates
N ?= 60
RUN ?= .
PARTS ?= fleet,cluster
LAB := lab/
TOOL = go tool -modfile=e2e/tools/go.mod
MODULES := . e2e

.PHONY: help build check lint unit cuts golden fuzz mutate e2e soak test bench demo demo-down lab lab-down bundle vuln setup clean

help: ## lists the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

build: ## builds bin/fairlead
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/fairlead ./cmd/fairlead

check: build lint unit ## build, vet, lint and unit tests: for daily work

lint: setup ## vet, golangci-lint, shellcheck
	for module in $(MODULES); do go -C $$module vet -tags cluster,soak ./...; done
	$(TOOL) golangci-lint run ./...
	shellcheck --shell sh --exclude SC1091,SC2015,SC2317 templates/scripts/*.sh provision/remote/scripts/*.sh provision/remote/container/scripts/*.sh provision/remote/remotetest/*.sh
	shellcheck e2e/setup.sh e2e/bench/plain.sh e2e/lab/kind/*

unit: ## unit tests, with the race detector but for the plan: it starts nothing, and is five times as fast without
	go test -short ./provision/plan/...
	go test -race -short $$(go list ./... | grep -v '^fairlead/provision/plan')
	go -C e2e test -race -short ./...

golden: ## writes the golden files anew; look at the difference before you commit it
	go test ./inventory ./inventory/convert ./templates ./pki ./provision/plan ./cmd/... -update
	go -C e2e test ./lab ./bench -update

fuzz: ## every fuzz target for 20 seconds
	for package in inventory inventory/convert templates templates/images provision/facts provision/observe provision/ledger provision/manifests provision/remote provision/remote/ssh pki; do \
	  for target in $$(go test ./$$package -list '^Fuzz' | grep ^Fuzz); do \
	    go test ./$$package -run '^$$' -fuzz "^$$target$$" -fuzztime 20s -fuzzminimizetime 5x; done; done

mutate: ## makes N=60 small faults in each of PACKAGES="inventory pki", prints those no test notices
	go -C e2e run ./cmd/mutate -n $(N) $(abspath $(PACKAGES))

e2e: build setup ## tests on real clusters; RUN=regexp chooses some, LABS=1 makes one lab do
	go -C e2e build -o $(CURDIR)/bin/clustertests ./cmd/clustertests
	cd e2e && exec $(CURDIR)/bin/clustertests -fairlead $(CURDIR)/bin/fairlead -run '$(value RUN)' -beside '$(BESIDE)' $(if $(LABS),-labs $(LABS))

cuts: ## cuts simulated runs off at every place; "check" takes some of them
	go test ./provision/model -run '^Test(Up|Reset|Remove|Recover)' -timeout 80m

soak: build setup ## hosts that restart or are silent every half a second of a run; for hours. RUN=regexp chooses some
	go -C e2e test -tags cluster,soak ./cluster -count 1 -timeout 12h -v -run '^TestSoak$$/$(value RUN)' -fairlead $(CURDIR)/bin/fairlead

test: check ## all tests, those on real clusters included; the cuts are made while hosts are waited for
	$(MAKE) e2e BESIDE='$(MAKE) -C $(CURDIR) cuts'

bench: build setup ## speed against bare kubeadm and bare SSH, as root; PARTS=cluster or fleet for one of them
	go -C e2e build -o $(CURDIR)/bin/fleet ./cmd/fleet
	go -C e2e run ./cmd/bench -parts $(PARTS) -fairlead $(CURDIR)/bin/fairlead -fleet $(CURDIR)/bin/fleet

bundle: setup ## builds the offline bundle, or finds it in the cache, and prints its path
	@go -C e2e run ./cmd/bundle

demo: build setup ## a cluster of three lab hosts; leaves it running
	go -C e2e run ./cmd/demo up -fairlead $(CURDIR)/bin/fairlead -dir $(CURDIR)/demo

demo-down: ## removes the demo's hosts and files
	go -C e2e run ./cmd/demo down -dir $(CURDIR)/demo

lab: setup ## lab hosts only: cp1, w1, …; HOSTS=4 for more
	go -C e2e run ./cmd/lab up --dir $(CURDIR)/demo/lab cp1 $$(seq -f w%.0f 1 $$(($(HOSTS) - 1)))

lab-down: ## removes the lab hosts
	go -C e2e run ./cmd/lab down --dir $(CURDIR)/demo/lab

vuln: ## asks the public vulnerability database about our dependencies
	$(TOOL) govulncheck ./...

setup: ## installs what the targets need, on Debian and Ubuntu
	@e2e/setup.sh

clean: ## removes what was built here
	rm -rf bin
