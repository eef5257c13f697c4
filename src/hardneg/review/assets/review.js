// The pages work without this: forms and links. With it, keys press buttons, and only what changed is shown anew.
// What the server sends is parsed as a document and moved here; nothing in it can run (see its policy).
let waiting = false;

function show(request, address, method) {
  const fresh = request.response?.querySelector("main");
  if (!fresh) return failed();
  for (const [name, found] of [["main", fresh], ["nav ul", request.response.querySelector("nav ul")]]) {
    document.querySelector(name).replaceWith(document.adoptNode(found));
  }
  document.title = request.response.title;
  document.getElementById("failed").hidden = true;
  history[method === "GET" ? "pushState" : "replaceState"](null, "", address);
  const place = document.getElementById(new URL(address).hash.slice(1)) ?? document.getElementById("main");
  place.focus({ preventScroll: place.id === "main" });
  if (place.id === "main") scrollTo(0, 0);
}

function failed() {
  const box = document.getElementById("failed");
  box.textContent = "The server does not answer. Your last answer may not have been kept: start hardneg review again and open the address it prints.";
  box.hidden = false;
}

function send(method, address, body) {
  if (waiting) return;
  waiting = true;
  const request = new XMLHttpRequest();
  request.open(method, address);
  request.responseType = "document";
  request.timeout = 60000;
  request.onload = () => show(request, request.responseURL + hashOf(body), method);
  request.onerror = request.ontimeout = failed;
  request.onloadend = () => { waiting = false; document.body.removeAttribute("aria-busy"); };
  document.body.setAttribute("aria-busy", "true");
  if (body) request.setRequestHeader("content-type", "application/x-www-form-urlencoded");
  request.send(body ?? null);
}

// A redirect's place on the page is not told to scripts: on the grid it is the card that was answered.
function hashOf(body) {
  return body?.get("page") && body.get("row") ? `#c${body.get("row")}` : "";
}

addEventListener("popstate", () => location.reload());

document.addEventListener("submit", (event) => {
  const form = event.target;
  const data = new URLSearchParams(new FormData(form, event.submitter));
  event.preventDefault();
  if (form.method === "post") send("POST", form.action, data);
  else send("GET", `${form.action}?${data}`);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || link.hash || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  send("GET", link.href);
});

function moved(key) {
  const cells = [...document.querySelectorAll(".cell")];
  const here = cells.indexOf(document.activeElement?.closest(".cell"));
  const across = cells.filter((one) => one.offsetTop === cells[0].offsetTop).length;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[key];
  if (!cells.length || !step) return false;
  cells[here < 0 ? 0 : Math.min(cells.length - 1, Math.max(0, here + step))].focus();
  return true;
}

function played(key) {
  const sounds = [...document.querySelectorAll("audio")];
  const chosen = key === " " ? document.querySelector(".candidate audio") : sounds[Number(key) - 1];
  if (!chosen) return false;
  const start = chosen.paused;
  sounds.forEach((one) => one.pause());
  if (start) {
    chosen.currentTime = 0;
    chosen.play().catch(() => {});
  }
  return true;
}

const typing = (target) => target.closest("input:not([type=hidden]), select, textarea, audio");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
  if (event.key === " " && event.target.closest("button, a, summary")) return;
  const cell = document.activeElement?.closest(".cell");
  const grid = document.querySelector(".cell");
  const within = grid && /^[npis]$/.test(event.key) ? cell : document;
  const button = within?.querySelector(`[data-key="${CSS.escape(event.key)}"]:not(:disabled)`);
  if (button && !(grid && event.key.startsWith("Arrow"))) button.click();
  else if (!moved(event.key) && !/^[1-9 ]$/.test(event.key)) return;
  else if (/^[1-9 ]$/.test(event.key) && !played(event.key)) return;
  event.preventDefault();
});
