import { whyNotFree } from "../services/service.ts";
import { Refusal } from "./refusal.ts";

/** The oldest minor versions that do, by major version; `engines` of package.json says the same. */
const oldestMinor: Record<string, number> = { 22: 22, 24: 15 };
const newestMajor = 26;

/**
 * Throws a refusal when this Node is none that the packages we use run on; on Linux `npm install` brings one that is.
 */
export function checkNode(version = process.versions.node): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major >= newestMajor || minor >= (oldestMinor[major] ?? Number.POSITIVE_INFINITY)) return;
  throw new Refusal(
    `This is Node ${version}, and Node 24 is needed (22.22 will do). Get it from https://nodejs.org, or with nvm: ` +
      "`nvm install`. On Linux `npm install` brings one along, unless it is told to omit what is optional or to ignore scripts.",
  );
}

/**
 * Gives the API's port; throws a refusal that says what to do when it is invalid, taken, or not allowed for the user.
 */
export async function checkApiPort(text = process.env.PORT || "8080"): Promise<number> {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Refusal(`PORT=${text} is not a port number.`);
  const why = await whyNotFree(port);
  if (!why) return port;
  if (why === "forbidden") {
    throw new Refusal(
      `This user may not listen on port ${port}: those below 1024 are the system's. Choose another: PORT=8080 npm start`,
    );
  }
  const other = port < 65_535 ? port + 1 : port - 1;
  const look = process.platform === "linux" ? `ss -ltnp 'sport = :${port}'` : `lsof -nP -iTCP:${port} -sTCP:LISTEN`;
  throw new Refusal(
    `Port ${port} is taken by another program; \`${look}\` shows which. ` +
      `Stop that one, or choose another port: PORT=${other} npm start`,
  );
}
