package provider

import (
	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/notify/slack"
)

var slackBot = Kind{
	Name:      "slack",
	Title:     "Slack",
	Help:      "Create an app at api.slack.com/apps, give it the bot scopes chat:write and chat:write.public under OAuth & Permissions, install it, and copy the Bot User OAuth Token.",
	Medium:    notify.Slack,
	Variables: []string{"TOCSIN_SLACK_BOT_TOKEN"},
	Fields: []Field{
		{Name: "bot-token", Label: "Bot token", Hint: "Begins with xoxb-.", Secret: true},
		{Name: "base-url", Label: "API address", Hint: "Only where it is not Slack’s own. Empty for Slack.", Optional: true, Rare: true},
	},
	given: func(c config.Config) Values {
		if c.Slack.BotToken.IsZero() {
			return nil
		}
		return Values{"bot-token": c.Slack.BotToken.Reveal(), "base-url": c.Slack.BaseURL}
	},
	open: func(v Values) (Account, error) {
		bot, err := slack.New(slack.Config{BotToken: v["bot-token"], BaseURL: v["base-url"]})
		if err != nil {
			return nil, invalid("base-url", "Enter an http or https address.")
		}
		return bot, nil
	},
}
