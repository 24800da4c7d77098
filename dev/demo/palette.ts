/** Colours of one picture; `accent` is the only loud one. */
export interface Palette {
  background: string;
  disc: string;
  accent: string;
  accentDark: string;
}

export const steel = { white: "#f7f9fc", light: "#dde4ee", middle: "#b3bfd0", dark: "#7f8da5", ink: "#27344d" };
