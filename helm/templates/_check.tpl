{{- /* Refuses values that the schema cannot see through. All that is wrong is told at once. */ -}}
{{- define "tcf.check" -}}
{{- $wrong := list -}}
{{- $pods := include "tcf.pods" . | fromJson -}}
{{- $workers := include "tcf.workers" . | fromJson -}}

{{- range $kind, $image := .Values.images -}}
{{- if not $image.repository -}}
{{- $wrong = append $wrong (printf "images.%s.repository is not set: name the registry and the image" $kind) -}}
{{- end -}}
{{- if not (or $image.digest $image.tag) -}}
{{- $wrong = append $wrong (printf "images.%s has neither digest nor tag: releases print the digest" $kind) -}}
{{- end -}}
{{- end -}}

{{- if .Values.secrets.existingSecret -}}
{{- if .Values.secrets.values -}}
{{- $wrong = append $wrong "secrets.existingSecret and secrets.values are both set: take one" -}}
{{- end -}}
{{- else if not .Values.secrets.values -}}
{{- $wrong = append $wrong "secrets.existingSecret is not set: make a Secret and name it" -}}
{{- else -}}
{{- if ne .Values.environment "local" -}}
{{- $wrong = append $wrong (printf "secrets.values in environment '%s': they would lie in the release's history; make a Secret and name it as secrets.existingSecret" .Values.environment) -}}
{{- end -}}
{{- range $group, $names := include "tcf.secretVariables" . | fromYaml -}}
{{- range $name, $need := $names -}}
{{- if and (eq $need "required") (not (index $.Values.secrets.values $name)) -}}
{{- $wrong = append $wrong (printf "secrets.values.%s is not set" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $provider, $secret := dict "test" "PAYMENT_WEBHOOK_SECRET" "yookassa" "YOOKASSA_SECRET_KEY" -}}
{{- if and (eq ($pods.api.PAYMENT_PROVIDER | default "none") $provider) (not (index $.Values.secrets.values $secret)) -}}
{{- $wrong = append $wrong (printf "PAYMENT_PROVIDER is '%s': secrets.values.%s is needed with it" $provider $secret) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- range $pod, $settings := omit $pods "migrations" -}}
{{- range $of := list "REDIS" "REDIS_CACHE" -}}
{{- $sentinels := index $settings (printf "%s_SENTINELS" $of) -}}
{{- $nodes := index $settings (printf "%s_CLUSTER_NODES" $of) -}}
{{- $url := get ($.Values.secrets.values | default dict) (printf "%s_URL" $of) -}}
{{- if and $sentinels $nodes -}}
{{- $wrong = append $wrong (printf "%s_SENTINELS and %s_CLUSTER_NODES are both set: keep the one that is meant, in %s" $of $of $pod) -}}
{{- end -}}
{{- if and $url (or $sentinels $nodes) -}}
{{- $wrong = append $wrong (printf "secrets.values.%s_URL is set beside %s_%s: keep the one that is meant, in %s" $of $of (ternary "SENTINELS" "CLUSTER_NODES" (not (empty $sentinels))) $pod) -}}
{{- end -}}
{{- end -}}
{{- if not $settings.S3_BUCKET_NAME -}}
{{- $wrong = append $wrong (printf "config.S3_BUCKET_NAME is not set, in %s" $pod) -}}
{{- end -}}
{{- range $name := list "YOOKASSA_SHOP_ID" "YOOKASSA_RETURN_URL" -}}
{{- if and (eq ($settings.PAYMENT_PROVIDER | default "") "yookassa") (not (index $settings $name)) -}}
{{- $wrong = append $wrong (printf "PAYMENT_PROVIDER is 'yookassa': config.%s is needed with it, in %s" $name $pod) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not (or $pods.api.BETTER_AUTH_URL $pods.api.TRUSTED_ISSUERS) -}}
{{- $wrong = append $wrong "config.BETTER_AUTH_URL and config.TRUSTED_ISSUERS are both empty: no user could log in" -}}
{{- end -}}
{{- if not (include "tcf.publicUrl" .) -}}
{{- $wrong = append $wrong "config.PUBLIC_URL is not set, and there is no ingress to take it from" -}}
{{- end -}}
{{- $read := include "tcf.variables" . | fromYaml -}}
{{- range $name := keys .Values.api.config | sortAlpha -}}
{{- if not (has $name (concat $read.database $read.shared $read.api)) -}}
{{- $wrong = append $wrong (printf "api.config.%s has no effect: the API does not read it" $name) -}}
{{- end -}}
{{- end -}}
{{- range $pool, $settings := $workers -}}
{{- range $name := keys $settings.config | sortAlpha -}}
{{- if not (has $name (concat $read.database $read.shared $read.worker)) -}}
{{- $wrong = append $wrong (printf "%s has no effect in workers.%s.config or workerDefaults.config: workers do not read it" $name $pool) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.extraCa.configMap .Values.extraCa.secret -}}
{{- $wrong = append $wrong "extraCa.configMap and extraCa.secret are both set: take one" -}}
{{- end -}}
{{- $own := include "tcf.ownVariables" . | fromJsonArray -}}
{{- range .Values.extraEnv -}}
{{- if has .name $own -}}
{{- $wrong = append $wrong (printf "extraEnv names %s, which the chart sets itself: by config, secrets, extraCa or the pods' own values" .name) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraVolumes -}}
{{- if has .name (list "tmp" "extra-ca") -}}
{{- $wrong = append $wrong (printf "extraVolumes has the name '%s', which the chart uses itself" .name) -}}
{{- end -}}
{{- end -}}
{{- $volumes := list -}}
{{- range .Values.extraVolumes -}}{{- $volumes = append $volumes .name -}}{{- end -}}
{{- range .Values.extraVolumeMounts -}}
{{- if not (has .name $volumes) -}}
{{- $wrong = append $wrong (printf "extraVolumeMounts names the volume '%s', which extraVolumes does not have" .name) -}}
{{- end -}}
{{- if has (trimSuffix "/" .mountPath) (list "/tmp" "/app" "/etc/tcf/ca") -}}
{{- $wrong = append $wrong (printf "extraVolumeMounts has the path %s, which the pods need themselves" .mountPath) -}}
{{- end -}}
{{- end -}}
{{- if include "tcf.isWide" $pods.api.BOARD_IDENTITY_CIDRS -}}
{{- $wrong = append $wrong (printf "BOARD_IDENTITY_CIDRS is %s: the board would be open to all" $pods.api.BOARD_IDENTITY_CIDRS) -}}
{{- end -}}
{{- $unsafe := dict -}}
{{- range $pod, $settings := $pods -}}
{{- range include "tcf.unsafe" $settings | fromJsonArray -}}
{{- $_ := set $unsafe . (append (default list (index $unsafe .)) $pod) -}}
{{- end -}}
{{- end -}}
{{- range $sentence, $where := $unsafe -}}
{{- $wrong = append $wrong (printf "%s, in %s" $sentence (join ", " $where)) -}}
{{- end -}}

{{- if and .Values.ingress.enabled (eq (toString $pods.api.PUBLIC_PATH_STRIPPED) "false") -}}
{{- $wrong = append $wrong "PUBLIC_PATH_STRIPPED is false, and the chart's ingress serves the root: its rule for ingress.staffPaths would not cover them; set ingress.enabled=false" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- $wrong = append $wrong "ingress.hosts is empty: name a host, or set ingress.enabled=false" -}}
{{- end -}}

{{- if and .Values.api.autoscaling.enabled (gt (int .Values.api.autoscaling.min) (int .Values.api.autoscaling.max)) -}}
{{- $wrong = append $wrong (printf "api.autoscaling.min (%v) is above max (%v)" .Values.api.autoscaling.min .Values.api.autoscaling.max) -}}
{{- end -}}
{{- if and (eq (toString .Values.api.maxSurge) "0") (eq (toString .Values.api.maxUnavailable) "0") -}}
{{- $wrong = append $wrong "api.maxSurge and api.maxUnavailable are both 0: no pod could ever be replaced" -}}
{{- end -}}

{{- $consumers := dict -}}
{{- range $pool, $settings := $workers -}}
{{- $scaling := $settings.autoscaling -}}
{{- if not $settings.queues -}}
{{- $wrong = append $wrong (printf "workers.%s.queues is empty: name the queues that it consumes" $pool) -}}
{{- end -}}
{{- range $settings.queues -}}
{{- $_ := set $consumers . (append (default list (index $consumers .)) $pool) -}}
{{- end -}}
{{- if and (ne $scaling.mode "none") (gt (int $scaling.min) (int $scaling.max)) -}}
{{- $wrong = append $wrong (printf "workers.%s.autoscaling.min (%v) is above max (%v)" $pool $scaling.min $scaling.max) -}}
{{- end -}}
{{- if and (ne $scaling.mode "keda") (eq (int $scaling.min) 0) -}}
{{- $wrong = append $wrong (printf "workers.%s.autoscaling.min is 0 with mode '%s': only keda starts pods from nothing" $pool $scaling.mode) -}}
{{- end -}}
{{- if and (has "mail" $settings.queues) (not (index $pods (printf "workers.%s" $pool) "SMTP_HOST")) -}}
{{- $wrong = append $wrong (printf "config.SMTP_HOST is not set: workers.%s could not send mail" $pool) -}}
{{- end -}}
{{- end -}}
{{- range $queue := (list "images" "documents" "mail" "webhooks" "payments" "maintenance") -}}
{{- $pools := default list (index $consumers $queue) -}}
{{- if not $pools -}}
{{- $wrong = append $wrong (printf "no pool of workers consumes the queue '%s': its jobs would wait for ever" $queue) -}}
{{- else if gt (len $pools) 1 -}}
{{- $wrong = append $wrong (printf "the queue '%s' is consumed by %s: each would be scaled to all of its work" $queue (join " and " $pools)) -}}
{{- end -}}
{{- end -}}

{{- $open := include "tcf.connections" . | int -}}
{{- if and (gt (int .Values.database.maxConnections) 0) (gt $open (int .Values.database.maxConnections)) -}}
{{- $wrong = append $wrong (printf "all replicas together may open %d connections to %s, more than database.maxConnections (%v): lower DATABASE_POOL_MAX or the replicas" $open (include "tcf.connectedTo" .) .Values.database.maxConnections) -}}
{{- end -}}

{{- if $wrong -}}
{{- fail (printf "\n\nBad values:\n  %s\n" (join "\n  " $wrong)) -}}
{{- end -}}
{{- end -}}

{{- /* What the pods connect to, in words. */ -}}
{{- define "tcf.connectedTo" -}}
{{- if eq (.Values.config.DATABASE_POOLER | default "none") "transaction" -}}the pooler{{- else -}}Postgres{{- end -}}
{{- end -}}

{{- /*
Connections to Postgres or its pooler that the largest number of replicas may open, with one pod more of each for a rollout.
A worker claims by 4 more connections for each queue (src/platform/postgres/connections.ts).
*/ -}}
{{- define "tcf.connections" -}}
{{- $usual := .Values.config.DATABASE_POOL_MAX | default 10 -}}
{{- $api := ternary .Values.api.autoscaling.max .Values.api.replicas .Values.api.autoscaling.enabled -}}
{{- $sum := mul (add $api 1) (index .Values.api.config "DATABASE_POOL_MAX" | default $usual) -}}
{{- range $pool, $settings := include "tcf.workers" . | fromJson -}}
{{- $most := ternary $settings.autoscaling.min $settings.autoscaling.max (eq $settings.autoscaling.mode "none") -}}
{{- $each := add (index $settings.config "DATABASE_POOL_MAX" | default $usual) (mul 4 (len $settings.queues)) -}}
{{- $sum = add $sum (mul (add $most 1) $each) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}
