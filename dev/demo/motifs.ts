import {
  battery,
  bottle,
  bulb,
  canister,
  car,
  filter,
  muffler,
  radiator,
  seat,
  sparkPlug,
  windscreen,
  wrenches,
} from "./motifs-equipment.ts";
import {
  bearing,
  belt,
  brake,
  clutch,
  fan,
  gears,
  piston,
  shaft,
  shockAbsorber,
  steeringWheel,
  wheel,
} from "./motifs-moving-parts.ts";
import type { Palette } from "./palette.ts";

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
