package slo_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
)

func TestSLAInPlaceOfSLO(t *testing.T) {
	t.Parallel()
	of := func(objective string) string {
		return `{"service":"api","sli":"availability","` + objective + `":{"name":"Gold","objective":99.5,"window":"28d"}}`
	}
	objective, contract := decode(t, of("slo")), decode(t, of("sla"))
	if objective.Facts.SLA || !contract.Facts.SLA || len(contract.Warnings) > 0 || contract.DedupKey == objective.DedupKey {
		t.Errorf("the SLA is %+v, with the key %q", contract.Facts, contract.DedupKey)
	}
	if of, ok := slo.Format.Fields(&contract)["sla"].(map[string]any); !ok || of["name"] != "Gold" {
		t.Errorf("a rule sees the SLA %v", of)
	}
	contract.Facts.SLA = false
	if diff := cmp.Diff(objective.Facts, contract.Facts); diff != "" {
		t.Error(diff)
	}

	both := decode(t, `{"service":"api","sli":"x","slo":{"name":"Fast"},"sla":{"name":"Gold"}}`)
	if both.Facts.SLA || both.Facts.SLOName != "Fast" || !slices.Equal(both.Warnings, []string{"sla is given beside slo and is not used."}) ||
		!slices.Contains(both.Facts.Unknown, incident.Pair{Name: "sla", Value: `{"name":"Gold"}`}) {
		t.Errorf("both: %+v, warnings %q", both.Facts, both.Warnings)
	}
	for body, want := range map[string]fault.Field{
		`{"service":"api","sli":"x","sla":"Gold"}`: {Path: "sla", Message: "must be an object with a name"},
		`{"service":"api","sli":"x","sla":{}}`:     {Path: "sla.name", Message: "is missing"},
	} {
		_, err := slo.Decode([]byte(body), "")
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || !slices.Equal(f.Fields, []fault.Field{want}) || f.Message != "Rejected: "+want.Path+" "+want.Message+"." {
			t.Errorf("%s: %v", body, err)
		}
	}
}
