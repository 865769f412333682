# muster: make, make demo, make test, make bench, make fuzz, make lint, make install.
# Builds need only gcc, make and what `make deps` installs.

BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
CC ?= gcc
PACKAGES := libcurl libcrypto jansson libgit2 expat
CPPFLAGS += -D_GNU_SOURCE -I. -I$(BUILD)/gen
CFLAGS ?= -O2 -g
WARN := -std=c11 -Wall -Wextra -Wpedantic -Werror
PKG_CFLAGS = $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LIBS = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -llmdb -lm
SANDBOX_LIBS = $(shell pkg-config --libs libmicrohttpd jansson libcrypto expat 2>/dev/null) -lm

# make V=1 shows every command.
ifneq ($(V),1)
Q := @
say = @printf '  %-5s %s\n' $(1) $(2)
endif

# The rooms. cli/main.c is the only file that tests do not link.
ROOMS := base specs specs/compile plan apply state providers providers/aws providers/aws/credentials \
	providers/aws/protocols providers/aws/engine cli
SOURCES := $(filter-out cli/main.c,$(wildcard $(addsuffix /*.c,$(ROOMS))))
OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/gen/embedded.o $(BUILD)/obj/gen/page.o \
	$(BUILD)/obj/gen/schemas.o $(BUILD)/obj/gen/completion.o
SANDBOX_SOURCES := $(wildcard tests/sandbox/*.c) base/mem.c base/buf.c
SANDBOX_OBJECTS := $(SANDBOX_SOURCES:%.c=$(BUILD)/obj/%.o)
UNIT := $(patsubst tests/unit/test_%.c,$(BUILD)/unit/test_%,$(wildcard tests/unit/test_*.c))
DRIVERS := $(patsubst tests/%.c,$(BUILD)/driver/%,$(wildcard tests/conformance/*.c tests/e2e/*.c tests/bench/*.c))
EMBEDDED := $(sort $(wildcard providers/aws/types/*.json providers/aws/services/*.json))

.PHONY: all unit deps deps-test need-deps demo test kill bench fuzz lint docs install clean asan \
	conform-moto conform-cli conform-terraform
# What the program tells of itself: its manual and the completions of three shells.
TOLD := $(BUILD)/share/muster.1 $(addprefix $(BUILD)/share/muster.,bash zsh fish)
all: need-deps $(BUILD)/muster $(BUILD)/muster-sandbox $(BUILD)/kill/stop.so $(TOLD)

# -- What has to be installed: Debian's packages ---------------------------------------------------------------------
DEPS := pkg-config libcurl4-openssl-dev libssl-dev libjansson-dev liblmdb-dev libgit2-dev libexpat1-dev \
	libmicrohttpd-dev libcmocka-dev git jq curl python3 perl openssl openssh-client clang-format clang-tidy \
	shellcheck ca-certificates

# What some tests need besides; they skip themselves where it is missing.
DEPS_TEST := chromium chromium-driver python3-jsonschema zsh fish mandoc groff cmark-gfm

deps:
	@sh tools/deps.sh $(DEPS)
deps-test: deps
	@sh tools/deps.sh $(DEPS_TEST) || echo "Tests that need one of these are skipped: $(DEPS_TEST)"
need-deps:
	@sh tools/deps.sh --missing $(DEPS)

$(BUILD)/muster: $(BUILD)/obj/cli/main.o $(BUILD)/libmuster.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/muster-sandbox: $(SANDBOX_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(SANDBOX_LIBS)

# What tests/kill preloads to end the program at a chosen boundary.
$(BUILD)/kill/%.so: tests/kill/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(WARN) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -fPIC -shared -o $@ $< -ldl

$(BUILD)/libmuster.a: $(OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(WARN) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Type and service files become C arrays, so that the program is one file.
$(BUILD)/gen/embedded.c: tools/embed.sh $(EMBEDDED)
	@mkdir -p $(@D)
	$(call say,EMBED,$@)
	$(Q)sh tools/embed.sh providers/aws $(EMBEDDED) > $@.tmp && mv $@.tmp $@
$(BUILD)/obj/gen/embedded.o: $(BUILD)/gen/embedded.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARN) -Wno-overlength-strings $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# So does the page that shows a plan.
PAGE := plan_page_html=plan/html/page.html plan_page_style=plan/html/style.css plan_page_script=plan/html/app.js
$(BUILD)/gen/page.c: tools/embed_text.sh $(foreach part,$(PAGE),$(lastword $(subst =, ,$(part))))
	@mkdir -p $(@D)
	$(call say,EMBED,$@)
	$(Q)sh tools/embed_text.sh plan/page.h $(PAGE) > $@.tmp && mv $@.tmp $@
$(BUILD)/obj/gen/page.o: $(BUILD)/gen/page.c plan/page.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARN) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# And the JSON Schemas of what is the same whatever types there are.
SCHEMAS := specs_schema_muster=specs/schema/muster.schema.json \
	specs_schema_accounts=specs/schema/accounts.schema.json specs_schema_language=specs/compile/language.json
$(BUILD)/gen/schemas.c: tools/embed_text.sh $(foreach part,$(SCHEMAS),$(lastword $(subst =, ,$(part))))
	@mkdir -p $(@D)
	$(call say,EMBED,$@)
	$(Q)sh tools/embed_text.sh specs/compile/json_schema.h $(SCHEMAS) > $@.tmp && mv $@.tmp $@
$(BUILD)/obj/gen/schemas.o: $(BUILD)/gen/schemas.c specs/compile/json_schema.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARN) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -c -o $@ $<

# And the scripts that complete command lines.
COMPLETION := completion_script_bash=cli/completion/bash.sh completion_script_zsh=cli/completion/zsh.sh \
	completion_script_fish=cli/completion/fish.fish
$(BUILD)/gen/completion.c: tools/embed_text.sh $(foreach part,$(COMPLETION),$(lastword $(subst =, ,$(part))))
	@mkdir -p $(@D)
	$(call say,EMBED,$@)
	$(Q)sh tools/embed_text.sh cli/completion.h $(COMPLETION) > $@.tmp && mv $@.tmp $@
$(BUILD)/obj/gen/completion.o: $(BUILD)/gen/completion.c cli/completion.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARN) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/share/muster.1: $(BUILD)/muster
	@mkdir -p $(@D)
	$(Q)$(BUILD)/muster help --man > $@.tmp && mv $@.tmp $@
$(BUILD)/share/muster.%: $(BUILD)/muster
	@mkdir -p $(@D)
	$(Q)$(BUILD)/muster completion $* > $@.tmp && mv $@.tmp $@

# Unit tests: one program a file, on cmocka. Drivers: what other tests run against servers and judges.
unit: $(UNIT) $(DRIVERS)
$(BUILD)/driver/%: tests/%.c $(BUILD)/libmuster.a
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(WARN) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(BUILD)/libmuster.a $(LIBS)
$(BUILD)/unit/test_%: tests/unit/test_%.c $(BUILD)/libmuster.a
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(WARN) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(BUILD)/libmuster.a $(LIBS) -lcmocka

# The same under AddressSanitizer and UndefinedBehaviorSanitizer.
# (UBSan checks make gcc see null formats where there are none.)
SANITIZE := -O1 -g -Wno-format-truncation -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
asan:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS="$(SANITIZE)" all unit

demo: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@bash tests/demo.sh $(BUILD)

test: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) all asan
	@bash tests/run.sh $(BUILD)

# Every type killed at every boundary, and a fleet at many more random moments than `make test` does.
kill: all
	MUSTER_BUILD=$(BUILD) python3 tests/kill/self.t
	MUSTER_BUILD=$(BUILD) MUSTER_KILLS=all python3 tests/kill/types.t
	MUSTER_BUILD=$(BUILD) MUSTER_KILLS=1000 python3 tests/kill/fleet.t

bench: all $(BUILD)/driver/bench/commit $(BUILD)/driver/bench/render
	bash tests/bench/fleet.sh $(BUILD)
	python3 tests/bench/scale.py $(BUILD)

# Judges: software that others wrote, where it is installed.
conform-moto conform-cli conform-terraform: all
	MUSTER_BUILD=$(BUILD) python3 tests/conformance/$(@:conform-%=%).py

# Each fuzzer for FUZZ_SECONDS; needs clang.
FUZZ_SECONDS ?= 60
fuzz: need-deps
	bash tests/fuzz/run.sh $(BUILD) $(FUZZ_SECONDS)

lint:
	bash tools/lint.sh

# What is made from the type files and the option tables, and committed: the reference and the stacks' JSON Schema.
docs: all
	bash tools/docs.sh $(BUILD)/muster .

install: all
	install -D -m 755 $(BUILD)/muster $(DESTDIR)$(PREFIX)/bin/muster
	install -d $(DESTDIR)$(PREFIX)/share/muster
	cp -R specs/baseline specs/schema $(DESTDIR)$(PREFIX)/share/muster/
	install -D -m 644 $(BUILD)/share/muster.1 $(DESTDIR)$(PREFIX)/share/man/man1/muster.1
	install -D -m 644 $(BUILD)/share/muster.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/muster
	install -D -m 644 $(BUILD)/share/muster.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_muster
	install -D -m 644 $(BUILD)/share/muster.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/muster.fish

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
