package slack

import (
	"strings"

	slackapi "github.com/slack-go/slack"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// asText is the message as text alone, for a message whose form Slack refuses.
func asText(m notify.Message) []slackapi.MsgOption {
	lines := []string{summary(m)}
	for _, s := range m.Subjects[:min(len(m.Subjects), maxListed)] {
		if m.Count() > 1 {
			lines = append(lines, cut(oneLine(s.Title), titleLength))
		}
		if isLink(s.Link) {
			lines = append(lines, s.Link)
		}
	}
	if m.Again {
		lines = append(lines, "Maybe a repeat: the first may have got lost on its way.")
	}
	return []slackapi.MsgOption{
		slackapi.MsgOptionText(cut(strings.Join(lines, "\n"), textLength), true),
		slackapi.MsgOptionDisableLinkUnfurl(), slackapi.MsgOptionDisableMediaUnfurl(),
		slackapi.MsgOptionAttachments(), // takes those of an earlier post away
	}
}
