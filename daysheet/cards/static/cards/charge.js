// Charge Cards: the sum under the list follows the amounts as they are typed. The server adds them up again anyway.
"use strict";
(() => {
  const form = document.querySelector("#charge-form");
  if (!form) return;
  form.addEventListener("input", (event) => {
    const { name, value } = event.target;
    if (!name?.startsWith("amount-")) return;
    const tick = form.querySelector(`[name="${name.replace("amount-", "tick-")}"]`);
    const match = /^\$?\s*(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d{1,2}))?$/.exec(value.trim());
    tick.dataset.cents = match ? String(Number((match[1] ?? "0").replaceAll(",", "")) * 100 + Number((match[2] ?? "").padEnd(2, "0"))) : "0";
    tick.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
