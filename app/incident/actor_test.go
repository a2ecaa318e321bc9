package incident_test

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestActorInWords(t *testing.T) {
	t.Parallel()
	for actor, want := range map[string]string{
		"token:lab": "API token lab", "integration:I p": "integration I p", incident.Tocsin: "Tocsin", "ana@acme.example": "ana@acme.example", "": "",
	} {
		if got := incident.ActorInWords(actor); got != want {
			t.Errorf("%q is %q, want %q", actor, got, want)
		}
	}
}
