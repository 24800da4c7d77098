{{- define "tcf.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tcf.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tcf.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "tcf.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Without versions, which would restart pods whose image has not changed. */ -}}
{{- define "tcf.podLabels" -}}
{{ include "tcf.selector" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Repository with digest or tag of `images.<kind>`. Takes (dict "root" $ "kind" "api"). */ -}}
{{- define "tcf.image" -}}
{{- $image := index .root.Values.images .kind -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository $image.tag -}}
{{- end -}}
{{- end -}}

{{- define "tcf.secretName" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-secrets" (include "tcf.fullname" .)) -}}
{{- end -}}

{{- /* The pools that are on, each with all of workerDefaults, as JSON. */ -}}
{{- define "tcf.workers" -}}
{{- $root := . -}}
{{- $pools := dict -}}
{{- range $name, $own := .Values.workers -}}
{{- $pool := mergeOverwrite (deepCopy $root.Values.workerDefaults) (deepCopy (default dict $own)) -}}
{{- if $pool.enabled -}}
{{- $_ := set $pools $name $pool -}}
{{- end -}}
{{- end -}}
{{- toJson $pools -}}
{{- end -}}

{{- /* Megabytes of a quantity in Mi or Gi; the schema lets no other through. */ -}}
{{- define "tcf.megabytes" -}}
{{- mulf (regexFind "^[0-9.]+" . | float64) (hasSuffix "Gi" . | ternary 1024 1) | int -}}
{{- end -}}

{{- define "tcf.publicUrl" -}}
{{- if .Values.config.PUBLIC_URL -}}
{{- .Values.config.PUBLIC_URL -}}
{{- else if and .Values.ingress.enabled .Values.ingress.hosts -}}
{{- printf "%s://%s" (ternary "https" "http" .Values.ingress.tls.enabled) (first .Values.ingress.hosts) -}}
{{- end -}}
{{- end -}}

{{- define "tcf.opsUrl" -}}
{{- printf "http://%s-api-ops.%s.svc:9090" (include "tcf.fullname" .) .Release.Namespace -}}
{{- end -}}
