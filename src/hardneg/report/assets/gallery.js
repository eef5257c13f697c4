// The gallery: state of the form in, cards out, a few at a time.
const BATCH = 8;

function setUpGallery() {
  const source = document.getElementById("gallery-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const get = (name) => document.getElementById(`g-${name}`);
  const fields = ["search", "state", "reason", "grade", "source", "sort"];
  const index = searchIndex(data);
  const cards = get("cards");
  let found = [], shown = 0, view = {};

  const wanted = () => Object.fromEntries(fields.map((name) => [name, get(name).value]));

  function showMore() {
    const next = found.slice(shown, shown + BATCH);
    cards.append(...next.map((one, at) => cardOf(one, shown + at, found.length, view)));
    shown += next.length;
    get("more").hidden = shown >= found.length;
    get("more").textContent = `Show more (${count(found.length - shown)} left)`;
  }

  function refresh() {
    const want = wanted();
    const narrowed = ["state", "reason", "grade", "source"].some((name) => want[name] !== "") || want.search.trim() !== "";
    view = { data, search: want.search.trim(), common: get("common").checked, narrowed };
    found = filterCards(data, index, want).sort(ORDERS[want.sort]);
    shown = 0;
    cards.replaceChildren();
    const rows = found.reduce((sum, one) => sum + one.rows.length, 0);
    get("count").textContent = `${plural(found.length, "anchor")}, ${plural(rows, "candidate")}`;
    if (found.length) showMore();
    else cards.append(el("p", { class: "empty" }, "Nothing fits. Try fewer words, or clear the filters."));
    get("more").hidden = shown >= found.length;
  }

  fillChoices(data, get);
  let waiting = 0;
  get("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 120);
  });
  for (const name of [...fields.slice(1), "common"]) get(name).addEventListener("change", refresh);
  const form = get("search").form;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(refresh));
  get("more").addEventListener("click", showMore);
  new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && shown < found.length && showMore(), {
    rootMargin: "800px",
  }).observe(get("more"));
  document.addEventListener("keydown", (event) => onKey(event, get("search"), cards, showMore));
  document.getElementById("gallery-app").hidden = false;
  refresh();
}

function fillChoices(data, get) {
  const counts = [STATE, REASON, GRADE, SOURCE].map(() => new Map());
  for (const card of data.anchors) {
    for (const row of card.rows) {
      [STATE, REASON, GRADE, SOURCE].forEach((column, at) => counts[at].set(row[column], (counts[at].get(row[column]) ?? 0) + 1));
    }
  }
  const names = [
    ["state", CHIPS.map((chip) => (chip === "kept" ? "kept, not sampled" : chip))],
    ["reason", data.reasons.map((reason) => (reason.name ? `${reason.title} (${reason.name})` : ""))],
    ["grade", data.grades.map((grade) => GRADES[grade] ?? grade)],
    ["source", data.sources],
  ];
  names.forEach(([name, labels], at) => {
    labels.forEach((label, code) => {
      if (label && counts[at].has(code)) get(name).append(el("option", { value: String(code) }, label));
    });
  });
}

// j and k go from card to card, / to the search, Escape leaves it.
function onKey(event, search, cards, showMore) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target === search) return search.blur();
  const onCard = event.target.classList?.contains("card");
  if (!onCard && event.target.closest?.("input, select, textarea, .chart, .scroll")) return undefined;
  if (event.key === "/") {
    event.preventDefault();
    return search.focus();
  }
  const steps = { j: 1, k: -1, ...(onCard ? { ArrowDown: 1, ArrowUp: -1 } : {}) };
  const step = steps[event.key];
  if (!step) return undefined;
  event.preventDefault();
  const all = () => [...cards.querySelectorAll(".card")];
  const at = all().indexOf(document.activeElement?.closest(".card")) + step;
  if (at >= all().length) showMore();
  const next = all()[Math.max(0, at)];
  if (next) {
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  }
  return undefined;
}

setUpGallery();
