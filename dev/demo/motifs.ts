import { circle, gear, line, path, polygon, rect, ring, turned } from "./shapes.ts";

/** Colours of one picture; `accent` is the only loud one. */
export interface Palette {
  background: string;
  disc: string;
  accent: string;
  accentDark: string;
}

export const steel = { white: "#f7f9fc", light: "#dde4ee", middle: "#b3bfd0", dark: "#7f8da5", ink: "#27344d" };

/** Drawings of a part around 0,0 that reach about 280 to each side. */
export const motifs = {
  piston,
  clutch,
  gears,
  shaft,
  brake,
  steeringWheel,
  shockAbsorber,
  radiator,
  canister,
  muffler,
  sparkPlug,
  battery,
  bulb,
  car,
  seat,
  windscreen,
  fan,
  filter,
  belt,
  bearing,
  wheel,
  bottle,
  wrenches,
} satisfies Record<string, (palette: Palette) => string>;

export type MotifName = keyof typeof motifs;

function piston({ accent, accentDark }: Palette) {
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

function clutch({ accent, accentDark }: Palette) {
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

function gears({ accent, accentDark }: Palette) {
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

function shaft({ accent, accentDark }: Palette) {
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

function brake({ accent, accentDark }: Palette) {
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

function steeringWheel({ accent, accentDark }: Palette) {
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

function shockAbsorber({ accent, accentDark }: Palette) {
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

function radiator({ accent, accentDark }: Palette) {
  const columns = Array.from({ length: 12 }, (_, index) => -180 + index * 31);
  const wave = (x: number) =>
    path(
      `M${x}-148${"l16 14l-16 14".repeat(10)}`,
      "none",
      `stroke="${steel.dark}" stroke-width="6" stroke-linejoin="round"`,
    );
  return [
    rect(190, -96, 90, 54, 14, steel.ink),
    rect(-280, 92, 90, 54, 14, steel.ink),
    rect(-204, -156, 408, 312, 8, steel.light),
    ...columns.map((x) => rect(x - 12, -156, 8, 312, 0, steel.middle)),
    ...columns.slice(0, -1).map((x) => wave(x)),
    rect(-236, -232, 472, 86, 30, accent),
    rect(-236, -188, 472, 42, 20, accentDark),
    rect(-236, 146, 472, 86, 30, accent),
    rect(-236, 190, 472, 42, 20, accentDark),
    rect(-236, -150, 34, 300, 0, steel.dark),
    rect(202, -150, 34, 300, 0, steel.dark),
    rect(-128, -276, 84, 32, 10, steel.ink),
    rect(-112, -252, 52, 26, 4, steel.dark),
  ].join("");
}

function canister({ accent, accentDark }: Palette) {
  return [
    path("M-150-214h120v-30q0-22 22-22h118q22 0 22 22v60h-36v-38h-90v38h-156z", steel.ink),
    polygon("-196,-190 -120,-252 -78,-202 -150,-140", steel.middle),
    polygon("-236,-196 -190,-252 -150,-214 -206,-162", steel.ink),
    path("M-108-196h260q48 0 48 48v356q0 48-48 48h-296q-48 0-48-48v-300z", accent),
    path("M60-196h92q48 0 48 48v356q0 48-48 48h-160q100-160 68-452z", accentDark),
    path(
      "M-122-20l220 196m0-196l-220 196",
      "none",
      `stroke="${steel.white}" stroke-opacity=".85" stroke-width="26" stroke-linecap="round"`,
    ),
    rect(-150, -52, 276, 260, 30, "none", `stroke="${steel.white}" stroke-opacity=".35" stroke-width="10"`),
    path("M246-60q58 84 58 124a58 58 0 0 1-116 0q0-40 58-124z", steel.ink),
    path("M222 62a30 30 0 0 0 24 30", "none", `stroke="${steel.light}" stroke-width="10" stroke-linecap="round"`),
  ].join("");
}

function muffler({ accent, accentDark }: Palette) {
  return `<g transform="rotate(-8)">${[
    path("M-300 60h150", "none", `stroke="${steel.dark}" stroke-width="56"`),
    path("M-300 46h150", "none", `stroke="${steel.middle}" stroke-width="22"`),
    path("M150 40h50q44 0 44-44v-16q0-40 40-40h22", "none", `stroke="${steel.dark}" stroke-width="52"`),
    path("M150 30h46q40 0 40-40v-14q0-44 44-44h26", "none", `stroke="${steel.middle}" stroke-width="18"`),
    rect(290, -94, 34, 68, 8, steel.ink),
    rect(-180, -96, 350, 226, 92, steel.light),
    path("M-180 30v8q0 92 92 92h166q92 0 92-92v-8q-50 46-175 46t-175-46z", steel.middle),
    path("M-90-90v214", "none", `stroke="${accent}" stroke-width="22"`),
    path("M80-90v214", "none", `stroke="${accent}" stroke-width="22"`),
    path("M-90 66v58m170-58v58", "none", `stroke="${accentDark}" stroke-width="22"`),
    rect(-206, 26, 34, 72, 8, steel.ink),
    rect(-40, -22, 80, 14, 7, steel.white),
    circle(246, -184, 30, steel.white),
    circle(292, -214, 42, steel.white),
    circle(330, -170, 26, steel.white),
  ].join("")}</g>`;
}

function sparkPlug({ accent, accentDark }: Palette) {
  const thread = Array.from({ length: 6 }, (_, index) => 122 + index * 20);
  return `<g transform="rotate(28) scale(.92)">${[
    rect(-22, -322, 44, 42, 10, steel.dark),
    rect(-32, -292, 64, 24, 8, steel.ink),
    path("M-44-272h88l20 250h-128z", steel.white),
    path("M8-272h36l20 250h-44z", steel.light),
    rect(-52, -226, 104, 18, 9, accent),
    rect(-55, -184, 110, 18, 9, accent),
    rect(-58, -142, 116, 18, 9, accent),
    path("M8-226h44v18h-44zm2 42h45v18h-45zm2 42h46v18h-46z", accentDark),
    polygon("-104,-40 104,-40 116,-16 116,56 104,80 -104,80 -116,56 -116,-16", steel.middle),
    polygon("-44,-40 44,-40 44,80 -44,80", steel.light),
    rect(-86, 76, 172, 34, 8, steel.dark),
    rect(-60, 104, 120, 140, 4, steel.middle),
    rect(16, 104, 44, 140, 4, steel.dark),
    ...thread.map((y) => line(-62, y + 6, 62, y - 4, 8, steel.ink)),
    rect(-14, 240, 28, 40, 6, steel.white),
    path("M52 240v66q0 10-10 10h-54", "none", `stroke="${steel.dark}" stroke-width="18" stroke-linejoin="round"`),
    polygon("-6,284 10,284 2,300 16,300 -14,330 -4,308 -18,308", accent),
  ].join("")}</g>`;
}

function battery({ accent, accentDark }: Palette) {
  return [
    rect(-186, -222, 84, 60, 10, steel.dark),
    rect(102, -222, 84, 60, 10, accentDark),
    rect(-170, -240, 52, 36, 8, steel.middle),
    rect(118, -240, 52, 36, 8, accent),
    rect(-266, -176, 532, 74, 18, steel.ink),
    rect(-246, -116, 492, 320, 20, steel.light),
    path("M60-116h166q20 0 20 20v280q0 20-20 20h-266q140-120 100-320z", steel.middle),
    rect(-266, 176, 532, 44, 16, steel.ink),
    rect(-206, -62, 60, 18, 6, steel.ink),
    rect(146, -62, 60, 18, 6, accentDark),
    rect(167, -83, 18, 60, 6, accentDark),
    polygon("26,-74 -84,62 -10,62 -36,160 84,16 8,16 46,-74", accent),
    polygon("46,-74 8,16 84,16 -36,160 -4,40 -40,40", accentDark, "", ".35"),
  ].join("");
}

function bulb({ accent, accentDark }: Palette) {
  const ray = (angle: number) => turned(angle, rect(-11, -296, 22, 66, 11, accent));
  return [
    `<g transform="translate(0 -40)">${[-108, -72, -36, 0, 36, 72, 108].map(ray).join("")}</g>`,
    path("M0-232a192 192 0 0 1 116 345q-26 22-30 57h-172q-4-35-30-57a192 192 0 0 1 116-345z", steel.white),
    path("M40-228a192 192 0 0 1 76 341q-26 22-30 57h-62q120-190 16-398z", steel.light),
    path(
      "M-52 166l-22-150l38 34l36-46l36 46l38-34l-22 150",
      "none",
      `stroke="${accentDark}" stroke-width="15" stroke-linejoin="round" stroke-linecap="round"`,
    ),
    circle(0, 4, 18, accent),
    path("M-132-84a142 142 0 0 1 62-82", "none", `stroke="${steel.light}" stroke-width="18" stroke-linecap="round"`),
    rect(-98, 166, 196, 40, 12, steel.middle),
    rect(-86, 206, 172, 34, 10, steel.dark),
    rect(-86, 238, 172, 34, 10, steel.middle),
    path("M-62 270h124l-22 36h-80z", steel.ink),
  ].join("");
}

function car({ accent, accentDark }: Palette) {
  const tyre = (x: number) =>
    [circle(x, 110, 76, steel.ink), circle(x, 110, 46, steel.light), circle(x, 110, 18, steel.dark)].join("");
  return `<g transform="scale(1.12)">${[
    path("M-296 96q-12-100 36-124l86-26q62-96 150-104h96q92 6 154 104q64 8 74 60q8 52-2 90z", accent),
    path("M-296 96q-4-36 0-60h598q4 30-4 60z", accentDark),
    path("M-132-54q46-66 108-74v74z", steel.light),
    path("M2-128h66q58 6 102 74h-168z", steel.light),
    path("M-82-54l42-68q8-4 16-6v74zM100-54l-44-74h12q58 6 102 74z", steel.white),
    path("M-11-54v148", "none", `stroke="${accentDark}" stroke-width="6"`),
    rect(16, -30, 48, 12, 6, steel.white),
    path("M286-10q14 6 18 40h-30q-16-6-14-40z", "#ffe9a8"),
    path("M-284-12q20 0 24 6v32h-36q2-26 12-38z", steel.white),
    rect(-312, 72, 90, 30, 12, steel.ink),
    rect(226, 72, 86, 30, 12, steel.ink),
    path("M-258 100a88 88 0 0 1 176 0zM84 100a88 88 0 0 1 176 0z", "#1c2739"),
    tyre(-170),
    tyre(172),
  ].join("")}</g>`;
}

function seat({ accent, accentDark }: Palette) {
  return `<g transform="translate(10 0)">${[
    rect(-64, 196, 300, 34, 12, steel.ink),
    rect(-20, 150, 30, 60, 4, steel.dark),
    rect(150, 150, 30, 60, 4, steel.dark),
    rect(-146, -298, 106, 92, 34, accentDark, 'transform="rotate(-9 -93 -252)"'),
    rect(-114, -214, 14, 46, 4, steel.dark),
    rect(-80, -214, 14, 46, 4, steel.dark),
    path("M-170-132q-6-52 44-54h44q44 0 54 46l46 232q6 36-24 50l-68 26q-40 6-50-34z", accent),
    path("M-112-186h30q44 0 54 46l46 232q4 20-4 32q-64 0-82-70z", accentDark),
    path("M-98 92q110-40 262-22q62 8 62 52q0 50-54 50h-216q-46 0-60-34q-6-30 6-46z", accent),
    path("M-104 138q70 20 330-14q-2 48-54 48h-216q-46 0-60-34z", accentDark),
    circle(-84, 128, 30, steel.ink),
    circle(-84, 128, 12, steel.middle),
    path(
      "M-134-120l30 150m22 40q60-18 130-16",
      "none",
      `stroke="${steel.white}" stroke-opacity=".6" stroke-width="8" stroke-linecap="round" stroke-dasharray="20 18"`,
    ),
  ].join("")}</g>`;
}

function windscreen({ accent, accentDark }: Palette) {
  return [
    path("M-290 170l54-312q6-34 42-40q194-28 388 0q36 6 42 40l54 312q-290 64-580 0z", steel.ink),
    path("M-252 146l48-272q2-14 18-17q186-24 372 0q16 3 18 17l48 272q-252 50-504 0z", "#d8ecf7"),
    path("M-252 146l20-116q190-170 300-186q-60 120-190 334q-66-8-130-32z", "#eef8fd"),
    path("M34 166q100-150 154-312q16 4 18 20l12 66q-38 120-90 220q-48 6-94 6z", "#eef8fd", 'fill-opacity=".7"'),
    path("M-30 206l180-210", "none", `stroke="${accentDark}" stroke-width="16" stroke-linecap="round"`),
    path("M96-126l92 190", "none", `stroke="${accent}" stroke-width="20" stroke-linecap="round"`),
    path("M106-130l92 190", "none", `stroke="${steel.ink}" stroke-width="8" stroke-linecap="round"`),
    circle(-34, 210, 28, steel.dark),
    circle(-34, 210, 12, steel.light),
    rect(-70, -206, 140, 58, 24, accent),
    rect(-58, -196, 116, 38, 16, steel.light),
  ].join("");
}

function fan({ accent, accentDark }: Palette) {
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

function filter({ accent, accentDark }: Palette) {
  const pleats = Array.from({ length: 15 }, (_, index) => -168 + index * 24);
  return [
    path("M-170-150h340v310h-340z", "#fdf3d8"),
    ...pleats.map((x) => rect(x - 6, -150, 9, 310, 0, "#e6d3a1")),
    rect(60, -150, 110, 310, 0, "#b99f5f", 'fill-opacity=".28"'),
    rect(-176, -20, 352, 16, 4, steel.middle),
    `<ellipse cx="0" cy="170" rx="206" ry="64" fill="${accentDark}"/>`,
    rect(-206, 130, 412, 42, 12, accent),
    path("M-206 168q30 60 206 60t206-60v12q-20 66-206 66t-206-66z", accentDark),
    rect(-206, -184, 412, 48, 12, accentDark),
    `<ellipse cx="0" cy="-180" rx="206" ry="66" fill="${accent}"/>`,
    `<ellipse cx="0" cy="-180" rx="112" ry="34" fill="${steel.ink}"/>`,
    `<ellipse cx="0" cy="-170" rx="92" ry="22" fill="#1a2438"/>`,
  ].join("");
}

function belt({ accent, accentDark, disc }: Palette) {
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

function bearing({ accent, accentDark, disc }: Palette) {
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

function wheel({ accent, accentDark }: Palette) {
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

function bottle({ accent, accentDark, disc }: Palette) {
  return [
    rect(-92, -296, 108, 66, 12, steel.ink),
    ...[-76, -54, -32, -10].map((x) => rect(x, -290, 8, 54, 3, "#43536f")),
    rect(-82, -236, 88, 40, 6, accentDark),
    path("M-86-206h96q20 0 34 16l88 104q18 20 18 48v268q0 40-40 40h-252q-40 0-40-40v-324q0-26 20-44z", accent),
    path("M20-204q14 4 24 14l88 104q18 20 18 48v268q0 40-40 40h-110q90-190 20-474z", accentDark),
    path("M62-112l44 52q10 14 10 30v80q0 18-16 18t-16-18v-70q0-10-8-20l-40-46q-8-14 4-24t22-2z", disc),
    rect(-152, -10, 206, 206, 24, steel.white),
    path("M-49 20q56 76 56 110a56 56 0 0 1-112 0q0-34 56-110z", accentDark),
    path("M-76 128a28 28 0 0 0 24 30", "none", `stroke="${steel.white}" stroke-width="10" stroke-linecap="round"`),
    path("M220 60q46 66 46 96a46 46 0 0 1-92 0q0-30 46-96z", accent),
    path(
      "M198 156a22 22 0 0 0 18 24",
      "none",
      `stroke="${steel.white}" stroke-opacity=".8" stroke-width="9" stroke-linecap="round"`,
    ),
  ].join("");
}

function wrenches({ accent, accentDark }: Palette) {
  const wrench = [
    path("M-34-176h68v392h-68z", steel.light),
    path("M4-176h30v392h-30z", steel.middle),
    path("M-92-232q8-44 52-66v78l40 26l40-26v-78q44 22 52 66q6 66-58 96h-68q-64-30-58-96z", steel.light),
    path("M40-298q44 22 52 66q6 66-58 96h-30q30-40 36-84z", steel.middle),
    circle(0, 232, 70, steel.light),
    path("M0 162a70 70 0 0 1 0 140a110 110 0 0 0 0-140z", steel.middle),
    polygon(gear(6, 32, 40), steel.ink, "translate(0 232)"),
    rect(-10, -110, 20, 240, 10, steel.dark),
  ].join("");
  const screwdriver = [
    rect(-13, -60, 26, 250, 2, steel.middle),
    polygon("-13,180 13,180 24,250 18,290 -18,290 -24,250", steel.dark),
    rect(-34, -84, 68, 40, 10, steel.ink),
    path("M-50-272q4-28 50-28t50 28l8 150q-4 48-34 52h-48q-30-4-34-52z", accent),
    path("M10-300q36 2 40 28l8 150q-4 48-34 52h-20q26-110 6-230z", accentDark),
    rect(-26, -250, 12, 140, 6, steel.white, 'fill-opacity=".55"'),
    rect(18, -250, 12, 140, 6, steel.white, 'fill-opacity=".3"'),
  ].join("");
  return `<g transform="rotate(-42)">${wrench}</g><g transform="rotate(42)">${screwdriver}</g>`;
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
