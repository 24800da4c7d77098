import { mkdirSync, readFileSync } from "node:fs";
import { helmBinary } from "./helm-binary.ts";
import { run } from "./run.ts";

// Packages the chart into dist/; pushes it where CHART_REPOSITORY (oci://…) says: npm run release:chart

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const { CHART_REPOSITORY } = process.env;

mkdirSync("dist", { recursive: true });
run(false, helmBinary(), ["package", "helm", "--version", version, "--app-version", version, "--destination", "dist"]);
run(!CHART_REPOSITORY, helmBinary(), ["push", `dist/tcf-backend-${version}.tgz`, CHART_REPOSITORY || "oci://…"]);
