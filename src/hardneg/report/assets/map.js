// The map: an anchor that is chosen shows what belongs to it. Data only become numbers of attributes and text nodes.
const PLANE_KINDS = [["positive", 3], ["sampled", 4], ["suspect", 5]];

function setUpPlane() {
  const source = document.getElementById("plane-data");
  if (!source) return;
  const { items, anchors } = JSON.parse(source.textContent);
  const drawing = document.getElementById("plane");
  const chosen = document.getElementById("plane-chosen");
  const pick = document.getElementById("plane-anchor");
  const said = document.getElementById("plane-said");
  anchors.forEach(([words], at) => pick.append(el("option", { value: at }, words)));
  pick.parentElement.hidden = !anchors.length;

  function show(at) {
    pick.value = at;
    drawing.classList.toggle("chosen", at !== "");
    chosen.replaceChildren();
    if (at === "") return;
    const [words, x, y, ...lists] = anchors[at];
    lists.forEach((list, number) => {
      const kind = PLANE_KINDS[number][0];
      for (const [left, top] of list.map((one) => items[one])) {
        chosen.append(svg("line", { class: kind, x1: x, y1: y, x2: left, y2: top }));
        chosen.append(svg("circle", { class: kind, cx: left, cy: top, r: 6 }));
      }
    });
    chosen.append(svg("circle", { class: "anchor", cx: x, cy: y, r: 8 }));
    const [positives, negatives, suspects] = lists.map((list) => list.length);
    said.textContent = `${words}: ${plural(positives, "positive")}, ${plural(negatives, "negative")}, ${plural(suspects, "suspect")} drawn`;
  }

  pick.addEventListener("change", () => show(pick.value === "" ? "" : Number(pick.value)));
  drawing.addEventListener("click", (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
    const away = anchors.map(([, x, y]) => Math.hypot(x - point.x, y - point.y));
    const nearest = away.indexOf(Math.min(...away));
    if (nearest >= 0) show(away[nearest] < 60 ? nearest : "");
  });
  drawing.closest("figure").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.target === pick || !anchors.length) return;
    event.preventDefault();
    const here = pick.value === "" ? (step > 0 ? -1 : anchors.length) : Number(pick.value);
    show(Math.min(anchors.length - 1, Math.max(0, here + step)));
  });
}

setUpPlane();
