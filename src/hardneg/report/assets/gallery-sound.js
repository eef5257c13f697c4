// Sounds: drawn as spectrograms, played on a click, and one after another to compare them.
// The sound of an item is { time, who, track, event, audio }; all but the first may be missing.
const SOUND = 7;
const PAUSE = 250; // milliseconds between two sounds that are compared

const player = { audio: document.getElementById("g-player"), queue: [], button: null, turn: 0, waiting: 0 };

function namesOf(item, role) {
  const label = item[LABEL] ? `, labelled ${item[LABEL]}` : "";
  const { time, who, track } = item[SOUND];
  const scores = (track ?? []).filter((one) => one !== null);
  return `${role} ${item[0]}${label}${who ? `, ${who}` : ""}, ${time}${scores.length ? `, highest score ${number(Math.max(...scores))}` : ""}`;
}

function soundOf(item, role, view) {
  const { time, who, audio } = item[SOUND];
  const picture = `data:image/png;base64,${item[PICTURE]}`;
  const names = namesOf(item, role);
  const words = el("figcaption", {}, el("span", { class: "time" }, time));
  if (who) words.append(" ", el("span", { class: "data", dir: "auto" }, who));
  if (!audio) words.append(" ", el("span", { class: "unheard" }, "picture only"));
  const face = [el("img", { class: "spectrum", alt: audio ? "" : `Spectrogram of ${names}`, src: picture }), overlay(item[SOUND], view)];
  if (!audio) return el("figure", { class: "sound" }, el("span", { class: "face" }, ...face), words);
  const button = el("button", { type: "button", class: "face listen", "aria-label": `Play ${names}`, "aria-pressed": "false" }, ...face, glyph());
  button.sound = { source: `data:${view.data.audio};base64,${audio}`, names };
  button.addEventListener("click", () => (player.button === button ? stop() : playAll([button])));
  return el("figure", { class: "sound" }, button, words);
}

// What a detector said, from the lowest to the highest score of all, with its event as a band, and where the sound is.
function overlay({ track, event }, view) {
  const made = svg("svg", { class: "track", viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" });
  if (event) made.append(svg("rect", { class: "event", x: 100 * event[0], width: 100 * (event[1] - event[0]), y: 0, height: 100 }));
  if (track) {
    const [low, high] = view.data.scores;
    const place = (value, at) => `${((100 * (at + 0.5)) / track.length).toFixed(2)} ${(96 - (92 * (value - low)) / (high - low)).toFixed(2)}`;
    const points = track.flatMap((value, at) => (value === null ? [] : [place(value, at)]));
    for (const kind of ["under", "score"]) made.append(svg("polyline", { class: kind, points: points.join(" ") }));
  }
  made.append(svg("line", { class: "now", x1: 0, x2: 0, y1: 0, y2: 100 }));
  return made;
}

function glyph() {
  const made = svg("svg", { class: "glyph", viewBox: "0 0 24 24", "aria-hidden": "true" });
  made.append(svg("circle", { cx: 12, cy: 12, r: 11 }));
  made.append(svg("path", { class: "start", d: "M9.5 7v10l8-5z" }), svg("path", { class: "stop", d: "M8 8h8v8H8z" }));
  return made;
}

function playAll(buttons) {
  stop();
  player.queue = [...buttons];
  next();
}

function next() {
  const button = player.queue.shift();
  if (!button) return;
  player.button = button;
  button.classList.add("playing");
  button.setAttribute("aria-pressed", "true");
  player.audio.src = button.sound.source;
  document.getElementById("g-said").textContent = button.sound.names;
  const turn = (player.turn += 1); // what was stopped before it had begun says so late
  player.audio.play().then(follow, () => turn === player.turn && ended());
}

function rest() {
  const button = player.button;
  if (!button) return;
  button.classList.remove("playing");
  button.setAttribute("aria-pressed", "false");
  player.button = null;
}

function ended() {
  rest();
  if (player.queue.length) player.waiting = setTimeout(next, PAUSE);
}

function stop() {
  clearTimeout(player.waiting);
  player.queue = [];
  player.audio.pause();
  rest();
}

function follow() {
  if (!player.button || player.audio.paused) return;
  const at = 100 * Math.min(1, player.audio.currentTime / player.audio.duration || 0);
  const line = player.button.querySelector(".now");
  line.setAttribute("x1", at);
  line.setAttribute("x2", at);
  requestAnimationFrame(follow);
}

// The anchor, its best positive and this one, as far as they can be played; nothing where there is nothing to compare.
function compareOf(body, item, card, view) {
  const own = body.querySelector(".listen");
  if (!own) return [];
  const others = () => {
    const whole = own.closest(".card");
    return [whole.querySelector("header .listen"), whole.querySelector("li.positive .listen")].filter(Boolean);
  };
  const heard = [card.item, card.positives[0]?.[0]].filter((place) => view.data.items[place]?.[SOUND]?.audio);
  if (!heard.length) return [];
  const label = `Compare ${item[0]}: play the anchor, its best positive and this one after another`;
  const button = el("button", { type: "button", class: "compare", "aria-label": label }, "Compare");
  button.addEventListener("click", () => playAll([...others(), own]));
  return [button];
}

player.audio?.addEventListener("ended", ended);
document.addEventListener("keydown", (event) => event.key === "Escape" && player.button && stop());
