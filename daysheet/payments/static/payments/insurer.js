// Batch Payments: the sums under the three columns, while they are typed. Without it the server adds up the same.
"use strict";
(() => {
  const form = document.querySelector("form[data-insurer-payment]");
  if (!form) return;
  const read = (input) => {
    const match = /^\$?\s*(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d{1,2}))?$/.exec(input.value.trim());
    if (!match || (!match[1] && !match[2])) return 0;
    return Number((match[1] ?? "0").replaceAll(",", "")) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  };
  const dollars = (cents) =>
    "$" + (cents / 100).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  function add() {
    for (const cell of form.querySelectorAll("[data-total]")) {
      const inputs = Array.from(form.querySelectorAll(`[data-part="${cell.dataset.total}"]`));
      cell.textContent = dollars(inputs.reduce((sum, input) => sum + read(input), 0));
    }
  }
  form.addEventListener("input", add);
  add();
})();
