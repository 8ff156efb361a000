// Daysheet's small script: keys, dialogs, ticks, rows, and no double sending. Every page works without it.
"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const byId = (id) => (id ? document.getElementById(id) : null);
  const openDialog = () => document.querySelector("dialog[open]");

  // Dialogs: [data-dialog-open="id"] opens, [data-dialog-close] closes. Without script the opener is a link or submit button.
  function showDialog(dialog) {
    if (!dialog || dialog.open) return;
    all("[data-submitting]", dialog).forEach(release);
    dialog.showModal();
  }
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open]");
    if (opener) {
      const dialog = byId(opener.dataset.dialogOpen);
      if (!dialog) return;
      event.preventDefault();
      opener.closest("details")?.removeAttribute("open");
      showDialog(dialog);
    }
    if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog")?.close();
    for (const menu of all("details.user-menu[open], details.drop[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // Ticks: [data-check-all="group"] (a checkbox, or a button with value all|none) rules [data-check="group"], only within
  // the closest [data-check-scope] if there is one; [data-count], [data-sum] and [data-needs] of the group follow.
  const dollars = (cents) =>
    (cents < 0 ? "\u2212$" : "$") + (Math.abs(cents) / 100).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const boxes = (group, root = document) => all(`[data-check="${CSS.escape(group)}"]`, root).filter((box) => !box.disabled);
  const rules = (switcher) => boxes(switcher.dataset.checkAll, switcher.closest("[data-check-scope]") ?? document);

  function refreshTicks(group) {
    const name = CSS.escape(group);
    const ticked = boxes(group).filter((box) => box.checked);
    const sum = ticked.reduce((total, box) => total + Number(box.dataset.cents || 0), 0);
    all(`[data-count="${name}"]`).forEach((place) => { place.textContent = ticked.length.toLocaleString("en-US"); });
    all(`[data-sum="${name}"]`).forEach((place) => { place.textContent = dollars(sum); });
    all(`[data-needs="${name}"]`).forEach((button) => { button.disabled = ticked.length === 0; });
    all(`input[data-check-all="${name}"]`).forEach((switcher) => {
      const ruled = rules(switcher);
      const on = ruled.filter((box) => box.checked).length;
      switcher.checked = ruled.length > 0 && on === ruled.length;
      switcher.indeterminate = on > 0 && on < ruled.length;
    });
  }
  function refreshAllTicks() {
    new Set(all("[data-check]").map((box) => box.dataset.check)).forEach(refreshTicks);
    all("[data-needs]").forEach((button) => { if (!boxes(button.dataset.needs).length) button.disabled = true; });
  }
  function setTicks(switcher, on) {
    rules(switcher).forEach((box) => { box.checked = on; });
    refreshTicks(switcher.dataset.checkAll);
  }
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.matches("input[data-check-all]")) setTicks(target, target.checked);
    else if (target.matches("[data-check]")) refreshTicks(target.dataset.check);
    else if (target.matches("[data-keys-off]")) localStorage.setItem("daysheet-keys", target.checked ? "off" : "on");
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-check-all]");
    if (button) setTicks(button, button.value !== "none");
  });

  // Rows: j and k move through the rows of [data-rows], x ticks, Enter opens the row's [data-open] or first link.
  const rows = () => all("[data-rows] [data-row], [data-rows]:not(:has([data-row])) tbody > tr").filter((row) => row.offsetParent !== null);
  const currentRow = () => document.activeElement?.closest("[data-rows] :is([data-row], tbody > tr)");
  function moveRow(step) {
    const list = rows();
    if (!list.length) return;
    const at = list.indexOf(currentRow());
    const next = list[at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + step, 0), list.length - 1)];
    next.tabIndex = -1;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
  function tickRow() {
    currentRow()?.querySelector("input[type=checkbox]:not(:disabled)")?.click();
  }

  // Keys. Single keys can be turned off in the help dialog.
  const keysOff = () => localStorage.getItem("daysheet-keys") === "off";
  const isTyping = (element) =>
    element.isContentEditable || element.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])");
  const go = (url) => { if (url) window.location.assign(url); };
  const focusSearch = () => {
    const input = byId("client-search");
    document.querySelector(".menu-toggle")?.setAttribute("open", "");
    input?.focus();
    input?.select();
  };
  const single = {
    "/": focusSearch,
    "?": () => showDialog(byId("keyboard-help")),
    j: () => moveRow(1),
    k: () => moveRow(-1),
    x: tickRow,
  };
  // [data-key="s"] inside a row: the key presses it for the row that has the focus. [aria-keyshortcuts="t"]: for the page.
  const ofRow = (key) => currentRow()?.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const ofPage = (key) => document.querySelector(`a[aria-keyshortcuts="${CSS.escape(key)}"]`);
  let wentAt = 0;
  function pressed(key) {
    if (Date.now() - wentAt < 1000 && (key === "a" || key === "b")) {
      wentAt = 0;
      go(key === "a" ? document.body.dataset.goA : document.body.dataset.goB);
      return true;
    }
    wentAt = key === "g" ? Date.now() : 0;
    const link = single[key] ? null : ofRow(key) ?? ofPage(key);
    if (!single[key] && !link) return key === "g";
    if (link) link.click();
    else single[key]();
    return true;
  }
  document.addEventListener("keydown", (event) => {
    if (event.target.id === "client-search") return searchKey(event);
    if (event.key === "Escape") all("details.user-menu[open], details.drop[open]").forEach((menu) => { menu.open = false; });
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || openDialog() || isTyping(event.target)) return;
    if (event.key === "Enter" && event.target === currentRow()) {
      (event.target.querySelector("[data-open]") ?? event.target.querySelector("a[href]"))?.click();
    } else if (!keysOff() && pressed(event.key)) event.preventDefault();
  });

  // Client search: a combobox over the list that HTMX brings.
  const options = () => all("#client-search-results [role=option][data-url]");
  function showOptions(open) {
    const input = byId("client-search");
    const list = byId("client-search-results");
    if (!input || !list) return;
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) choose(null);
  }
  function choose(option) {
    options().forEach((each) => each.setAttribute("aria-selected", String(each === option)));
    if (option) byId("client-search").setAttribute("aria-activedescendant", option.id);
    else byId("client-search").removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }
  function searchKey(event) {
    const list = options();
    const chosen = list.find((option) => option.getAttribute("aria-selected") === "true");
    const open = !byId("client-search-results")?.hidden;
    if (event.key === "Escape") {
      if (open) event.preventDefault();
      showOptions(false);
    } else if (event.key === "Enter" && open && chosen) {
      event.preventDefault();
      go(chosen.dataset.url);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && list.length) {
      event.preventDefault();
      showOptions(true);
      const at = list.indexOf(chosen) + (event.key === "ArrowDown" ? 1 : -1);
      choose(list[(at + list.length) % list.length]);
    }
  }
  document.addEventListener("focusout", (event) => {
    if (event.target.closest(".client-search") && !event.relatedTarget?.closest(".client-search")) showOptions(false);
  });

  // Forms are sent once. The guard lifts when the page is shown again; data-no-guard is for downloads.
  function release(form) {
    delete form.dataset.submitting;
    for (const button of form.elements) if (button.dataset?.guarded) { button.disabled = false; delete button.dataset.guarded; }
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.matches("[data-no-guard], [hx-post], [hx-put]")) return;
    if (form.dataset.submitting) return event.preventDefault();
    form.dataset.submitting = "yes";
    setTimeout(() => {
      for (const button of form.elements) if (button.type === "submit" && !button.disabled) { button.disabled = true; button.dataset.guarded = "yes"; }
    });
  });
  window.addEventListener("pageshow", () => { all("form[data-submitting]").forEach(release); refreshAllTicks(); });

  // Formsets: [data-add-row="prefix"] copies <template id="prefix-empty"> into #prefix-rows.
  document.addEventListener("click", (event) => {
    const prefix = event.target.closest("[data-add-row]")?.dataset.addRow;
    const template = byId(`${prefix}-empty`);
    const total = byId(`id_${prefix}-TOTAL_FORMS`);
    if (!prefix || !template || !total) return;
    const place = byId(`${prefix}-rows`);
    place.insertAdjacentHTML("beforeend", template.innerHTML.replaceAll("__prefix__", total.value));
    total.value = String(Number(total.value) + 1);
    window.htmx?.process(place.lastElementChild);
    place.lastElementChild.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  });

  // HTMX: the focus survives a swap, refusals get it, and failures are told.
  const announce = (text) => { byId("announcer").textContent = text; };
  let focusedId = "";
  document.addEventListener("htmx:beforeSwap", () => { focusedId = document.activeElement?.id ?? ""; });
  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.detail.elt;
    refreshAllTicks();
    if (part.id === "client-search-results" || part.closest?.("#client-search-results")) {
      showOptions(document.activeElement?.id === "client-search" && byId("client-search").value !== "");
      announce(options().length === 1 ? "1 client found" : `${options().length} clients found`);
      return;
    }
    const dialog = part.querySelector?.("dialog[data-dialog-now]");
    if (dialog) return showDialog(dialog);
    const refusal = part.querySelector?.("[role=alert][tabindex]");
    if (refusal) return refusal.focus();
    if (document.activeElement !== document.body || !focusedId && !event.detail.requestConfig?.triggeringEvent) return;
    const again = byId(focusedId) ?? part.querySelector?.("a[href], button:not(:disabled), input:not([type=hidden]), select");
    if (again) again.focus();
    else if (part.focus) { part.tabIndex = -1; part.focus(); }
  });
  // What was typed while an answer was under way is kept: the part that comes was made from what had been sent. Where
  // rows were taken away, numbered fields (items-1-rate) may have moved up: they stay as they came.
  let typing = 0;
  const typedAt = new WeakMap();
  const noteTyped = (event) => { typing += 1; typedAt.set(event.target, typing); };
  document.addEventListener("input", noteTyped, true);
  document.addEventListener("change", noteTyped, true);
  let replaced = [];
  let typedBefore = 0;
  document.addEventListener("htmx:beforeRequest", (event) => { event.detail.requestConfig.typedBefore = typing; });
  document.addEventListener("htmx:beforeSwap", (event) => {
    replaced = all(":is(input, select, textarea)[id]", event.detail.target);
    typedBefore = event.detail.requestConfig.typedBefore;
  });
  document.addEventListener("htmx:afterSettle", () => {
    const fields = replaced.splice(0);
    const hasMoved = fields.some((field) => !byId(field.id));
    for (const field of fields) {
      const now = byId(field.id);
      if (!now || now === field || now.type !== field.type || !(typedAt.get(field) > typedBefore)) continue;
      if (hasMoved && /^\w+-\d{1,3}-/.test(field.name)) continue;
      if (field.matches("[type=checkbox], [type=radio]")) now.checked = field.checked;
      else now.value = field.value;
      now.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  function tellFailure(text) {
    const banner = document.createElement("p");
    banner.className = "banner banner-error";
    banner.textContent = text;
    byId("messages").replaceChildren(banner);
    banner.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("htmx:responseError", (event) => {
    const answer = event.detail.xhr;
    const words = answer.getResponseHeader("Content-Type")?.startsWith("text/plain") ? answer.responseText : "";
    tellFailure(words || `That did not work (error ${answer.status}). Reload the page to see what is saved, then try again.`);
  });
  document.addEventListener("htmx:sendError", () =>
    tellFailure("Daysheet could not be reached. Reload the page to see what is saved, then try again."));

  // Back from a page that a row led to: the row has the focus again, and j and k go on from there.
  const landed = byId(window.location.hash.slice(1));
  if (landed?.matches("[data-row]")) {
    landed.tabIndex = -1;
    landed.focus();
  }
  for (const box of all("[data-keys-off]")) box.checked = keysOff();
  byId("form-errors")?.focus();
  refreshAllTicks();
})();
