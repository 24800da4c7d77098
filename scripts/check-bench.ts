import { spawnSync } from "node:child_process";
import { installSide } from "./side-packages.ts";

// Checks the types of the benchmarks, whose packages are installed for it: npm run check:bench

installSide("bench");
const types = ["--no", "tsc", "--", "--noEmit", "-p", "bench"];
process.exitCode = spawnSync("npx", types, { stdio: "inherit" }).status ?? 1;
