package slo

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// TestAnAnswerIsWrittenAsJSONWrites compares the writer by hand with the
// library's.
func TestAnAnswerIsWrittenAsJSONWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]*`))
		a := ingest.Answer{
			Status:   rapid.SampledFrom([]incident.Result{incident.ResultCreated, incident.ResultIgnored}).Draw(t, "status"),
			DedupKey: text.Draw(t, "key"), Warnings: rapid.SliceOfN(text, 0, 3).Draw(t, "warnings"),
		}
		if rapid.Bool().Draw(t, "with an incident") {
			a.Incident = &ingest.IncidentRef{Number: rapid.Int64().Draw(t, "number"), URL: text.Draw(t, "url")}
		}
		var got ingest.Answer
		if err := json.Unmarshal(appendAnswer(nil, &a), &got); err != nil {
			t.Fatal(err)
		}
		library, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var want ingest.Answer
		if err := json.Unmarshal(library, &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}
