// From data to elements. Data only ever become text nodes, never markup.
const GROUPS = ["Negatives", "Suspects, set aside", "Dropped", "Kept, not sampled"];
const CHIPS = ["negative", "suspect", "dropped", "kept"];
const GRADES = { hard: "hard", semi_hard: "semi-hard", easy: "easy" };
const MORE = { items: " drawn from its class", classes: " of this class" };
const LONG = 170; // characters that surely fit two lines

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function number(value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 3 : size < 1000 ? 1 : 0).replace(/^-(?!0\.000$)/, "−").replace(/^-/, "");
}

const count = (value) => value.toLocaleString("en");
const plural = (value, one) => `${count(value)} ${one}${value === 1 ? "" : "s"}`;

// The text with the search and, if wanted, the words in common with the anchor set off.
function marked(text, search, common) {
  const words = common.map((word) => [word, "common"]);
  if (search) words.unshift([search, ""]);
  if (!words.length) return [text];
  const escaped = words.map(([word]) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return text.split(new RegExp(`(${escaped.join("|")})`, "giu")).map((part, at) => {
    if (at % 2 === 0) return part;
    return el("mark", search && part.toLowerCase() === search.toLowerCase() ? {} : { class: "common" }, part);
  });
}

function commonWords(text) {
  const words = (text ?? "").match(/[\p{L}\p{N}]{4,}/gu) ?? [];
  return [...new Set(words.map((word) => word.toLowerCase()))];
}

// A text, cut or missing; the id speaks where there is none, and no picture either.
function textOf([id, text, cut, title, , picture], view, common = []) {
  if (text === null && picture !== undefined) return el("p", { class: "text" });
  if (text === null) return el("p", { class: "text data", dir: "auto" }, id);
  const shown = el("p", { class: "text data", dir: "auto" });
  if (title) shown.append(el("b", {}, ...marked(text.slice(0, title), view.search, common)));
  shown.append(...marked(text.slice(title) || (title ? "" : "(empty)"), view.search, common));
  if (cut) shown.append(el("span", { class: "quiet" }, `… ${count(cut)} more characters`));
  return shown;
}

// Where there is no text the id stands in its place already.
const idOf = ([id, text, , , , picture]) => (text === null && picture === undefined ? [] : [el("code", { class: "data" }, id)]);

function scoreBar(score, reference, [low, high]) {
  const at = (value) => Math.min(100, Math.max(0, (100 * (value - low)) / (high - low)));
  const bar = svg("svg", { width: "100%", height: 10, "aria-hidden": "true" });
  bar.append(svg("rect", { class: "track", width: "100%", y: 3, height: 4 }));
  if (score !== null) bar.append(svg("rect", { class: "fill", width: `${at(score)}%`, y: 2, height: 6 }));
  if (reference !== null) {
    bar.append(svg("line", { class: "reference", x1: `${at(reference)}%`, x2: `${at(reference)}%`, y1: 0, y2: 10 }));
  }
  return bar;
}

function measure(score, reference, view, ...more) {
  const gap = score === null || reference === null ? "" : gapWords(score - reference, "positive");
  const figures = el("span", {}, el("strong", {}, number(score)), gap ? ` ${gap}` : "");
  return el("div", { class: "measure" }, figures, scoreBar(score, reference, view.data.range), ...more);
}

function gapWords(gap, what) {
  const words = gap < 0 ? `${number(-gap)} below` : `${number(gap)} above`;
  return what ? `${words} ${what}` : words;
}

function reasonWords(row, data) {
  const reason = data.reasons[row[REASON]];
  const value = row[EVIDENCE];
  if (!reason.figure || value === null) return reason.title;
  const shown = Number.isInteger(value) ? count(value) : number(value);
  return `${reason.title}: ${reason.figure.replace("{gap}", gapWords(value)).replace("{}", shown)}`;
}

function expander(item, body) {
  const length = (item[1] ?? "").length;
  if (length <= LONG) return [];
  const button = el("button", { type: "button", class: "expand", "aria-expanded": "false" }, "more");
  button.addEventListener("click", () => {
    const open = body.classList.toggle("open");
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "less" : "more";
  });
  return [button];
}

// Beside its picture, and under its sound where there is no text to stand beside.
function bodyClass(picture, view) {
  if (!picture.length) return "body";
  return view.data.heard && view.data.tiles ? "body heard" : "body pictured";
}

function bodyOf(item, role, view, common) {
  const picture = pictureOf(item, role, view);
  return el("div", { class: bodyClass(picture, view) }, ...picture, textOf(item, view, common));
}

function candidate(row, card, view) {
  const { data } = view;
  const item = data.items[row[ITEM]];
  const body = bodyOf(item, "Item", view, view.common ? commonWords(card.text) : []);
  const marks = el("div", { class: "marks" }, ...labelOf(item[LABEL]));
  marks.append(el("span", { class: `chip ${data.states[row[STATE]]}` }, CHIPS[row[STATE]]));
  const grade = data.grades[row[GRADE]];
  marks.append(el("span", { class: "chip plain" }, GRADES[grade] ?? grade));
  if (data.reasons[row[REASON]].title) marks.append(el("span", {}, reasonWords(row, data)));
  marks.append(...idOf(item), ...expander(item, body));
  body.querySelector(".sound figcaption")?.append(...compareOf(body, item, card, view));
  body.append(marks);
  const rank = row[RANK] < 0 ? "" : `rank ${count(row[RANK])} in `;
  const facts = el("span", {}, `${rank}${data.sources[row[SOURCE]].replaceAll("+", " + ")}`);
  return el("li", { class: data.states[row[STATE]] }, body, measure(row[SCORE], card.positive, view, facts));
}

function positive([place, score], view) {
  const item = view.data.items[place];
  const body = bodyOf(item, "Positive", view);
  const marks = el("div", { class: "marks" }, ...labelOf(item[LABEL]), el("span", { class: "chip positive" }, "positive"));
  marks.append(...idOf(item), ...expander(item, body));
  body.append(marks);
  return el("li", { class: "positive" }, body, measure(score, null, view));
}

// Things that are pictures alone stand side by side.
const listClass = (view, more = "") => (view.data.tiles ? `rows tiles${more}` : "rows");

function group(state, rows, card, view) {
  const total = card.counts[state];
  const of = rows.length === total ? count(total) : `${count(rows.length)} of ${count(total)}`;
  const list = el("ul", { class: listClass(view) }, ...rows.map((row) => candidate(row, card, view)));
  if (state === SAMPLED || state === SUSPECT || view.narrowed) return [el("h4", {}, `${GROUPS[state]} (${of})`), list];
  return [el("details", {}, el("summary", {}, `${GROUPS[state]} (${of})`), list)];
}

// A class is its own name; any other anchor is its text or its id, with its label where it has one.
function headingOf(card, view) {
  const name = el("span", { class: "data", dir: "auto" }, ...marked(card.text || card.id, view.search, []));
  return view.data.kind === "classes" ? ["Class ", name] : [name, ...labelOf(card.label).flatMap((one) => [" ", one])];
}

function cardOf({ card, rows }, at, total, view) {
  const title = `card-${at}`;
  const made = el("article", { class: "card", tabindex: "-1", "aria-labelledby": title });
  made.setAttribute("aria-posinset", String(at + 1));
  made.setAttribute("aria-setsize", String(total));
  const heading = el("h3", { id: title }, ...headingOf(card, view));
  if (card.cut) heading.append(el("span", { class: "quiet" }, `… ${count(card.cut)} more characters`));
  const [sampled, suspect, dropped, kept] = card.counts;
  const short = sampled < card.wanted ? ` of ${count(card.wanted)} wanted` : "";
  const figures = [plural(sampled, "negative") + short, plural(suspect, "suspect"), `${count(dropped)} dropped`];
  figures.push(`${count(kept)} kept, not sampled`);
  const meta = el("p", { class: "meta" }, ...idOf([card.id, card.text]), `${card.text === null ? "" : " · "}${figures.join(" · ")}`);
  const picture = pictureOf(view.data.items[card.item], "Anchor", view);
  const head = picture.length ? [el("header", { class: view.data.heard ? "pictured heard" : "pictured" }, ...picture, heading, meta)] : [heading, meta];
  const list = el("ul", { class: listClass(view, " few") }, ...card.positives.map((one) => positive(one, view)));
  made.append(...head, list);
  const what = view.data.kind === "classes" ? `${count(card.more)} more` : plural(card.more, "more positive");
  if (card.more) made.append(el("p", { class: "meta" }, what + (MORE[view.data.kind] ?? "")));
  CHIPS.forEach((_, state) => {
    const some = rows.filter((row) => row[STATE] === state);
    if (some.length) made.append(...group(state, some, card, view));
  });
  return made;
}
