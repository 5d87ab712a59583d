// Live pages, and the components of GOV.UK Frontend. Nothing here is needed to do the work.
import { initAll } from "./vendor/govuk-frontend.min.js";

initAll();

// The activation code travels in the fragment, which no server and no log ever sees.
const code = document.getElementById("token");
if (code && !code.value && location.hash.length > 1) {
  code.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

const POLL = 15000;
const IDLE = 15 * 60 * 1000;
let touched = Date.now();
for (const sign of ["keydown", "pointerdown"]) addEventListener(sign, () => { touched = Date.now(); }, { passive: true });

let source = null;
let poll = null;
let loading = false;
let again = false;

const main = () => document.getElementById("main-content");
const say = (text) => { document.getElementById("announcements").textContent = text; };

// Reading a page counts as use of the session: a page that nobody touches must not keep one alive.
const update = () => { if (Date.now() - touched < IDLE) refresh(); };

// Read this page again and put its live parts in place of ours; a refusal takes everything away.
async function refresh() {
  if (loading) { again = true; return; }
  loading = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "follow" });
    if (answer.status === 503 || answer.status === 429) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok || answer.redirected) leave(fresh); else take(fresh);
  } catch { /* no network: what is shown stays until the server answers again */ }
  finally {
    loading = false;
    if (again) { again = false; refresh(); }
  }
}

function take(fresh) {
  let changed = false;
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.getElementById(part.id);
    if (!next || next.innerHTML === part.innerHTML || part.contains(document.activeElement) && part.querySelector(":focus:is(input,textarea,select)")) continue;
    part.replaceWith(next);
    changed = true;
    if (window.htmx) window.htmx.process(next);
  }
  const count = fresh.getElementById("unread");
  if (count) document.getElementById("unread")?.replaceWith(count);
  if (changed) say("This page was updated.");
  const live = fresh.getElementById("main-content")?.dataset.live;
  if (live) main().dataset.live = live;
}

function leave(fresh) {
  stop();
  const typed = [...document.querySelectorAll("main textarea")].map((one) => one.value).filter((text) => text.trim());
  main().replaceChildren(...(fresh.getElementById("main-content")?.childNodes ?? []));
  delete main().dataset.live;
  document.title = fresh.title;
  if (typed.length) {
    const note = document.createElement("p");
    note.className = "govuk-body";
    note.textContent = "What you had typed and not saved:";
    main().append(note, ...typed.map((text) => {
      const kept = document.createElement("textarea");
      kept.className = "govuk-textarea";
      kept.setAttribute("aria-label", "What you had typed");
      kept.rows = 6;
      kept.value = text;
      return kept;
    }));
  }
  say("Your access to this page has ended.");
}

function stop() {
  source?.close();
  source = null;
  clearInterval(poll);
  poll = null;
}

function listen() {
  const url = main().dataset.live;
  if (!url) return;
  const opened = source = new EventSource(url);
  opened.addEventListener("open", () => { clearInterval(poll); poll = null; });
  opened.addEventListener("changed", update);
  opened.addEventListener("unread", (event) => {
    const count = document.getElementById("unread");
    if (!count) return;
    count.firstChild.textContent = event.data;
    count.hidden = event.data === "0";
  });
  // Access may have been narrowed: read the page again, which says so, or hands out a new place to listen.
  opened.addEventListener("check", async () => { opened.close(); await refresh(); if (source === opened) listen(); });
  opened.addEventListener("error", () => {
    poll ??= setInterval(update, POLL);
    // What the server refused is not tried again by the browser; the page read anew says why, or brings a pass.
    if (opened.readyState === EventSource.CLOSED && source === opened) {
      refresh();
      setTimeout(() => { if (source === opened) listen(); }, POLL);
    }
  });
}

listen();
