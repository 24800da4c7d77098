{{- /* Which variable goes to which process: the same as in src/config.ts, see test/helm/environment.test.ts. */ -}}
{{- define "tcf.variables" -}}
database: [ENVIRONMENT, ALLOW_UNSAFE, LOG_LEVEL, EXTRA_CA_FILE, DATABASE_POOLER, DATABASE_POOL_MAX]
shared: [QUEUE_PREFIX, REDIS_SENTINELS, REDIS_SENTINEL_NAME, REDIS_CLUSTER_NODES, REDIS_TLS, REDIS_CACHE_SENTINELS, REDIS_CACHE_SENTINEL_NAME, REDIS_CACHE_CLUSTER_NODES, REDIS_CACHE_TLS,
  S3_ENDPOINT_URL, S3_DEFAULT_REGION, S3_ADDRESSING, S3_BUCKET_NAME, S3_KEY_PREFIX, S3_PUBLIC_URL, WEBHOOK_ALLOW_PRIVATE, PUBLIC_URL, PAYEE,
  MAIL_UNPROVED_PER_DAY, PAYMENT_PROVIDER, YOOKASSA_API_URL, YOOKASSA_SHOP_ID, YOOKASSA_CAPTURE, YOOKASSA_RETURN_URL,
  YOOKASSA_RECEIPT_VAT, YOOKASSA_RECEIPT_TAX_SYSTEM,
  OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER_ARG]
api: [TRUST_PROXY, PUBLIC_PATH_STRIPPED, CORS_ORIGINS, PRINT_ALLOWED_CIDRS, RATE_LIMIT_ANONYMOUS, RATE_LIMIT_USER,
  RATE_LIMIT_API_KEY, RATE_LIMIT_ORDERS, UPLOADS_PER_DAY, CONNECTIONS_PER_CLIENT,
  UNREAD_ANSWER_SECONDS, RATE_LIMIT_EXEMPT_CIDRS, BOARD_OPERATORS,
  BOARD_IDENTITY_HEADER, BOARD_IDENTITY_CIDRS, RUNBOOK_URL, DEMO_TOKENS_URL, BETTER_AUTH_URL, TRUSTED_ISSUERS]
worker: [SMTP_HOST, SMTP_PORT, SMTP_FROM, SMTP_SECURITY, DKIM_SELECTOR, MAIL_OFF, MAIL_STAFF, STOREFRONT_ORDER_URL, MAIL_PROBE_URL, MAIL_GRACE_MS,
  MAIL_DOMAIN_RATES, MAIL_QUIET_HOURS, MAIL_DAILY_CAP, RETENTION]
{{- end -}}

{{- define "tcf.secretVariables" -}}
database: { DATABASE_URL: required, DATABASE_DIRECT_URL: optional }
shared: { REDIS_URL: {{ ternary "optional" "required" (or (not (empty .Values.config.REDIS_SENTINELS)) (not (empty .Values.config.REDIS_CLUSTER_NODES))) }}, REDIS_CACHE_URL: optional, REDIS_USERNAME: optional, REDIS_PASSWORD: optional, REDIS_SENTINEL_USERNAME: optional, REDIS_SENTINEL_PASSWORD: optional, REDIS_CACHE_USERNAME: optional, REDIS_CACHE_PASSWORD: optional, REDIS_CACHE_SENTINEL_USERNAME: optional, REDIS_CACHE_SENTINEL_PASSWORD: optional,
  AUTOSCALER_TOKEN: {{ ternary "required" "optional" .Values.autoscaler.token }}, S3_ACCESS_KEY: required, S3_SECRET_KEY: required, MAIL_LINK_SECRET: optional, YOOKASSA_SECRET_KEY: optional, OTEL_EXPORTER_OTLP_HEADERS: optional }
api: { API_KEY: optional, BETTER_AUTH_WEBHOOK_SECRET: optional, PAYMENT_WEBHOOK_SECRET: optional, MAIL_WEBHOOK_SECRET: optional }
worker: { SMTP_USER: optional, SMTP_PASS: optional, DKIM_PRIVATE_KEY: optional }
{{- end -}}

{{- /* What one pod is configured with, as JSON: `config`, what differs in this pod, and the mode. Takes root and config. */ -}}
{{- define "tcf.config" -}}
{{- mergeOverwrite (deepCopy .root.Values.config) (deepCopy (default dict .config)) (dict "ENVIRONMENT" .root.Values.environment "EXTRA_CA_FILE" (include "tcf.extraCaFile" .root)) | toJson -}}
{{- end -}}

{{- /* By pod, the settings that it reads and what they are in the end, as JSON; secrets and what the chart works out left out. */ -}}
{{- define "tcf.pods" -}}
{{- $root := . -}}
{{- $names := include "tcf.variables" . | fromYaml -}}
{{- $pods := dict "migrations" (dict "groups" (list "database")) "api" (dict "groups" (list "database" "shared" "api") "config" .Values.api.config) -}}
{{- range $pool, $settings := include "tcf.workers" . | fromJson -}}
{{- $_ := set $pods (printf "workers.%s" $pool) (dict "groups" (list "database" "shared" "worker") "config" $settings.config) -}}
{{- end -}}
{{- $all := dict -}}
{{- range $pod, $about := $pods -}}
{{- $config := include "tcf.config" (dict "root" $root "config" $about.config) | fromJson -}}
{{- $read := dict -}}
{{- range $about.groups -}}
{{- range index $names . -}}{{- $_ := set $read . (index $config .) -}}{{- end -}}
{{- end -}}
{{- $_ := set $all $pod $read -}}
{{- end -}}
{{- toJson $all -}}
{{- end -}}

{{- /* Entries of `env`. Takes (dict "root" $ "groups" (list "database" …) "config" (what differs) "computed" (dict …)). */ -}}
{{- define "tcf.environment" -}}
{{- $names := include "tcf.variables" .root | fromYaml -}}
{{- $secrets := include "tcf.secretVariables" .root | fromYaml -}}
{{- $config := mergeOverwrite (include "tcf.config" . | fromJson) (deepCopy (default dict .computed)) -}}
{{- $own := keys (default dict .computed) | sortAlpha -}}
{{- range .groups -}}{{- $own = concat $own (index $names .) -}}{{- end -}}
{{- range uniq $own }}
- name: {{ . }}
  value: {{ include "tcf.text" (index $config .) | quote }}
{{- end }}
{{- $secretName := include "tcf.secretName" .root -}}
{{- range .groups }}
{{- range $name, $need := index $secrets . }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef: { name: {{ $secretName }}, key: {{ $name }}{{ if eq $need "optional" }}, optional: true{{ end }} }
{{- end }}
{{- end }}
{{- with .root.Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Names that `extraEnv` must not take: the chart sets these variables itself. */ -}}
{{- define "tcf.ownVariables" -}}
{{- $own := list "NODE_OPTIONS" "PORT" "OPS_PORT" "HOST" "AUTOSCALE" "DRAIN_TIMEOUT_MS" "WORKER_QUEUES" "WORKER_CONCURRENCY" -}}
{{- range $group, $names := include "tcf.variables" . | fromYaml -}}{{- $own = concat $own $names -}}{{- end -}}
{{- range $group, $names := include "tcf.secretVariables" . | fromYaml -}}{{- $own = concat $own (keys $names) -}}{{- end -}}
{{- toJson $own -}}
{{- end -}}

{{- /* Numbers come out of YAML as floats; 1e+06 is none for the programs. */ -}}
{{- define "tcf.text" -}}
{{- if kindIs "string" . -}}{{- . -}}{{- else if not (kindIs "invalid" .) -}}{{- toJson . -}}{{- end -}}
{{- end -}}

{{- /* AUTOSCALE: what the pools say about each queue, so that the desired worker counts use it. */ -}}
{{- define "tcf.autoscale" -}}
{{- $rules := dict -}}
{{- range $pool, $settings := include "tcf.workers" . | fromJson -}}
{{- $scaling := $settings.autoscaling -}}
{{- $rule := dict "minWorkers" $scaling.min "maxWorkers" (ternary (max 1 (int $scaling.min)) $scaling.max (eq $scaling.mode "none")) "graceSeconds" $settings.drainSeconds -}}
{{- if $settings.concurrency -}}{{- $_ := set $rule "concurrency" $settings.concurrency -}}{{- end -}}
{{- if $scaling.goalSeconds -}}{{- $_ := set $rule "goalSeconds" $scaling.goalSeconds -}}{{- end -}}
{{- range $settings.queues -}}{{- $_ := set $rules . $rule -}}{{- end -}}
{{- end -}}
{{- toJson $rules -}}
{{- end -}}
