import { readFileSync } from "node:fs";
import { parse } from "yaml";

// Refuses a release whose versions differ, or whose base image could change: npm run release:check
// Without RELEASE_TAG, for any checkout.

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const chart = parse(readFileSync("helm/Chart.yaml", "utf8")) as { version: string; appVersion: string };
const { RELEASE_TAG, NODE_IMAGE } = process.env;

const wrong = [
  chart.version !== version && `helm/Chart.yaml has version ${chart.version}, package.json ${version}`,
  chart.appVersion !== version && `helm/Chart.yaml has appVersion ${chart.appVersion}, package.json ${version}`,
  RELEASE_TAG && RELEASE_TAG !== `v${version}` && `the tag is ${RELEASE_TAG}, package.json says v${version}`,
  RELEASE_TAG &&
    !NODE_IMAGE &&
    "NODE_IMAGE is not set: name the base image with its digest, node:24-bookworm-slim@sha256:…",
  NODE_IMAGE && !/@sha256:[0-9a-f]{64}$/.test(NODE_IMAGE) && `NODE_IMAGE ${NODE_IMAGE} has no digest`,
].filter(Boolean);
for (const sentence of wrong) process.stderr.write(`${sentence}\n`);
if (wrong.length > 0) process.exit(1);
process.stdout.write(`version ${version}\n`);
