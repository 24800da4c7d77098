import { execFileSync } from "node:child_process";
import { installSide } from "./side-packages.ts";

// Checks the types of the benchmarks, whose packages are installed for it: npm run check:bench

installSide("bench");
execFileSync("npx", ["--no", "tsc", "--", "--noEmit", "-p", "bench"], { stdio: "inherit" });
