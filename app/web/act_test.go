package web_test

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
)

func TestEveryActHasPermission(t *testing.T) {
	t.Parallel()
	administrator := auth.Actor{Kind: auth.Person, UserID: 1, Role: auth.Administrator}
	for _, kind := range incident.ActKinds {
		if err := auth.Allow(administrator, web.ActPermission(kind.Name), auth.Object{}); err != nil {
			t.Errorf("%s is refused to an administrator: %v", kind.Name, err)
		}
	}
	if err := auth.Allow(administrator, web.ActPermission("dance"), auth.Object{}); !fault.Is(err, fault.KindInternal) {
		t.Errorf("an act without a permission: %v, want an internal fault", err)
	}
}
