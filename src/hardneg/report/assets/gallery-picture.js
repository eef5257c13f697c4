// Labels and pictures. An item is [id, text, characters cut off, length of its title, label, picture, problem, sound].
const LABEL = 4, PICTURE = 5, PROBLEM = 6;

// A picture that is smaller than a stamp is shown as the dots it has.
function sharpen(image) {
  const look = () => image.naturalWidth > 0 && Math.max(image.naturalWidth, image.naturalHeight) <= 40 && image.classList.add("small");
  if (image.complete) look();
  else image.addEventListener("load", look);
  return image;
}

function pictureOf(item, role, view) {
  if (!item || item[PICTURE] === undefined) return [];
  if (item[SOUND]) return [soundOf(item, role, view)];
  if (item[PROBLEM]) return [el("span", { class: view.data.heard ? "thumb missing wide" : "thumb missing" }, item[PROBLEM])];
  const label = item[LABEL] ? `, labelled ${item[LABEL]}` : ", without a label";
  const source = `data:image/jpeg;base64,${item[PICTURE]}`;
  return [sharpen(el("img", { class: "thumb", alt: `${role} ${item[0]}${label}`, src: source }))];
}

// Nothing where there are no labels at all; an item without one among others that have some is said to have none.
function labelOf(label) {
  if (label === undefined || label === null) return [];
  if (label === "") return [el("span", { class: "tag none" }, "no label")];
  return [el("span", { class: "tag data", dir: "auto" }, label)];
}

document.querySelectorAll("img.thumb").forEach(sharpen);
