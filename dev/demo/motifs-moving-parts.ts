import { type Palette, steel } from "./palette.ts";
import { circle, gear, line, path, polygon, rect, ring, turned } from "./shapes.ts";

// Drawings of parts that turn or move. `motifs.ts` lists them, and says their size.

export function piston({ accent, accentDark }: Palette) {
  const rod = [
    polygon("-38,-70 38,-70 52,150 -52,150", steel.middle),
    polygon("-14,-60 14,-60 22,130 -22,130", steel.dark),
    circle(0, 190, 92, steel.middle),
    circle(0, 190, 58, steel.ink),
    circle(0, 190, 34, accent),
    rect(-118, 172, 44, 36, 8, steel.dark),
    rect(74, 172, 44, 36, 8, steel.dark),
  ];
  const head = [
    path(
      "M-170-260h340q22 0 22 22v198q0 20-20 20h-70q-16 0-20-16q-14-44-82-44t-82 44q-4 16-20 16h-70q-20 0-20-20v-198q0-22 22-22z",
      steel.light,
    ),
    path("M60-260h110q22 0 22 22v198q0 20-20 20h-70q-16 0-20-16q-8-24-32-34z", steel.middle),
    rect(-192, -214, 384, 20, 4, steel.dark),
    rect(-192, -174, 384, 20, 4, steel.dark),
    rect(-192, -134, 384, 20, 4, accent),
    rect(60, -134, 132, 20, 4, accentDark),
    circle(0, -62, 36, steel.dark),
    circle(0, -62, 20, steel.ink),
  ];
  return [...rod, ...head].join("");
}

export function clutch({ accent, accentDark }: Palette) {
  const lining = (angle: number) =>
    turned(angle, path("M-62-262a270 270 0 0 1 124 0l-24 96a172 172 0 0 0-76 0z", angle % 60 ? steel.ink : "#33425f"));
  const damper = (angle: number) =>
    turned(
      angle,
      rect(-46, -128, 92, 44, 20, accentDark) +
        rect(-38, -122, 12, 32, 5, accent) +
        rect(-18, -122, 12, 32, 5, accent) +
        rect(2, -122, 12, 32, 5, accent) +
        rect(22, -122, 12, 32, 5, accent),
    );
  return [
    circle(0, 0, 190, steel.middle),
    ...around(12, lining),
    ring(0, 0, 150, 16, steel.light),
    circle(0, 0, 142, steel.light),
    ...around(4, damper),
    ...around(4, (angle) => turned(angle + 45, circle(0, -106, 14, steel.dark))),
    circle(0, 0, 62, steel.dark),
    polygon(gear(14, 34, 44), steel.ink),
    circle(0, 0, 26, steel.light),
  ].join("");
}

export function gears({ accent, accentDark }: Palette) {
  const small = [
    polygon(gear(12, 96, 126), accent),
    circle(0, 0, 76, accentDark),
    circle(0, 0, 60, accent),
    circle(0, 0, 26, steel.ink),
  ].join("");
  return [
    polygon(gear(18, 156, 190), steel.middle, "translate(-78 62)"),
    `<g transform="translate(-78 62)">${circle(0, 0, 132, steel.light)}`,
    ...around(6, (angle) => turned(angle, circle(0, -86, 30, steel.dark))),
    `${circle(0, 0, 50, steel.dark)}${circle(0, 0, 28, steel.ink)}</g>`,
    `<g transform="translate(150 -142) rotate(9)">${small}</g>`,
    `<g transform="translate(196 152) rotate(4) scale(.62)">${polygon(gear(11, 96, 128), steel.dark)}${circle(0, 0, 62, steel.middle)}${circle(0, 0, 26, steel.ink)}</g>`,
  ].join("");
}

export function shaft({ accent, accentDark }: Palette) {
  const joint = (x: number, flip: number) =>
    `<g transform="translate(${x} 0) scale(${flip} 1)">${[
      rect(-150, -78, 34, 156, 12, steel.dark),
      rect(-128, -56, 74, 30, 10, steel.middle),
      rect(-128, 26, 74, 30, 10, steel.middle),
      rect(-40, -64, 62, 128, 16, steel.middle),
      circle(-58, 0, 44, accent),
      circle(-58, 0, 24, accentDark),
      rect(-66, -84, 16, 168, 8, steel.ink),
      rect(-72, -92, 28, 22, 6, steel.dark),
      rect(-72, 70, 28, 22, 6, steel.dark),
    ].join("")}</g>`;
  return `<g transform="rotate(-24)">${[
    rect(-170, -46, 340, 92, 10, steel.light),
    rect(-170, 8, 340, 38, 10, steel.middle),
    rect(-66, -54, 26, 108, 6, steel.dark),
    rect(-26, -54, 26, 108, 6, steel.dark),
    joint(-168, 1),
    joint(168, -1),
  ].join("")}</g>`;
}

export function brake({ accent, accentDark }: Palette) {
  const caliper = [
    path("M96-250q150 56 170 214q4 30-26 34l-76 8q-26 2-34-24q-20-64-80-92q-26-14-18-40l26-80q10-30 38-20z", accent),
    path("M184-196q72 62 82 160q4 30-26 34l-76 8q-22 2-30-16q58 4 78-26q26-44-28-160z", accentDark),
    circle(110, -150, 34, accentDark),
    circle(196, -72, 30, accent),
    circle(110, -150, 16, steel.ink),
    circle(196, -72, 14, steel.ink),
  ];
  return [
    circle(-20, 20, 250, steel.middle),
    circle(-20, 20, 236, steel.light),
    ring(-20, 20, 186, 3, steel.middle),
    ring(-20, 20, 216, 3, steel.middle),
    `<g transform="translate(-20 20)">`,
    ...around(16, (angle) => turned(angle, circle(0, -208, 9, steel.dark) + circle(38, -162, 9, steel.dark))),
    circle(0, 0, 128, steel.dark),
    circle(0, 0, 112, steel.middle),
    ...around(5, (angle) => turned(angle + 36, circle(0, -76, 17, steel.ink))),
    circle(0, 0, 44, steel.dark),
    circle(0, 0, 28, steel.ink),
    "</g>",
    ...caliper,
  ].join("");
}

export function steeringWheel({ accent, accentDark }: Palette) {
  return [
    ring(0, 0, 232, 56, steel.ink),
    ring(0, 0, 244, 8, "#3a4966"),
    path("M-212-30q92-30 212-30t212 30l-16 76q-62 0-88 20t-40 148h-156q-14-128-40-148t-88-20z", steel.dark),
    path("M-212-30q92-30 212-30t212 30l-5 26q-92-26-207-26t-207 26z", steel.middle),
    path("M-92-52q92-16 184 0l6 64q-4 62-40 92q-58 20-116 0q-36-30-40-92z", steel.light),
    path("M20-56q40 0 72 4l6 64q-4 62-40 92q-20 8-44 9q40-80 6-169z", steel.middle),
    circle(0, 20, 34, accent),
    circle(0, 20, 17, accentDark),
    rect(-162, -12, 34, 20, 8, accent),
    rect(128, -12, 34, 20, 8, accent),
    path("M-160-168a232 232 0 0 1 320 0", "none", `stroke="${accent}" stroke-width="14" stroke-linecap="round"`),
  ].join("");
}

export function shockAbsorber({ accent, accentDark }: Palette) {
  const turns = [-150, -90, -30, 30, 90];
  return `<g transform="rotate(18)">${[
    rect(-24, -250, 48, 240, 10, steel.light),
    rect(4, -250, 20, 240, 10, steel.middle),
    rect(-62, -10, 124, 230, 22, steel.dark),
    rect(12, -10, 50, 230, 22, "#6c7a92"),
    ...turns.map((y) => line(-112, y + 62, 112, y + 30, 26, accentDark)),
    rect(-132, -204, 264, 34, 17, steel.middle),
    rect(-132, 148, 264, 34, 17, steel.middle),
    ...turns.map((y) => line(-112, y, 112, y + 32, 30, accent)),
    line(-112, 150, 112, 158, 26, accent),
    rect(-54, -262, 108, 40, 16, steel.ink),
    rect(-14, -300, 28, 50, 8, steel.dark),
    circle(0, 252, 50, steel.middle),
    circle(0, 252, 26, steel.ink),
  ].join("")}</g>`;
}

export function belt({ accent, accentDark, disc }: Palette) {
  const pulleys: [number, number, number][] = [
    [-110, 96, 132],
    [156, 134, 78],
    [60, -160, 96],
  ];
  const outline = (extra: number) => hull(pulleys.map(([x, y, r]) => [x, y, r + extra]));
  const pulley = ([x, y, r]: [number, number, number]) =>
    [
      circle(x, y, r, steel.middle),
      circle(x, y, r - 16, steel.light),
      ...around(
        5,
        (angle) =>
          `<g transform="translate(${x} ${y})">${turned(angle, circle(0, -r * 0.58, r * 0.16, steel.dark))}</g>`,
      ),
      circle(x, y, r * 0.28, accent),
      circle(x, y, r * 0.14, accentDark),
    ].join("");
  return [
    polygon(outline(34), steel.ink),
    polygon(outline(34), "none", "", "1", `stroke="#3d4d6c" stroke-width="6" stroke-dasharray="14 12"`),
    polygon(outline(8), disc),
    ...pulleys.map(pulley),
  ].join("");
}

export function bearing({ accent, accentDark, disc }: Palette) {
  const ball = (angle: number) =>
    turned(
      angle,
      circle(0, -168, 46, accent) +
        path("M0-122a46 46 0 0 0 40-68a60 60 0 0 1-40 68z", accentDark) +
        circle(-14, -184, 12, "#fff", 'fill-opacity=".7"'),
    );
  return [
    circle(0, 0, 268, steel.dark),
    circle(0, 0, 256, steel.light),
    path("M0-256a256 256 0 0 1 0 512a330 330 0 0 0 0-512z", steel.middle),
    circle(0, 0, 222, steel.ink),
    ...around(9, ball),
    circle(0, 0, 118, steel.dark),
    circle(0, 0, 108, steel.light),
    path("M0-108a108 108 0 0 1 0 216a150 150 0 0 0 0-216z", steel.middle),
    circle(0, 0, 66, steel.dark),
    circle(0, 0, 58, disc),
  ].join("");
}

export function wheel({ accent, accentDark }: Palette) {
  const spoke = (angle: number) =>
    turned(
      angle,
      path("M-24-30l-30-136q54-20 108 0l-30 136z", steel.light) + path("M4-30l14-142q20 2 36 6l-30 136z", steel.middle),
    );
  return [
    ...around(30, (angle) => turned(angle, rect(-16, -276, 32, 40, 8, "#1c2739"))),
    circle(0, 0, 264, steel.ink),
    ring(0, 0, 226, 5, "#43536f"),
    circle(0, 0, 192, steel.dark),
    circle(0, 0, 178, "#37455f"),
    path("M120-130a178 178 0 0 1 36 212l-60-30a110 110 0 0 0-22-130z", accent),
    ...around(5, spoke),
    ring(0, 0, 180, 20, steel.light),
    circle(0, 0, 56, steel.middle),
    ...around(5, (angle) => turned(angle + 36, circle(0, -38, 8, steel.ink))),
    circle(0, 0, 22, accent),
    circle(0, 0, 10, accentDark),
  ].join("");
}

export function fan({ accent, accentDark }: Palette) {
  const blade = (angle: number) =>
    turned(angle, path("M0-30q-66-62-50-142q60-30 112 8q-2 72-62 134z", angle % 120 ? steel.middle : steel.light));
  const arm = (angle: number) =>
    turned(
      angle,
      path(
        "M0 0v-78m-24 0l24-24l24 24m-20 32l20-20m-48 20l-20-20",
        "none",
        'stroke="#fff" stroke-width="11" stroke-linecap="round"',
      ),
    );
  return [
    rect(-250, -250, 500, 500, 70, steel.ink),
    circle(0, 0, 222, "#3a4966"),
    ...around(6, blade),
    circle(0, 0, 58, steel.dark),
    circle(0, 0, 36, steel.white),
    ...[-206, 206].flatMap((x) => [-206, 206].map((y) => circle(x, y, 17, steel.dark))),
    circle(176, 166, 124, accentDark),
    circle(170, 160, 118, accent),
    `<g transform="translate(170 160) scale(.84)">${around(6, arm).join("")}</g>`,
  ].join("");
}

function around(count: number, draw: (angle: number) => string) {
  return Array.from({ length: count }, (_, index) => draw((360 / count) * index));
}

/** The line that a tight belt around circles takes, as points of a polygon. */
function hull(circles: [x: number, y: number, radius: number][]) {
  const points = circles
    .flatMap(([x, y, radius]) =>
      Array.from({ length: 90 }, (_, index): [number, number] => {
        const angle = (index * Math.PI) / 45;
        return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
      }),
    )
    .sort(([a, b], [c, d]) => a - c || b - d);
  return [...half(points), ...half(points.reverse())].map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
}

/** One side of the convex hull of points in order (monotone chain). */
function half(points: [number, number][]) {
  const chain: [number, number][] = [];
  for (const point of points) {
    while (chain.length > 1 && !turnsLeft(chain.at(-2), chain.at(-1), point)) chain.pop();
    chain.push(point);
  }
  return chain.slice(0, -1);
}

function turnsLeft(a: [number, number] = [0, 0], b: [number, number] = [0, 0], c: [number, number]) {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0;
}
