import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { schemaViolations, typeErrors } from "../support/check-manifests.ts";
import { type Manifest, parse, render, renderText, useChart } from "../support/helm.ts";

const required = "test/helm/required.yaml";
const sizes = readdirSync("helm").filter((name) => /^values-.+\.yaml$/.test(name));

/** Every values file, and every switch that adds or removes objects. */
const matrix: Record<string, [files: string[], ...sets: string[]]> = {
  default: [[required]],
  ...Object.fromEntries(
    sizes.map((name) => [name, [name === "values-dev.yaml" ? [`helm/${name}`] : [required, `helm/${name}`]]]),
  ),
  "IngressRoute for staff": [
    [required],
    'ingress.kind="IngressRoute"',
    'ingress.staffCidrs=["198.51.100.0/24"]',
    "ingress.ratePerSecond=50",
    'ingress.tls.certResolver="acme"',
  ],
  "IngressRoute without TLS": [[required], 'ingress.kind="IngressRoute"', "ingress.tls.enabled=false"],
  "HPA instead of KEDA": [[required], 'workerDefaults.autoscaling.mode="hpa"'],
  "one pool for two queues": [
    [required],
    'workers.mail.queues=["mail","webhooks"]',
    "workers.webhooks.enabled=false",
    "workers.mail.concurrency=7",
  ],
  "Argo instead of Helm": [[required], "migrations.useHelmHooks=false"],
  "nothing optional": [
    [required],
    "migrations.enabled=false",
    "networkPolicy.enabled=false",
    "podDisruptionBudget.enabled=false",
    "topologySpread.enabled=false",
    "tests.enabled=false",
    'metrics={"podMonitor":{"enabled":false},"rules":{"enabled":false},"dashboards":{"enabled":false}}',
  ],
  "an authority in a Secret": [[required], 'extraCa.secret="company"'],
  "everything of one's own": [
    [required],
    'extraCa.configMap="company"',
    'extraEnv=[{"name":"A","value":"b"},{"name":"NODE","valueFrom":{"fieldRef":{"fieldPath":"spec.nodeName"}}}]',
    'extraVolumes=[{"name":"keys","secret":{"secretName":"keys"}}]',
    'extraVolumeMounts=[{"name":"keys","mountPath":"/keys","readOnly":true}]',
    'commonLabels={"team":"shop"}',
    'imagePullSecrets=[{"name":"registry"}]',
    'api.podLabels={"a":"b"}',
    'api.podAnnotations={"reloader.stakater.com/auto":"true"}',
    'api.tolerations=[{"key":"spot","operator":"Exists"}]',
    'api.priorityClassName="high"',
    'api.affinity={"podAntiAffinity":{}}',
    'workerDefaults.nodeSelector={"disk":"ssd"}',
    'serviceAccount.annotations={"a":"b"}',
    'extraObjects=[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{ .Release.Name }}-extra"}}]',
  ],
};
const cases = Object.entries(matrix).map(([name, [files, ...sets]]) => ({ name, files, sets }));

useChart();

describe("the objects of the chart", () => {
  it.each(cases)("are what their schemas say: $name", async ({ files, sets }) => {
    const manifests = await render(files, ...sets);
    expect(manifests.length).toBeGreaterThan(15);
    expect(await schemaViolations(manifests)).toEqual([]);
  });

  it("have no field that their kinds do not know", async () => {
    const all = await Promise.all(cases.map(({ files, sets }) => render(files, ...sets)));
    const different = new Map(all.flat().map((manifest) => [JSON.stringify(manifest), manifest]));
    expect(await typeErrors([...different.values()])).toBe("");
  });

  it("have different names", async () => {
    for (const { files, sets } of cases) {
      const names = (await render(files, ...sets)).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    }
  });

  it("are those of the golden files", async () => {
    for (const { name, files, sets } of cases.filter(({ name }) => name === "default" || name.includes("dev"))) {
      const text = await renderText(files, ...sets);
      await expect(withHashes(text)).toMatchFileSnapshot(`golden/${name.replace(/^values-|\.yaml$/g, "")}.yaml`);
    }
  });
});

/** Dashboards are files of the chart already; here it is enough that another one shows. */
function withHashes(text: string) {
  const body = /^( {2}\S+\.json): \|\n((?: {4}.*\n)+)/gm;
  return text.replace(body, (_, name, json) => `${name}: sha256 ${createHash("sha256").update(json).digest("hex")}\n`);
}

describe("a wrong object", () => {
  const deployment = (container: object): Manifest =>
    parse(
      JSON.stringify({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "a" },
        spec: { selector: {}, template: { spec: { containers: [container] } } },
      }),
    )[0] as Manifest;

  it("with an unknown field is found by its type", async () => {
    expect(await typeErrors([deployment({ name: "a", livenessProb: {} })])).toContain("livenessProb");
  });

  it("with a field of another type is found by its schema", async () => {
    expect(await schemaViolations([deployment({ name: 1 })])).toEqual([expect.stringContaining("name must be string")]);
  });
});
