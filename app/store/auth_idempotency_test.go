package store

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

func request(actor, key, hash string) *auth.IdempotentRequest {
	return &auth.IdempotentRequest{Actor: actor, Key: key, Hash: []byte(hash)}
}

func TestRepeatedRequestGetsSavedAnswer(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		begin := func(r *auth.IdempotentRequest) *auth.KeptAnswer {
			t.Helper()
			kept, err := st.Access.BeginRequest(ctx, r)
			o.must(err)
			return kept
		}
		first := request("token:a", "k", "ack 17")
		if kept := begin(first); kept != nil {
			t.Fatalf("a new request was answered: %+v", kept)
		}
		_, err := st.Access.BeginRequest(ctx, request("token:a", "k", "ack 17"))
		o.wantKind(err, fault.KindConflict)
		if err == nil || !strings.Contains(err.Error(), "Retry in a few seconds") {
			t.Errorf("while the first is at work: %v", err)
		}
		if kept := begin(request("token:b", "k", "ack 17")); kept != nil {
			t.Errorf("another actor gets %+v", kept)
		}
		o.must(st.Access.FinishRequest(ctx, first, auth.KeptAnswer{Status: 200, Body: []byte(`{"number":17}`)}))
		if diff := cmp.Diff(&auth.KeptAnswer{Status: 200, Body: []byte(`{"number":17}`)}, begin(request("token:a", "k", "ack 17"))); diff != "" {
			t.Errorf("answered again (-want +got):\n%s", diff)
		}
		_, err = st.Access.BeginRequest(ctx, request("token:a", "k", "ack 18"))
		o.wantKind(err, fault.KindConflict)
		o.must(st.Access.ForgetRequest(ctx, first)) // too late: it was finished
		if kept := begin(request("token:a", "k", "ack 17")); kept == nil {
			t.Error("a finished request was forgotten")
		}

		o.now = o.now.Add(24*time.Hour - time.Microsecond)
		if kept := begin(request("token:a", "k", "ack 17")); kept == nil {
			t.Error("forgotten before 24 hours have passed")
		}
		o.now = o.now.Add(time.Microsecond)
		if kept := begin(request("token:a", "k", "ack 18")); kept != nil {
			t.Errorf("after 24 hours answered with %+v", kept)
		}
		for _, key := range []string{"", strings.Repeat("k", 256)} {
			_, err := st.Access.BeginRequest(ctx, request("token:a", key, ""))
			o.wantKind(err, fault.KindInvalid)
		}
	})
}

func TestForgottenRequestCanBeRetried(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		first, second := request("token:a", "k", "ack 17"), request("token:a", "k", "ack 17")
		_, err := st.Access.BeginRequest(ctx, first)
		o.must(err)
		o.must(st.Access.ForgetRequest(ctx, first))
		o.now = o.now.Add(time.Second)
		_, err = st.Access.BeginRequest(ctx, second)
		o.must(err)
		// The process of the second dies; a third takes over after two minutes.
		third := request("token:a", "k", "ack 17")
		o.now = o.now.Add(2*time.Minute - time.Microsecond)
		_, err = st.Access.BeginRequest(ctx, third)
		o.wantKind(err, fault.KindConflict)
		o.now = o.now.Add(time.Microsecond)
		_, err = st.Access.BeginRequest(ctx, third)
		o.must(err)
		// The second was only slow: neither end of it touches the third.
		o.must(st.Access.FinishRequest(ctx, second, auth.KeptAnswer{Status: 500}))
		o.must(st.Access.ForgetRequest(ctx, second))
		_, err = st.Access.BeginRequest(ctx, request("token:a", "k", "ack 17"))
		o.wantKind(err, fault.KindConflict)
		o.must(st.Access.FinishRequest(ctx, third, auth.KeptAnswer{Status: 201}))
		kept, err := st.Access.BeginRequest(ctx, request("token:a", "k", "ack 17"))
		o.must(err)
		if kept == nil || kept.Status != 201 {
			t.Errorf("kept %+v, want the third's answer", kept)
		}
	})
}

func TestConcurrentEqualRequestsRunOnce(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		o, ctx := openOffice(t, st), t.Context()
		begun := 0
		for _, err := range atOnce(8, func(int) error {
			_, err := st.Access.BeginRequest(ctx, request("token:a", "k", "ack 17"))
			return err
		}) {
			if err == nil {
				begun++
				continue
			}
			o.wantKind(err, fault.KindConflict)
		}
		if begun != 1 {
			t.Errorf("%d of 8 were begun, want 1", begun)
		}
		o.now = o.now.Add(24 * time.Hour)
		o.must(st.Access.SweepAccess(ctx))
		var left int
		o.must(st.Read.QueryRowContext(ctx, "SELECT count(*) FROM idempotency_keys").Scan(&left))
		if left != 0 {
			t.Errorf("%d keys are left after a day", left)
		}
	})
}
