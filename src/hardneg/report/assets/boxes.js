// Boxes to look at: sorted and filtered in place.
const BOX_ORDERS = {
  score: (a, b) => boxScore(b) - boxScore(a),
  kind: (a, b) => boxKinds.indexOf(a.dataset.kind) - boxKinds.indexOf(b.dataset.kind) || BOX_ORDERS.score(a, b),
  category: (a, b) => a.dataset.category.localeCompare(b.dataset.category, "en") || BOX_ORDERS.score(a, b),
};
const boxKinds = [...document.querySelectorAll("#b-kind option")].map((one) => one.value);

// What was missed has no score, and stands last.
const boxScore = (look) => (look.dataset.score === "" ? -1 : Number(look.dataset.score));

function setUpBoxes() {
  const list = document.getElementById("b-looks");
  if (!list) return;
  const form = document.getElementById("b-tools");
  const all = [...list.children];
  const value = (name) => document.getElementById(`b-${name}`)?.value ?? "";
  const refresh = () => {
    const wanted = ["kind", "category", "state"].map((name) => [name, value(name)]).filter(([, want]) => want !== "");
    for (const look of all) look.hidden = !wanted.every(([name, want]) => look.dataset[name] === want);
    list.append(...all.toSorted(BOX_ORDERS[value("sort")]));
    const shown = all.filter((look) => !look.hidden).length;
    document.getElementById("b-count").textContent = shown === 1 ? "1 box" : `${shown} boxes`;
    document.getElementById("b-empty").hidden = shown > 0;
  };
  form.addEventListener("change", refresh);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(refresh));
  form.hidden = false;
  refresh();
}

setUpBoxes();
