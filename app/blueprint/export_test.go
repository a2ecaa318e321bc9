package blueprint_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/organization/organizationtest"
)

// Whatever the configuration is, its export can be read, changes nothing, and
// says all: a pruning apply deletes nothing either.
func TestAnExportChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		state := organizationtest.State().Draw(t, "state")
		text := blueprint.Export(state)
		file, err := blueprint.Parse("export.yaml", text, noEnv)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		plan, err := file.Plan(state, blueprint.Options{Prune: true})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !plan.Empty() {
			t.Fatalf("the plan is:\n%s\nfor the export:\n%s", plan, text)
		}
	})
}
