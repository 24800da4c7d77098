import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** A folder of `src` that may import only what is said here. */
interface Room {
  /** Rooms and parts of rooms that it may import. */
  imports: readonly string[];
  /** Files in it that wire everything: they may import any package, the configuration and `platform`. */
  entries?: readonly string[];
  /** True where a transaction may be open, so that nothing may go over the network. */
  isOffline?: true;
  /** Its folders that may not import these others of it: a framework knows nothing of what is built on it. */
  below?: Readonly<Record<string, readonly string[]>>;
}

/** Floors of the house, the lowest first. `npm run rooms` writes the linter's rules from this table. */
export const rooms: Readonly<Record<string, Room>> = {
  platform: { imports: [] },
  engine: { imports: ["platform"] },
  jobs: { imports: ["engine"], isOffline: true },
  db: {
    imports: ["engine", "jobs", "platform/postgres"],
    entries: ["migrate.ts", "wait-for-schema.ts"],
    isOffline: true,
  },
  services: { imports: ["db", "engine", "jobs", "platform/postgres"], isOffline: true },
  api: {
    imports: ["services", "db", "engine", "jobs", "platform"],
    entries: ["main.ts"],
    below: { http: ["routes", "views", "pages", "board"] },
  },
  workers: { imports: ["services", "db", "engine", "jobs", "platform"], entries: ["main.ts"] },
  cli: { imports: ["services", "db", "engine", "jobs", "platform"], entries: ["main.ts"] },
};

/** The files of the engine that other rooms may import. */
export const doors = ["index.ts", "worker.ts", "testing.ts"] as const;

/** Packages that are at home in some rooms only. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  express: ["api"],
  busboy: ["api"],
  cors: ["api"],
  helmet: ["api"],
  jose: ["api"],
  "zod-openapi": ["api"],
  "libphonenumber-js": ["api"],
  "file-type": ["api"],
  "@bull-board/api": ["api"],
  "@bull-board/express": ["api"],
  standardwebhooks: ["platform", "api", "workers"],
  sharp: ["workers"],
  thumbhash: ["workers"],
  uqr: ["workers"],
  "dejavu-fonts-ttf": ["workers"],
  harfbuzzjs: ["workers"],
  "bidi-js": ["workers"],
  wawoff2: ["workers"],
  handlebars: ["workers"],
  bullmq: ["engine"],
  croner: ["engine"],
  ioredis: ["platform"],
  "@aws-sdk/client-s3": ["platform"],
  "@aws-sdk/s3-request-presigner": ["platform"],
  nodemailer: ["platform"],
  "prom-client": ["platform", "engine"],
  pino: ["platform"],
  "@opentelemetry/api": ["platform"],
  "@opentelemetry/sdk-trace": ["platform"],
  typeorm: ["platform", "engine", "db", "services", "api", "workers", "cli"],
  pg: ["platform", "db"],
};

/** Sentences of the linter, for the rules and their test. */
export const complaints = {
  room: (room: string) => `${room} may import ${rooms[room]?.imports.join(", ") || "no other room"} only.`,
  package: (name: string) => `${name} belongs in ${packages[name]?.join(", ")}.`,
  door: `Other rooms import only ${doors.join(", ")} of the engine.`,
  below: (room: string, folder: string, above: readonly string[]) =>
    `${room}/${folder} knows nothing of ${above.map((name) => `${room}/${name}`).join(", ")}.`,
  outside: "src imports neither dev, test nor bench.",
  config: "Only the entry points read the configuration and start the runtime; pass values on as arguments.",
  network: "No network here: a transaction may be open.",
} as const;

interface Pattern {
  group: string[];
  message: string;
}

/** The overrides of `biome.json` for the rooms of `src`. */
export function roomRules() {
  return Object.keys(rooms).flatMap((room) => {
    const { below = {} } = rooms[room] as Room;
    const parts = Object.entries(below).map(([folder, above]) => ruleOf(room, folder, above));
    return [ruleOf(room), ...parts, ...entriesOf(room)];
  });
}

function ruleOf(room: string, folder?: string, above: readonly string[] = []) {
  const { entries = [], isOffline } = rooms[room] as Room;
  const foreign = Object.keys(packages).filter((name) => !packages[name]?.includes(room));
  const options = {
    paths: Object.fromEntries(foreign.map((name) => [name, complaints.package(name)])),
    patterns: [
      ...roomPatterns(room),
      { group: ["../**/config.ts", "../**/config/**", "../**/runtime.ts"], message: complaints.config },
      ...(folder
        ? [{ group: above.map((name) => `../${name}/**`), message: complaints.below(room, folder, above) }]
        : []),
    ],
  };
  const files = folder ? [`src/${room}/${folder}/**`] : [`src/${room}/**`];
  return override([...files, ...entries.map((file) => `!src/${room}/${file}`)], {
    noRestrictedImports: { level: "error", options },
    ...(isOffline && {
      noRestrictedGlobals: { level: "error", options: { deniedGlobals: { fetch: complaints.network } } },
    }),
  });
}

function entriesOf(room: string) {
  const { entries } = rooms[room] as Room;
  if (!entries) return [];
  const options = { patterns: roomPatterns(room, true) };
  return [
    override(
      entries.map((file) => `src/${room}/${file}`),
      { noRestrictedImports: { level: "error", options } },
    ),
  ];
}

function roomPatterns(room: string, isEntry = false): Pattern[] {
  const { imports: own } = rooms[room] as Room;
  const imports = isEntry ? [...own, "platform"] : own;
  const denied = Object.keys(rooms).filter((other) => other !== room && !imports.includes(other));
  // Of a room that may be imported in part, the rest is denied.
  const parts = imports.filter((name) => name.includes("/"));
  const below = denied.flatMap((other) => [`../**/${other}/**`, `./../**/${other}/**`]);
  const patterns = [
    { group: [...below, ...parts.map((part) => `!../**/${part}/**`)], message: complaints.room(room) },
    { group: ["../**/dev/**", "../**/test/**", "../**/bench/**"], message: complaints.outside },
  ];
  if (!imports.includes("engine")) return patterns;
  const group = ["../**/engine/**", ...doors.map((door) => `!../**/engine/${door}`)];
  return [...patterns, { group, message: complaints.door }];
}

function override(includes: string[], style: object) {
  return { includes, linter: { rules: { style } } };
}

/** Biome's settings with the rules of the rooms in place of those that are there. */
export function withRoomRules(settings: string) {
  const biome = JSON.parse(settings) as { overrides: { includes: string[] }[] };
  const others = biome.overrides.filter(({ includes }) => !/^src\/\w+\//.test(String(includes[0])));
  return { ...biome, overrides: [...roomRules(), ...others] };
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  writeFileSync("biome.json", JSON.stringify(withRoomRules(readFileSync("biome.json", "utf8")), null, 2));
}
