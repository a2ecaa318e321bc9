package twilio

import (
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

func TestQuestionIsNotAFirstPage(t *testing.T) {
	t.Parallel()
	got := Text(notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{{
		Number: 17, Priority: "P2", Title: "Slow answers", Service: "Checkout API", Status: "acknowledged", Link: "https://t.example/a/x",
		Question: "Still on it?", AnswerWithin: 5 * time.Minute,
	}}})
	const want = "Still on it? #17 P2 Checkout API: Slow answers. Reply yes 17 to keep it, 6 17 resolve. Without an answer paging starts again in 5 min. https://t.example/a/x"
	if got != want && got != strings.Replace(want, "Reply yes 17 to keep it, 6 17 resolve. Without an answer paging starts again in 5 min.", "Reply yes 17.", 1) {
		t.Errorf("the text is %q", got)
	}
}
