import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { environment } from "../../src/config.ts";
import { queueNames } from "../../src/jobs/queues.ts";
import { connectionsOf } from "../../src/platform/postgres/connections.ts";
import { helm, type Manifest, pick, render } from "../support/helm.ts";

const required = "test/helm/required.yaml";

interface Container {
  name: string;
  image: string;
  env: {
    name: string;
    value?: string;
    valueFrom?: { secretKeyRef: { name: string; key: string; optional?: boolean } };
  }[];
  securityContext: object;
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
  resources: { limits: { memory?: string; cpu?: string } };
}

const podOf = ({ kind, spec }: Manifest) => (kind === "Pod" ? spec : spec.template.spec);
const textOf = ({ env }: Container, name: string) => env.find((variable) => variable.name === name)?.value;

let all: Manifest[] = [];
let pods: Manifest[] = [];
beforeAll(async () => {
  all = await render([required]);
  pods = all.filter(({ kind }) => ["Deployment", "Job", "Pod"].includes(kind));
});

describe("every pod", () => {
  it("is as Kubernetes' standard 'restricted' asks", () => {
    expect(pods.length).toBe(queueNames.length + 3);
    for (const pod of pods.map(podOf)) {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: "RuntimeDefault" } },
      });
      expect(pod).not.toHaveProperty("hostNetwork");
    }
  });

  it("has containers without capabilities, on a root that is read-only, with a limit of memory", () => {
    for (const { initContainers = [], containers } of pods.map(podOf))
      for (const container of [...initContainers, ...containers] as Container[]) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        expect(container.resources.limits.memory).toMatch(/^\d+Mi$/);
        expect(container.image).toMatch(/^registry\.example\/tcf-(api|worker)@sha256:/);
      }
  });

  it("shows no secret: each comes out of the one Secret", () => {
    const secret =
      /PASS|SECRET|^(S3_\w+|API)_KEY$|_URL$(?<=DATABASE_URL|DATABASE_DIRECT_URL|REDIS_URL|REDIS_CACHE_URL)|REDIS_(CACHE_)?(SENTINEL_)?(USERNAME|PASSWORD)/;
    const variables = pods.flatMap((pod) => podOf(pod).containers.flatMap(({ env }: Container) => env));
    const named = variables.filter(({ name }: Container) => secret.test(name));
    expect(named.length).toBeGreaterThan(10);
    for (const { value, valueFrom } of named) {
      expect(value).toBeUndefined();
      expect(valueFrom.secretKeyRef.name).toBe("shop");
    }
  });
});

describe("what an installation adds", () => {
  const extra = [
    'extraEnv=[{"name":"HTTPS_PROXY","value":"http://proxy:3128"}]',
    'extraVolumes=[{"name":"keys","secret":{"secretName":"keys"}}]',
    'extraVolumeMounts=[{"name":"keys","mountPath":"/keys","readOnly":true}]',
  ];
  const podsOf = (manifests: Manifest[]) =>
    manifests.filter(({ spec }) => spec?.template?.spec?.containers ?? spec?.containers).map(podOf);
  const containersOf = ({ initContainers = [], containers }: ReturnType<typeof podOf>): Container[] => [
    ...initContainers,
    ...containers,
  ];

  it.each([
    ["configMap", { configMap: { name: "company", items: [{ key: "root.pem", path: "root.pem" }] } }],
    ["secret", { secret: { secretName: "company", items: [{ key: "root.pem", path: "root.pem" }] } }],
  ])("comes to every container of every pod, with the authorities of a %s", async (kind, source) => {
    const given = podsOf(await render([required], `extraCa={"${kind}":"company","key":"root.pem"}`, ...extra));
    expect(given.length).toBe(pods.length);
    for (const pod of given) {
      expect(pod.volumes).toEqual(
        expect.arrayContaining([
          { name: "extra-ca", ...source },
          { name: "keys", secret: { secretName: "keys" } },
        ]),
      );
      for (const container of containersOf(pod)) {
        expect(container.volumeMounts).toEqual(
          expect.arrayContaining([
            { name: "extra-ca", mountPath: "/etc/tcf/ca", readOnly: true },
            { name: "keys", mountPath: "/keys", readOnly: true },
          ]),
        );
        expect(textOf(container, "HTTPS_PROXY")).toBe("http://proxy:3128");
        // The pod of `helm test` calls the API inside the cluster alone.
        if (container.name !== "run-job") expect(textOf(container, "EXTRA_CA_FILE")).toBe("/etc/tcf/ca/root.pem");
      }
    }
  });

  it("is nothing where nothing is added", () => {
    const containers = podsOf(all).flatMap(containersOf);
    expect(containers.map((container) => textOf(container, "EXTRA_CA_FILE") ?? "")).toEqual(containers.map(() => ""));
  });
});

describe("the variables of the chart", () => {
  const computed = ["NODE_OPTIONS"];
  const names = (container: Container) =>
    container.env.map(({ name }) => name).filter((name) => !computed.includes(name));
  const known = (kind: keyof typeof environment) => Object.keys(environment[kind].shape).sort();

  it("are those of the API, and no others", () => {
    expect(names(podOf(pick(all, "Deployment", "api")).containers[0]).sort()).toEqual(known("api"));
  });

  it.each(queueNames)("are those of a worker, and no others: %s", (queue) => {
    const [container] = podOf(pick(all, "Deployment", `worker-${queue}`)).containers;
    expect(names(container).sort()).toEqual(known("worker"));
    expect(textOf(container, "WORKER_QUEUES")).toBe(queue);
  });

  it("are those of the migrations, and no others", () => {
    expect(names(podOf(pick(all, "Job", "migrate")).containers[0]).sort()).toEqual(known("database"));
  });

  it.each(["api", "worker"] as const)("have values that the %s accepts, in every size", async (kind) => {
    for (const files of [[required], ["helm/values-dev.yaml"]]) {
      const manifests = await render(files);
      const [container] = podOf(pick(manifests, "Deployment", kind === "api" ? "api" : "worker-mail")).containers;
      const given = (container as Container).env.filter(({ value }) => value);
      const values = Object.fromEntries(given.map(({ name, value }) => [name, value]));
      const secrets = {
        DATABASE_URL: "postgres://a@b/c",
        REDIS_URL: "redis://a",
        S3_ACCESS_KEY: "a",
        S3_SECRET_KEY: "b",
        AUTOSCALER_TOKEN: "t".repeat(16),
        ...(kind === "api" && { API_KEY: "k".repeat(16) }),
      };
      expect(environment[kind].safeParse({ ...values, ...secrets }).error).toBeUndefined();
    }
  });

  it("can differ for one component", async () => {
    const some = await render(
      [required],
      'workers.mail.config={"SMTP_HOST":"other.example"}',
      "config.UPLOADS_PER_DAY=20000000",
      'api.config={"PUBLIC_URL":"https://api.example"}',
    );
    expect(textOf(podOf(pick(some, "Deployment", "api")).containers[0], "PUBLIC_URL")).toBe("https://api.example");
    expect(textOf(podOf(pick(some, "Deployment", "worker-mail")).containers[0], "PUBLIC_URL")).toBe(
      "https://shop.example",
    );
    expect(textOf(podOf(pick(some, "Deployment", "worker-mail")).containers[0], "SMTP_HOST")).toBe("other.example");
    expect(textOf(podOf(pick(some, "Deployment", "worker-images")).containers[0], "SMTP_HOST")).toBe("smtp.example");
    expect(textOf(podOf(pick(some, "Deployment", "api")).containers[0], "UPLOADS_PER_DAY")).toBe("20000000");
  });
});

describe("a rollout", () => {
  it("replaces one of two API pods at a time, with one in addition", () => {
    expect(pick(all, "Deployment", "api").spec).toMatchObject({
      replicas: 2,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
    });
  });

  it("migrates first, with what it needs already there, and keeps a failed migration", async () => {
    const dev = await render(["helm/values-dev.yaml"], "networkPolicy.enabled=true");
    const weight = (kind: string, name: string) => {
      const { "helm.sh/hook": hook, ...rest } = pick(dev, kind, name).metadata.annotations ?? {};
      expect(hook).toBe("pre-install,pre-upgrade");
      expect(rest["helm.sh/hook-delete-policy"]).toBe("before-hook-creation");
      return Number(rest["helm.sh/hook-weight"]);
    };
    const migration = weight("Job", "migrate");
    expect(weight("Secret", "secrets")).toBeLessThan(migration);
    expect(weight("NetworkPolicy", "migrate")).toBeLessThan(migration);
  });

  it("gives each image a migration of its own where Helm does not install", async () => {
    const name = async (digit: string) => {
      const some = await render(
        [required],
        "migrations.useHelmHooks=false",
        `images.api.digest="sha256:${digit.repeat(64)}"`,
      );
      return some.find(({ kind }) => kind === "Job")?.metadata.name;
    };
    expect(await name("1")).toMatch(/-migrate-[0-9a-f]{8}$/);
    expect(await name("1")).not.toBe(await name("2"));
  });

  it("lets every pod of API and workers wait for the schema, in its own image", () => {
    for (const { spec } of pods.filter(({ kind }) => kind === "Deployment")) {
      const { initContainers, containers } = spec.template.spec;
      expect(initContainers.map(({ name }: Container) => name)).toEqual(["wait-for-schema"]);
      expect(initContainers[0].image).toBe(containers[0].image);
    }
  });

  it("restarts pods when the chart's own secrets change, and not for a new version of the chart", async () => {
    const checksum = async (...sets: string[]) =>
      pick(await render(["helm/values-dev.yaml"], ...sets), "Deployment", "api").spec.template.metadata;
    const before = await checksum();
    expect(await checksum('secrets.values.SMTP_PASS="new"')).not.toEqual(before);
    expect(JSON.stringify(before)).not.toContain("helm.sh/chart");
  });

  it.each(["api", ...queueNames.map((queue) => `worker-${queue}`)])(
    "gives %s 10 s more than it takes to drain",
    (name) => {
      const pod = podOf(pick(all, "Deployment", name));
      const drain = Number(textOf(pod.containers[0], "DRAIN_TIMEOUT_MS"));
      expect(pod.terminationGracePeriodSeconds).toBe(drain / 1_000 + 10);
      expect(pod.terminationGracePeriodSeconds).toBeLessThanOrEqual(600);
    },
  );
});

describe("scaling", () => {
  it.each(queueNames)("asks the API how many workers %s wants, and leaves the number of pods alone", (queue) => {
    const { spec } = pick(all, "ScaledObject", `worker-${queue}`);
    expect(spec.scaleTargetRef.name).toBe(`shop-tcf-backend-worker-${queue}`);
    expect(spec.triggers).toMatchObject([
      {
        type: "metrics-api",
        metricType: "AverageValue",
        metadata: {
          url: `http://shop-tcf-backend-api-ops.store.svc:9090/desired-workers/${queue}`,
          valueLocation: "desiredWorkers",
          targetValue: "1",
        },
      },
    ]);
    expect(pick(all, "Deployment", `worker-${queue}`).spec).not.toHaveProperty("replicas");
  });

  it("sends the token that the API asks for", async () => {
    const { triggers } = pick(all, "ScaledObject", "worker-mail").spec;
    expect(triggers[0]).toMatchObject({
      metadata: { authMode: "bearer" },
      authenticationRef: { name: "shop-tcf-backend-autoscaler" },
    });
    expect(pick(all, "TriggerAuthentication", "autoscaler").spec.secretTargetRef).toEqual([
      { parameter: "token", name: "shop", key: "AUTOSCALER_TOKEN" },
    ]);
    const open = await render([required], "autoscaler.token=false");
    expect(JSON.stringify(open)).not.toMatch(/bearer|TriggerAuthentication/);
  });

  it("tells every process what the pools say about each queue", async () => {
    const some = await render(
      [required],
      "workers.mail.concurrency=7",
      "workers.mail.autoscaling.goalSeconds=9",
      'workers.images.autoscaling.mode="none"',
      "workers.images.autoscaling.min=3",
    );
    for (const name of ["api", "worker-mail", "worker-images"]) {
      const [container] = podOf(pick(some, "Deployment", name)).containers;
      const { AUTOSCALE } = environment.worker
        .pick({ AUTOSCALE: true })
        .parse({ AUTOSCALE: textOf(container, "AUTOSCALE") });
      expect(AUTOSCALE).toMatchObject({
        mail: { minWorkers: 1, maxWorkers: 4, graceSeconds: 40, concurrency: 7, goalSeconds: 9 },
        images: { minWorkers: 3, maxWorkers: 3 },
        documents: { minWorkers: 1, maxWorkers: 10, graceSeconds: 120 },
      });
    }
  });

  it("sums the queues of a pool", async () => {
    const some = await render([required], 'workers.mail.queues=["mail","webhooks"]', "workers.webhooks.enabled=false");
    const { triggers, advanced } = pick(some, "ScaledObject", "worker-mail").spec;
    expect(advanced.scalingModifiers.formula).toBe("mail + webhooks");
    expect(triggers.map(({ name }: { name: string }) => name)).toEqual(["mail", "webhooks"]);
  });

  it("is by a metric of Prometheus without KEDA", async () => {
    const some = await render([required], 'workers.mail.autoscaling.mode="hpa"');
    expect(pick(some, "HorizontalPodAutoscaler", "worker-mail").spec.metrics).toEqual([
      {
        type: "External",
        external: {
          metric: { name: "jobs_autoscaler_desired_workers", selector: { matchLabels: { queue: "mail" } } },
          target: { type: "AverageValue", averageValue: "1" },
        },
      },
    ]);
    expect(some.filter(({ kind }) => kind === "ScaledObject")).toHaveLength(queueNames.length - 1);
  });

  it("is a fixed number where it is off", async () => {
    const dev = await render(["helm/values-dev.yaml"]);
    expect(pick(dev, "Deployment", "worker-images").spec.replicas).toBe(1);
    expect(dev.some(({ kind }) => kind === "ScaledObject")).toBe(false);
  });

  it("counts every connection that the pods may open", async () => {
    const notes = await helm("install", "shop", "helm", "--dry-run=client", "--values", required);
    const connections = Number(/up to (\d+) connections/.exec(notes)?.[1]);
    const most = all.flatMap(({ kind, spec }) => (kind === "ScaledObject" ? [spec.maxReplicaCount] : []));
    expect(most).toHaveLength(queueNames.length);
    const workers = most.reduce((sum, pods) => sum + (pods + 1) * connectionsOf(4, 1), 0);
    expect(connections).toBe(3 * connectionsOf(10, 0) + workers);
    expect(notes).toContain("connections to Postgres");
    const pooled = ["--set", "config.DATABASE_POOLER=transaction"];
    const through = await helm("install", "shop", "helm", "--dry-run=client", "--values", required, ...pooled);
    expect(through).toContain(`up to ${connections} connections to the pooler`);
  });

  it("knows every queue of src/jobs/queues.ts", () => {
    const scaled = all.filter(({ kind }) => kind === "ScaledObject").map(({ metadata }) => metadata.name);
    expect(scaled.sort()).toEqual(queueNames.map((queue) => `shop-tcf-backend-worker-${queue}`).sort());
  });

  it.each([
    ["helm/templates/_check.tpl", /range \$queue := \(list ([^)]+)\)/],
    ["helm/values.schema.json", /"queues": \{[^[]*"enum": \[([^\]]+)\]/],
    ["docs/runbook/redis-maintenance.md", /for queue in ([a-z ]+);/],
  ])("lists in %s the queues of src/jobs/queues.ts, and no others", (path, list) => {
    const [, names = ""] = list.exec(readFileSync(path, "utf8")) ?? [];
    expect(names.match(/[a-z-]+/g)?.sort(), `the list of queues in ${path}`).toEqual([...queueNames].sort());
  });
});

describe("from outside", () => {
  it("no client reaches probes, metrics and the autoscaler's numbers", () => {
    const { spec } = pick(all, "Service", "api");
    expect(spec.ports).toEqual([{ name: "http", port: 80, targetPort: "http" }]);
    const [rule] = pick(all, "Ingress", "api").spec.rules;
    const backends = rule.http.paths.map(
      ({ path, backend }: { path: string; backend: { service: { name: string } } }) => [path, backend.service.name],
    );
    expect(backends).toEqual([
      ["/admin", "shop-tcf-backend-api-nowhere"],
      ["/", "shop-tcf-backend-api"],
    ]);
    expect(pick(all, "Service", "api-nowhere").spec).not.toHaveProperty("selector");
  });

  it("staff's paths open to their networks alone", async () => {
    const route = async (...sets: string[]) => {
      const some = await render([required], 'ingress.kind="IngressRoute"', ...sets);
      const routes = pick(some, "IngressRoute", "api").spec.routes as {
        match: string;
        middlewares?: { name: string }[];
      }[];
      const names = routes.find(({ match }) => match.includes("/admin"))?.middlewares?.map(({ name }) => name) ?? [];
      return names.map((name) => some.find((one) => one.kind === "Middleware" && one.metadata.name === name)?.spec);
    };
    expect(await route()).toEqual([{ ipAllowList: { sourceRange: ["0.0.0.0/32"] } }]);
    expect(await route('ingress.staffCidrs=["198.51.100.0/24"]')).toEqual([
      { ipAllowList: { sourceRange: ["198.51.100.0/24"] } },
    ]);
  });

  it("what is more particular wins over what is not", async () => {
    const some = await render([required], 'ingress.kind="IngressRoute"');
    const routes = pick(some, "IngressRoute", "api").spec.routes as { match: string; priority: number }[];
    const open = routes.find(({ match }) => !match.includes("PathPrefix"))?.priority ?? 0;
    expect(routes.filter(({ match }) => match.includes("PathPrefix")).every(({ priority }) => priority > open)).toBe(
      true,
    );
  });
});

describe("the network policies", () => {
  const policy = (name: string) => pick(all, "NetworkPolicy", name).spec;
  const ports = (name: string) =>
    policy(name).egress.flatMap(({ ports }: { ports: { port: number }[] }) => ports.map(({ port }) => port));

  it("let nothing through that they do not name", () => {
    expect(policy("")).toMatchObject({ policyTypes: ["Ingress", "Egress"] });
    expect(policy("")).not.toHaveProperty("ingress");
    expect(policy("")).not.toHaveProperty("egress");
  });

  it("cover every pod of the release", () => {
    const components = pods.map(
      (pod) => (pod.kind === "Pod" ? pod : pod.spec.template).metadata.labels["app.kubernetes.io/component"],
    );
    const covered = all.flatMap(({ kind, spec }) =>
      kind === "NetworkPolicy" ? [spec.podSelector.matchLabels["app.kubernetes.io/component"]] : [],
    );
    expect(covered).toEqual(expect.arrayContaining(components));
  });

  it("let the migrations reach Postgres alone", () => {
    expect(ports("migrate")).toEqual([53, 53, 5432, 6432]);
    expect(policy("migrate")).not.toHaveProperty("ingress");
  });

  it("let only the pool for mail reach mail servers", () => {
    expect(ports("worker-mail")).toContain(587);
    expect(ports("worker-images")).not.toContain(587);
    expect(ports("api")).not.toContain(587);
  });

  it("let only the API and the pool for payments reach the card provider, if there is one", async () => {
    const cards = [
      ...['config.PAYMENT_PROVIDER="yookassa"', 'config.YOOKASSA_SHOP_ID="100500"'],
      ...['config.YOOKASSA_RETURN_URL="https://shop.example"', "networkPolicy.egress.cards.ports=[4443]"],
    ];
    const reaching = (some: Manifest[]) =>
      some.flatMap(({ kind, metadata, spec }) =>
        kind === "NetworkPolicy" && JSON.stringify(spec.egress ?? []).includes("4443") ? [metadata.name] : [],
      );
    const names = ["api", "worker-payments"].map((name) => expect.stringMatching(new RegExp(`-${name}$`)));
    expect(reaching(await render([required], ...cards))).toEqual(names);
    expect(reaching(await render([required], ...cards.slice(3)))).toEqual([]);
  });

  it("keep webhooks out of private networks", () => {
    const open = policy("worker-webhooks").egress.find((rule: Manifest) => JSON.stringify(rule).includes("except"));
    expect(open.to[0].ipBlock.except).toEqual(expect.arrayContaining(["10.0.0.0/8", "169.254.0.0/16", "127.0.0.0/8"]));
    expect(JSON.stringify(policy("worker-mail"))).not.toContain("except");
  });

  it("let workers be asked for their probes and metrics alone", () => {
    expect(policy("worker-images").ingress).toHaveLength(1);
    expect(policy("worker-images").ingress[0].ports).toEqual([{ port: "ops" }]);
  });

  it("let no pod reach a collector of traces unless there is one", async () => {
    expect([ports("api"), ports("worker-images")].flat()).not.toContain(4318);
    const traced = await render([required], `config.OTEL_EXPORTER_OTLP_ENDPOINT="http://otel:4318"`);
    for (const name of ["api", "worker-images"])
      expect(JSON.stringify(pick(traced, "NetworkPolicy", name).spec.egress)).toContain("4318");
  });
});

describe("alerts", () => {
  const links = async (...sets: string[]) => {
    const rule = pick(await render([required], ...sets), "PrometheusRule", "");
    const { groups } = rule.spec as { groups: { rules: { annotations?: { runbook_url?: string } }[] }[] };
    return groups.flatMap(({ rules }) => rules.flatMap(({ annotations }) => annotations?.runbook_url ?? []));
  };

  it("link to the runbook where it is published, one page for each", async () => {
    const base = "https://docs.example/runbook";
    const published = await links(`config.RUNBOOK_URL="${base}/"`);
    expect(published.length).toBeGreaterThan(10);
    const pages = new Set(readdirSync("docs/runbook").map((page) => `${base}/${page}`));
    expect(published.filter((link) => !pages.has(link))).toEqual([]);
    expect((await links()).every((link) => link.startsWith("docs/runbook/"))).toBe(true);
  });
});

describe("memory", () => {
  it("leaves room beside the heap of JavaScript", () => {
    const [images] = podOf(pick(all, "Deployment", "worker-images")).containers;
    expect(images.resources.limits.memory).toBe("768Mi");
    expect(textOf(images, "NODE_OPTIONS")).toBe(`--max-old-space-size=${Math.floor(768 * 0.4)}`);
  });
});
