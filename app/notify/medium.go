package notify

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// medium is all that is particular to one medium, but how its channel works and
// how pages show it. The list is here and not with the channels, since a
// configuration file is checked without a server.
type medium struct {
	medium Medium
	name   string // at the beginning of a sentence
	phrase string // how a message travels: "by SMS"
	inside string // within a sentence
	// normalize brings an address into the form in which it is stored and compared;
	// false for what is no address.
	normalize func(string) (string, bool)
	// example says how to write an address.
	example string
	// mask shows enough of an address for its owner to recognise it.
	mask func(string) string
}

// media are all, in the order in which they are offered.
var media = []medium{
	{SMS, "SMS", "by SMS", "SMS", normalizeNumber, numberExample, maskNumber},
	{Email, "Email", "by email", "email", normalizeEmail, "Enter an email address such as ana@example.com.", maskEmail},
	{Slack, "Slack", "in Slack", "Slack", normalizeSlackMember, "Enter a Slack member ID such as U024BE7LH; the Slack profile has it.", strings.Clone},
	{Voice, "Voice", "by voice", "calls", normalizeNumber, numberExample, maskNumber},
}

const numberExample = "Enter a phone number with country code, such as +34600000001."

// Media are the media of contact methods.
var Media = func() []Medium {
	all := make([]Medium, len(media))
	for i, m := range media {
		all[i] = m.medium
	}
	return all
}()

// of is the entry of a medium; one that is unknown has its own name for all words.
func (m Medium) of() (medium, bool) {
	if i := slices.Index(Media, m); i >= 0 {
		return media[i], true
	}
	return medium{m, string(m), "by " + string(m), string(m), nil, "", strings.Clone}, false
}

// Name is the medium at the beginning of a sentence: "SMS", "Email".
func (m Medium) Name() string { info, _ := m.of(); return info.name }

// Phrase is how a message travels by the medium: "by SMS", "in Slack".
func (m Medium) Phrase() string { info, _ := m.of(); return info.phrase }

// Inside is the medium within a sentence: "SMS", "email", "calls".
func (m Medium) Inside() string { info, _ := m.of(); return info.inside }

// NormalizeAddress returns an address in the form in which it is stored and compared: a
// telephone number in E.164 without spaces, an email address in lower case, a Slack
// member ID. Another text is a fault of kind invalid.
func NormalizeAddress(m Medium, address string) (string, error) {
	info, known := m.of()
	if !known {
		return "", fault.Invalid("A contact method is of type sms, email, slack or voice.").
			With(fault.Field{Path: "medium", Message: "Choose sms, email, slack or voice."})
	}
	normal, ok := info.normalize(strings.TrimSpace(address))
	if !ok {
		return "", fault.Invalid("%s", info.example).With(fault.Field{Path: "address", Message: info.example})
	}
	return normal, nil
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
func Masked(m Medium, address string) string { info, _ := m.of(); return info.mask(address) }

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

func normalizeNumber(text string) (string, bool) {
	number := numberMarks.Replace(text)
	if after, international := strings.CutPrefix(number, "00"); international {
		number = "+" + after
	}
	return number, e164.MatchString(number)
}

func normalizeEmail(text string) (string, bool) {
	address := strings.ToLower(text)
	parsed, err := mail.ParseAddress(address)
	return address, err == nil && parsed.Address == address && len(address) <= maxEmail
}

func normalizeSlackMember(text string) (string, bool) { return text, slackMember.MatchString(text) }

const masked = "•••"

func maskNumber(number string) string {
	if len(number) <= 6 {
		return masked
	}
	return number[:3] + " " + masked + " " + number[len(number)-3:]
}

func maskEmail(address string) string {
	name, host, ok := strings.Cut(address, "@")
	if !ok || name == "" {
		return masked
	}
	return string([]rune(name)[0]) + masked + "@" + host
}
