// Batch Payments: the sums under the three columns and what is left of the cheque, while they are typed; Enter goes
// down a column, so that a cheque of many lines is posted by keyboard. Without it the server adds up the same.
"use strict";
(() => {
  const form = document.querySelector("form[data-insurer-payment]");
  if (!form) return;
  const amount = form.querySelector("#id_amount");
  const left = form.querySelector("[data-left]");
  const read = (input) => {
    const match = /^\$?\s*(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d{1,2}))?$/.exec(input.value.trim());
    if (!match || (!match[1] && !match[2])) return 0;
    return Number((match[1] ?? "0").replaceAll(",", "")) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  };
  const dollars = (cents) =>
    "$" + (cents / 100).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const column = (part) => Array.from(form.querySelectorAll(`[data-part="${part}"]`));
  const sum = (part) => column(part).reduce((total, input) => total + read(input), 0);
  function add() {
    for (const cell of form.querySelectorAll("[data-total]")) cell.textContent = dollars(sum(cell.dataset.total));
  }
  // First said when a field is left, not at the first key: it is read aloud.
  function tell() {
    const received = read(amount);
    const rest = received - sum("paid");
    left.hidden = !received || rest === 0;
    left.textContent =
      rest > 0 ? `${dollars(rest)} of ${dollars(received)} is not on a line yet.` : `The lines get ${dollars(-rest)} more than was received.`;
    left.classList.toggle("banner-info", rest > 0);
    left.classList.toggle("banner-error", rest < 0);
  }
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !event.target.dataset.part) return;
    event.preventDefault();
    const inputs = column(event.target.dataset.part);
    const next = inputs[inputs.indexOf(event.target) + 1] ?? form.querySelector("#save-payment");
    next.focus();
    next.select?.();
  });
  form.addEventListener("input", () => {
    add();
    if (!left.hidden) tell();
  });
  form.addEventListener("change", tell);
  add();
  tell();
})();
