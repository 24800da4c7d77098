import { describe, expect, it } from "vitest";
import { helm, render, useChart } from "../support/helm.ts";

const required = "test/helm/required.yaml";
const dev = "helm/values-dev.yaml";

/** Values that have to be refused: files, what is set, and what has to be said. */
const refused: [says: string, files: string[], ...sets: string[]][] = [
  ["images.api.repository is not set", [required], 'images.api.repository=""'],
  ["images.worker has neither digest nor tag", [required], 'images.worker.digest=""'],
  ["secrets.existingSecret is not set", [required], 'secrets.existingSecret=""'],
  ["secrets.existingSecret and secrets.values are both set", [dev], 'secrets.existingSecret="shop"'],
  ["secrets.values in environment 'production'", [dev], 'environment="production"'],
  ["secrets.values in environment 'staging'", [dev], 'environment="staging"'],
  ["secrets.values.REDIS_URL is not set", [dev], 'secrets.values.REDIS_URL=""'],
  [
    "REDIS_SENTINELS and REDIS_CLUSTER_NODES are both set",
    [required],
    'config.REDIS_SENTINELS="sentinel:26379"',
    'config.REDIS_CLUSTER_NODES="redis-0.redis.shop.svc:6379"',
  ],
  ["secrets.values.REDIS_URL is set beside REDIS_SENTINELS", [dev], 'config.REDIS_SENTINELS="sentinel:26379"'],
  ["secrets.values.AUTOSCALER_TOKEN is not set", [dev], "autoscaler.token=true"],
  ["secrets.values.PAYMENT_WEBHOOK_SECRET is needed with it", [dev], 'secrets.values.PAYMENT_WEBHOOK_SECRET=""'],
  ["config.S3_BUCKET_NAME is not set", [required], 'config.S3_BUCKET_NAME=""'],
  ["no user could log in", [required], 'config.BETTER_AUTH_URL=""'],
  ["config.PUBLIC_URL is not set", [required], "ingress.enabled=false"],
  ["the board would be open to all", [required], 'config.BOARD_IDENTITY_CIDRS="0.0.0.0/1,128.0.0.0/1"'],
  [
    "secrets.values.PAYMENT_WEBHOOK_SECRET is needed",
    [dev],
    'config.PAYMENT_PROVIDER=""',
    'api.config.PAYMENT_PROVIDER="test"',
    'secrets.values.PAYMENT_WEBHOOK_SECRET=""',
  ],
  ["config.S3_BUCKET_NAME is not set, in workers.mail", [required], 'workers.mail.config={"S3_BUCKET_NAME":""}'],
  ["workers.mail could not send mail", [required], 'workers.mail.config={"SMTP_HOST":""}'],
  ["api.config.SMTP_HOST has no effect", [required], 'api.config={"SMTP_HOST":"smtp.example"}'],
  ["TRUST_PROXY has no effect in workers.mail.config", [required], 'workers.mail.config={"TRUST_PROXY":2}'],
  ["TRUST_PROXY has no effect in workers.images.config", [required], 'workerDefaults.config={"TRUST_PROXY":2}'],
  ["S3_ENDPOINT_URL has a password in it", [required], 'config.S3_ENDPOINT_URL="https://a:hunter2@s3.example"'],
  ["S3_ENDPOINT_URL has a password in it", [required], 'config.S3_ENDPOINT_URL="https://s3.example?password=hunter2"'],
  ["PUBLIC_PATH_STRIPPED is false, and", [required], 'api.config={"PUBLIC_PATH_STRIPPED":false}'],
  ["ingress.hosts is empty", [required], "ingress.hosts=[]"],
  ["api.autoscaling.min (7) is above max (6)", [required], "api.autoscaling.enabled=true", "api.autoscaling.min=7"],
  ["no pod could ever be replaced", [required], "api.maxSurge=0", "api.maxUnavailable=0"],
  ["workers.sales.queues is empty", [required], "workers.sales={}"],
  ["workers.mail.autoscaling.min (5) is above max (4)", [required], "workers.mail.autoscaling.min=5"],
  [
    "workers.mail.autoscaling.min is 0 with mode 'hpa'",
    [required],
    "workers.mail.autoscaling.min=0",
    'workers.mail.autoscaling.mode="hpa"',
  ],
  ["workers.mail could not send mail", [required], 'config.SMTP_HOST=""'],
  ["no pool of workers consumes the queue 'payments'", [required], "workers.payments.enabled=false"],
  ["no pool of workers consumes the queue 'maintenance'", [required], "workers.maintenance.enabled=false"],
  ["the queue 'mail' is consumed by mail and sales", [required], 'workers.sales={"queues":["mail"]}'],
  ["extraCa.configMap and extraCa.secret are both set", [required], 'extraCa={"configMap":"ca","secret":"ca"}'],
  ["extraEnv names S3_BUCKET_NAME, which", [required], 'extraEnv=[{"name":"S3_BUCKET_NAME","value":"x"}]'],
  ["extraEnv names DATABASE_URL, which", [required], 'extraEnv=[{"name":"DATABASE_URL","value":"x"}]'],
  ["extraEnv names NODE_OPTIONS, which", [required], 'extraEnv=[{"name":"NODE_OPTIONS","value":"--inspect"}]'],
  ["extraVolumes has the name 'tmp'", [required], 'extraVolumes=[{"name":"tmp","emptyDir":{}}]'],
  ["names the volume 'keys', which", [required], 'extraVolumeMounts=[{"name":"keys","mountPath":"/keys"}]'],
  [
    "extraVolumeMounts has the path /tmp/",
    [required],
    'extraVolumes=[{"name":"keys","emptyDir":{}}]',
    'extraVolumeMounts=[{"name":"keys","mountPath":"/tmp/"}]',
  ],
  ["more than database.maxConnections (100)", [required], "database.maxConnections=100"],
];

/** Values that the schema refuses, and where. */
const malformed: [at: string, set: string][] = [
  ["additional properties 'replcas' not allowed", "api.replcas=2"],
  ["at '/api/replicas'", "api.replicas=0"],
  ["at '/images/api/digest'", 'images.api.digest="sha256:12"'],
  ["at '/images/api/tag'", 'images.api.tag="latest"'],
  ["at '/environment'", 'environment="prod"'],
  ["at '/environment'", 'environment="development"'],
  ["at '/config/ALLOW_UNSAFE'", 'config.ALLOW_UNSAFE="*"'],
  ["additional properties 'LOG_LEVLE' not allowed", 'config.LOG_LEVLE="info"'],
  ["at '/config/SMTP_SECURITY'", 'config.SMTP_SECURITY="ssl"'],
  ["at '/config/S3_ADDRESSING'", 'config.S3_ADDRESSING="host"'],
  ["at '/config/S3_KEY_PREFIX'", 'config.S3_KEY_PREFIX="/shop"'],
  ["at '/config/S3_ENDPOINT_URL'", 'config.S3_ENDPOINT_URL="s3:7070"'],
  ["additional properties 'PASSWORD' not allowed", 'secrets.values.PASSWORD="x"'],
  ["at '/workers/mail", "workers.mail.drainSeconds=600"],
  ["at '/workers/mail", 'workers.mail.queues=["mial"]'],
  ["at '/workers/mail", 'workers.mail.autoscaling.mode="on"'],
  ["'Mail' does not match pattern", 'workers.Mail={"queues":["mail"]}'],
  ["at '/networkPolicy/webhookExcept/0'", 'networkPolicy.webhookExcept=["private"]'],
  ["at '/extraCa/key'", 'extraCa.key="../ca.crt"'],
  ["at '/extraEnv/0'", 'extraEnv=[{"value":"x"}]'],
  ["at '/extraVolumeMounts/0", 'extraVolumeMounts=[{"name":"keys","mountPath":"keys"}]'],
  ["at '/ingress/kind'", 'ingress.kind="Gateway"'],
];

useChart();

describe("the chart refuses", () => {
  it.each(refused)("%s", async (says, files, ...sets) => {
    await expect(render(files, ...sets)).rejects.toThrow(says);
  });

  it("everything that is wrong at once", async () => {
    const error = await helm("template", "shop", "helm").catch(String);
    expect(error).toContain("images.api.repository is not set");
    expect(error).toContain("ingress.hosts is empty");
  });

  it.each(malformed)("by its schema: %s", async (at, set) => {
    await expect(render([required], set)).rejects.toThrow(at);
  });
});

describe("the chart accepts", () => {
  it.each([
    ["fewer connections than there are", [required], "database.maxConnections=400"],
    [
      "a pool more for what another one leaves",
      [required],
      'workers.mail={"queues":["mail","webhooks"]}',
      "workers.webhooks.enabled=false",
    ],
    [
      "what each component is given for itself",
      [required],
      'config={"S3_BUCKET_NAME":"","BETTER_AUTH_URL":"","SMTP_HOST":""}',
      'api.config={"S3_BUCKET_NAME":"a","BETTER_AUTH_URL":"https://id.example"}',
      'workerDefaults.config={"S3_BUCKET_NAME":"a","SMTP_HOST":"smtp.example","SMTP_FROM":"a@shop.example"}',
    ],
    ["a tag where there is no digest", [required], 'images.api.digest=""', 'images.api.tag="1.2.3"'],
    [
      "no ingress with a public address",
      [required],
      "ingress.enabled=false",
      'config.PUBLIC_URL="https://shop.example"',
    ],
  ] as [string, string[], ...string[]][])("%s", async (_what, files, ...sets) => {
    await expect(render(files, ...sets)).resolves.not.toEqual([]);
  });

  it.each(["helm", "helm --values test/helm/required.yaml", "helm --values helm/values-dev.yaml"])(
    "its own linter, strictly: %s",
    async (args) => {
      expect(await helm("lint", "--strict", ...args.split(" "))).toContain("0 chart(s) failed");
    },
  );
});
