# The two commands of the README, and what a developer needs besides.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
SWIFT ?= swift
PREFIX ?= /usr/local

.PHONY: demo test soak fuzz sanitize bench bench-wan build conformance install lint format packages images clean

# Debian's packages this needs; installed only when one is missing.
PACKAGES := libdcmtk-dev libssl-dev libsqlite3-dev zlib1g-dev libzstd-dev libarchive-dev libexpat1-dev dcmtk \
	libopenjp2-7-dev libopenjph-dev libjpeg62-turbo-dev libpng-dev libgif-dev libopenh264-dev liblcms2-dev libqrencode-dev \
	libtesseract5 tesseract-ocr-eng tesseract-ocr-chi-sim libfreetype-dev fonts-wqy-microhei fonts-wqy-zenhei
DEMO_PACKAGES := $(PACKAGES) python3-venv
TEST_PACKAGES := $(DEMO_PACKAGES) openssl orthanc orthanc-dicomweb strace curl zstd rsyslog rsyslog-openssl libgdcm-tools \
	dbconfig-sqlite3 glewlwyd openssh-server openssh-client lftp chromium

packages:
	@Tests/Scripts/install-packages $(PACKAGES)

build: packages
	$(SWIFT) build -c release --product huizhen

demo:
	@Tests/Scripts/install-packages $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory build
	@Tests/Scripts/demo

test:
	@Tests/Scripts/install-packages $(TEST_PACKAGES)
	@Tests/Scripts/test

# Many more kills, power cuts and failing lines than in `make test`; HUIZHEN_SEED repeats one.
soak:
	@Tests/Scripts/install-packages $(TEST_PACKAGES)
	@HUIZHEN_SOAK=1 Tests/Scripts/test --filter \
		"KillTests|StoreStepTests|PowerCutTests|FaultTests|HostilePeerTests|KeysTests|TransferTests|LineFaultTests"

# Every target for SECONDS each; TARGETS="scan text" for some of them.
SECONDS ?= 60
fuzz: packages
	@Tests/Scripts/fuzz $(SECONDS) $(TARGETS)

sanitize: packages
	@Tests/Scripts/sanitize $(SANITIZERS)

lint:
	$(SWIFT) format lint --strict --recursive --parallel Sources Tests Package.swift

format:
	$(SWIFT) format --in-place --recursive --parallel Sources Tests Package.swift

# The tables of Docs/CONFORMANCE.md, from the code.
conformance: packages
	$(SWIFT) run huizhen conformance --update Docs/CONFORMANCE.md

bench: build
	$(SWIFT) run -c release --package-path Bench bench

# Over emulated long lines; needs root for its network namespaces.
bench-wan: build
	@[ "$$(id -u)" -eq 0 ] || { echo "make bench-wan needs root: it makes network namespaces and TUN devices" >&2; exit 1; }
	@Tests/Scripts/install-packages iproute2
	$(SWIFT) build -c release --package-path Bench --product wanline
	$(SWIFT) run -c release --package-path Bench bench --only wan --rounds 3

install: build
	@Tests/Scripts/install $(PREFIX)

clean:
	rm -rf .build .build-fuzz .build-address .build-thread
