"use strict";
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const sandboxed = self !== top && self.origin === "null";

const options = {
  actions: false,
  config: read("config"),
  loader: { target: "_blank", rel: "noopener" },
  renderer: "svg",
  tooltip: { disableDefaultStyle: true },
};
const charts = Object.entries(read("charts")).map(([place, spec]) =>
  vegaEmbed(document.getElementById(place), spec, options));
Promise.all(charts).then((drawn) => {
  if (sandboxed) drawn.forEach(({ view }) => view.addEventListener("click", (_, item) => tell(item?.datum?.href)));
  document.documentElement.dataset.drawn = "true";
});

const frames = read("frames");
if (frames) {
  const images = document.querySelectorAll(".pictures img");
  const last = Array.from(images, (image) => image.src);
  const slider = document.getElementById("step");
  slider.addEventListener("input", () => {
    const step = frames.steps[slider.value];
    document.getElementById("step-shown").textContent = step.toLocaleString("en");
    frames.runs.forEach((pictures, run) => {
      const [, picture] = pictures.filter(([at]) => at <= step).pop() ?? pictures[0];
      images[run].src = picture ?? last[run];
    });
  });
}

// MLflow shows the page in a frame that may open nothing, so a click says where it would have led.
const tell = (address) => {
  if (!address) return;
  const server = location.href.match(/^blob:(https?:\/\/[^/]+)/)?.[1];
  const bar = document.getElementById("address");
  bar.hidden = false;
  bar.querySelector("code").textContent = server ? address.replace(/^https?:\/\/[^/]+/, server) : address;
};
if (sandboxed) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[target]");
    if (!link) return;
    event.preventDefault();
    tell(link.href);
  });
}

// On paper nothing can be opened.
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
});
