{{- /*
What src/config/unsafe.ts refuses, as far as values show it; test/helm/unsafe.test.ts holds the two against each other.
*/ -}}
{{- define "tcf.unsafeRules" -}}
[test-payments, demo-tokens, private-webhooks, published-secrets, weak-secrets, plain-issuer, unbound-issuer, exempt-everybody,
  print-everybody, many-proxies, no-limits, plain-postgres, plain-redis, plain-s3, plain-payments, plain-telemetry, plain-mail, default-sender]
{{- end -}}

{{- /* Rules that ALLOW_UNSAFE cannot permit. */ -}}
{{- define "tcf.unpermittedRules" -}}
[test-payments]
{{- end -}}

{{- /* What is wrong with the settings that one pod reads, as a JSON array. Takes the settings. */ -}}
{{- define "tcf.unsafe" -}}
{{- $known := include "tcf.unsafeRules" . | fromYamlArray -}}
{{- $allowed := list -}}
{{- $wrong := list -}}
{{- range splitList "," (.ALLOW_UNSAFE | default "") -}}
{{- $name := trim . -}}
{{- if $name -}}{{- $allowed = append $allowed $name -}}{{- end -}}
{{- if and $name (not (has $name $known)) -}}
{{- $wrong = append $wrong (printf "ALLOW_UNSAFE names '%s', which is no rule; there are %s" $name (join ", " $known)) -}}
{{- end -}}
{{- end -}}
{{- if ne .ENVIRONMENT "local" -}}
{{- range $name, $value := . -}}
{{- if regexMatch "^[A-Za-z]+://([^/?#]*:[^/?#]+@|[^#]*[?&]password=)" (include "tcf.text" $value) -}}
{{- $wrong = append $wrong (printf "%s has a password in it, which would lie in the release's history" $name) -}}
{{- end -}}
{{- end -}}
{{- range $rule, $sentences := include "tcf.unsafeByRule" . | fromJson -}}
{{- range $sentences -}}
{{- if or (not (has $rule $allowed)) (has $rule (include "tcf.unpermittedRules" $ | fromYamlArray)) -}}{{- $wrong = append $wrong (printf "%s [%s]" . $rule) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end -}}

{{- /* By rule, the sentences about what it finds, as JSON. Takes the settings. */ -}}
{{- define "tcf.unsafeByRule" -}}
{{- $found := dict -}}
{{- if eq (.PAYMENT_PROVIDER | default "") "test" -}}
{{- $_ := set $found "test-payments" (list "PAYMENT_PROVIDER is 'test': it takes no money, and any visitor decides how a payment ends") -}}
{{- end -}}
{{- if .DEMO_TOKENS_URL -}}
{{- $_ := set $found "demo-tokens" (list "DEMO_TOKENS_URL is set: it gives tokens of every role to any visitor") -}}
{{- end -}}
{{- if eq (include "tcf.text" .WEBHOOK_ALLOW_PRIVATE) "true" -}}
{{- $_ := set $found "private-webhooks" (list "WEBHOOK_ALLOW_PRIVATE is true: webhooks could reach the cluster itself") -}}
{{- end -}}
{{- $_ := set $found "plain-issuer" list -}}
{{- $_ := set $found "unbound-issuer" list -}}
{{- if regexMatch "(?i)^http:" (.BETTER_AUTH_URL | default "") -}}
{{- $_ := set $found "plain-issuer" (list "BETTER_AUTH_URL is plain http: others could replace its keys") -}}
{{- end -}}
{{- range .TRUSTED_ISSUERS | default "[]" | fromJsonArray -}}
{{- if kindIs "map" . -}}
{{- if or (regexMatch "(?i)^http:" (toString .issuer)) (include "tcf.isPlain" (toString .jwksUrl)) -}}
{{- $_ := set $found "plain-issuer" (append (index $found "plain-issuer") "TRUSTED_ISSUERS has an issuer that is reached by plain http: others could replace its keys") -}}
{{- end -}}
{{- if not (or .audiences .authorizedParties) -}}
{{- $_ := set $found "unbound-issuer" (append (index $found "unbound-issuer") "TRUSTED_ISSUERS has an issuer with neither audiences nor authorizedParties: tokens for other programs would be accepted") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if include "tcf.isWide" .RATE_LIMIT_EXEMPT_CIDRS -}}
{{- $_ := set $found "exempt-everybody" (list (printf "RATE_LIMIT_EXEMPT_CIDRS is %s: strangers would have no limits" .RATE_LIMIT_EXEMPT_CIDRS)) -}}
{{- end -}}
{{- if include "tcf.isWide" .PRINT_ALLOWED_CIDRS -}}
{{- $_ := set $found "print-everybody" (list (printf "PRINT_ALLOWED_CIDRS is %s: strangers could print orders and waybills" .PRINT_ALLOWED_CIDRS)) -}}
{{- end -}}
{{- if gt (include "tcf.text" .TRUST_PROXY | trimAll " " | regexFind "[1-9][0-9]*$" | int) 3 -}}
{{- $_ := set $found "many-proxies" (list (printf "TRUST_PROXY is %s, more than 3: a client could choose its own address" (include "tcf.text" .TRUST_PROXY))) -}}
{{- end -}}
{{- $unlimited := list -}}
{{- range $name, $value := . -}}
{{- if and (regexMatch "^(RATE_LIMIT|UPLOADS_PER|CONNECTIONS_PER|MAIL_UNPROVED)_" $name) (regexMatch "^0+$" (include "tcf.text" $value)) -}}
{{- $unlimited = append $unlimited (printf "%s is 0, which means no limit: one client could use all resources" $name) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $found "no-limits" $unlimited -}}
{{- $settings := . -}}
{{- $redis := list -}}
{{- range $of := list "REDIS" "REDIS_CACHE" -}}
{{- range $name := list "SENTINELS" "CLUSTER_NODES" -}}
{{- range $node := splitList "," (index $settings (printf "%s_%s" $of $name) | default "") -}}
{{- $host := regexReplaceAll ":[0-9]+$" (trim $node) "" -}}
{{- if and $host (not (include "tcf.isInside" $host)) (ne (include "tcf.text" (index $settings (printf "%s_TLS" $of))) "true") -}}
{{- $redis = append $redis (printf "%s_%s leads outside without TLS: others could read and change jobs" $of $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $_ := set $found "plain-redis" (uniq $redis) -}}
{{- if include "tcf.isPlain" .S3_ENDPOINT_URL -}}
{{- $_ := set $found "plain-s3" (list "S3_ENDPOINT_URL leads outside without TLS: others could read and change files") -}}
{{- end -}}
{{- if include "tcf.isPlain" .YOOKASSA_API_URL -}}
{{- $_ := set $found "plain-payments" (list "YOOKASSA_API_URL leads outside without TLS: others could read the shop's key and say that payments were made") -}}
{{- end -}}
{{- if include "tcf.isPlain" .OTEL_EXPORTER_OTLP_ENDPOINT -}}
{{- $_ := set $found "plain-telemetry" (list "OTEL_EXPORTER_OTLP_ENDPOINT leads outside without TLS: others could read traces and the collector's token") -}}
{{- end -}}
{{- if and .SMTP_HOST (eq (.SMTP_SECURITY | default "") "none") (not (include "tcf.isThisMachine" .SMTP_HOST)) -}}
{{- $_ := set $found "plain-mail" (list (printf "SMTP_SECURITY is 'none' and SMTP_HOST '%s' is not the pod itself: others could read all mail" .SMTP_HOST)) -}}
{{- end -}}
{{- if and .SMTP_HOST (or (not .SMTP_FROM) (regexMatch "(?i)@(.+[.])?example[.](com|net|org)>?[ ]*$" .SMTP_FROM)) -}}
{{- $_ := set $found "default-sender" (list "SMTP_FROM is not set, or is of example.com: mails would be refused or take replies elsewhere") -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* "true" for an address of plain http that leads outside. */ -}}
{{- define "tcf.isPlain" -}}
{{- if and . (regexMatch "(?i)^http://" .) -}}
{{- if not (include "tcf.isInside" (urlParse .).hostname) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{- /* "true" for a host that isInside of src/config/addresses.ts calls so. */ -}}
{{- define "tcf.isInside" -}}
{{- $host := regexReplaceAll "^::ffff:([0-9]+[.][0-9.]+)$" (. | lower | trimPrefix "[" | trimSuffix "]" | trimSuffix ".") "${1}" -}}
{{- if regexMatch "^(0|[1-9][0-9]*)([.](0|[1-9][0-9]*)){3}$" $host -}}
{{- if regexMatch "^(10|127|169[.]254|192[.]168|172[.](1[6-9]|2[0-9]|3[01])|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))[.]" $host -}}true{{- end -}}
{{- else if contains ":" $host -}}
{{- if regexMatch "^(::1$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)" $host -}}true{{- end -}}
{{- else if or (eq $host "") (hasPrefix "/" $host) (regexMatch "^([a-z]([a-z0-9_-]*[a-z0-9])?|.+[.](localhost|local|internal|svc|home[.]arpa))$" $host) -}}true
{{- end -}}
{{- end -}}

{{- /* "true" for a host that isThisMachine of src/config/addresses.ts calls so. */ -}}
{{- define "tcf.isThisMachine" -}}
{{- $host := . | lower | trimPrefix "[" | trimSuffix "]" | trimSuffix "." -}}
{{- if regexMatch "^(127([.](0|[1-9][0-9]*)){3}|::1|(.+[.])?localhost)$" $host -}}true{{- end -}}
{{- end -}}

{{- /* "true" for networks that isWide of src/config/addresses.ts calls so. Takes them comma separated. */ -}}
{{- define "tcf.isWide" -}}
{{- $clients := dict "4" 0 "6" 0 -}}
{{- range splitList "," (. | default "") | uniq -}}
{{- $parts := regexSplit "/" (trim . | lower) 2 -}}
{{- if eq (len $parts) 2 -}}
{{- $address := index $parts 0 -}}
{{- $bits := index $parts 1 | int -}}
{{- $kind := contains ":" $address | ternary "6" "4" -}}
{{- $within := dict "^10[.]" 8 "^127[.]" 8 "^169[.]254[.]" 16 "^192[.]168[.]" 16 "^172[.](1[6-9]|2[0-9]|3[01])[.]" 12 "^100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])[.]" 10 "^::1$" 128 "^f[cd][0-9a-f]{2}:" 7 "^fe[89ab][0-9a-f]:" 10 -}}
{{- $isInside := false -}}
{{- range $pattern, $least := $within -}}
{{- if and (regexMatch $pattern $address) (ge $bits (int $least)) -}}{{- $isInside = true -}}{{- end -}}
{{- end -}}
{{- if not $isInside -}}
{{- $size := 1 -}}
{{- /* More than 20 doublings are too many in any case. */ -}}
{{- range until (min 20 (max 0 (sub (ternary 64 32 (eq $kind "6")) $bits)) | int) -}}{{- $size = mul $size 2 -}}{{- end -}}
{{- $_ := set $clients $kind (add (index $clients $kind) $size) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if gt (max (index $clients "4") (index $clients "6")) 65536 -}}true{{- end -}}
{{- end -}}
