package element

// medium is how pages show a medium of messages.
type medium struct {
	label   string // on its own
	channel string // as in "SMS is not set up here"
	icon    string
	carrier string // who takes its messages, at the beginning of a sentence
}

var media = map[string]medium{
	"sms":   {"SMS", "SMS", "message-square", "Twilio"},
	"voice": {"Phone call", "calling", "phone", "Twilio"},
	"email": {"Email", "email", "mail", "The mail server"},
	"slack": {"Slack DM", "Slack", "hash", "Slack"},
	"log":   {"Server log", "the server log", "server", ""},
}

// mediumOf is that of a name; an unknown one is shown by its name.
func mediumOf(name string) medium {
	if m, known := media[name]; known {
		return m
	}
	return medium{label: name, channel: name, icon: "bell"}
}

// Medium is a medium on its own.
func Medium(name string) string { return mediumOf(name).label }

// Channel is what carries a medium, as in "SMS is not set up here".
func Channel(name string) string { return mediumOf(name).channel }

// MediumIcon is the icon of a medium.
func MediumIcon(name string) string { return mediumOf(name).icon }

// Carrier is who takes the messages of a medium, at the beginning of a sentence;
// empty for an unknown one.
func Carrier(name string) string { return mediumOf(name).carrier }
