{{- /* What Kubernetes' "restricted" standard asks of a pod, and of a container. */ -}}
{{- define "tcf.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "tcf.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end -}}

{{- /* Where a pod runs. Takes (dict "root" $ "settings" … "component" …). */ -}}
{{- define "tcf.placement" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .settings.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .root.Values.topologySpread.enabled }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "tcf.selector" $.root | nindent 8 }}
        app.kubernetes.io/component: {{ $.component }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* Waits until the database has the migrations that this image knows; newer ones do not matter. Takes root, kind and config of the pod. */ -}}
{{- define "tcf.waitForSchema" -}}
initContainers:
  - name: wait-for-schema
    image: {{ include "tcf.image" . | quote }}
    imagePullPolicy: {{ (index .root.Values.images .kind).pullPolicy }}
    command: [node, --enable-source-maps, dist/db/wait-for-schema.js]
    env:
      {{- include "tcf.environment" (dict "root" .root "groups" (list "database") "config" .config "computed" (dict "DATABASE_POOL_MAX" 2)) | trim | nindent 6 }}
    {{- include "tcf.containerSecurity" .root | nindent 4 }}
    resources:
      requests: { cpu: 50m, memory: 96Mi }
      limits: { memory: 192Mi }
    volumeMounts:
      - { name: tmp, mountPath: /tmp }
      {{- with include "tcf.extraVolumeMounts" .root | trim }}{{ . | nindent 6 }}{{ end }}
{{- end -}}

{{- /* Where the authorities of `extraCa` are in every container; nothing without them. */ -}}
{{- define "tcf.extraCaFile" -}}
{{- with .Values.extraCa }}{{ if or .configMap .secret }}/etc/tcf/ca/{{ .key }}{{ end }}{{ end -}}
{{- end -}}

{{- define "tcf.extraVolumes" -}}
{{- with .Values.extraCa }}
{{- if .configMap }}
- name: extra-ca
  configMap: { name: {{ .configMap }}, items: [{ key: {{ .key }}, path: {{ .key }} }] }
{{- else if .secret }}
- name: extra-ca
  secret: { secretName: {{ .secret }}, items: [{ key: {{ .key }}, path: {{ .key }} }] }
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tcf.extraVolumeMounts" -}}
{{- if include "tcf.extraCaFile" . }}
- { name: extra-ca, mountPath: /etc/tcf/ca, readOnly: true }
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Variables that the chart works out of a component's settings. Takes (dict "root" $ "settings" …). */ -}}
{{- define "tcf.heap" -}}
{{- $megabytes := include "tcf.megabytes" .settings.resources.limits.memory | int -}}
{{- printf "--max-old-space-size=%d" (div (mul $megabytes (int .settings.heapPercent)) 100) -}}
{{- end -}}

{{- define "tcf.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: ops }
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 30
readinessProbe:
  httpGet: { path: /readyz, port: ops }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
livenessProbe:
  httpGet: { path: /livez, port: ops }
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 4
{{- end -}}
