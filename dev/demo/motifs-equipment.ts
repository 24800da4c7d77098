import { type Palette, steel } from "./palette.ts";
import { circle, gear, line, path, polygon, rect, turned } from "./shapes.ts";

// Drawings of vessels, electric parts, bodywork and tools. `motifs.ts` lists them, and says their size.

export function radiator({ accent, accentDark }: Palette) {
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

export function canister({ accent, accentDark }: Palette) {
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

export function muffler({ accent, accentDark }: Palette) {
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

export function sparkPlug({ accent, accentDark }: Palette) {
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

export function battery({ accent, accentDark }: Palette) {
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

export function bulb({ accent, accentDark }: Palette) {
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

export function car({ accent, accentDark }: Palette) {
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

export function seat({ accent, accentDark }: Palette) {
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

export function windscreen({ accent, accentDark }: Palette) {
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

export function filter({ accent, accentDark }: Palette) {
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

export function bottle({ accent, accentDark, disc }: Palette) {
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

export function wrenches({ accent, accentDark }: Palette) {
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
