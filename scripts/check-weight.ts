import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// Fails when `npm install` brings more than a newcomer should wait for: npm run check:weight

const limits = { packages: 450, megabytes: 450 };
/** What commands keep for later does not come with the installation. */
const isCache = (name: string) => /^\.(cache|vite)/.test(name);

const { packages } = JSON.parse(readFileSync("node_modules/.package-lock.json", "utf8")) as { packages: object };
const found = {
  packages: Object.keys(packages).length,
  megabytes: Math.ceil(bytesOf("node_modules") / 1024 ** 2),
};
const isTooMuch = found.packages > limits.packages || found.megabytes > limits.megabytes;
process.stdout.write(
  `node_modules: ${found.packages} of at most ${limits.packages} packages, ${found.megabytes} of at most ${limits.megabytes} MB\n`,
);
if (isTooMuch) process.stderr.write("What few commands need belongs in bench/package.json or tools/package.json.\n");
process.exitCode = isTooMuch ? 1 : 0;

/** What a folder takes on the disk; a file with two names counts once. */
function bytesOf(folder: string, counted = new Set<number>()): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !isCache(name))
    .reduce((sum, entry) => {
      const path = join(folder, entry.name);
      const { blocks, ino, nlink } = lstatSync(path);
      if (entry.isDirectory()) return sum + 512 * blocks + bytesOf(path, counted);
      if (nlink > 1 && counted.has(ino)) return sum;
      counted.add(ino);
      return sum + 512 * blocks;
    }, 0);
}
