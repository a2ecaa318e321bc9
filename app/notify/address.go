package notify

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Media are the media of contact methods.
var Media = []Medium{SMS, Email, Slack, Voice}

var (
	// e164 is a telephone number as providers take it: a plus sign and 7 to 15
	// digits, the first of which belongs to a country (ITU-T E.164).
	e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	// slackMember is a person's ID in Slack; a display name is not unique.
	slackMember = regexp.MustCompile(`^[UW][A-Z0-9]{6,20}$`)
	// numberMarks removes the separators in telephone numbers.
	numberMarks = strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "", "/", "", "\u00a0", "")
)

// maxEmail is the maximum length of an address in SMTP (RFC 5321, section 4.5.3.1).
const maxEmail = 254

// NormalizeAddress returns an address in the form in which it is stored and compared: a
// telephone number in E.164 without spaces, an email address in lower case, a Slack
// member ID. Another text is a fault of kind invalid.
func NormalizeAddress(medium Medium, address string) (string, error) {
	address = strings.TrimSpace(address)
	switch medium {
	case SMS, Voice:
		number := numberMarks.Replace(address)
		if after, international := strings.CutPrefix(number, "00"); international {
			number = "+" + after
		}
		if !e164.MatchString(number) {
			return "", wrongAddress("Write a telephone number with its country code, such as +34600000001.")
		}
		return number, nil
	case Email:
		address = strings.ToLower(address)
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address || len(address) > maxEmail {
			return "", wrongAddress("Write an email address such as ana@example.com.")
		}
		return address, nil
	case Slack:
		if !slackMember.MatchString(address) {
			return "", wrongAddress("Write a Slack member ID such as U024BE7LH; it stands in the person's Slack profile.")
		}
		return address, nil
	}
	return "", fault.Invalid("A contact method is of type sms, email, slack or voice.").
		With(fault.Field{Path: "medium", Message: "Choose sms, email, slack or voice."})
}

func wrongAddress(message string) error {
	return fault.Invalid("%s", message).With(fault.Field{Path: "address", Message: message})
}

// ParseMedium reads the type of a contact method.
func ParseMedium(s string) (Medium, error) {
	if m := Medium(s); slices.Contains(Media, m) {
		return m, nil
	}
	_, err := NormalizeAddress(Medium(s), "")
	return "", err
}

// Masked shows enough of an address for its owner to recognise it.
func Masked(medium Medium, address string) string {
	switch medium {
	case SMS, Voice:
		if len(address) > 6 {
			return address[:3] + " ••• " + address[len(address)-3:]
		}
	case Email:
		if name, host, ok := strings.Cut(address, "@"); ok && name != "" {
			first := []rune(name)[0]
			return string(first) + "•••@" + host
		}
	default:
		return address
	}
	return "•••"
}
