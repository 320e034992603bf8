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

// Say how long a clock still runs, every half minute.
const clocks = document.querySelectorAll("[data-until]");
const sayTimeLeft = () => {
  for (const clock of clocks) {
    const minutes = Math.floor((Date.parse(clock.dataset.until) - Date.now()) / 60000);
    const days = Math.floor(minutes / 1440);
    const hours = Math.floor((minutes % 1440) / 60);
    if (Number.isNaN(minutes)) continue;
    if (minutes < 0) clock.textContent = "(over)";
    else if (days) clock.textContent = `(in ${days} d ${hours} h)`;
    else clock.textContent = hours ? `(in ${hours} h ${minutes % 60} min)` : `(in ${minutes} min)`;
  }
};
if (clocks.length) {
  sayTimeLeft();
  window.setInterval(sayTimeLeft, 30000);
}

// Save a draft while one writes: some seconds after the last change, and when a field is left. One request at a time,
// so that the answer to one says what the next one has seen. The button saves without this script.
for (const form of document.querySelectorAll("form[data-autosave]")) {
  const state = form.querySelector("[data-save-state]");
  let timer = 0;
  let isDirty = false;
  let isSaving = false;
  let isStopped = false;
  let isLeaving = false;
  let leaveBy = null;
  const say = (text, isWrong) => {
    state.textContent = text;
    state.classList.toggle("not-saved", isWrong);
  };
  const save = async () => {
    window.clearTimeout(timer);
    if (!isDirty || isSaving || isStopped) return;
    isDirty = false;
    isSaving = true;
    const answers = new FormData(form);
    for (const input of form.querySelectorAll("input[type=file]")) answers.delete(input.name);
    try {
      const response = await fetch(form.action, { method: "POST", body: answers, headers: { accept: "application/json" } });
      const told = await response.json();
      if (response.ok) {
        form.elements.order.value = told.order;
        form.elements.seen.value = told.seen;
        const now = new Date();
        say(`Saved ${now.getHours()}:${String(now.getMinutes()).padStart(2, "0")}`, false);
      } else {
        // somebody else saved, or the session is over: only a page can show what to do
        isStopped = response.status !== 400;
        say(`Not saved: ${told.detail || "try the button Save"}`, true);
      }
    } catch {
      isDirty = true;
      say("Not saved: the server does not answer. What you wrote stays on this page.", true);
    }
    isSaving = false;
    if (isLeaving) form.requestSubmit(leaveBy);
    else if (isDirty) timer = window.setTimeout(save, 3000);
  };
  const showWhatIsAsked = () => {
    for (const question of form.querySelectorAll("[data-depends-on]")) {
      const wanted = question.dataset.anyOf.split(" ");
      const given = [...form.querySelectorAll(`[name="${question.dataset.dependsOn}"]:checked`)].map((input) => input.value);
      question.hidden = !given.some((value) => wanted.includes(value));
    }
  };
  form.addEventListener("input", (event) => {
    showWhatIsAsked();
    if (event.target.type === "file") return;
    isDirty = true;
    window.clearTimeout(timer);
    timer = window.setTimeout(save, 3000);
  });
  form.addEventListener("focusout", save);
  form.addEventListener("submit", (event) => {
    isStopped = true;
    if (!isSaving) return;
    // the button waits for what is under way: else the page would meet its own saving as somebody else's
    event.preventDefault();
    isLeaving = true;
    leaveBy = event.submitter;
  });
}

// Follow a study: the hub answers when something changed, then this part of the page is taken anew.
const follow = async () => {
  for (let progress = document.querySelector("#progress[data-follow]"); progress; ) {
    const { follow: place, version } = progress.dataset;
    try {
      const told = await (await fetch(`${place}?after=${encodeURIComponent(version)}`)).json();
      if (["waiting", "finished", "stopped"].includes(told.state)) {
        window.location.reload();
        return;
      }
      if (told.version === version) continue;
      const page = new DOMParser().parseFromString(await (await fetch(window.location.href)).text(), "text/html");
      const newer = page.querySelector("#progress[data-follow]");
      if (!newer) {
        window.location.reload();
        return;
      }
      progress.replaceWith(newer);
      progress = newer;
    } catch {
      await new Promise((resolve) => window.setTimeout(resolve, 5000));
    }
  }
};
follow();

// Send a sealed file in parts, each with its checksum: those that are there already are not sent again.
const PART_BYTES = 8 << 20;
for (const form of document.querySelectorAll("form[data-parts]")) {
  if (!window.crypto.subtle) continue;
  const { sealed, csrf } = form.elements;
  const said = form.querySelector("[role=status]");
  const here = new Set(form.dataset.here.split(" "));
  const send = async (file) => {
    if (new TextDecoder().decode(await file.slice(0, 8).arrayBuffer()) !== "crypt4gh") {
      return "This is no Crypt4GH file: seal it first. Nothing of it was sent.";
    }
    for (let number = 0; number * PART_BYTES < file.size; number += 1) {
      if (here.has(String(number))) continue;
      said.textContent = `${Math.floor((100 * number * PART_BYTES) / file.size)} % is sent`;
      const part = await file.slice(number * PART_BYTES, (number + 1) * PART_BYTES).arrayBuffer();
      const digest = String.fromCharCode(...new Uint8Array(await window.crypto.subtle.digest("SHA-256", part)));
      const headers = {
        "content-type": "application/octet-stream",
        "content-digest": `sha-256=:${btoa(digest)}:`,
        "x-csrf-token": csrf.value,
      };
      const response = await fetch(form.dataset.parts + number, { method: "PUT", body: part, headers });
      if (!response.ok) return (await response.json()).detail;
      here.add(String(number));
    }
    return "";
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    const problem = await send(sealed.files[0]).catch(() => "The node does not answer. Send it again: what is there stays.");
    button.disabled = false;
    if (!problem) window.location.reload();
    said.textContent = problem;
  });
}

// Put what went wrong where the keyboard is.
const problems = document.getElementById("problems");
if (problems) problems.focus({ preventScroll: false });
