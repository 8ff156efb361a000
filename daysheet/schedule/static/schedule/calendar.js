// The Calendar: arrows go from slot to slot, a slot is dragged to another time, and a free hour is one click from New
// Appointment. Works without: each slot has a Move link, each day an Add link.
"use strict";
(() => {
  const calendar = document.querySelector("[data-calendar]");
  if (!calendar) return;
  const slotsOf = (day) => Array.from(day.querySelectorAll("[data-row]")).filter((slot) => slot.offsetParent !== null);
  const columns = () => Array.from(calendar.querySelectorAll("[data-day]"));

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
    const list = columns().filter((day) => slotsOf(day).length);
    const at = list.indexOf(slot.closest("[data-day]"));
    event.preventDefault();
    go(steps[event.key](slot, slotsOf(list[at]), list, at));
  });

  // The week's grid: rows of five minutes. Dragging goes by quarters of an hour.
  const form = document.getElementById("calendar-move");
  if (!form) return;
  const STEP = 5;
  const SNAP = 15;
  const firstMinute = Number(calendar.dataset.firstHour) * 60;
  const lastMinute = Number(calendar.dataset.lastHour) * 60;
  const isGrid = () => getComputedStyle(calendar.querySelector(".cal-slots")).display === "grid";
  const rowHeight = () => parseFloat(getComputedStyle(calendar.querySelector(".cal-slots")).gridAutoRows);
  const twoDigits = (number) => String(number).padStart(2, "0");
  const clock = (minute) => `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`;
  const minuteAt = (column, y) => {
    const rows = (y - column.getBoundingClientRect().top) / rowHeight();
    const minute = firstMinute + Math.round((rows * STEP) / SNAP) * SNAP;
    return Math.min(Math.max(minute, firstMinute), lastMinute - SNAP);
  };
  const placed = (slot, name) => Number(Array.from(slot.classList).find((each) => each.startsWith(name)).slice(name.length));

  let drag = null;
  let wasDragged = false;
  function begin() {
    const { slot } = drag;
    Object.assign(drag, { column: slot.parentElement, after: slot.nextElementSibling, classes: slot.className, rows: placed(slot, "row-end-") - placed(slot, "row-start-") });
    drag.time = slot.querySelector(".cal-time");
    drag.words = drag.time.textContent;
    slot.classList.remove("cal-narrow");
    slot.classList.add("cal-dragged");
  }
  function follow(event) {
    const column = columns().find((each) => {
      const box = each.getBoundingClientRect();
      return event.clientX >= box.left && event.clientX < box.right;
    }) ?? drag.slot.parentElement;
    const minute = minuteAt(column, event.clientY - drag.grip);
    if (column === drag.slot.parentElement && minute === drag.minute) return;
    if (column !== drag.slot.parentElement) column.append(drag.slot);
    drag.minute = minute;
    const row = (minute - firstMinute) / STEP + 1;
    const kept = drag.classes.split(/\s+/).filter((each) => !/^(row|col)-(start|end)-/.test(each) && each !== "cal-narrow");
    drag.slot.className = [...kept, "cal-dragged", `row-start-${row}`, `row-end-${row + drag.rows}`, "col-start-1", "col-end-13"].join(" ");
    drag.time.textContent = `${Math.floor(minute / 60) % 12 || 12}:${twoDigits(minute % 60)}`;
  }
  function giveBack() {
    if (drag.classes) {
      drag.column.insertBefore(drag.slot, drag.after);
      drag.slot.className = drag.classes;
      drag.time.textContent = drag.words;
    }
    drag = null;
  }
  function drop() {
    const { slot, minute } = drag;
    const day = slot.parentElement.dataset.day;
    const isMoved = minute !== undefined && slot.className.replace(" cal-dragged", "") !== drag.classes;
    if (!isMoved) return giveBack();
    form.action = slot.dataset.move;
    form.elements.version.value = slot.dataset.version;
    form.elements.day.value = day;
    form.elements.at.value = clock(minute);
    drag = null;
    form.requestSubmit();
  }
  calendar.addEventListener("pointerdown", (event) => {
    wasDragged = false;
    const slot = event.target.closest("[data-move]");
    if (!slot || event.button !== 0 || event.pointerType === "touch" || event.target.closest(".cal-move") || !isGrid()) return;
    drag = { slot, x: event.clientX, y: event.clientY, grip: event.clientY - slot.getBoundingClientRect().top };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.classes) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 6) return;
      begin();
    }
    wasDragged = true;
    follow(event);
  });
  document.addEventListener("pointerup", () => {
    if (!drag) return;
    if (drag.classes) drop();
    else drag = null;
  });
  document.addEventListener("pointercancel", () => { if (drag) giveBack(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) giveBack(); });
  calendar.addEventListener("dragstart", (event) => event.preventDefault());
  // What ends a drag is no click on the slot's link.
  calendar.addEventListener("click", (event) => {
    if (!wasDragged) return;
    wasDragged = false;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  // A click on a free time of a day leads to New Appointment at that time.
  calendar.addEventListener("click", (event) => {
    const column = event.target;
    if (!column.matches(".cal-slots") || !isGrid()) return;
    const url = new URL(column.closest("section").querySelector(".cal-add").href);
    const quarters = (event.clientY - column.getBoundingClientRect().top) / rowHeight() / (SNAP / STEP);
    url.searchParams.set("at", clock(firstMinute + Math.floor(quarters) * SNAP));
    window.location.assign(url);
  });
})();
