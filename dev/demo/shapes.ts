/** A filled circle. */
export function circle(x: number, y: number, radius: number, fill: string, more = "") {
  return `<circle cx="${x}" cy="${y}" r="${radius}" fill="${fill}" ${more}/>`;
}

/** A circle that is only a line. */
export function ring(x: number, y: number, radius: number, width: number, stroke: string) {
  return circle(x, y, radius, "none", `stroke="${stroke}" stroke-width="${width}"`);
}

/** A rectangle with round corners. */
export function rect(x: number, y: number, width: number, height: number, round: number, fill: string, more = "") {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${round}" fill="${fill}" ${more}/>`;
}

/** A free form. */
export function path(d: string, fill: string, more = "") {
  return `<path d="${d}" fill="${fill}" ${more}/>`;
}

/** A thick line with round ends. */
export function line(x1: number, y1: number, x2: number, y2: number, width: number, stroke: string) {
  return path(`M${x1} ${y1}L${x2} ${y2}`, "none", `stroke="${stroke}" stroke-width="${width}" stroke-linecap="round"`);
}

/** A form with straight sides; `points` is `x,y x,y …`. */
export function polygon(points: string, fill: string, transform = "", opacity = "1", more = "") {
  return `<polygon points="${points}" fill="${fill}" fill-opacity="${opacity}" transform="${transform}" ${more}/>`;
}

/** Turned around 0,0 by so many degrees. */
export function turned(angle: number, drawing: string) {
  return `<g transform="rotate(${angle})">${drawing}</g>`;
}

/** Points of a gear around 0,0 whose teeth reach from `inner` to `outer`. */
export function gear(count: number, inner: number, outer: number) {
  const step = (2 * Math.PI) / count;
  const corners: [part: number, radius: number][] = [
    [-0.3, inner],
    [-0.17, outer],
    [0.17, outer],
    [0.3, inner],
  ];
  return Array.from({ length: count }, (_, index) =>
    corners.map(([part, radius]) => {
      const angle = (index + part) * step;
      return `${(radius * Math.sin(angle)).toFixed(1)},${(-radius * Math.cos(angle)).toFixed(1)}`;
    }),
  )
    .flat()
    .join(" ");
}
