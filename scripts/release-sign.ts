import { byDigest, needed, run } from "./run.ts";

// Signs the images of IMAGES (`repository@sha256:…`, blanks between them) by cosign, without a key of our own: npm run release:sign
// `-- --dry-run` only tells what it would run.

const isDry = process.argv.includes("--dry-run");
for (const image of needed("IMAGES").trim().split(/\s+/)) run(isDry, "cosign", ["sign", "--yes", byDigest(image)]);
