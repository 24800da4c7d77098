import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";

// Writes helm/README.md from helm/values.yaml, whose comments `# -- …` say what each value means: npm run chart:readme

const target = "helm/README.md";

interface Value {
  path: string[];
  meaning: string;
}

/** The text of the chart's README; throws when a value has no comment, or a comment no value. */
export function chartReadme(text = readFileSync("helm/values.yaml", "utf8")) {
  const values = documented(text);
  const all = parse(text) as unknown;
  const silent = leaves(all).filter((leaf) => !values.some(({ path }) => path.every((part, at) => leaf[at] === part)));
  if (silent.length > 0) throw new Error(`values.yaml does not say what ${silent[0]?.join(".")} is`);
  const rows = values.map(
    ({ path, meaning }) => `| \`${path.join(".")}\` | ${shown(valueAt(all, path))} | ${meaning} |`,
  );
  return `${head}\n| value | default | meaning |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

const head = `# The chart

It installs API, workers, migrations and everything around them. It installs no Postgres, Redis or S3: name yours.

\`\`\`sh
kubectl create secret generic shop --from-literal=DATABASE_URL=… --from-literal=REDIS_URL=… \\
  --from-literal=S3_ACCESS_KEY=… --from-literal=S3_SECRET_KEY=… \\
  --from-literal=AUTOSCALER_TOKEN=… --from-literal=API_KEY=…
helm upgrade --install shop helm --rollback-on-failure --timeout 10m --values helm/values-small.yaml --values mine.yaml
helm test shop
\`\`\`

with at least this in \`mine.yaml\`:

\`\`\`yaml
images:
  api: { repository: registry.example/tcf-api, digest: "sha256:…" }
  worker: { repository: registry.example/tcf-worker, digest: "sha256:…" }
secrets: { existingSecret: shop }
config:
  S3_BUCKET_NAME: shop
  BETTER_AUTH_URL: https://id.example
  SMTP_HOST: smtp.example
  SMTP_FROM: Shop <orders@shop.example>
ingress: { hosts: [shop.example] }
\`\`\`

| values | for |
| --- | --- |
| \`values-small.yaml\` | one shop on a small cluster; pools that no person waits for scale from zero |
| \`values-medium.yaml\` | a busy shop |
| \`values-large.yaml\` | many shops, or a sale |
| \`values-dev.yaml\` | a cluster on a laptop, without KEDA, Prometheus and Traefik |

Values that cannot work are refused before anything is changed: mistakes of form by \`values.schema.json\`, others by
\`templates/_check.tpl\`, all at once. The commands are for Helm 4; with Helm 3, \`--rollback-on-failure\` is \`--atomic\`.

**Order of an upgrade.** The migrations run first, as a hook. When they fail, nothing else changes, and their pod stays so that its log
can be read. New pods wait in \`wait-for-schema\` until the schema fits them. The version before runs on the new schema, so
\`helm rollback\` is enough.

**Another pool of workers** is another entry of \`workers\`, with the queues that it takes over. Each queue has exactly
one pool, because its pods are counted by the queue's work.

**A private authority.** \`extraCa\` mounts its certificate from a ConfigMap or Secret into every pod, and all clients trust it:
\`kubectl create configmap company-ca --from-file=ca.crt\`, then \`extraCa: { configMap: company-ca }\`. \`extraEnv\`, \`extraVolumes\`
and \`extraVolumeMounts\` reach every container of every pod, those of migrations and of \`helm test\` as well.

**A stop.** A pod's grace period is \`drainSeconds\` and 10 s: running requests or jobs get the former, then jobs are released.

## Values

\`npm run chart:readme\` writes this table from \`values.yaml\`.
`;

/** Paths with a comment \`# -- …\` in the line above. */
function documented(text: string): Value[] {
  const found: Value[] = [];
  const path: string[] = [];
  let meaning = "";
  for (const line of text.split("\n")) {
    const [, comment] = /^ *# -- (.+)$/.exec(line) ?? [];
    const [, spaces = "", key] = /^( *)([A-Za-z_][\w-]*):/.exec(line) ?? [];
    if (comment) {
      if (meaning) throw new Error(`values.yaml has two comments for one value: ${meaning}`);
      meaning = comment;
    } else if (key) {
      path.splice(spaces.length / 2, Number.POSITIVE_INFINITY, key);
      if (meaning) found.push({ path: [...path], meaning });
      meaning = "";
    }
  }
  return found;
}

function leaves(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

function valueAt(value: unknown, path: string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value);
}

function shown(value: unknown) {
  return `\`${JSON.stringify(value)}\``.replaceAll("|", "\\|");
}

if (import.meta.url === pathToFileURL(String(process.argv[1])).href) writeFileSync(target, chartReadme());
