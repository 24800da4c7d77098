// Keeps the list up to date in place: rows that stay are not touched, so nothing flickers and a selection survives.
const intervalMilliseconds = 2000;
const list = document.querySelector("#list");
const clear = document.querySelector("#clear");

async function refresh() {
  const response = await fetch("/").catch(() => null);
  if (response?.ok) {
    merge(new DOMParser().parseFromString(await response.text(), "text/html"));
  }
  document.body.classList.toggle("offline", !response?.ok);
}

function merge(page) {
  document.querySelector("#counter").textContent = page.querySelector("#counter").textContent;
  clear.hidden = page.querySelector("#clear").hidden;
  const rows = list.querySelector("tbody");
  const newRows = page.querySelector("tbody");
  if (rows && newRows) {
    mergeRows(rows, newRows);
  } else if (rows || newRows) {
    list.replaceChildren(...page.querySelector("#list").childNodes);
  }
}

function mergeRows(rows, newRows) {
  for (const row of [...rows.rows]) {
    if (!newRows.querySelector(`#${row.id}`)) row.remove();
  }
  const first = rows.rows[0];
  for (const row of [...newRows.rows]) {
    if (!document.getElementById(row.id)) {
      row.classList.add("new");
      rows.insertBefore(row, first ?? null);
    }
  }
}

async function run() {
  if (!document.hidden) await refresh();
  setTimeout(run, intervalMilliseconds);
}

if (list) {
  clear.addEventListener("click", async () => {
    await fetch("/api/messages", { method: "DELETE" });
    await refresh();
  });
  document.addEventListener("visibilitychange", refresh);
  setTimeout(run, intervalMilliseconds);
}
