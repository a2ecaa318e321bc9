package fail

import (
	"net/http"

	"github.com/tocsin-oncall/tocsin/views/layout"
)

// statusWords is what a status means to people.
type statusWords struct {
	title string
	text  string
	back  string
}

func (p Page) words() statusWords {
	switch p.Status {
	case http.StatusNotFound:
		return statusWords{"Page not found", "The address may be mistyped, or what was here was removed.", "Back"}
	case http.StatusForbidden:
		return statusWords{"You don’t have access", "Your role does not allow this. An administrator can change your role.", "Back"}
	case http.StatusUnauthorized:
		return statusWords{"Sign in first", "Your session ended.", "Sign in"}
	case http.StatusConflict:
		return statusWords{"Someone else changed this first", "Check what it is now, then try again.", "Back"}
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		return statusWords{"Something is missing or wrong", "Nothing was changed.", "Back to the form"}
	case http.StatusTooManyRequests:
		return statusWords{"Too many requests", "Wait a moment, then try again.", "Try again"}
	case http.StatusServiceUnavailable:
		return statusWords{"Tocsin is not ready", "The database does not answer, or is busy. Signals that were accepted are kept. Try again in a moment.", "Try again"}
	}
	return statusWords{"Something went wrong", "The error is in the server log. Nothing was changed unless the page you came from says so.", "Try again"}
}

func (p Page) text() string {
	if p.Message != "" {
		return p.Message
	}
	return p.words().text
}

func (p Page) titled() layout.Frame {
	f := p.Frame
	f.Title = p.words().title
	return f
}
