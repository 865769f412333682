// The page of a plan: what is chosen (an account, a region, actions, words) decides what the matrix and the list show.
// All text from the plan goes in as textContent.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const accounts = data.accounts, regions = data.regions, width = regions.length;
  const SEVERITY = ["create", "move", "forget", "adopt", "update", "replace", "delete"];
  const SIGNS = { delete: "−", replace: "±", update: "~", adopt: "<", forget: ".", create: "+", move: "→" };
  const ROW = 26, ALL_ROWS = 80, AHEAD = 12;

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }
  const plural = (count, noun) => count.toLocaleString("en") + " " + noun + (count === 1 ? "" : "s");

  // -- What is chosen
  const chosen = { account: -1, region: -1, actions: new Set(), words: "" };

  // Targets are account * width + region; an entry holds them as [first, count, first, count, ...].
  function touches(entry, account, region) {
    for (let i = 0; i < entry.m.length; i += 2) {
      const first = entry.m[i], end = first + entry.m[i + 1];
      if (account >= 0 && region >= 0) {
        const target = account * width + region;
        if (target >= first && target < end) return true;
      } else if (account >= 0) {
        if (first < (account + 1) * width && end > account * width) return true;
      } else if (end - first >= width) {
        return true;
      } else {
        for (let target = first; target < end; target++) if (target % width === region) return true;
      }
    }
    return false;
  }
  const holds = (text, words) => text.toLowerCase().includes(words);
  function textOf(entry) {
    if (entry.text === undefined) {
      entry.text = [entry.t, entry.y, entry.v, entry.w].concat(entry.r || [],
        (entry.l || []).map((line) => line[2] + " " + (line[3] || ""))).join("\n").toLowerCase();
    }
    return entry.text;
  }
  function fits(entry) {
    if (chosen.actions.size > 0 && !chosen.actions.has(entry.a)) return false;
    if (chosen.words === "" || textOf(entry).includes(chosen.words)) return true;
    return named.accounts.some((account) => touches(entry, account, -1)) ||
      named.regions.some((region) => touches(entry, -1, region));
  }
  let named = { accounts: [], regions: [] };
  function findNamed() {
    const find = (names) => chosen.words === "" ? [] :
      names.map((name, i) => holds(name, chosen.words) ? i : -1).filter((i) => i >= 0);
    named = { accounts: find(accounts), regions: find(regions) };
  }

  // -- Cells: the most severe action, and how many of each
  const severity = new Int8Array(accounts.length * width);
  const reached = new Uint8Array(accounts.length * width);
  const counts = new Uint32Array(accounts.length * width);
  for (let i = 0; i < data.reached.length; i += 2) reached.fill(1, data.reached[i], data.reached[i] + data.reached[i + 1]);
  function fillCells(entries) {
    severity.fill(-1);
    counts.fill(0);
    for (const entry of entries) {
      const rank = SEVERITY.indexOf(entry.a);
      for (let i = 0; i < entry.m.length; i += 2) {
        for (let t = entry.m[i]; t < entry.m[i] + entry.m[i + 1]; t++) {
          if (rank > severity[t]) severity[t] = rank;
          counts[t] += entry.k;
        }
      }
    }
  }
  function cellWords(target) {
    const place = accounts[Math.floor(target / width)] + ", " + regions[target % width];
    if (severity[target] < 0) return place + (reached[target] ? ": nothing to do" : ": not reached by the specs");
    return place + ": " + plural(counts[target], "change") + ", most severe: " + SEVERITY[severity[target]];
  }

  // -- The matrix: a grid whose rows exist only where they can be seen. Row 0 and column 0 are the names.
  const matrix = at("matrix");
  const focus = { row: 1, column: 1 };
  const rows = new Map();
  let before, after;
  function headRow() {
    const row = make("div", "row top");
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", "1");
    const corner = make("div", "corner");
    corner.setAttribute("role", "columnheader");
    corner.append(make("span", "hidden", "Account"));
    row.append(corner);
    regions.forEach((name, i) => {
      const cell = make("div", i === data.home ? "region home" : "region");
      cell.setAttribute("role", "columnheader");
      cell.dataset.row = 0;
      cell.dataset.column = i + 1;
      cell.tabIndex = -1;
      if (i === data.home) cell.setAttribute("aria-label", name + ", home region");
      cell.append(make("span", "", name));
      row.append(cell);
    });
    return row;
  }
  function paintCell(cell, target) {
    const rank = severity[target];
    cell.className = "cell" + (rank >= 0 ? " a-" + SEVERITY[rank] : reached[target] ? "" : " out");
    cell.firstChild.textContent = rank >= 0 ? SIGNS[SEVERITY[rank]] : "";
    const words = cellWords(target);
    cell.setAttribute("aria-label", words);
    cell.title = words;
    const account = Math.floor(target / width), region = target % width;
    cell.setAttribute("aria-selected", String((chosen.account >= 0 || chosen.region >= 0) &&
      (chosen.account < 0 || chosen.account === account) && (chosen.region < 0 || chosen.region === region)));
  }
  function accountRow(account) {
    const row = make("div", "row");
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", String(account + 2));
    const name = make("div", "account", accounts[account]);
    name.setAttribute("role", "rowheader");
    name.title = accounts[account];
    name.dataset.row = account + 1;
    name.dataset.column = 0;
    name.tabIndex = -1;
    row.append(name);
    for (let region = 0; region < width; region++) {
      const cell = make("div", "cell");
      cell.setAttribute("role", "gridcell");
      cell.dataset.row = account + 1;
      cell.dataset.column = region + 1;
      cell.tabIndex = -1;
      cell.append(make("i"));
      row.append(cell);
    }
    return row;
  }
  function paintRow(account, row) {
    row.firstChild.setAttribute("aria-selected", String(chosen.account === account));
    for (let region = 0; region < width; region++) paintCell(row.children[region + 1], account * width + region);
  }
  function seenRows() {
    if (accounts.length <= ALL_ROWS) return [0, accounts.length];
    const first = Math.max(0, Math.floor(matrix.scrollTop / ROW) - AHEAD);
    return [first, Math.min(accounts.length, first + Math.ceil(matrix.clientHeight / ROW) + 2 * AHEAD)];
  }
  function drawRows() {
    const [first, end] = seenRows();
    for (const [account, row] of rows) {
      if (account >= first && account < end) continue;
      if (row.contains(document.activeElement)) continue;
      row.remove();
      rows.delete(account);
    }
    let next = after;
    for (let account = end - 1; account >= first; account--) {
      let row = rows.get(account);
      if (row === undefined) {
        row = accountRow(account);
        paintRow(account, row);
        rows.set(account, row);
      }
      if (row.nextSibling !== next) matrix.insertBefore(row, next);
      next = row;
    }
    before.style.height = first * ROW + "px";
    after.style.height = (accounts.length - end) * ROW + "px";
    rove(false);
  }
  function cellAt(row, column) {
    return matrix.querySelector('[data-row="' + row + '"][data-column="' + column + '"]');
  }
  // Only one cell of the grid is in the page's order of tabs.
  let roving = null;
  function rove(move) {
    const cell = cellAt(focus.row, focus.column);
    if (roving && roving !== cell) roving.tabIndex = -1;
    roving = cell || roving;
    if (roving) roving.tabIndex = 0;
    if (move && cell) cell.focus();
  }
  function moveTo(row, column) {
    focus.row = Math.max(0, Math.min(accounts.length, row));
    focus.column = Math.max(0, Math.min(width, column));
    if (focus.row === 0 && focus.column === 0) focus.column = 1;
    if (focus.row > 0 && accounts.length > ALL_ROWS) {
      const top = (focus.row - 1) * ROW, seen = matrix.clientHeight - 5 * ROW;
      if (top < matrix.scrollTop) matrix.scrollTop = top;
      else if (top > matrix.scrollTop + seen) matrix.scrollTop = top - seen;
      drawRows();
    }
    rove(true);
  }
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0] };
  matrix.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (move) moveTo(focus.row + move[0], focus.column + move[1]);
    else if (event.key === "Home") moveTo(event.ctrlKey ? 1 : focus.row, 0);
    else if (event.key === "End") moveTo(event.ctrlKey ? accounts.length : focus.row, width);
    else if (event.key === "Enter" || event.key === " ") choose(focus.row - 1, focus.column - 1);
    else return;
    event.preventDefault();
  });
  matrix.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-row]");
    if (!cell) return;
    focus.row = Number(cell.dataset.row);
    focus.column = Number(cell.dataset.column);
    rove(true);
    choose(focus.row - 1, focus.column - 1);
  });
  matrix.addEventListener("focusin", (event) => {
    const cell = event.target.closest("[data-row]");
    if (!cell) return;
    focus.row = Number(cell.dataset.row);
    focus.column = Number(cell.dataset.column);
    rove(false);
  });
  // -1 stands for all; the same again takes it back.
  function choose(account, region) {
    const again = chosen.account === account && chosen.region === region;
    chosen.account = again ? -1 : account;
    chosen.region = again ? -1 : region;
    show();
  }
  function buildMatrix() {
    matrix.setAttribute("aria-rowcount", String(accounts.length + 1));
    matrix.setAttribute("aria-colcount", String(width + 1));
    before = make("div");
    after = make("div");
    for (const space of [before, after]) space.setAttribute("role", "presentation");
    matrix.append(headRow(), before, after);
    let waits = false;
    matrix.addEventListener("scroll", () => {
      if (waits) return;
      waits = true;
      requestAnimationFrame(() => { waits = false; drawRows(); });
    });
    window.addEventListener("resize", drawRows);
  }
  function paintMatrix() {
    for (const [account, row] of rows) paintRow(account, row);
    for (let region = 0; region < width; region++)
      cellAt(0, region + 1).setAttribute("aria-selected", String(chosen.region === region));
  }

  // -- Entries
  const LINES = { "+": "ln add", "-": "ln del", "~": "ln chg", "#": "ln rem", " ": "ln" };
  function lines(entry) {
    const box = make("div", "lines");
    for (const [sign, depth, text, remark] of entry.l) {
      const line = make("div", LINES[sign] || "ln", sign + " " + " ".repeat(depth) + text);
      if (remark) line.append(make("span", "rm", "  # " + remark));
      box.append(line);
    }
    return box;
  }
  function targetList(entry) {
    const list = make("ul"), byAccount = new Map();
    for (let i = 0; i < entry.m.length; i += 2)
      for (let t = entry.m[i]; t < entry.m[i] + entry.m[i + 1]; t++) {
        const account = Math.floor(t / width);
        if (!byAccount.has(account)) byAccount.set(account, []);
        byAccount.get(account).push(regions[t % width]);
      }
    let shown = 0;
    for (const [account, names] of byAccount) {
      if (shown++ === 200) {
        list.append(make("li", "", "and " + plural(byAccount.size - 200, "more account")));
        break;
      }
      list.append(make("li", "", accounts[account] + ": " + names.join(", ")));
    }
    return list;
  }
  function lazily(details, fill) {
    const once = () => {
      if (!details.open) return;
      details.removeEventListener("toggle", once);
      fill();
    };
    details.addEventListener("toggle", once);
  }
  function entryBody(entry, details) {
    if (entry.r) {
      const remarks = make("ul", "remarks");
      for (const remark of entry.r) remarks.append(make("li", "", remark));
      details.append(remarks);
    }
    if (entry.l && entry.l.length > 0) details.append(lines(entry));
    const targets = make("details", "targets");
    targets.append(make("summary", "", "Which targets"));
    lazily(targets, () => targets.append(targetList(entry)));
    details.append(targets);
  }
  function entryElement(entry) {
    const details = make("details", "entry a-" + entry.a), summary = make("summary"), what = make("div", "what");
    summary.append(make("span", "swatch a-" + entry.a, SIGNS[entry.a] || entry.s));
    summary.firstChild.setAttribute("aria-hidden", "true");
    const first = make("div");
    first.append(make("span", "verb", entry.v), make("span", "title", entry.t), make("span", "type", entry.y));
    what.append(first, make("div", "places", "in " + entry.w));
    summary.append(what);
    details.append(summary);
    lazily(details, () => entryBody(entry, details));
    return details;
  }
  const list = at("list");
  function buildList() {
    data.sections.forEach((heading, section) => {
      if (heading) list.append(make("h3", "section", heading));
      const own = data.entries.filter((entry) => entry.p === section);
      if (heading && own.length === 0) list.append(make("p", "places", "Nothing."));
      for (const entry of own) {
        entry.element = entryElement(entry);
        list.append(entry.element);
      }
    });
    if (data.entries.length <= 24) for (const entry of data.entries) entry.element.open = true;
    list.append(make("p", "empty", ""));
    list.lastChild.hidden = true;
  }

  // -- All of it after a choice
  function placeWords() {
    if (chosen.account >= 0 && chosen.region >= 0) return " in " + accounts[chosen.account] + "/" + regions[chosen.region];
    if (chosen.account >= 0) return " in " + accounts[chosen.account];
    return chosen.region >= 0 ? " in " + regions[chosen.region] : "";
  }
  function show() {
    findNamed();
    const fitting = data.entries.filter(fits);
    fillCells(fitting);
    paintMatrix();
    const anywhere = chosen.account < 0 && chosen.region < 0;
    const seen = new Set(anywhere ? fitting : fitting.filter((entry) => touches(entry, chosen.account, chosen.region)));
    for (const entry of data.entries) entry.element.hidden = !seen.has(entry);
    const all = seen.size === data.entries.length;
    at("status").textContent = (all ? plural(seen.size, "entry").replace("entrys", "entries") :
      seen.size + " of " + data.entries.length + " entries") + placeWords();
    const none = list.lastChild;
    none.hidden = seen.size > 0;
    none.textContent = data.entries.length === 0 ? data.summary : "Nothing fits what is chosen.";
    at("clear").hidden = anywhere && chosen.actions.size === 0 && chosen.words === "";
    for (const chip of at("actions").children)
      chip.setAttribute("aria-pressed", String(chosen.actions.has(chip.dataset.action)));
  }
  function clear() {
    chosen.account = chosen.region = -1;
    chosen.actions.clear();
    chosen.words = at("search").value = "";
    show();
  }
  function buildChips() {
    for (const [action, word, count] of data.totals) {
      const chip = make("button", "chip");
      chip.type = "button";
      chip.dataset.action = action;
      const swatch = make("span", "swatch a-" + action, SIGNS[action]);
      swatch.setAttribute("aria-hidden", "true");
      chip.append(swatch, make("span", "", word), make("b", "", count.toLocaleString("en")));
      chip.addEventListener("click", () => {
        if (!chosen.actions.delete(action)) chosen.actions.add(action);
        show();
      });
      at("actions").append(chip);
    }
  }

  // -- The rest of the page
  function paragraphs(parent, texts) {
    for (const text of texts) parent.append(make("p", "", text));
    parent.hidden = texts.length === 0;
  }
  function buildNotes() {
    for (const notes of data.notes) {
      const box = make("ul");
      for (const [where, subject, text] of notes.i)
        box.append(make("li", "", [where, subject, text].filter((part) => part).join(": ")));
      at("notes").append(make("h3", "", notes.h), box);
    }
    at("notes").hidden = data.notes.length === 0;
  }
  function buildHead() {
    at("title").textContent = data.title;
    at("subtitle").textContent = data.subtitle || "";
    at("subtitle").hidden = !data.subtitle;
    at("facts").textContent = [data.summary].concat(data.facts).join(" ");
    paragraphs(at("warnings"), data.warnings);
    for (const text of data.origin.concat(data.signers.map((who) => "carries a signature that names " + who + " (checked by apply)")))
      at("origin").append(make("span", "", text));
  }
  // What the reader chose last time, where the browser lets a file remember.
  const THEMES = ["auto", "dark", "light"];
  let theme = "auto";
  try { theme = localStorage.getItem("muster-theme") || "auto"; } catch (error) { theme = "auto"; }
  function setTheme(name) {
    theme = THEMES.includes(name) ? name : "auto";
    if (theme === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.dataset.theme = theme;
    at("theme").textContent = "Theme: " + theme;
    try { localStorage.setItem("muster-theme", theme); } catch (error) { /* not everywhere allowed */ }
  }
  at("theme").addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]));
  at("search").addEventListener("input", () => {
    chosen.words = at("search").value.trim().toLowerCase();
    show();
  });
  at("clear").addEventListener("click", () => { clear(); at("search").focus(); });
  const openAll = (open) => { for (const entry of data.entries) if (!entry.element.hidden) entry.element.open = open; };
  at("open").addEventListener("click", () => openAll(true));
  at("close").addEventListener("click", () => openAll(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear();
    else if (event.key === "/" && document.activeElement !== at("search")) {
      event.preventDefault();
      at("search").focus();
    }
  });

  setTheme(theme);
  buildHead();
  buildChips();
  buildMatrix();
  buildList();
  buildNotes();
  fillCells(data.entries);
  drawRows();
  show();
  at("where").hidden = accounts.length === 0 || width === 0;
})();
