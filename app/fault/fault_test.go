package fault_test

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

func TestRejectedNamesTheFirstField(t *testing.T) {
	t.Parallel()
	fields := []fault.Field{{Path: "slo.name", Message: "is missing"}, {Path: "sli", Message: "must be text"}, {Path: "100%d", Message: "is not known here"}}
	for n, want := range map[int]string{1: "Rejected: slo.name is missing.", 2: "Rejected: slo.name is missing, and 1 more field is wrong.",
		3: "Rejected: slo.name is missing, and 2 more fields are wrong."} {
		if err := fault.Rejected(fields[:n]); err.Message != want || len(err.Fields) != n || err.Kind != fault.KindInvalid {
			t.Errorf("%d fields: %q with %d fields", n, err.Message, len(err.Fields))
		}
	}
	if err := fault.Rejected(fields[2:]); err.Message != "Rejected: 100%d is not known here." {
		t.Errorf("a percent sign: %q", err.Message)
	}
}
