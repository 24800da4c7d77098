import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";

// Lists every package that the images may hold, as CycloneDX, in dist/sbom.cdx.json: npm run sbom

const args = ["sbom", "--omit", "dev", "--sbom-format", "cyclonedx"];
const text = execFileSync("npm", args, { encoding: "utf8", maxBuffer: 64_000_000 });
const { components } = JSON.parse(text) as { components: unknown[] };
mkdirSync("dist", { recursive: true });
writeFileSync("dist/sbom.cdx.json", text);
process.stdout.write(`dist/sbom.cdx.json: ${components.length} packages\n`);
