import { isPortFree } from "../services/service.ts";
import { Refusal } from "./refusal.ts";

const oldestNode = [20, 19] as const;

/** Throws a refusal when this Node is too old for the packages we use. */
export function checkNode(version = process.versions.node): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new Refusal(
    `This is Node ${version}, and Node ${oldestNode.join(".")} or newer is needed. ` +
      "Get it from https://nodejs.org, or with nvm: `nvm install`.",
  );
}

/** Gives the API's port; throws a refusal that says what to do when it is no port or somebody else has it. */
export async function checkApiPort(text = process.env.PORT || "8080"): Promise<number> {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Refusal(`PORT=${text} is not a port number.`);
  if (await isPortFree(port)) return port;
  const look = process.platform === "linux" ? `ss -ltnp 'sport = :${port}'` : `lsof -nP -iTCP:${port} -sTCP:LISTEN`;
  throw new Refusal(
    `Port ${port} is taken by another program; \`${look}\` shows which. ` +
      `Stop that one, or choose another port: PORT=${port + 1} npm start`,
  );
}
