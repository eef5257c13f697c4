// A chart tells its figures where it is pointed at, or with the arrow keys.
function setUpChart(chart) {
  const readout = chart.querySelector(".readout");
  const hits = [...chart.querySelectorAll(".hit")];
  const words = hits.map((hit) => hit.querySelector("title").textContent);
  for (const hit of hits) hit.querySelector("title").remove(); // the readout is quicker than the browser's tooltip
  let at = -1;
  const show = (index) => {
    if (at >= 0) hits[at].classList.remove("on");
    at = index;
    hits[at].classList.add("on");
    readout.textContent = words[at];
  };
  hits.forEach((hit, index) => hit.addEventListener("pointerenter", () => show(index)));
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !hits.length) return;
    event.preventDefault();
    show(Math.min(hits.length - 1, Math.max(0, at + step)));
  });
}

document.querySelectorAll(".chart").forEach(setUpChart);
