package twilio

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"
)

// A message in the GSM 7-bit alphabet has 160 characters, or 153 a segment
// where there are several; with any other character in it, it is UCS-2 and has
// 70, or 67 a segment. (GSM 03.38 and 03.40.)
const (
	gsmSingle, gsmSegment = 160, 153
	ucsSingle, ucsSegment = 70, 67
)

const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	// gsmExtended take two septets, an escape and the character, which must be in one
	// segment.
	gsmExtended = "\f^{}\\[~]|€"
)

// gsmWidth is the number of septets of each character of the alphabet.
var gsmWidth = func() map[rune]int {
	width := make(map[rune]int)
	for _, r := range gsmBasic {
		width[r] = 1
	}
	for _, r := range gsmExtended {
		width[r] = 2
	}
	return width
}()

// spelled are the replacements of characters outside the alphabet that removing the
// accents does not yield.
var spelled = map[rune]string{
	'‘': "'", '’': "'", '‚': "'", '‛': "'", '′': "'", '`': "'", '´': "'",
	'“': `"`, '”': `"`, '„': `"`, '‟': `"`, '″': `"`, '«': `"`, '»': `"`, '‹': "'", '›': "'",
	'‐': "-", '‑': "-", '‒': "-", '–': "-", '—': "-", '―': "-", '−': "-", '•': "-", '·': "-",
	'…': "...", '\t': " ", '\r': "", '\f': " ", '\u2028': "\n", '\u2029': "\n",
	'→': "->", '←': "<-", '↑': "up", '↓': "down", '⇒': "=>", '≥': ">=", '≤': "<=", '≠': "!=", '≈': "~", '±': "+/-",
	'×': "x", '÷': "/", '⁄': "/", '°': " deg", 'µ': "u", 'μ': "u", '¬': "not ", '‰': " per mille", '¦': "|",
	'©': "(c)", '®': "(r)", '™': "(tm)", '✓': "ok", '✔': "ok",
	'ł': "l", 'Ł': "L", 'đ': "d", 'Đ': "D", 'ð': "d", 'Ð': "D", 'þ': "th", 'Þ': "Th", 'ı': "i", 'œ': "oe", 'Œ': "OE", 'ẞ': "SS",
}

// plain converts text to the GSM alphabet. Where a letter or a digit has no replacement
// in it, as in most scripts, the text is returned unchanged.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		replacement, ok := plainRune(r)
		if !ok {
			return text
		}
		b.WriteString(replacement)
	}
	return strings.Trim(singleSpaced(b.String()), " ")
}

func plainRune(r rune) (string, bool) {
	if replacement, ok := spelled[r]; ok {
		return replacement, true
	}
	if gsmWidth[r] > 0 {
		return string(r), true
	}
	if bare, ok := withoutMarks(r); ok {
		return bare, true
	}
	switch {
	case unicode.IsLetter(r), unicode.IsNumber(r):
		return "", false
	case unicode.IsSpace(r):
		return " ", true
	case unicode.IsPunct(r), unicode.Is(unicode.Sm, r), unicode.Is(unicode.Sc, r):
		return "?", true
	default: // emoji, joiners, marks and controls
		return "", true
	}
}

// withoutMarks decomposes a character ("ê", "ﬁ", "½") and returns the parts that are no
// accents, if the alphabet has them.
func withoutMarks(r rune) (string, bool) {
	var b strings.Builder
	for _, part := range norm.NFKD.String(string(r)) {
		switch {
		case unicode.Is(unicode.Mn, part):
		case gsmWidth[part] > 0:
			b.WriteRune(part)
		case spelled[part] != "":
			b.WriteString(spelled[part])
		default:
			return "", false
		}
	}
	return b.String(), b.Len() > 0
}

func singleSpaced(text string) string {
	for strings.Contains(text, "  ") {
		text = strings.ReplaceAll(text, "  ", " ")
	}
	return text
}

// Segments is the number of SMS segments of a text, which are charged.
func Segments(text string) int {
	widths, single, segment := gsmWidths(text), gsmSingle, gsmSegment
	if widths == nil {
		widths, single, segment = ucsWidths(text), ucsSingle, ucsSegment
	}
	total := 0
	for _, width := range widths {
		total += width
	}
	if total <= single {
		return 1
	}
	segments, used := 1, 0
	for _, width := range widths {
		if used+width > segment { // an extended character is not split
			segments, used = segments+1, 0
		}
		used += width
	}
	return segments
}

// gsmWidths is nil where the text is not in the alphabet.
func gsmWidths(text string) []int {
	widths := make([]int, 0, len(text))
	for _, r := range text {
		width := gsmWidth[r]
		if width == 0 {
			return nil
		}
		widths = append(widths, width)
	}
	return widths
}

func ucsWidths(text string) []int {
	widths := make([]int, 0, len(text))
	for _, r := range text {
		widths = append(widths, max(1, utf16.RuneLen(r)))
	}
	return widths
}
