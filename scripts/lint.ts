import { spawnSync } from "node:child_process";
import { linterProgram } from "./side-packages.ts";

// Runs the linter with the words that follow: npm run lint -- check .

const { status, error } = spawnSync(linterProgram(), process.argv.slice(2), { stdio: "inherit" });
if (error) throw error;
process.exitCode = status ?? 1;
