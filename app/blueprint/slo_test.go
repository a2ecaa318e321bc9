package blueprint_test

import (
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/blueprint"
)

func TestSLOMayBeDefaultAndNameDeployments(t *testing.T) {
	t.Parallel()
	text := func(slos string) string {
		return "version: 1\ndeployments: [{slug: eu, name: EU, kind: production}]\nservices:\n  - slug: api\n    slos:\n" + slos
	}
	for slos, want := range map[string]string{
		"      - {name: a, sli: up, objective: 99, window: 28d, deployments: [eu], priority: 0}\n": "",
		"      - {name: a, sli: up, objective: 99, window: 28d, default: true}\n" +
			"      - {name: b, sli: fast, objective: 99, window: 28d, default: true}\n": "",
		"      - {name: a, sli: up, objective: 99, window: 28d, default: true}\n" +
			"      - {name: b, sli: UP, objective: 99, window: 28d, default: true}\n": "slos[1].default: a is the default for UP already.",
		"      - {name: a, sli: up, objective: 99, window: 28d, default: true, endpoint: GET /}\n": "slos[0].endpoint: A default is for the endpoints that have no SLO of their own",
		"      - {name: a, sli: up, objective: 99, window: 28d, deployments: [us]}\n":              "slos[0].deployments[0]: There is no deployment us.",
		"      - {name: a, sli: up, objective: 99, window: 28d, priority: 2}\n":                    "slos[0].priority: There is no priority 2.",
	} {
		file, err := blueprint.Parse("acme.yaml", []byte(text(slos)), noEnv)
		if err == nil {
			_, err = file.Plan(begun(), blueprint.Options{})
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s%v, want %q", slos, err, want)
		}
	}
}
