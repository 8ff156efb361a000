// The Calendar: the arrows go from slot to slot, and a free hour is one click from New Appointment. Works without.
"use strict";
(() => {
  const calendar = document.querySelector("[data-calendar]");
  if (!calendar) return;
  const slotsOf = (day) => Array.from(day.querySelectorAll("[data-row]")).filter((slot) => slot.offsetParent !== null);
  const days = () => Array.from(calendar.querySelectorAll("[data-day]")).filter((day) => slotsOf(day).length);

  function go(slot) {
    if (!slot) return;
    slot.tabIndex = -1;
    slot.focus();
    slot.scrollIntoView({ block: "nearest" });
  }

  // Up and down within the day; left and right to the slot of the next day that lies closest.
  const closest = (day, slot) => {
    const top = slot.getBoundingClientRect().top;
    const far = (each) => Math.abs(each.getBoundingClientRect().top - top);
    return slotsOf(day).reduce((best, each) => (far(each) < far(best) ? each : best));
  };
  const steps = {
    ArrowDown: (slot, own) => own[own.indexOf(slot) + 1],
    ArrowUp: (slot, own) => own[own.indexOf(slot) - 1],
    ArrowRight: (slot, own, list, at) => list[at + 1] && closest(list[at + 1], slot),
    ArrowLeft: (slot, own, list, at) => list[at - 1] && closest(list[at - 1], slot),
  };
  calendar.addEventListener("keydown", (event) => {
    const slot = event.target.closest("[data-row]");
    if (!slot || !steps[event.key] || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const list = days();
    const at = list.indexOf(slot.closest("[data-day]"));
    event.preventDefault();
    go(steps[event.key](slot, slotsOf(list[at]), list, at));
  });
})();
