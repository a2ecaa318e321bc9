package twilio

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

const link = "https://tocsin.example.com/a/3kPz9fQ2LmXw8RtY"

func checkout() notify.Subject {
	return notify.Subject{
		Number: 17, Priority: "P2", Service: "Checkout API", Deployment: "prod-eu", Status: "triggered",
		Title: "Availability of get data API", Measure: "98.9 % of 99.7 %", Link: link,
	}
}

func subjects(n int) []notify.Subject {
	list := []notify.Subject{checkout()}
	for i := 1; i < n; i++ {
		list = append(list, notify.Subject{Number: int64(17 + i), Title: "Another", Link: link})
	}
	return list
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		message  notify.Message
		want     string
		segments int
	}{
		{
			name:     "a page",
			message:  notify.Message{Kind: notify.KindPage, Subjects: subjects(1)},
			want:     "#17 P2 Checkout API: Availability of get data API 98.9% of 99.7% (prod-eu). Reply 4 17 to ack, 6 17 resolve. " + link,
			segments: 1,
		},
		{
			name: "a page of an endpoint",
			message: notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{
				{Number: 17, Priority: "P2", Title: "Fast", Service: "Checkout API", Deployment: "prod-eu", Detail: "GET /api/data/{tenant}", Link: link},
			}},
			want:     "#17 P2 Checkout API: Fast (GET /api/data/{tenant}, prod-eu). Reply 4 17 to ack, 6 17 resolve. " + link,
			segments: 1,
		},
		{
			name: "a long endpoint keeps its end",
			message: notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{
				{Number: 17, Title: "Fast", Detail: "GET /api/v1/organizations/{organization}/projects/{project}/environments/logs", Link: link},
			}},
			want:     "#17 Fast (GET /api/v1/organizations/{o...s/{project}/environments/logs). Reply 4 17 to ack, 6 17 resolve. " + link,
			segments: 1,
		},
		{
			name: "a page that fits with the shorter hint",
			message: notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{
				{Number: 17, Title: "Availability of get data API for the tenants of the north", Service: "Checkout API", Deployment: "prod-eu", Link: link},
			}},
			want:     "#17 Checkout API: Availability of get data API for the tenants of the north (prod-eu). Reply 4 17 to ack. " + link,
			segments: 1,
		},
		{
			name: "a title with its own full stop",
			message: notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{
				{Number: 17, Title: "Disk is full.", Service: "Ledger", Link: link},
			}},
			want:     "#17 Ledger: Disk is full. Reply 4 17 to ack, 6 17 resolve. " + link,
			segments: 1,
		},
		{
			name: "a title that begins with the service's name",
			message: notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{
				{Number: 17, Title: "checkout api is down", Service: "Checkout API"},
			}},
			want:     "#17 checkout api is down. Reply 4 17 to ack, 6 17 resolve.",
			segments: 1,
		},
		{
			name: "typography, line breaks and emoji",
			message: notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{
				{Number: 17, Title: "🔥 Latency – “p99” ≥ 2\u00a0s…\nCafé à São Paulo’s ½ [EU]", Link: link},
			}},
			want:     "#17 Latency - \"p99\" >= 2 s... Café à Sao Paulo's 1/2 [EU]. Reply 4 17 to ack, 6 17 resolve. " + link,
			segments: 1,
		},
		{
			name: "a script of its own stays as it is",
			message: notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{
				{Number: 17, Title: "Сервис «Оплата» недоступен", Link: link},
			}},
			want:     "#17 Сервис «Оплата» недоступен. Reply 4 17 to ack, 6 17 resolve. " + link,
			segments: 2,
		},
		{
			name:     "a repeat",
			message:  notify.Message{Kind: notify.KindPage, Again: true, Subjects: []notify.Subject{{Number: 17, Title: "Down", Link: link}}},
			want:     "#17 Down. Maybe a repeat. Reply 4 17 to ack, 6 17 resolve. " + link,
			segments: 1,
		},
		{
			name:     "several incidents",
			message:  notify.Message{Kind: notify.KindPage, Subjects: subjects(3)},
			want:     "#17 P2 Checkout API: Availability of get data API 98.9% of 99.7% (prod-eu). +2 more: #18, #19. Reply ack all. " + link,
			segments: 1,
		},
		{
			name: "several incidents, with room to say both ways",
			message: notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{
				{Number: 17, Title: "Disk is full", Link: link}, {Number: 21, Title: "Slow"},
			}},
			want:     "#17 Disk is full. +1 more: #21. Reply 4 17 to ack, ack all for these 2. " + link,
			segments: 1,
		},
		{
			name:     "a storm",
			message:  notify.Message{Kind: notify.KindPage, Subjects: subjects(400)},
			want:     "#17 P2 Checkout API: Availability of get data API 98.9% of 99.7% (prod-eu). +399 more. Reply ack all. " + link,
			segments: 1,
		},
		{
			name:     "a verification",
			message:  notify.Message{Kind: notify.KindVerify, Text: "481 516"},
			want:     "Your Tocsin code is 481 516. If you did not ask for it, ignore this message.",
			segments: 1,
		},
		{
			name:     "a reply keeps its lines",
			message:  notify.Message{Kind: notify.KindReply, Text: "Which one?\n#17 Down\n#18 Slow — really", Subjects: subjects(2)},
			want:     "Which one?\n#17 Down\n#18 Slow - really",
			segments: 1,
		},
		{
			name:     "a notice",
			message:  notify.Message{Kind: notify.KindNotice, Text: "Your number was replaced."},
			want:     "Your number was replaced.",
			segments: 1,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := Text(test.message)
			if got != test.want {
				t.Errorf("Text:\n got %q\nwant %q", got, test.want)
			}
			if n := Segments(got); n != test.segments {
				t.Errorf("%d segments, want %d: %q", n, test.segments, got)
			}
		})
	}
}

func TestSegments(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		text string
		want int
	}{
		{"nothing", "", 1},
		{"160 of the alphabet", strings.Repeat("a", 160), 1},
		{"161 of the alphabet", strings.Repeat("a", 161), 2},
		{"2 x 153", strings.Repeat("a", 306), 2},
		{"2 x 153 and one", strings.Repeat("a", 307), 3},
		{"80 of two places", strings.Repeat("€", 80), 1},
		{"80 of two places and one", strings.Repeat("€", 80) + "a", 2},
		{"2 x 76 of two places: the last place of a segment stays empty", strings.Repeat("€", 152), 2},
		{"one more needs a third segment", strings.Repeat("€", 153), 3},
		{"70 of UCS-2", strings.Repeat("я", 70), 1},
		{"71 of UCS-2", strings.Repeat("я", 71), 2},
		{"2 x 67", strings.Repeat("я", 134), 2},
		{"2 x 67 and one", strings.Repeat("я", 135), 3},
		{"one character makes all of it UCS-2", strings.Repeat("a", 70) + "я", 2},
		{"35 pairs", strings.Repeat("😀", 35), 1},
		{"66 pairs: none is cut", strings.Repeat("😀", 66), 2},
		{"67 pairs", strings.Repeat("😀", 67), 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := Segments(test.text); got != test.want {
				t.Errorf("%d segments, want %d", got, test.want)
			}
		})
	}
}

func TestGSMAlphabet(t *testing.T) {
	t.Parallel()
	// 128 places, less the escape; the extension has ten, one of them a page break.
	if got := len([]rune(gsmBasic)); got != 127 {
		t.Errorf("%d characters, want 127", got)
	}
	if got := len(gsmWidth); got != 137 {
		t.Errorf("%d characters with the extension, want 137", got)
	}
}

func TestLongTitleIsCut(t *testing.T) {
	t.Parallel()
	for _, title := range []string{strings.Repeat("very long ", 400), strings.Repeat("долго ", 400), strings.Repeat("{}", 900)} {
		s := checkout()
		s.Title = title
		got := Text(notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{s}})
		if n := Segments(got); n != pageSegments {
			t.Errorf("%d segments, want all %d: %q", n, pageSegments, got)
		}
		if !strings.HasPrefix(got, "#17 P2 Checkout API: ") || !strings.Contains(got, "(prod-eu). Reply 4 17 to ack") || !strings.HasSuffix(got, " "+link) {
			t.Errorf("a part is missing: %q", got)
		}
	}
}

// Every page begins with the number, ends with the whole link, has at most pageSegments
// segments, and is in the GSM alphabet unless a letter or digit of its text is not.
func TestTextProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := notify.Subject{
			Number:     rapid.Int64Min(1).Draw(t, "number"),
			Title:      rapid.String().Draw(t, "title"),
			Service:    rapid.String().Draw(t, "service"),
			Deployment: rapid.String().Draw(t, "deployment"),
			Link:       link,
		}
		text := Text(notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{s}})
		if !strings.HasPrefix(text, fmt.Sprintf("#%d", s.Number)) || !strings.HasSuffix(text, " "+link) {
			t.Fatalf("a part is missing: %q", text)
		}
		if n := Segments(text); n > pageSegments {
			t.Fatalf("%d segments: %q", n, text)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		title := rapid.StringOf(rapid.RuneFrom([]rune("aZ09 éêčøł–—“”’…€{}[]\\🔥\u200d\ufe0f→≥\t\n\u00a0½ﬁ™"))).Draw(t, "title")
		text := Text(notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{{Number: 1, Title: title}}})
		if gsmWidths(text) == nil {
			t.Fatalf("not in the GSM alphabet: %q", text)
		}
	})
}
