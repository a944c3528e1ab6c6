# SPDX-License-Identifier: GPL-2.0
# make help tells what there is.
MAKEFLAGS += --no-print-directory
SERIES ?= series
TOPIC ?= fixes

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install and check what the project needs (Debian 12 or 13)
	@scripts/setup
base: setup ## put the kernel source into build/linux
	@scripts/base
tree: base ## apply the queue: build/linux, branch queue (with LINUX_GIT: b4/TOPIC, too)
	@scripts/tree
	@if [ -n "$(LINUX_GIT)" ] && ! git -C build/linux rev-parse -q --verify b4/$(TOPIC) > /dev/null; then \
		scripts/b4-branch build/linux $(TOPIC); fi
refresh: ## write edited commits of build/linux, branches queue and b4/*, back to series/
	@scripts/refresh
	@set -e; for topic in $$(git -C build/linux for-each-ref --format='%(refname:lstrip=3)' refs/heads/b4/); do \
		[ ! -e series/$$topic/b4.json ] || scripts/b4-branch --save build/linux $$topic; done
rebase: ## carry the queue to another base: make rebase BASE=linux-source-7.2
	@scripts/rebase "$(BASE)"

ci: tree ## prove each patch of the queue (a part: VERIFY="--from 1 --to 9")
	@ci/verify $(VERIFY) $(SERIES)
test: tree ## prove that the checks can fail, and test the tools
	@ci/tests/run
ci-full: tree ## what has no room in ci: debug kernels, all tests at each patch
	@ci/full

bench: tree ## instructions per operation, base against series
	@scripts/bench
bench-ci: tree ## where the time of make ci goes, against the naive loop (once: scripts/bench-ci --naive)
	@scripts/bench-ci
coverage: tree ## which lines of userfaultfd the tests reach, and why not the others
	@scripts/coverage
docs: tree ## the documentation: build/docs/html/index.html
	@scripts/docs
send-check: ## may it be sent? make send-check TOPIC=fixes
	@scripts/send-check build/linux $(TOPIC)

clean: ## remove build/ but for the kernel source and a rebase that stands there
	@find build -mindepth 1 -maxdepth 1 ! -name linux ! -name deb ! -name rebase -exec rm -rf {} +

.PHONY: help setup base tree refresh rebase ci test ci-full bench bench-ci coverage docs send-check clean
