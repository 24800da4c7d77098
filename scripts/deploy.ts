import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { helmBinary } from "./helm-binary.ts";
import { byDigest, needed, run } from "./run.ts";

// Brings the images of API_IMAGE and WORKER_IMAGE (`repository@sha256:…`) into the cluster of KUBECONFIG_TEXT, tries them
// by a job, and goes back when that fails: npm run deploy. `-- --dry-run` only renders, and needs no cluster.
// DEPLOY_SIZE is one of helm/values-<size>.yaml, DEPLOY_VALUES the text of a further values file; SIGNED_BY, where it is
// set, is a pattern of the identity that has to have signed both images.

const isDry = process.argv.includes("--dry-run");
const { RELEASE = "shop", NAMESPACE = "shop", SIGNED_BY } = process.env;
const folder = mkdtempSync(join(tmpdir(), "tcf-deploy-"));
try {
  deploy();
} finally {
  rmSync(folder, { recursive: true });
}

function deploy() {
  const images = { api: byDigest(needed("API_IMAGE")), worker: byDigest(needed("WORKER_IMAGE")) };
  const issuer = "https://token.actions.githubusercontent.com";
  if (SIGNED_BY)
    for (const image of Object.values(images))
      run(isDry, "cosign", [
        "verify",
        "--certificate-identity-regexp",
        SIGNED_BY,
        "--certificate-oidc-issuer",
        issuer,
        image,
      ]);

  const values = [
    "--values",
    `helm/values-${needed("DEPLOY_SIZE")}.yaml`,
    "--values",
    keep("values.yaml", needed("DEPLOY_VALUES")),
  ];
  for (const [kind, image] of Object.entries(images)) {
    const [repository, digest] = image.split("@");
    values.push("--set", `images.${kind}.repository=${repository},images.${kind}.digest=${digest}`);
  }
  const env = isDry ? process.env : { ...process.env, KUBECONFIG: keep("kubeconfig", needed("KUBECONFIG_TEXT")) };
  const helm = (really: boolean, ...args: string[]) =>
    run(!really, helmBinary(), [...args, "--namespace", NAMESPACE], env);

  // Refuses wrong values before anything is touched.
  helm(true, "template", RELEASE, "helm", ...values, "--output-dir", join(folder, "rendered"));
  helm(
    !isDry,
    "upgrade",
    "--install",
    RELEASE,
    "helm",
    ...values,
    "--create-namespace",
    "--rollback-on-failure",
    "--timeout",
    "15m",
  );
  try {
    helm(!isDry, "test", RELEASE, "--logs", "--timeout", "5m");
  } catch (error) {
    helm(!isDry, "rollback", RELEASE, "--wait", "--timeout", "15m");
    throw error;
  }
}

function keep(name: string, text: string) {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
