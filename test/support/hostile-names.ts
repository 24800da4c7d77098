/** Names that try to break a printed sheet or to change what is around them; and what is to be read of them. */
export const hostileNames: readonly (readonly [what: string, name: string, read: string])[] = [
  ["an override to the left", "\u202eAnna Ivanova\u202c 12", "Anna Ivanova 12"],
  ["an override that does not end", "Ivanova \u202eAnna 12", "Ivanova Anna 12"],
  ["an embedding that does not end", "Ivanova \u202bAnna 12", "Ivanova Anna 12"],
  ["an isolate that does not end", "Ivanova \u2067Anna 12", "Ivanova Anna 12"],
  ["an end without a beginning", "Ivanova\u202c\u2069 Anna 12", "Ivanova Anna 12"],
  ["half a surrogate pair", "A\ud800B\udc00C", "A\ufffdB\ufffdC"],
  ["ten thousand marks", `Z${"\u0301".repeat(10_000)}algo`, `Z${"\u0301".repeat(4)}algo`],
  ["ten thousand variants", `A${"\ufe0f".repeat(10_000)}B`, `A${"\ufe0f".repeat(4)}B`],
  ["ten thousand joiners", `A${"\u200d".repeat(10_000)}B`, `A${"\u200d".repeat(8)}B`],
  ["joiners", "А\u200dн\u200cна", "А\u200dн\u200cна"],
  ["a family", "👨‍👩‍👧‍👦 Ивановы", "👨‍👩‍👧‍👦 Ивановы"],
  [
    "a flag of a part of a country",
    "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
  ],
  ["separators of lines", "A\u2028B\u2029C", "A\nB\nC"],
  ["a very long word", "Ы".repeat(300), "Ы".repeat(300)],
  ["a very long word from the right", "ب".repeat(300), "ب".repeat(300)],
];
