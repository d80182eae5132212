package object

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"
)

// object decodes YAML as a manifest is decoded; live objects come with whole numbers as int64.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return o
}

func TestDifferences(t *testing.T) {
	for name, c := range map[string]struct {
		want, live string
		paths      []string
	}{
		"equal":                       {`{a: {b: [1, x]}}`, `{a: {b: [1, x]}}`, nil},
		"defaults are left alone":     {`{spec: {a: 1}}`, `{spec: {a: 1, b: 2}, status: {x: y}, metadata: {uid: u}}`, nil},
		"status is not wanted":        {`{status: {conditions: [{type: A}]}}`, `{}`, nil},
		"value":                       {`{spec: {a: 1, b: x, c: true}}`, `{spec: {a: 2, b: y, c: false}}`, []string{"spec.a", "spec.b", "spec.c"}},
		"absent":                      {`{spec: {a: {b: {c: x}}}}`, `{spec: {}}`, []string{"spec.a"}},
		"other type":                  {`{a: {b: c}, d: [x], e: x, f: "true"}`, `{a: x, d: x, e: [x], f: true}`, []string{"a", "d", "e", "f"}},
		"empty is absent":             {`{a: null, b: "", c: false, d: 0, e: [], f: {}, g: {h: null}}`, `{}`, nil},
		"empty is not something else": {`{a: null, b: "", c: false, d: 0, e: []}`, `{a: x, b: x, c: true, d: 3, e: [x]}`, []string{"a", "b", "c", "d", "e"}},
		"names with dots and slashes": {`{metadata: {labels: {app.io/name: x}}, data: {net.json: y}}`, `{}`, []string{"data", "metadata"}},
		"keys with dots":              {`{metadata: {labels: {app.io/name: x}}, data: {net.json: y}}`, `{metadata: {labels: {a: b}}, data: {net.json: z}}`, []string{"data[net.json]", "metadata.labels[app.io/name]"}},

		"atomic list, order":         {`{args: [a, b]}`, `{args: [b, a]}`, []string{"args[0]", "args[1]"}},
		"atomic list, one more":      {`{args: [a]}`, `{args: [a, b]}`, []string{"args"}},
		"rules are atomic":           {`{rules: [{verbs: [get]}]}`, `{rules: [{verbs: [get]}, {verbs: ["*"]}]}`, []string{"rules"}},
		"rules by index":             {`{rules: [{verbs: [get]}, {verbs: [list]}]}`, `{rules: [{verbs: [get]}, {verbs: ["*"]}]}`, []string{"rules[1].verbs[0]"}},
		"tolerations are atomic":     {`{tolerations: [{key: a}]}`, `{tolerations: [{key: b}, {key: a}]}`, []string{"tolerations"}},
		"finalizers are a set":       {`{metadata: {finalizers: [a]}}`, `{metadata: {finalizers: [b, a]}}`, nil},
		"a finalizer is gone":        {`{metadata: {finalizers: [a]}}`, `{metadata: {finalizers: [b]}}`, []string{"metadata.finalizers"}},
		"containers by name":         {`{containers: [{name: a, image: x}, {name: b, image: y}]}`, `{containers: [{name: side}, {name: b, image: z}, {name: a, image: x}]}`, []string{"containers[name=b].image"}},
		"a container is gone":        {`{containers: [{name: a, image: x}]}`, `{containers: [{name: b, image: x}]}`, []string{"containers[name=a]"}},
		"names are not unique":       {`{env: [{name: a, value: "1"}, {name: a, value: "2"}]}`, `{env: [{name: a, value: "1"}, {name: a, value: "3"}]}`, []string{"env[1].value"}},
		"items without a name":       {`{volumes: [{hostPath: {path: /a}}]}`, `{volumes: [{name: b, hostPath: {path: /b}}]}`, []string{"volumes[0].hostPath.path"}},
		"a keyed list is absent":     {`{volumes: [{name: a}]}`, `{}`, []string{"volumes"}},
		"mounts by path":             {`{volumeMounts: [{mountPath: /a, name: x}]}`, `{volumeMounts: [{mountPath: /b, name: y}, {mountPath: /a, name: z}]}`, []string{"volumeMounts[mountPath=/a].name"}},
		"container ports":            {`{ports: [{containerPort: 53, protocol: UDP, name: dns}, {containerPort: 53, name: dns-tcp}]}`, `{ports: [{containerPort: 53, protocol: TCP, name: dns-tcp}, {containerPort: 53, protocol: UDP, name: x}]}`, []string{"ports[containerPort=53,protocol=UDP].name"}},
		"service ports":              {`{spec: {ports: [{port: 80, targetPort: 8080}, {port: 443}]}}`, `{spec: {ports: [{port: 443, protocol: TCP, nodePort: 30001}, {port: 80, protocol: TCP, targetPort: 8081}]}}`, []string{"spec.ports[port=80,protocol=TCP].targetPort"}},
		"spread constraints":         {`{topologySpreadConstraints: [{topologyKey: z, whenUnsatisfiable: DoNotSchedule, maxSkew: 1}]}`, `{topologySpreadConstraints: [{topologyKey: z, whenUnsatisfiable: ScheduleAnyway}, {topologyKey: z, whenUnsatisfiable: DoNotSchedule, maxSkew: 2}]}`, []string{"topologySpreadConstraints[topologyKey=z,whenUnsatisfiable=DoNotSchedule].maxSkew"}},
		"port as number and text":    {`{targetPort: 80, port: "http", other: "81"}`, `{targetPort: "80", port: http, other: 81}`, nil},
		"quantities":                 {`{resources: {limits: {cpu: "0.1", memory: 50Mi}, requests: {cpu: 1, memory: 1G}}}`, `{resources: {limits: {cpu: 100m, memory: "52428800"}, requests: {cpu: "1", memory: 1e9}}}`, nil},
		"other quantities":           {`{resources: {limits: {cpu: "0.1", memory: 50Mi}}}`, `{resources: {limits: {cpu: 101m, memory: 50M}}}`, []string{"resources.limits.cpu", "resources.limits.memory"}},
		"size limit":                 {`{volumes: [{name: a, emptyDir: {sizeLimit: 1Gi}}]}`, `{volumes: [{name: a, emptyDir: {sizeLimit: 1024Mi}}]}`, nil},
		"no quantities":              {`{data: {cpu: "0.1"}}`, `{data: {cpu: 100m}}`, []string{"data.cpu"}},
		"a quantity that is none":    {`{resources: {limits: {cpu: x}}}`, `{resources: {limits: {cpu: 1}}}`, []string{"resources.limits.cpu"}},
		"secret's texts":             {`{kind: Secret, data: {a: eA==}, stringData: {b: hello}}`, `{kind: Secret, data: {a: eA==, b: aGVsbG8=}}`, nil},
		"secret's texts differ":      {`{kind: Secret, stringData: {b: hello}}`, `{kind: Secret, data: {b: eA==}}`, []string{"data.b"}},
		"stringData of other kind":   {`{kind: Line, stringData: {b: hello}}`, `{kind: Line}`, []string{"stringData"}},
		"mount of a device by path":  {`{volumeDevices: [{devicePath: /a, name: x}]}`, `{volumeDevices: [{devicePath: /b, name: y}, {devicePath: /a, name: z}]}`, []string{"volumeDevices[devicePath=/a].name"}},
		"host aliases by address":    {`{hostAliases: [{ip: 192.0.2.1, hostnames: [x]}]}`, `{hostAliases: [{ip: 192.0.2.2, hostnames: [y]}, {ip: 192.0.2.1, hostnames: [z]}]}`, []string{"hostAliases[ip=192.0.2.1].hostnames[0]"}},
		"owners by UID":              {`{metadata: {ownerReferences: [{uid: u, name: x}]}}`, `{metadata: {ownerReferences: [{uid: v, name: y}, {uid: u, name: z}]}}`, []string{"metadata.ownerReferences[uid=u].name"}},
		"conditions by type":         {`{conditions: [{type: A, value: x}]}`, `{conditions: [{type: B, value: y}, {type: A, value: z}]}`, []string{"conditions[type=A].value"}},
		"webhooks by name":           {`{webhooks: [{name: a, x: y}]}`, `{webhooks: [{name: b}, {name: a, x: z}]}`, []string{"webhooks[name=a].x"}},
		"names are not unique live":  {`{env: [{name: a, value: "1"}]}`, `{env: [{name: a, value: "1"}, {name: a, value: "3"}]}`, []string{"env"}},
		"items that are no objects":  {`{imagePullSecrets: [a]}`, `{imagePullSecrets: [b]}`, []string{"imagePullSecrets[0]"}},
		"limits in many places":      {`{hard: {pods: 1k}, capacity: {storage: 1Gi}, overhead: {cpu: "0.5"}, divisor: 1k, averageValue: 1k}`, `{hard: {pods: "1000"}, capacity: {storage: 1024Mi}, overhead: {cpu: 500m}, divisor: "1000", averageValue: "1000"}`, nil},
		"a set's items in any order": {`{metadata: {finalizers: [a, b]}}`, `{metadata: {finalizers: [b, c, a]}}`, nil},
		"only the last item differs": {`{args: [a, b, c]}`, `{args: [a, b, d]}`, []string{"args[2]"}},
		"secret's number as a text":  {`{kind: Secret, stringData: {b: 7}}`, `{kind: Secret, data: {b: "7"}}`, nil},
		"secret's text wins":         {`{kind: Secret, data: {b: eA==}, stringData: {b: hello}}`, `{kind: Secret, data: {b: aGVsbG8=}}`, nil},
		"creation time of template":  {`{spec: {template: {metadata: {creationTimestamp: null, labels: {a: b}}}}}`, `{spec: {template: {metadata: {labels: {a: b}}}}}`, nil},
	} {
		want, live := object(t, c.want), object(t, c.live)
		before := object(t, c.want)
		if got := Differences(want, live); !slices.Equal(got, c.paths) {
			t.Errorf("%s: %q, want %q", name, got, c.paths)
		}
		if !reflect.DeepEqual(want, before) {
			t.Errorf("%s: want was changed", name)
		}
		if got := Differences(want, want); len(got) != 0 && want["kind"] != "Secret" && want["status"] == nil {
			t.Errorf("%s: differs from itself: %q", name, got)
		}
	}
}

func TestDifferencesOfNumbers(t *testing.T) {
	for _, same := range []any{7, int32(7), int64(7), uint64(7), float64(7), json.Number("7"), "7"} {
		if got := Differences(map[string]any{"a": same}, map[string]any{"a": int64(7)}); len(got) != 0 {
			t.Errorf("%T: %q", same, got)
		}
		if got := Differences(map[string]any{"a": same}, map[string]any{"a": int64(8)}); len(got) != 1 {
			t.Errorf("%T against 8: %q", same, got)
		}
	}
	for _, zero := range []any{0, int64(0), float64(0)} {
		if got := Differences(map[string]any{"a": zero}, nil); len(got) != 0 {
			t.Errorf("%T: %q", zero, got)
		}
	}
	for _, c := range []struct {
		want, live any
		same       bool
	}{
		{0.5, 0.25, false}, {0.5, 0.5, true}, {0.5, "0.5", true}, {1.5, int64(1), false},
		{float64(1<<53 - 1), int64(1<<53 - 1), true}, {float64(1 << 53), int64(1 << 53), false}, {-7.0, int64(-7), true},
		{1e300, 1e300, true}, {1e300, "1e+300", true}, {float64(1 << 60), "1.152921504606846976e+18", false},
		{uint64(1<<63 + 1), "9223372036854775809", true}, {int32(-1), "-1", true},
		{true, true, true}, {true, "true", false}, {true, 1, false}, {"x", []any{}, false}, {7, map[string]any{"a": 1}, false},
	} {
		got := Differences(map[string]any{"a": c.want}, map[string]any{"a": c.live})
		if (len(got) == 0) != c.same {
			t.Errorf("%T %v against %T %v: %q", c.want, c.want, c.live, c.live, got)
		}
	}
}
