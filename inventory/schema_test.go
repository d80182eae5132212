package inventory

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// judge applies the part of JSON schema (draft 2020-12) that the schema uses, as an editor
// does. It answers the path of the first value that does not fit, or "".
type judge struct {
	t    *testing.T
	root map[string]any
}

func newJudge(t *testing.T) judge {
	t.Helper()
	j := judge{t: t}
	if err := json.Unmarshal(Schema(), &j.root); err != nil {
		t.Fatal(err)
	}
	return j
}

func (j judge) misfit(schema map[string]any, value any, path string) string {
	for _, keyword := range slices.Sorted(mapKeys(schema)) {
		if found := j.keyword(schema, keyword, value, path); found != "" {
			return found
		}
	}
	return ""
}

func mapKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

func (j judge) keyword(schema map[string]any, keyword string, value any, path string) string {
	fits := true
	argument := schema[keyword]
	number := func() float64 { n, _ := argument.(float64); return n }
	text, isText := value.(string)
	object, isObject := value.(map[string]any)
	list, isList := value.([]any)
	switch keyword {
	case "$schema", "$defs", "title", "description", "default", "then":
	case "$ref":
		name := strings.TrimPrefix(argument.(string), "#/$defs/")
		return j.misfit(j.root["$defs"].(map[string]any)[name].(map[string]any), value, path)
	case "type":
		types, several := argument.([]any)
		if !several {
			types = []any{argument}
		}
		fits = slices.Contains(types, any(typeOf(value)))
	case "const":
		fits = value == argument
	case "enum":
		fits = slices.Contains(argument.([]any), value)
	case "pattern":
		fits = !isText || regexp.MustCompile(argument.(string)).MatchString(text)
	case "minLength":
		fits = !isText || utf8.RuneCountInString(text) >= int(number())
	case "maxLength":
		fits = !isText || utf8.RuneCountInString(text) <= int(number())
	case "minimum", "maximum":
		n, is := value.(int)
		fits = !is || keyword == "minimum" && float64(n) >= number() || keyword == "maximum" && float64(n) <= number()
	case "minItems":
		fits = !isList || len(list) >= int(number())
	case "minProperties":
		fits = !isObject || len(object) >= int(number())
	case "uniqueItems":
		for i, item := range list {
			fits = fits && !slices.ContainsFunc(list[:i], func(other any) bool { return reflect.DeepEqual(item, other) })
		}
	case "required":
		for _, key := range argument.([]any) {
			if _, has := object[key.(string)]; isObject && !has {
				return path + "." + key.(string)
			}
		}
	case "items":
		for i, item := range list {
			if found := j.misfit(argument.(map[string]any), item, fmt.Sprintf("%s[%d]", path, i)); found != "" {
				return found
			}
		}
	case "properties", "additionalProperties":
		return j.properties(schema, keyword, object, path)
	case "anyOf", "oneOf":
		count := 0
		for _, choice := range argument.([]any) {
			if j.misfit(choice.(map[string]any), value, path) == "" {
				count++
			}
		}
		fits = count == 1 || count > 1 && keyword == "anyOf"
	case "if":
		if j.misfit(argument.(map[string]any), value, path) == "" {
			return j.misfit(schema["then"].(map[string]any), value, path)
		}
	default:
		j.t.Fatalf("%s: the test does not know the keyword %s", path, keyword)
	}
	if !fits {
		return path + " (" + keyword + ")"
	}
	return ""
}

func (j judge) properties(schema map[string]any, keyword string, object map[string]any, path string) string {
	named, _ := schema["properties"].(map[string]any)
	for _, key := range slices.Sorted(mapKeys(object)) {
		next, is := named[key].(map[string]any)
		if keyword == "additionalProperties" {
			if is {
				continue
			}
			if schema[keyword] == false {
				return path + "." + key
			}
			next, is = schema[keyword].(map[string]any)
		}
		if !is {
			continue
		}
		if found := j.misfit(next, object[key], path+"."+key); found != "" {
			return found
		}
	}
	return ""
}

func typeOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case int, int64:
		return "integer"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return fmt.Sprintf("%T", value)
}

// ask judges a whole file; false when it is no mapping with texts as keys.
func (j judge) ask(data []byte) (string, bool) {
	var value map[string]any
	if yaml.Unmarshal(data, &value) != nil {
		return "", false
	}
	return j.misfit(j.root, value, ""), true
}

// TestSchemaTakesValidFiles: an editor must not mark what fairlead takes.
func TestSchemaTakesValidFiles(t *testing.T) {
	j := newJudge(t)
	sound := map[string]string{"starter": string(Starter())}
	for _, file := range append(files(t, "testdata/valid/*.yaml"), files(t, "testdata/edit/*.yaml")...) {
		sound[file] = string(readFile(t, file))
	}
	for _, row := range slices.Concat(hostFaults(), partFaults(), stackFaults()) {
		sound[row.lines] = changed(row.lines)
	}
	taken := 0
	for name, text := range sound {
		if _, _, err := Parse("/lab/f", []byte(text)); err != nil {
			continue
		}
		taken++
		if misfit, ok := j.ask([]byte(text)); !ok || misfit != "" {
			t.Errorf("%s: the schema refuses %s", name, misfit)
		}
	}
	if taken < 60 {
		t.Errorf("only %d files were asked about", taken)
	}
}

// TestSchemaRefuses: what is wrong with the form of one value, the schema sees too.
func TestSchemaRefuses(t *testing.T) {
	j := newJudge(t)
	form := regexp.MustCompile(`: (is required$|unknown key|must be (text, got (a list|a mapping|the (number|boolean|date))|a list|a mapping|true or false|a whole number|a port)|` +
		`must not be empty|has no value|"[^"]*" is not supported|the taint's effect|is the same as (runtime|images.extra)|is mirrored by|must have (at least one URL|http or https)|` +
		`needs the sha256|"[^"]*" is not a DNS label)`)
	later := regexp.MustCompile(`^name: "  "|images: \{registries: \[\{host: a.b, mirrors: \[c.d, e.f|https://a.b/c"\]|https://c.d/"\]\}\}$`) // the schema is not that narrow
	asked := 0
	for _, row := range slices.Concat(hostFaults(), partFaults(), stackFaults()) {
		if !form.MatchString(row.want) || later.MatchString(row.lines) {
			continue
		}
		misfit, ok := j.ask([]byte(changed(row.lines)))
		if !ok {
			continue
		}
		asked++
		if misfit == "" {
			t.Errorf("%s: the schema does not see: %s", row.lines, row.want)
		}
	}
	if asked < 60 {
		t.Errorf("only %d files were asked about", asked)
	}
}

func TestSchemaVersions(t *testing.T) {
	j := newJudge(t)
	for minor := range 120 {
		version := fmt.Sprintf("1.%d.0", minor/2)
		if minor%2 > 0 {
			version = "v" + version
		}
		misfit, ok := j.ask([]byte(changed("kubernetes: {version: " + version + ", bundle: b}")))
		if !ok || (misfit == "") != (versionProblem(strings.TrimPrefix(version, "v")) == "") {
			t.Errorf("%s: the schema says %q, the decoder %q", version, misfit, versionProblem(version))
		}
	}
}

// schemaDefaults lists the defaults of the schema by path.
func (j judge) schemaDefaults(node map[string]any, path string, into map[string]any) {
	if value, has := node["default"]; has {
		into[path] = value
	}
	if ref, is := node["$ref"].(string); is {
		node = j.root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if items, is := node["items"].(map[string]any); is {
		j.schemaDefaults(items, path+"[]", into)
	}
	properties, _ := node["properties"].(map[string]any)
	for key, value := range properties {
		j.schemaDefaults(value.(map[string]any), path+"."+key, into)
	}
}

// TestDefaults compares the schema's defaults with those that a file gets.
func TestDefaults(t *testing.T) {
	c, _, err := Parse("f", []byte(changed("ssh:\ncontrolPlane: {loadBalancer: {vip: 192.0.2.10}, hosts: [{name: cp1, address: 192.0.2.1}]}\naddons: {metricsServer: , ingress: }\nimages: {registries: [{host: a.b}]}")))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		".kubernetes.podSubnet": c.Kubernetes.PodSubnet.String(), ".kubernetes.serviceSubnet": c.Kubernetes.ServiceSubnet.String(),
		".kubernetes.repository": c.Kubernetes.Repository.URL, ".runtime.repository": c.Runtime.Repository.URL, ".runtime.name": c.Runtime.Name,
		".ssh.transport": c.Workers[0].SSH.Transport, ".controlPlane.hosts[].ssh.transport": c.ControlPlane.Hosts[0].SSH.Transport, ".workers.hosts[].ssh.transport": c.Workers[0].SSH.Transport,
		".controlPlane.loadBalancer.port": float64(c.ControlPlane.LoadBalancer.Port),
		".controlPlane.schedulable":       c.ControlPlane.Schedulable, ".images.registries[].plainHTTP": c.Images.Registries[0].PlainHTTP,
		".addons.network.name": c.Addons.Network.Name, ".addons.metricsServer.insecureTLS": c.Addons.MetricsServer.InsecureTLS, ".addons.ingress.controller": c.Addons.Ingress.Controller,
		".addons.ingress.hostNetwork": c.Addons.Ingress.HostNetwork, ".addons.ingress.placement": c.Addons.Ingress.Placement.On,
	}
	got := map[string]any{}
	j := newJudge(t)
	j.schemaDefaults(j.root, "", got)
	for path := range want {
		if want[path] != got[path] {
			t.Errorf("%s: a file gets %v, the schema says %v", path, want[path], got[path])
		}
	}
	for path := range got {
		if _, is := want[path]; !is {
			t.Errorf("%s: the test does not compare this default", path)
		}
	}
}
