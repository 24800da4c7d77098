import sharp from "sharp";
import { type MotifName, motifs } from "./motifs.ts";
import { type Palette, steel } from "./palette.ts";
import { createRandom, type Random } from "./random.ts";
import { circle, path, rect } from "./shapes.ts";
import { categoryWords } from "./words.ts";

const [width, height] = [1_200, 900];

const palettes: readonly Palette[] = [
  { background: "#d9efe9", disc: "#b7e0d5", accent: "#f9744f", accentDark: "#d4532f" },
  { background: "#fbebd3", disc: "#f5d6a6", accent: "#3183d6", accentDark: "#2265ab" },
  { background: "#dce9fb", disc: "#bad3f5", accent: "#f4a62a", accentDark: "#cf8412" },
  { background: "#fbe1e1", disc: "#f4c1c3", accent: "#2a9d8f", accentDark: "#1e786d" },
  { background: "#e7e2f9", disc: "#cec5f1", accent: "#f0b429", accentDark: "#c99117" },
  { background: "#e3f3da", disc: "#c3e4b3", accent: "#e4572e", accentDark: "#b6401f" },
  { background: "#e8ecf1", disc: "#d0d8e2", accent: "#e43f55", accentDark: "#b62a3f" },
  { background: "#fff0c9", disc: "#fbdd8d", accent: "#7a5af0", accentDark: "#5a3dc4" },
];

/** Draws the picture of a category as JPEG of 1200 × 900; the same for the same seed. */
export async function drawPicture(category: { name: string }, seed: number): Promise<Buffer> {
  const svg = Buffer.from(illustration(category.name, createRandom(seed)));
  return sharp(svg).flatten().jpeg({ quality: 88, chromaSubsampling: "4:4:4" }).toBuffer();
}

function illustration(name: string, random: Random) {
  const index = Math.max(
    0,
    categoryWords.findIndex((words) => words.name === name),
  );
  const motif: MotifName = categoryWords[index]?.motif ?? "gears";
  const palette = palettes[(index * 3 + random.int(0, 1)) % palettes.length] ?? random.pick(palettes);
  const [x, y] = [width / 2 + random.int(-12, 12), height / 2];
  const drawing = motifs[motif](palette);

  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    ${rect(0, 0, width, height, 0, palette.background)}
    ${ornaments(random, palette)}
    ${circle(x, y, 392, palette.disc)}
    <ellipse cx="${x}" cy="${y + 346}" rx="190" ry="18" fill="${steel.ink}" fill-opacity=".16"/>
    <g transform="translate(${x} ${y - 6}) scale(1.12)">${drawing}</g>
  </svg>`;
}

/** Small rings, crosses and dots at the margins. */
function ornaments(random: Random, { disc, accent }: Palette) {
  const places: [number, number][] = [
    [110, 130],
    [90, 420],
    [150, 770],
    [1_090, 150],
    [1_120, 480],
    [1_050, 780],
  ];
  return random
    .shuffle(places)
    .map(([x, y], index) => {
      const at = `transform="translate(${x + random.int(-40, 40)} ${y + random.int(-50, 50)}) rotate(${random.int(0, 45)})"`;
      if (index === 0) return circle(0, 0, 14, accent, at);
      if (index < 3)
        return path("M-26 0h52M0-26v52", "none", `${at} stroke="${disc}" stroke-width="15" stroke-linecap="round"`);
      return circle(0, 0, random.int(18, 34), "none", `${at} stroke="${disc}" stroke-width="14"`);
    })
    .join("");
}
