"use strict";
const read = (id) => JSON.parse(document.getElementById(id).textContent);

const options = {
  actions: false,
  config: read("config"),
  loader: { target: "_blank", rel: "noopener" },
  renderer: "svg",
  tooltip: { disableDefaultStyle: true },
};
const charts = Object.entries(read("charts")).map(([place, spec]) =>
  vegaEmbed(document.getElementById(place), spec, options));
Promise.all(charts).then(() => { document.documentElement.dataset.drawn = "true"; });

const frames = read("frames");
if (frames) {
  const images = document.querySelectorAll(".pictures img");
  const last = Array.from(images, (image) => image.src);
  const slider = document.getElementById("step");
  const show = () => {
    const step = frames.steps[slider.value];
    document.getElementById("step-shown").textContent = step.toLocaleString("en");
    frames.runs.forEach((pictures, run) => {
      const [, picture] = pictures.filter(([at]) => at <= step).pop() ?? pictures[0];
      images[run].src = picture ?? last[run];
    });
  };
  slider.addEventListener("input", show);
}

// On paper nothing can be opened, and charts have another width.
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
});
