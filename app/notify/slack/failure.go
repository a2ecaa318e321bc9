package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	slackapi "github.com/slack-go/slack"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// advice explains common errors: the meaning and what to do.
var advice = map[string]string{ //nolint:gosec // words about tokens, no token
	"invalid_auth":           "the bot token is not valid; set the one from the app's OAuth page",
	"not_authed":             "the bot token is missing; set the one from the app's OAuth page",
	"token_revoked":          "the bot token was revoked; install the app again",
	"token_expired":          "the bot token has expired; install the app again",
	"account_inactive":       "the app was removed from the workspace; install it again",
	"missing_scope":          "the bot lacks a scope; give it chat:write and install the app again",
	"not_allowed_token_type": "the token is not a bot's; use the one that begins with xoxb-",
	"channel_not_found":      "the channel does not exist, or is private and the bot is not in it; invite the bot",
	"not_in_channel":         "the bot is not in the channel; invite it with /invite",
	"is_archived":            "the channel is archived; unarchive it, or set another",
	"restricted_action":      "the workspace does not let the bot post here; ask its administrator",
	"user_not_found":         "no such member; correct the member ID in the contact method",
	"user_disabled":          "the member's account is deactivated; remove the contact method",
	"cannot_dm_bot":          "the member is a bot; correct the member ID in the contact method",
	"messages_tab_disabled":  "the app takes no direct messages; switch on its messages tab",
	"invalid_blocks":         "Slack refuses the form of the message",
	"msg_too_long":           "the message is too long",
	"ratelimited":            "too many messages",
	"rate_limited":           "too many messages",
	"message_limit_exceeded": "the workspace's message limit is reached",
	"internal_error":         "an error on Slack's side",
	"fatal_error":            "an error on Slack's side",
	"service_unavailable":    "Slack is not available",
	"request_timeout":        "Slack did not get all of the request in time",
	"team_added_to_org":      "the workspace is being moved",
	"accesslimited":          "Slack limits access for a while",
	"org_login_required":     "the workspace is being moved",
}

// temporary are errors after which a retry may succeed.
var temporary = map[string]bool{
	"ratelimited": true, "rate_limited": true, "message_limit_exceeded": true, "accesslimited": true,
	"internal_error": true, "fatal_error": true, "service_unavailable": true, "request_timeout": true,
	"team_added_to_org": true, "org_login_required": true,
}

// ours are errors that are about the bot: every message has them.
var ours = map[string]bool{
	"invalid_auth": true, "not_authed": true, "token_revoked": true, "token_expired": true, "account_inactive": true, "missing_scope": true,
	"not_allowed_token_type": true, "messages_tab_disabled": true, "ekm_access_denied": true, "access_denied": true, "two_factor_setup_required": true,
}

// malformed are the refusals of a message for its form. It is sent once more as plain
// text.
var malformed = map[string]bool{
	"invalid_blocks": true, "invalid_blocks_format": true, "invalid_attachments": true, "msg_blocks_too_long": true, "msg_too_long": true,
	"attachment_payload_limit_exceeded": true, "too_many_attachments": true, "invalid_arguments": true, "invalid_array_arg": true, "no_text": true,
}

func isMalformed(err error) bool {
	var answer slackapi.SlackErrorResponse
	return errors.As(err, &answer) && malformed[answer.Err]
}

// gone are the errors of an update of a message that was deleted or is too old to be
// updated.
var gone = map[string]bool{"message_not_found": true, "cant_update_message": true, "edit_window_closed": true}

func isGone(err error) bool {
	var answer slackapi.SlackErrorResponse
	return errors.As(err, &answer) && gone[answer.Err]
}

// failure is the notify.Failure of an error. Errors of Slack's API have status 200;
// another status comes from a gateway before it.
func failure(ctx context.Context, err error, connected bool) *notify.Failure {
	var limited *slackapi.RateLimitedError
	var status slackapi.StatusCodeError
	var answer slackapi.SlackErrorResponse
	switch {
	case errors.As(err, &limited):
		return &notify.Failure{Reason: "Slack: too many messages", Scope: notify.ScopeProvider, RetryAfter: limited.RetryAfter}
	case errors.As(err, &answer):
		f := &notify.Failure{Reason: reason(answer.Err), Permanent: !temporary[answer.Err]}
		switch {
		case ours[answer.Err]:
			f.Scope = notify.ScopeChannel
		case temporary[answer.Err]:
			f.Scope = notify.ScopeProvider
		}
		return f
	case errors.As(err, &status):
		return &notify.Failure{
			Reason:    fmt.Sprintf("Slack answered %d", status.Code),
			Scope:     scope(status.Code),
			Permanent: status.Code < 500 && status.Code != http.StatusTooManyRequests && status.Code != http.StatusRequestTimeout,
			// After a gateway's timeout the message may have been posted.
			Uncertain: status.Code == http.StatusBadGateway || status.Code == http.StatusGatewayTimeout,
		}
	}
	if unreadable(err) {
		return &notify.Failure{Reason: "The answer is not Slack's: it is not JSON; look at what stands between, such as a proxy", Scope: notify.ScopeProvider, Uncertain: true}
	}
	f := &notify.Failure{Reason: notify.Unanswered(ctx, "Slack", err), Cause: notify.WithoutURL(err), Scope: notify.ScopeProvider, Uncertain: connected}
	if notify.Unreached(err) {
		f.Scope = notify.ScopeChannel
	}
	return f
}

// scope is what a status other than 200 is about. Slack itself answers 200 to what it
// refuses, so one below 500 comes from what stands between, which no message passes.
func scope(status int) notify.Scope {
	if status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
		return notify.ScopeProvider
	}
	return notify.ScopeChannel
}

// unreadable reports whether an answer came that is not in Slack's form.
func unreadable(err error) bool {
	var syntax *json.SyntaxError
	var form *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &form)
}

func reason(code string) string {
	if words, ok := advice[code]; ok {
		return "Slack: " + code + ", " + words
	}
	return "Slack: " + code
}
