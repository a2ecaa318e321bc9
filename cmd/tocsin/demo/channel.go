package demo

import (
	"context"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// channel discards messages. A fixed share of them fails.
type channel struct{}

// Deliver implements notify.Channel.
func (channel) Deliver(_ context.Context, m notify.Message) (notify.Receipt, *notify.Failure) {
	switch {
	case m.Medium == notify.SMS && m.Attempt%19 == 0:
		return notify.Receipt{}, &notify.Failure{Reason: "Twilio: 30003, the telephone is switched off or out of reach.", Permanent: true}
	case m.Medium == notify.SMS && m.Attempt%31 == 0:
		return notify.Receipt{}, &notify.Failure{Reason: "Twilio: 503, service unavailable."}
	case m.Medium == notify.Slack && m.Attempt%23 == 0:
		return notify.Receipt{}, &notify.Failure{Reason: "Slack: the connection broke.", Uncertain: true}
	case m.Medium == notify.Email && m.Attempt%29 == 0:
		return notify.Receipt{}, &notify.Failure{Reason: "Email: 452, the mailbox is full for now."}
	}
	return notify.Receipt{ProviderID: fmt.Sprintf("demo-%d", m.Attempt), Delivered: true}, nil
}

// channels are the channels of all media except voice.
func channels() map[notify.Medium]notify.Channel {
	return map[notify.Medium]notify.Channel{notify.SMS: channel{}, notify.Email: channel{}, notify.Slack: channel{}}
}
