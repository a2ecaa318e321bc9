package notify

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

func TestParseCommand(t *testing.T) {
	t.Parallel()
	tests := map[string]Command{
		"4 17":           {Action: Acknowledge, Number: 17},
		"ack 17":         {Action: Acknowledge, Number: 17},
		"ack #17":        {Action: Acknowledge, Number: 17},
		"Ack #17":        {Action: Acknowledge, Number: 17},
		"ACK17":          {Action: Acknowledge, Number: 17},
		"  ack  17\r\n ": {Action: Acknowledge, Number: 17},
		// What keyboards and carriers put between words: a space that does not
		// break, a thin one, an ideographic one, and marks without a width.
		"ack\u00a017":              {Action: Acknowledge, Number: 17},
		"\u2009Ack\u202f#17\u3000": {Action: Acknowledge, Number: 17},
		"\ufeffack\u200b17\u200e":  {Action: Acknowledge, Number: 17},
		"\u00a0ACK\u2003ALL\u00a0": {Action: Acknowledge, All: true},
		"\u3000stop\u00a0":         {Action: Stop},
		"ACK   #17.":               {Action: Acknowledge, Number: 17},
		"Ack17":                    {Action: Acknowledge, Number: 17},
		"17 ack":                   {Action: Acknowledge, Number: 17},
		"#17: ok!":                 {Action: Acknowledge, Number: 17},
		"4,17":                     {Action: Acknowledge, Number: 17},
		"4\n017\n":                 {Action: Acknowledge, Number: 17},
		"4 4":                      {Action: Acknowledge, Number: 4},
		"“ack 17”":                 {Action: Acknowledge, Number: 17},
		"acknowledge 17":           {Action: Acknowledge, Number: 17},
		"6 17":                     {Action: Resolve, Number: 17},
		"resolve 17":               {Action: Resolve, Number: 17},
		"Resolved #17":             {Action: Resolve, Number: 17},
		"5 17":                     {Action: Escalate, Number: 17},
		"escalate 17":              {Action: Escalate, Number: 17},
		"ack all":                  {Action: Acknowledge, All: true},
		"4 ALL":                    {Action: Acknowledge, All: true},
		"all: ack":                 {Action: Acknowledge, All: true},
		"ack":                      {Action: Acknowledge},
		"4":                        {Action: Acknowledge},
		"Ok.":                      {Action: Acknowledge},
		"resolve":                  {Action: Resolve},
		"6":                        {Action: Resolve},
		"5":                        {Action: Escalate},
		"STOP":                     {Action: Stop},
		"StopAll":                  {Action: Stop},
		"unsubscribe":              {Action: Stop},
		"CANCEL":                   {Action: Stop},
		"end":                      {Action: Stop},
		"Quit!":                    {Action: Stop},
		"START":                    {Action: Start},
		"yes":                      {Action: Yes},
		"ack-17":                   {Action: Acknowledge, Number: 17},
		"4-17":                     {Action: Acknowledge, Number: 17},
		"ack - 17":                 {Action: Acknowledge, Number: 17},
		"ack – 17":                 {Action: Acknowledge, Number: 17},
		"- ack 17 -":               {Action: Acknowledge, Number: 17},
		"unstop":                   {Action: Start},
		" help? ":                  {Action: Help},
		"6 9007199254740":          {Action: Resolve, Number: 9007199254740},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := ParseCommand(text)
			if err != nil {
				t.Fatalf("ParseCommand(%q): %v", text, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("ParseCommand(%q) (-want +got):\n%s", text, diff)
			}
		})
	}
}

func TestParseCommandRefusesAmbiguous(t *testing.T) {
	t.Parallel()
	tests := []string{
		"", "  ", "?!", "hello", "17", "417", "#17", "all", "17 4", "17 18", "7 17",
		"ack -1", "-1 ack", "4 -17", "-4 17", "ack #-1", "ack −1", "ack +1", "ack － －1", "ack ﹣1", "-4", "ack -17 18",
		"ack 0", "ack 99999999999999999999", "ack 17 18", "ack 17 not", "4 17 6",
		"stop 17", "yes -17", "yes all", "help me", "resolve all", "6 all", "escalate all", "ack ack", "ack ٣",
		`Liked "#17 P2 Checkout API"`,
	}
	for _, text := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := ParseCommand(text)
			if !fault.Is(err, fault.KindInvalid) {
				t.Errorf("ParseCommand(%q) = %+v, %v; want an invalid fault", text, got, err)
			}
		})
	}
}

// A command with several incidents is refused as a whole, so that it is not carried out
// in part.
func TestSeveralIncidentsAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"ack 17 18": true, "ACK 17, 18 and 19": true, "ack #17 #18": true, "4 17 6": true, "6 17 18": true,
		"ack 17 not": false, "17 18": false, "stop 17 18": false, "ack and": false, "ack 17 and": false,
	} {
		_, err := ParseCommand(text)
		if !fault.Is(err, fault.KindInvalid) {
			t.Fatalf("ParseCommand(%q): %v", text, err)
		}
		if got := strings.Contains(err.Error(), "One incident at a time"); got != want {
			t.Errorf("%q is answered %q", text, err)
		}
	}
}

// Characters other than letters and digits around a command do not change it, and no
// text makes the parser panic or return a number that is not in it.
func TestParseCommandProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		noise := rapid.StringMatching(`([ \t\n.,:;#!?"'-]{0,4}[ \t\n.,:;#!?"'])?`) // a "-" at its end would be a sign
		word := rapid.SampledFrom([]string{"4", "ack", "6", "resolve", "5", "Escalate"}).Draw(t, "word")
		number := rapid.SampledFrom([]string{"1", "17", "400"}).Draw(t, "number")
		plain, err := ParseCommand(word + " " + number)
		if err != nil {
			t.Fatal(err)
		}
		noisy, err := ParseCommand(noise.Draw(t, "before") + word + " " + " " + noise.Draw(t, "between") + number + noise.Draw(t, "after"))
		if err != nil || noisy != plain {
			t.Fatalf("with noise: %+v, %v; without: %+v", noisy, err, plain)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		command, err := ParseCommand(text)
		if err == nil && command.Number != 0 && !strings.ContainsAny(text, "0123456789") {
			t.Fatalf("%q became %+v", text, command)
		}
	})
}
