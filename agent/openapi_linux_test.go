package agent_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/agent"
	"github.com/authring/authring/internal/needs"
)

// validate reads the description, and lines of [path, method, status, answer],
// and prints what of the answers the description does not allow. Members that
// it does not name are not allowed.
const validate = `
import json, sys, yaml, jsonschema
spec = yaml.safe_load(open(sys.argv[1]))
def closed(schema):
    if isinstance(schema, dict):
        if schema.get("properties"):
            schema["additionalProperties"] = False
        for value in schema.values():
            closed(value)
closed(spec["components"]["schemas"])
resolver = jsonschema.RefResolver.from_schema(spec)
seen = set()
for line in sys.stdin:
    path, method, status, answer = json.loads(line)
    responses = spec["paths"].get(path, {}).get(method, {}).get("responses", spec["components"]["responses"])
    name = str(status) if str(status) in responses else "default" if "default" in responses else "Failed"
    seen.add((path, name))
    response = responses[name]
    if "$ref" in response:
        response = resolver.resolve(response["$ref"])[1]
    schema = response["content"]["application/json"]["schema"]
    checker = jsonschema.Draft202012Validator(schema, resolver=resolver, format_checker=jsonschema.FormatChecker())
    for error in checker.iter_errors(answer):
        print(path, status, error.message)
for path, methods in spec["paths"].items():
    for method in methods.values():
        for name in method["responses"]:
            if name != "default" and (path, name) not in seen:
                print("no answer of", path, name)
`

// What the agent answers is what docs/agent.openapi.yaml says.
func TestOpenAPI(t *testing.T) {
	needs.Programs(t, "/usr/bin/python3")
	if err := exec.Command("/usr/bin/python3", "-c", "import jsonschema, yaml").Run(); err != nil {
		needs.Missing(t, "python3-jsonschema, python3-yaml")
	}
	w := newWorld(t)
	w.link(t, "work")
	a := w.start(t, func(c *agent.Config) { c.Idle = time.Hour })
	var lines strings.Builder
	for _, request := range []struct {
		method, path, query, header string
		status                      int
	}{
		{"GET", "/v1/", "", "", 200},
		{"GET", "/v1/token", "?config=work", "", 200},
		{"GET", "/v1/token", "?config=work&scope=files.metadata.read&fresh=true&min_valid=1h", "", 200},
		{"GET", "/v1/token", "?config=none", "", 404},
		{"GET", "/v1/token", "?config=work&min_valid=99h", "", 400},
		{"GET", "/v1/token", "?config=a%2Fb", "", 400},
		{"GET", "/v1/token", "?app=..%2Fb", "", 400},
		{"GET", "/v1/token", "?config=work&scope=", "", 400},
		{"GET", "/v1/token", "?config=work&min_valid=", "", 400},
		{"GET", "/v1/token", "?config=work&fresh=", "", 400},
		{"GET", "/v1/token", "?config=work", "Authring-Realm: elsewhere\r\n", 421},
		{"GET", "/v1/token", "?config=work", "Origin: https://example.com\r\n", 403},
		{"POST", "/v1/token", "?config=work", "", 405},
		{"GET", "/v1/nothing", "", "", 404},
		{"GET", "/v1/links", "", "", 200},
		{"GET", "/v1/status", "", "", 200},
		{"POST", "/v1/forget", "?config=work", "", 200},
		{"POST", "/v1/stop", "", "", 202},
	} {
		got := a.raw(t, request.method+" "+request.path+request.query+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+request.header+"\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
		if err != nil {
			t.Fatalf("%s%s: %v", request.path, request.query, err)
		}
		var body any
		if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
			t.Fatalf("%s%s: %v", request.path, request.query, err)
		}
		if answer.StatusCode != request.status || answer.Header.Get("Content-Type") != "application/json" || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s%s: %d, want %d; %v", request.path, request.query, answer.StatusCode, request.status, answer.Header)
		}
		line, err := json.Marshal([]any{request.path, strings.ToLower(request.method), answer.StatusCode, body})
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	cmd := exec.Command("/usr/bin/python3", "-W", "ignore", "-c", validate, "../docs/agent.openapi.yaml")
	cmd.Stdin = strings.NewReader(lines.String())
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("validated: %v\n%s", err, out)
	}
}
