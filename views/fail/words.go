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
		return statusWords{"There is nothing here", "The address may be mistyped, or what it led to is gone.", "Back"}
	case http.StatusForbidden:
		return statusWords{"You may not do this", "Your role does not allow it. An administrator can change that.", "Back"}
	case http.StatusUnauthorized:
		return statusWords{"Sign in first", "Your session ended.", "Sign in"}
	case http.StatusConflict:
		return statusWords{"Somebody was quicker", "It changed while you were at it. Look again before you go on.", "Look again"}
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		return statusWords{"This could not be understood", "Something in it is missing or wrong. Nothing was changed.", "Back to the form"}
	case http.StatusTooManyRequests:
		return statusWords{"Too many at once", "Wait a moment, then try again.", "Try again"}
	case http.StatusServiceUnavailable:
		return statusWords{"Tocsin is not ready", "The database does not answer, or is busy. Nothing that was accepted is lost. Try again in a moment.", "Try again"}
	}
	return statusWords{"Something went wrong here", "It is our fault, not yours, and it is in the log. Nothing was changed unless the page you came from says so.", "Try again"}
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
