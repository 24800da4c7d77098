import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { parse } from "yaml";

export interface AlertRule {
  alert: string;
  expr: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface Panel {
  dashboard: string;
  id: number;
  title: string;
  expressions: string[];
  /** Ids of the data sources that it asks. */
  datasources: string[];
}

const [alerts, dashboards] = ["helm/files/alerts", "helm/files/dashboards"];

/** All alerts that the chart installs. */
export function alertRules(): AlertRule[] {
  return readdirSync(alerts).flatMap((name) => {
    const { groups } = parse(readFileSync(join(alerts, name), "utf8")) as { groups: { rules: AlertRule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  });
}

interface Dashboard {
  uid: string;
  panels: {
    id: number;
    title: string;
    type: string;
    datasource?: { uid: string };
    targets?: { expr: string; datasource: { uid: string } }[];
  }[];
}

/** All panels of the dashboards that the chart installs, but for their headings. */
export function panels(): Panel[] {
  return readdirSync(dashboards).flatMap((name) => {
    const { uid, panels } = JSON.parse(readFileSync(join(dashboards, name), "utf8")) as Dashboard;
    return panels
      .filter(({ type }) => type !== "row")
      .map(({ id, title, datasource, targets = [] }) => ({
        dashboard: uid,
        id,
        title,
        expressions: targets.map(({ expr }) => expr),
        datasources: [datasource, ...targets.map((target) => target.datasource)].map((source) => String(source?.uid)),
      }));
  });
}

/** Every expression of alerts and dashboards. */
export const expressions = () => [
  ...alertRules().map(({ expr }) => expr),
  ...panels().flatMap((panel) => panel.expressions),
];

/** Names of the metrics in an expression, as they are scraped; throws when it is no PromQL. */
export function metricsOf(expr: string): string[] {
  const text = expr.replaceAll("$__rate_interval", "5m");
  const names: string[] = [];
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`no PromQL: ${expr}`);
      if (node.name === "VectorSelector") {
        const name = node.node.getChild("Identifier");
        if (name) names.push(text.slice(name.from, name.to));
      }
    },
  });
  return names;
}
