package notify

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

func TestNormalizeAddress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		medium     Medium
		text, want string
	}{
		{SMS, "+34 600 000 001", "+34600000001"},
		{SMS, "0034 (600) 000-001", "+34600000001"},
		{Voice, " +44.7700.900002 ", "+447700900002"},
		{Email, " Ana@Acme.Example ", "ana@acme.example"},
		{Slack, "U024BE7LH", "U024BE7LH"},
	} {
		if got, err := NormalizeAddress(test.medium, test.text); err != nil || got != test.want {
			t.Errorf("%s %q becomes %q, %v", test.medium, test.text, got, err)
		}
	}
}

func TestInvalidAddressIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		medium Medium
		text   string
	}{
		{SMS, ""}, {SMS, "600000001"}, {SMS, "+0600000001"}, {SMS, "+346"}, {SMS, "+3460000000123456"}, {Voice, "+34600OOOOO1"},
		{Email, "ana"}, {Email, "Ana <ana@acme.example>"}, {Email, "ana@acme.example, ben@acme.example"},
		{Slack, "@ana"}, {Slack, "C024BE7LH"}, {"pigeon", "x"},
	} {
		if got, err := NormalizeAddress(test.medium, test.text); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s %q becomes %q, %v", test.medium, test.text, got, err)
		}
	}
}

func TestMasked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		medium        Medium
		address, want string
	}{
		{SMS, "+34600000001", "+34 ••• 001"},
		{Voice, "+34", "•••"},
		{Email, "ana@acme.example", "a•••@acme.example"},
		{Email, "@acme.example", "•••"},
		{Slack, "U024BE7LH", "U024BE7LH"},
	} {
		if got := Masked(c.medium, c.address); got != c.want {
			t.Errorf("%s %q shows as %q, want %q", c.medium, c.address, got, c.want)
		}
	}
}
