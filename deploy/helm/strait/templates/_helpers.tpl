{{- define "strait.name" -}}
{{- if contains "strait" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-strait" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "strait.selector" -}}
app.kubernetes.io/name: strait
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end }}

{{- define "strait.labels" -}}
{{ include "strait.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "strait.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "strait.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{- define "strait.image" -}}
{{- $image := index . 1 }}{{- $root := index . 0 }}
{{- printf "%s%s:%s" $root.Values.global.imageRegistry $image.repository (default $root.Chart.AppVersion $image.tag) }}
{{- end }}

{{- define "strait.gatewayApi" -}}
{{- if .Capabilities.APIVersions.Has "gateway.networking.k8s.io/v1/GatewayClass" }}yes{{ end }}
{{- end }}
