package document

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/spelling"
)

// suspect warns of an unknown name that is almost a known one, since its sender
// meant something by it: "statsu" leaves a recovery a breach. No more than
// MaxEntries names are looked at, so that a body full of them costs little.
func (r *Reader) suspect(prefix, key string, fields []string) {
	if r.suspects++; r.suspects > MaxEntries {
		return
	}
	meant := almost(key, fields)
	if meant == "" {
		return
	}
	shown := prefix + key
	if quoted := strconv.Quote(shown); quoted[1:len(quoted)-1] != shown || key != strings.TrimSpace(key) {
		shown = quoted
	}
	r.Warn(fmt.Sprintf("%s is not known and is not used; did you mean %s?", shown, prefix+meant))
}

// almost is the name that word differs from by no more than its case, what parts
// its words, and one slip in four letters, three in all; or empty. Short names
// have no slip but the case: "sla" is not "slo".
func almost(word string, names []string) string {
	if len(word) > maxAlmost {
		return ""
	}
	word = plainName(word)
	best, fewest := "", 4
	for _, name := range names {
		plain := plainName(name)
		maxSlips := min(len(plain)/4, 3)
		if len(word) > len(plain)+maxSlips || len(plain) > len(word)+maxSlips {
			continue
		}
		if n := spelling.Slips(word, plain); n <= maxSlips && n < fewest {
			best, fewest = name, n
		}
	}
	return best
}

// maxAlmost is longer than any name may be that is almost a known one.
const maxAlmost = 64

var separators = strings.NewReplacer("_", "", "-", "", " ", "")

func plainName(name string) string { return separators.Replace(strings.ToLower(name)) }
