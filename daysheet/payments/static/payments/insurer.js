// Batch Payments and an insurer's credit: amount and lines keep each other up to date, the sums stand under the columns,
// and what is left of the cheque is told. By keyboard: Enter goes down a column, a space under Paid pays the line in
// full. Without it the server decides the same (payments/rules.py, insurer_shares).
"use strict";
(() => {
  const form = document.querySelector("form[data-insurer-payment]");
  if (!form) return;
  // On the page of a credit the amount is what is left of a payment, and nothing is typed.
  const amount = form.querySelector("#id_amount");
  const credit = form.dataset.credit === undefined ? null : Number(form.dataset.credit);
  const left = form.querySelector("[data-left]");
  const read = (input) => {
    const match = /^\$?\s*(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d{1,2}))?$/.exec(input.value.trim());
    if (!match || (!match[1] && !match[2])) return 0;
    return Number((match[1] ?? "0").replaceAll(",", "")) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  };
  const plain = (cents) => (cents ? (cents / 100).toFixed(2) : "");
  const dollars = (cents) =>
    "$" + (cents / 100).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const lines = Array.from(form.querySelectorAll('[data-part="paid"]'), (paid) => {
    const row = paid.closest("tr");
    const part = (name) => row.querySelector(`[data-part="${name}"]`);
    return {
      paid,
      adjusted: part("adjusted"),
      moved: part("moved"),
      tick: row.querySelector("[data-check]"),
      due: Number(paid.dataset.due),
      // Ticked and not typed: it takes its share, whatever that becomes.
      shares: false,
    };
  });
  const column = (part) => lines.map((line) => line[part]);
  const sum = (part) => column(part).reduce((total, input) => total + read(input), 0);
  // Whoever typed last leads: an amount is shared out over the ticked lines, lines are summed to the amount.
  let amountLeads = credit !== null || amount.value.trim() !== "";
  const received = () => credit ?? read(amount);

  function share() {
    let rest = received();
    for (const line of lines) if (!line.shares) rest -= read(line.paid);
    for (const line of lines) {
      if (!line.shares) continue;
      const room = Math.max(line.due - read(line.adjusted) - read(line.moved), 0);
      const cents = amountLeads ? Math.max(Math.min(room, rest), 0) : room;
      line.paid.value = plain(cents);
      rest -= cents;
    }
    if (!amountLeads) amount.value = plain(sum("paid"));
  }
  function add() {
    for (const cell of form.querySelectorAll("[data-total]")) cell.textContent = dollars(sum(cell.dataset.total));
  }
  // First said when a field is left, not at the first key: it is read aloud.
  function tell() {
    const rest = received() - sum("paid");
    left.hidden = !received() || rest === 0;
    left.textContent =
      rest > 0 ? `${dollars(rest)} of ${dollars(received())} is not on a line yet.` : `The lines get ${dollars(-rest)} more than was received.`;
    left.classList.toggle("banner-info", rest > 0);
    left.classList.toggle("banner-error", rest < 0);
  }
  function refresh() {
    share();
    add();
    if (!left.hidden) tell();
  }
  function takeTicks() {
    for (const line of lines) {
      if (!line.tick.checked) {
        if (line.shares || read(line.paid)) line.paid.value = "";
        line.shares = false;
      } else if (!line.shares && !line.paid.value.trim()) line.shares = true;
    }
    refresh();
    tell();
  }
  function tickOf(line, on) {
    line.tick.checked = on;
    line.tick.dispatchEvent(new Event("change", { bubbles: true }));
  }
  form.addEventListener("keydown", (event) => {
    const part = event.target.dataset.part;
    if (!part || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") {
      event.preventDefault();
      const inputs = column(part);
      const next = inputs[inputs.indexOf(event.target) + 1] ?? form.querySelector("#save-payment");
      next.focus();
      next.select?.();
    }
    if (event.key === " " && part === "paid") {
      event.preventDefault();
      const line = lines.find((each) => each.paid === event.target);
      tickOf(line, !line.tick.checked);
    }
  });
  form.addEventListener("input", (event) => {
    if (event.target === amount) amountLeads = amount.value.trim() !== "";
    const line = lines.find((each) => each.paid === event.target);
    if (line) {
      line.shares = false;
      line.tick.checked = line.paid.value.trim() !== "";
      tickOf(line, line.tick.checked);
    }
    refresh();
  });
  // The tick for all changes the others in app.js first: read them afterwards.
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-check], [data-check-all]")) setTimeout(takeTicks);
    else tell();
  });
  for (const line of lines) line.shares = line.tick.checked && !line.paid.value.trim();
  if (lines.some((line) => line.shares)) share();
  add();
  tell();
})();
