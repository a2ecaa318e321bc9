package channels

import (
	"encoding/json"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/provider"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/channels"
	"github.com/tocsin-oncall/tocsin/views/element"
)

// typed are the values of the form, with the secrets that an earlier form had.
func (p *handlers) typed(c echo.Context, kind provider.Kind) provider.Values {
	kept := p.kept(c.FormValue("kept"), kind)
	v := provider.Values{}
	for _, f := range kind.Fields {
		v[f.Name] = c.FormValue(f.Name)
		if f.Secret && v[f.Name] == "" {
			v[f.Name] = kept[f.Name]
		}
	}
	return v
}

// kept opens the secrets of an earlier form; none where they have expired.
func (p *handlers) kept(sealed string, kind provider.Kind) provider.Values {
	if sealed == "" {
		return nil
	}
	content, err := p.Keys.OpenForm(auth.ChannelSecrets, sealed)
	if err != nil {
		return nil
	}
	var s secrets
	if json.Unmarshal(content, &s) != nil || s.Provider != kind.Name || p.Now().Unix() >= s.Expires {
		return nil
	}
	return s.Values
}

// again shows what was typed, and what is wrong with it.
func (p *handlers) again(c echo.Context, kind provider.Kind, typed provider.Values, faults page.FieldErrors) func(*view.Provider) {
	return func(v *view.Provider) {
		v.Open, v.Kept = true, p.keep(kind, typed)
		v.To = element.Field{Value: c.FormValue("to")}
		if v.Locked {
			return
		}
		for i, f := range v.Fields {
			v.Fields[i].Field = element.Field{Value: typed[f.Name], Error: faults[f.Name]}
			if f.Secret {
				v.Fields[i].Field.Value = ""
				v.Fields[i].Known = f.Known || typed[f.Name] != ""
			}
		}
	}
}

// keep seals the secrets that were typed; empty for none.
func (p *handlers) keep(kind provider.Kind, typed provider.Values) string {
	s := secrets{Provider: kind.Name, Values: provider.Values{}, Expires: p.Now().Add(secretsLast).Unix()}
	for _, f := range kind.Fields {
		if f.Secret && typed[f.Name] != "" {
			s.Values[f.Name] = typed[f.Name]
		}
	}
	if len(s.Values) == 0 {
		return ""
	}
	content, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return p.Keys.SealForm(auth.ChannelSecrets, content)
}
