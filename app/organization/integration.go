package organization

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/rule"
)

// KindIntegration is the kind of integrations.
const KindIntegration Kind = "integration"

// Integration is a key that signals come in by.
type Integration struct {
	Slug    string `yaml:"slug"`
	Name    string `yaml:"name,omitempty"`
	Kind    string `yaml:"kind,omitempty"`
	Service string `yaml:"service,omitempty"`
	// Key is made where an integration is new and has none. That of one that is
	// there stays where this is empty.
	Key string `yaml:"key,omitempty"`
	// Dedup is an expression over the signal, as package rule has it.
	Dedup     string `yaml:"dedup,omitempty"`
	RateLimit int    `yaml:"rate_limit,omitempty"`
}

// IntegrationRecord is an integration. Key is empty unless WithKeys opened it.
type IntegrationRecord struct {
	catalog.Integration
	Key string
	// KeyErr says why WithKeys could not open the key; nil where it did.
	KeyErr error
}

func (i Integration) key() string { return i.Slug }

// PutIntegration creates or changes an integration. Without a key, one that
// exists keeps its own and a new one gets one.
type PutIntegration = Put[Integration]

func integrationSection() section {
	return &list[Integration]{
		kind: KindIntegration,
		name: "integrations",
		in:   func(d *Document) *[]Integration { return &d.Integrations },
		key:  Integration.key,
		describeAll: func(s *State, n names) []Integration {
			return convert(s.Integrations, func(i IntegrationRecord) Integration {
				return Integration{Slug: i.Slug, Name: i.Name, Kind: i.Kind, Service: n.ref(KindService, i.ServiceID),
					Key: i.Key, Dedup: i.Dedup, RateLimit: i.RateLimit}
			})
		},
		check: (*checker).integration,
		complete: func(_ *draft, v, was *Integration, _ thing) {
			orDefault(&v.Name, v.Slug)
			orDefault(&v.Kind, catalog.KindSLO)
			if was != nil {
				orDefault(&v.Key, was.Key)
			}
		},
		references: func(v Integration, refer referFunc) { refer("service", KindService, v.Service) },
		checkAll:   (*draft).findDuplicateKeys,
		notes: func(d *draft) {
			d.noteNewDedupKeys()
			d.noteUnopenedKeys()
			d.noteSampleKeys()
		},
	}
}

func (c *checker) integration(i *Integration, path string) {
	c.slug(path, &i.Slug, i.Name)
	c.nameOrDefault(path+".name", i.Name)
	if c.given(path+".kind") && !c.takesDefault(i.Kind) && !slices.Contains(catalog.Kinds, i.Kind) {
		c.problem(path+".kind", "Integrations of kind %s are not part of this version of Tocsin; the kinds are %s.", i.Kind, strings.Join(catalog.Kinds, ", "))
	}
	if c.given(path+".key") && !c.takesDefault(i.Key) && !integrationKey.MatchString(i.Key) {
		// The key is not repeated: it is a secret, even if it is a wrong one.
		c.problem(path+".key", "A key has %d digits and lower-case letters; this one has %d characters.",
			auth.IntegrationKeySize, utf8.RuneCountInString(i.Key))
	}
	c.checkDuplicateKey(i, path)
	if i.Dedup = strings.TrimSpace(i.Dedup); i.Dedup != "" {
		_, err := rule.CompileKey(i.Dedup)
		c.fault(path+".dedup", err)
	}
	if i.RateLimit < 0 {
		c.problem(path+".rate_limit", "A limit is a number of signals a minute, or 0 for none.")
	}
}

var integrationKey = regexp.MustCompile(fmt.Sprintf(`^[0-9a-z]{%d}$`, auth.IntegrationKeySize))

// checkDuplicateKey refuses two edits that give two integrations one key.
func (c *checker) checkDuplicateKey(i *Integration, path string) {
	if i.Key == "" {
		return
	}
	if other, taken := c.keys[i.Key]; taken {
		c.problem(path+".key", "%s has the same key.", other)
	}
	c.keys[i.Key] = i.Slug
}

// findDuplicateKeys refuses two integrations with one key.
func (d *draft) findDuplicateKeys() {
	keys := map[string]string{}
	for _, i := range d.desired.Integrations {
		if other, taken := keys[i.Key]; taken && i.Key != "" {
			d.problem(d.thing(KindIntegration, i.Slug), "key", "The integration %s has the same key.", other)
		}
		keys[i.Key] = i.Slug
	}
}

// noteNewDedupKeys notes the integrations whose signals have other dedup keys from now on.
func (d *draft) noteNewDedupKeys() {
	for _, is := range d.desired.Integrations {
		if was := find[Integration](d.current, is.Slug); was != nil && was.Dedup != is.Dedup {
			d.note("integration %s: incidents that are open keep their dedup keys. Resolve by hand those that no recovery ends.", is.Slug)
		}
	}
}

// noteUnopenedKeys notes the integrations that edits are of and whose keys stay as they
// are, since they cannot be opened.
func (d *draft) noteUnopenedKeys() {
	for _, was := range d.state.Integrations {
		is := find[Integration](d.desired, was.Slug)
		if was.KeyErr != nil && is != nil && is.Key == "" && d.thing(KindIntegration, was.Slug).touched {
			d.note("integration %s: its key stays as it is, and cannot be opened with this server's secret. Give it a new key to be shown one.", was.Slug)
		}
	}
}

// WithKeys is a copy of the state with the keys of integrations opened, but those
// that cannot be: KeyErr.
func (s *State) WithKeys(unseal func(sealed []byte) (string, error)) *State {
	opened := *s
	opened.Integrations = slices.Clone(s.Integrations)
	for i := range opened.Integrations {
		key, err := unseal(opened.Integrations[i].KeySealed)
		if err != nil {
			key, err = "", fmt.Errorf("open the key of integration %s: %w", opened.Integrations[i].Slug, err)
		}
		opened.Integrations[i].Key, opened.Integrations[i].KeyErr = key, err
	}
	return &opened
}

// KeyErr is a fault of kind invalid that names the integrations whose keys could
// not be opened; nil where all were.
func (s *State) KeyErr() error {
	var slugs []string
	var causes []error
	for _, i := range s.Integrations {
		if i.KeyErr != nil {
			slugs, causes = append(slugs, i.Slug), append(causes, i.KeyErr)
		}
	}
	if slugs == nil {
		return nil
	}
	return fault.Invalid("The key cannot be opened of: %s. Is the secret key the one that the server has?", strings.Join(slugs, ", ")).Because(errors.Join(causes...))
}

// NoKeyOpens reports whether there are integrations and the key of none could be
// opened: mostly, the secret is another one than that of the server.
func (s *State) NoKeyOpens() bool {
	return len(s.Integrations) > 0 && !slices.ContainsFunc(s.Integrations, func(i IntegrationRecord) bool { return i.KeyErr == nil })
}
