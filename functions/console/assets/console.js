// Comfort only: every page works without this file.
(() => {
  "use strict";
  const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || typing(event.target)) return;
    if (event.altKey) {
      // Alt and an arrow move a robot's row within its list.
      const where = { ArrowUp: "up", ArrowDown: "down" }[event.key];
      const button = where && event.target.closest("tr[data-list]")?.querySelector(`button[value=${where}]`);
      if (button) {
        event.preventDefault();
        button.click();
      }
      return;
    }
    if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (search) {
        event.preventDefault();
        search.focus();
      }
      return;
    }
    if (/^[1-7]$/.test(event.key)) {
      const link = document.querySelector(`nav a[data-key="${event.key}"]`);
      if (link) link.click();
      return;
    }
    // j and k go from row to row of a list.
    if (event.key === "j" || event.key === "k") {
      const links = [...document.querySelectorAll("tbody th[scope=row] a")];
      if (links.length === 0) return;
      const at = links.indexOf(document.activeElement);
      const next = event.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0);
      links[next].focus();
    }
    if (event.key === "x") {
      const box = document.activeElement.closest("tr")?.querySelector("input[type=checkbox]");
      if (box) box.click();
    }
  });

  document.addEventListener("change", (event) => {
    const all = event.target.closest("input[data-all]");
    if (!all) return;
    for (const box of all.closest("table").querySelectorAll("tbody input[type=checkbox]")) box.checked = all.checked;
  });

  // A row that is dragged by its handle goes where it is dropped, among the rows of its own list.
  let dragged = null;
  const under = (event) => {
    const row = dragged && event.target.closest("tr[data-list]");
    if (!row || row === dragged || row.dataset.list !== dragged.dataset.list) return null;
    const box = row.getBoundingClientRect();
    return { row, side: event.clientY < box.top + box.height / 2 ? "above" : "below" };
  };
  const unmark = () => {
    for (const row of document.querySelectorAll("tr.above, tr.below")) row.classList.remove("above", "below");
  };
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".handle")?.closest("tr[data-list]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
    event.dataTransfer.setDragImage(dragged, 0, 0);
  });
  document.addEventListener("dragover", (event) => {
    unmark();
    const over = under(event);
    if (!over) return;
    event.preventDefault();
    over.row.classList.add(over.side);
  });
  document.addEventListener("drop", (event) => {
    const over = under(event);
    if (!over) return;
    event.preventDefault();
    const rows = [...dragged.parentNode.querySelectorAll(`tr[data-list="${dragged.dataset.list}"]`)];
    const [from, at] = [rows.indexOf(dragged), rows.indexOf(over.row)];
    // Places are counted without the row that moves.
    const to = at - (from < at ? 1 : 0) + (over.side === "below" ? 1 : 0);
    if (to === from) return;
    const form = dragged.querySelector("form");
    form.elements.to.value = to;
    form.querySelector("button[value=to]").click();
  });
  document.addEventListener("dragend", () => {
    dragged = null;
    unmark();
  });

  // A second click must not send a form twice. It would change nothing; it would only look odd.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // A file comes without a new page: such a form may be sent again.
    if (form.method !== "post" || "again" in form.dataset) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
  });
  // A form that is sent in place and refused keeps what was typed, and says why.
  document.addEventListener("htmx:responseError", (event) => {
    const form = event.detail.elt.closest("form");
    if (!form) return;
    form.parentNode.querySelector("[data-refused]")?.remove();
    const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    const said = document.createElement("p");
    said.className = "alert";
    said.dataset.refused = "1";
    said.setAttribute("role", "alert");
    said.textContent = page.querySelector("#main [role=alert]")?.textContent ?? `HTTP ${event.detail.xhr.status}`;
    form.before(said);
    said.scrollIntoView();
  });

  // What has the focus keeps it where its piece of the page is replaced.
  let focused = "";
  document.addEventListener("htmx:beforeSwap", () => {
    focused = document.activeElement?.id ?? "";
  });
  document.addEventListener("htmx:afterSettle", () => {
    const now = document.activeElement;
    if (focused && (!now || now === document.body || !now.isConnected)) document.getElementById(focused)?.focus();
  });

  // The back button brings a page back as it was left.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
