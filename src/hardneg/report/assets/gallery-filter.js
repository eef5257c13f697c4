// Which cards and which of their candidates fit what the reader asked for. A row is
// [item, state, reason, grade, source, rank, score, evidence]; numbers point into the lists beside the cards.
const ITEM = 0, STATE = 1, REASON = 2, GRADE = 3, SOURCE = 4, RANK = 5, SCORE = 6, EVIDENCE = 7;
const SAMPLED = 0, SUSPECT = 1;

const plain = (text) => text.toLowerCase().normalize("NFKC");

// Everything that is searched, folded once.
function searchIndex(data) {
  const items = data.items.map(([id, text, , , label, , , sound]) => plain([id, text, label, sound?.who].map((one) => one ?? "").join("\n")));
  const cards = data.anchors.map((card) => {
    const own = plain(`${card.id}\n${card.text ?? ""}\n${card.label ?? ""}`);
    return [own, items[card.item] ?? "", ...card.positives.map(([item]) => items[item])].join("\n");
  });
  return { items, cards };
}

function fits(row, want) {
  return (
    (want.state === "" || row[STATE] === Number(want.state)) &&
    (want.reason === "" || row[REASON] === Number(want.reason)) &&
    (want.grade === "" || row[GRADE] === Number(want.grade)) &&
    (want.source === "" || row[SOURCE] === Number(want.source))
  );
}

// A word in the anchor or in a positive shows the whole card; else only the candidates that hold it.
function filterCards(data, index, want) {
  const narrowed = [want.state, want.reason, want.grade, want.source].some((one) => one !== "");
  const search = plain(want.search.trim());
  const found = [];
  data.anchors.forEach((card, at) => {
    const whole = search === "" || index.cards[at].includes(search);
    const rows = card.rows.filter((row) => fits(row, want) && (whole || index.items[row[ITEM]].includes(search)));
    if (rows.length || (whole && !narrowed)) found.push({ card, rows });
  });
  return found;
}

const ORDERS = {
  id: (a, b) => a.card.id.localeCompare(b.card.id, "en", { numeric: true }),
  hardest: (a, b) => (b.card.hardness ?? -Infinity) - (a.card.hardness ?? -Infinity) || ORDERS.id(a, b),
  suspects: (a, b) => b.card.counts[SUSPECT] - a.card.counts[SUSPECT] || ORDERS.id(a, b),
  fewest: (a, b) => a.card.counts[SAMPLED] - b.card.counts[SAMPLED] || ORDERS.id(a, b),
};
