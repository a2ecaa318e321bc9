package element

import (
	"reflect"
	"testing"
)

func TestAddressesInText(t *testing.T) {
	t.Parallel()
	link := func(href string) Link { return Link{Text: href, Href: href} }
	for text, want := range map[string][]Link{
		"":                            nil,
		"no address":                  {{Text: "no address"}},
		"see https://a.example/x.":    {{Text: "see "}, link("https://a.example/x"), {Text: "."}},
		"(http://a.example/w_(b))":    {{Text: "("}, link("http://a.example/w_(b)"), {Text: ")"}},
		"https://a.example/?q=1&r=2,": {link("https://a.example/?q=1&r=2"), {Text: ","}},
		"javascript:alert(1)":         {{Text: "javascript:alert(1)"}},
		"a https://b.example\nc":      {{Text: "a "}, link("https://b.example"), {Text: "\nc"}},
	} {
		if got := pieces(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
}
