package slack

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// The notification on a phone says who asks for what, not how the incident is.
func TestSummaryOfARequest(t *testing.T) {
	t.Parallel()
	s := notify.Subject{Number: 4, Priority: "P1", Status: "acknowledged", Title: "Errors of cart"}
	m := notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{s}}
	if got := summary(m); got != "#4 P1 acknowledged: Errors of cart" {
		t.Errorf("a page: %q", got)
	}
	m.Subjects[0].Asked = "Ada Okafor asks you to join"
	if got := summary(m); got != "#4 P1 Ada Okafor asks you to join: Errors of cart" {
		t.Errorf("a request: %q", got)
	}
}
