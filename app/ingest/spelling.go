package ingest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/spelling"
)

// suspect warns of an unknown name that is almost a known one, since its sender
// meant something by it: "statsu" leaves a recovery a breach. No more than
// maxEntries names are looked at, so that a body full of them costs little.
func (d *sloDecoder) suspect(path, key string, fields []string) {
	if d.suspects++; d.suspects > maxEntries {
		return
	}
	meant := almost(key, fields)
	if meant == "" {
		return
	}
	shown := path + key
	if quoted := strconv.Quote(shown); quoted[1:len(quoted)-1] != shown || key != strings.TrimSpace(key) {
		shown = quoted
	}
	d.warn(fmt.Sprintf("%s is not known and is not used; did you mean %s?", shown, path+meant))
}

// almost is the name that word differs from by no more than its case, what parts
// its words, and one slip in four letters, three in all; or empty. Short names
// have no slip but the case: "sla" is not "slo".
func almost(word string, names []string) string {
	if len(word) > maxAlmost {
		return ""
	}
	word = plainName(word)
	best, least := "", 4
	for _, name := range names {
		plain := plainName(name)
		most := min(len(plain)/4, 3)
		if len(word) > len(plain)+most || len(plain) > len(word)+most {
			continue
		}
		if n := spelling.Slips(word, plain); n <= most && n < least {
			best, least = name, n
		}
	}
	return best
}

// maxAlmost is longer than any name may be that is almost a known one.
const maxAlmost = 64

var parting = strings.NewReplacer("_", "", "-", "", " ", "")

func plainName(name string) string { return parting.Replace(strings.ToLower(name)) }
