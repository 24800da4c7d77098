import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoUsers } from "../demo/users.ts";
import { claimsOf, startIdentity } from "./identity.ts";

// The issuer as a container of docker-compose.yml: serves its keys, and leaves a token of each role in /tmp/<role>.token.

const month = 30 * 24 * 3600;
const port = Number(process.env.PORT ?? 4000);

// Other containers fetch its keys; the tokens name it as people outside reach it.
const identity = await startIdentity({
  port,
  keyFile: process.env.KEY_FILE ?? "/keys/identity.json",
  host: "0.0.0.0",
  demo: { users: demoUsers, origins: ["http://localhost:8080", "http://127.0.0.1:8080"] },
});

for (const role of ["ADMIN", "EMPLOYEE", "USER"] as const) {
  const user = demoUsers.find((one) => one.role === role);
  if (!user) throw new Error(`There is no demo user with role ${role}`);
  const token = await identity.sign(claimsOf(user), { expiresInSeconds: month });
  await writeFile(join(tmpdir(), `${role.toLowerCase()}.token`), token);
  console.log(`${role} ${token}`);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(0));
