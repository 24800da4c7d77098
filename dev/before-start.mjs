// Runs before everything else of `npm start`, on any Node and without a package: what the loader of TypeScript would
// answer with a stack is said in words here.
import { existsSync, mkdtempSync, rmdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const modules = new URL("../node_modules/", import.meta.url);
const has = (/** @type {string} */ name) => existsSync(new URL(name, modules));

function whyNot() {
  if (!existsSync(modules)) return "The packages are not installed yet. Run: npm install";
  if (!has("tsx") || !has("typescript"))
    return "The packages for development are missing; npm leaves them out where NODE_ENV is production, or by omit=dev. Run: npm install --include=dev";
  if (!has(`@esbuild/${process.platform}-${process.arch}`))
    return `The programs of the packages for this machine (${process.platform}-${process.arch}) are missing: npm was told to omit what is optional, or the folder node_modules comes from another machine. Run: npm ci --include=optional --include=dev`;
  return whyNoTemporaryFiles(tmpdir());
}

function whyNoTemporaryFiles(/** @type {string} */ folder) {
  const advice = "Set TMPDIR to a folder where you may write, or unset it.";
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    return `${folder}, the folder for temporary files, is not there. ${advice}`;
  try {
    // Rights alone do not tell: in /proc not even root makes a folder, and the loader would try without end.
    rmdirSync(mkdtempSync(join(folder, "tcf-")));
    return undefined;
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    return `You cannot write to ${folder}, the folder for temporary files (${code}). ${advice}`;
  }
}

const why = whyNot();
if (why) {
  console.error(why);
  process.exit(1);
}
