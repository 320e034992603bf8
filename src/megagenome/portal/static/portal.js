// SPDX-License-Identifier: Apache-2.0
// What only helps: every page works without this file.

// Suggest terms while one types. The page itself looks words up when the form is sent.
for (const input of document.querySelectorAll("input[data-terms]")) {
  const list = document.createElement("datalist");
  list.id = `${input.id}-terms`;
  input.after(list);
  input.setAttribute("list", list.id);
  let timer = 0;
  let last = "";
  input.addEventListener("input", () => {
    const text = input.value.trim();
    window.clearTimeout(timer);
    if (text.length < 3 || text.includes(":") || text === last) return;
    timer = window.setTimeout(async () => {
      last = text;
      try {
        const response = await fetch(`/api/terms?q=${encodeURIComponent(text)}`);
        if (!response.ok) return;
        const found = (await response.json()).terms.filter((term) =>
          term.kind === input.dataset.terms || (!["phenotype", "disease"].includes(term.kind) && term.id.includes(":")));
        if (input.value.trim() !== text) return;
        list.replaceChildren(...found.slice(0, 20).map((term) => new Option(term.label, term.id)));
      } catch {
        // no suggestions, then
      }
    }, 250);
  });
}

// Say that nodes are being asked: the slowest of them decides when the next page comes.
for (const form of document.querySelectorAll("form[data-busy]")) {
  const busy = form.parentElement.querySelector(".busy");
  form.addEventListener("submit", () => {
    busy.textContent = form.dataset.busy;
  });
  window.addEventListener("pageshow", () => {
    busy.textContent = "";
  });
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}
