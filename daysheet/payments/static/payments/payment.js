// Accept Payment: amount and lines keep each other up to date, and the credit is told while it is typed.
// Without it the server decides all of this the same way (payments/rules.py).
"use strict";
(() => {
  const form = document.querySelector("form[data-payment]");
  if (!form) return;
  const amount = form.querySelector("#id_amount");
  const copay = form.querySelector("#id_is_copay");
  const expected = form.querySelector("#id_expected_credit");
  const lines = Array.from(form.querySelectorAll("[data-apply]"), (input) => ({
    input,
    due: Number(input.dataset.due),
    tick: form.querySelector(`[data-pay="${input.dataset.apply}"]`),
  }));
  const dollars = (cents) => "$" + (cents / 100).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const plain = (cents) => (cents / 100).toFixed(2);
  // Whole cents, or null for nothing or nonsense: the server says what is wrong with it.
  const read = (input) => {
    const match = /^\$?\s*(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d{1,2}))?$/.exec(input.value.trim());
    if (!match || (!match[1] && !match[2])) return null;
    return Number((match[1] ?? "0").replaceAll(",", "")) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  };
  // Whoever typed last leads: an amount is spread over the lines, lines are summed to the amount.
  let amountLeads = false;
  let chosenByHand = lines.some((line) => line.tick.checked);

  // A payment named for an appointment pays no other line unless one is chosen.
  const appointment = form.querySelector("#id_appointment");
  const isNamed = () => Boolean(appointment && appointment.value);

  const applied = () => lines.reduce((sum, line) => sum + (read(line.input) ?? 0), 0);
  function tell() {
    const received = read(amount);
    const rest = received === null ? 0 : received - applied();
    const surplus = form.querySelector("[data-surplus]");
    const short = form.querySelector("[data-short]");
    surplus.hidden = rest <= 0;
    form.querySelector("[data-surplus-named]").hidden = !isNamed();
    short.hidden = rest >= 0;
    surplus.querySelector("[data-surplus-amount]").textContent = dollars(Math.max(rest, 0));
    short.querySelector("[data-short-amount]").textContent = dollars(Math.max(-rest, 0));
    expected.value = String(Math.max(rest, 0));
    const total = form.querySelector("[data-applied]");
    if (total) total.textContent = dollars(applied());
    const switcher = form.querySelector("[data-check-all]");
    if (switcher) switcher.checked = lines.every((line) => line.tick.checked);
  }
  function spread() {
    let left = read(amount) ?? 0;
    for (const line of lines) {
      if (chosenByHand && !line.tick.checked) continue;
      const share = isNamed() && !chosenByHand ? 0 : Math.min(left, line.due);
      line.input.value = share ? plain(share) : "";
      if (!chosenByHand) line.tick.checked = share > 0;
      left -= share;
    }
  }
  function sum() {
    if (!amountLeads) amount.value = applied() ? plain(applied()) : "";
  }
  amount.addEventListener("input", () => {
    amountLeads = amount.value.trim() !== "";
    spread();
    tell();
  });
  appointment?.addEventListener("change", () => {
    spread();
    tell();
  });
  copay.addEventListener("change", () => {
    if (!copay.checked || !form.dataset.copay || amount.value.trim()) return;
    amount.value = plain(Number(form.dataset.copay));
    amount.dispatchEvent(new Event("input", { bubbles: true }));
  });
  for (const line of lines) {
    line.input.addEventListener("input", () => {
      chosenByHand = true;
      line.tick.checked = line.input.value.trim() !== "";
      sum();
      tell();
    });
  }
  // The tick for all changes the others in app.js first: read them afterwards.
  form.addEventListener("change", (event) => {
    if (!event.target.matches("[data-pay], [data-check-all]")) return;
    setTimeout(() => {
      chosenByHand = lines.some((line) => line.tick.checked);
      for (const line of lines) {
        if (!line.tick.checked) line.input.value = "";
        else if (!line.input.value.trim()) line.input.value = plain(amountLeads ? Math.min(line.due, Math.max((read(amount) ?? 0) - applied(), 0)) : line.due);
      }
      sum();
      tell();
    });
  });
  // The page opens with ticks and an amount: show what each ticked line gets. What was typed before is left alone.
  if (read(amount) !== null && lines.every((line) => !line.input.value.trim())) spread();
  tell();
})();
