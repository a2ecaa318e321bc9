package notify

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Action is the action of a command.
type Action string

// The actions of commands. Stop and Start switch messages to the sender's number off
// and on; carriers act on the same words. Yes is Start from somebody who has stopped
// them, and else the answer to whether they still work on an incident.
const (
	Acknowledge Action = "acknowledge"
	Resolve     Action = "resolve"
	Escalate    Action = "escalate"
	Decline     Action = "decline"
	Stop        Action = "stop"
	Start       Action = "start"
	Yes         Action = "yes"
	Help        Action = "help"
)

// Command is a parsed reply.
type Command struct {
	Action Action
	// Number is the incident's, or 0 for none: then the command acts only where it can
	// only mean one incident.
	Number int64
	// All is "ack all": all incidents of the last message to the sender.
	All bool
}

// incidentActions are the words for actions on an incident. The digits are those of
// PagerDuty.
var incidentActions = map[string]Action{
	"4": Acknowledge, "ack": Acknowledge, "acknowledge": Acknowledge, "acknowledged": Acknowledge, "ok": Acknowledge, "okay": Acknowledge,
	"6": Resolve, "resolve": Resolve, "resolved": Resolve,
	"5": Escalate, "escalate": Escalate,
	"decline": Decline, "declined": Decline, "no": Decline,
	"yes": Yes,
}

// standingActions are whole replies of one word. Those for Stop and Start are the words
// on which Twilio itself acts, as it does on "yes".
var standingActions = map[string]Action{
	"stop": Stop, "stopall": Stop, "unsubscribe": Stop, "cancel": Stop, "end": Stop, "quit": Stop,
	"start": Start, "unstop": Start,
	"help": Help, "info": Help,
}

// ParseCommand parses a reply, leniently, since its author may have just been woken:
// case, punctuation, spaces and the order of word and number do not matter ("ack
// #17", "17 ack", "Ack17."). Of two numbers the first is the action ("4 17"). A number
// with a sign is none ("ack -1"). An ambiguous text is a fault of kind invalid, whose
// message can be sent back.
func ParseCommand(text string) (Command, error) {
	words := commandWords(text)
	switch len(words) {
	case 1:
		return oneWord(words[0])
	case 2:
		if action, ok := incidentActions[words[0]]; ok {
			return aimed(action, words[1])
		}
		if action, ok := incidentActions[words[1]]; ok && !isNumber(words[1]) {
			return aimed(action, words[0])
		}
	}
	if severalNumbers(words) {
		return Command{}, fault.Invalid(`One incident at a time, please: nothing was done. Reply "4 17" for incident 17 alone, or "ack all" for all that the last message listed.`)
	}
	return Command{}, NotUnderstood()
}

// severalNumbers reports whether words name several incidents, such as "ack 17 18" or
// "ack 17 and 18".
func severalNumbers(words []string) bool {
	if len(words) < 3 || incidentActions[words[0]] == "" {
		return false
	}
	numbers := 0
	for _, w := range words[1:] {
		switch {
		case isNumber(w):
			numbers++
		case w != "and":
			return false
		}
	}
	return numbers > 1
}

func oneWord(word string) (Command, error) {
	if action, ok := incidentActions[word]; ok {
		return Command{Action: action}, nil
	}
	if action, ok := standingActions[word]; ok {
		return Command{Action: action}, nil
	}
	return Command{}, NotUnderstood()
}

func aimed(action Action, at string) (Command, error) {
	if at == "all" {
		if action != Acknowledge {
			return Command{}, fault.Invalid(`Only an acknowledgment can be for all ("ack all"). Otherwise name one incident, such as "6 17".`)
		}
		return Command{Action: action, All: true}, nil
	}
	number, err := strconv.ParseInt(at, 10, 64)
	if err != nil || number <= 0 {
		return Command{}, NotUnderstood()
	}
	return Command{Action: action, Number: number}, nil
}

// commandWords splits the text into lower-case words and numbers, also where there is
// no space between them. A number with a sign begins with "-", whatever the sign: a
// sign is one where it stands right before a digit and not right after a word or number.
func commandWords(text string) []string {
	var words []string
	var kind rune // 'a' inside a word, '0' inside a number, '-' after a sign, ' ' between
	for _, r := range strings.ToLower(text) {
		next := ' '
		switch {
		case r >= '0' && r <= '9':
			next = '0'
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			next = 'a'
		case isSign(r) && kind != 'a' && kind != '0':
			next = '-'
		}
		switch {
		case next == ' ' || next == '-':
		case next == kind:
			words[len(words)-1] += string(r)
		case next == '0' && kind == '-':
			words = append(words, "-"+string(r))
		default:
			words = append(words, string(r))
		}
		kind = next
	}
	return words
}

// isSign reports whether a character is a plus or a minus, in any of the forms that
// keyboards have. A dash is none.
func isSign(r rune) bool { return strings.ContainsRune("+-\u2212\ufe62\ufe63\uff0b\uff0d", r) }

func isNumber(word string) bool { return word[0] >= '0' && word[0] <= '9' }

// NotUnderstood is the fault of a reply that asks for nothing that is known.
func NotUnderstood() error {
	return fault.Invalid(`Not understood. Reply "4 17" to acknowledge incident 17, "6 17" to resolve it, "5 17" to escalate it, or "ack all".`)
}
