package oncall_test

import (
	"errors"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// wrong are the paths that a validation names.
func wrong(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.KindInvalid {
		t.Fatalf("not an invalid fault: %v", err)
	}
	var paths []string
	for _, field := range f.Fields {
		if field.Message == "" {
			t.Errorf("%s says nothing", field.Path)
		}
		paths = append(paths, field.Path)
	}
	return paths
}

func TestValidateNamesField(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spoil func(v *oncall.Version, l *oncall.Layer)
		want  []string
	}{
		"nothing":            {func(v *oncall.Version, l *oncall.Layer) {}, nil},
		"no zone":            {func(v *oncall.Version, l *oncall.Layer) { v.Zone = "" }, []string{"timezone"}},
		"this machine's":     {func(v *oncall.Version, l *oncall.Layer) { v.Zone = "Local" }, []string{"timezone"}},
		"unknown zone":       {func(v *oncall.Version, l *oncall.Layer) { l.Zone = "Europe/Atlantis" }, []string{"layers[0].timezone"}},
		"no positions":       {func(v *oncall.Version, l *oncall.Layer) { v.Positions = nil }, []string{"positions"}},
		"nameless position":  {func(v *oncall.Version, l *oncall.Layer) { v.Positions[1] = " " }, []string{"positions[1]"}},
		"position twice":     {func(v *oncall.Version, l *oncall.Layer) { v.Positions[1] = "main" }, []string{"positions[1]"}},
		"nameless layer":     {func(v *oncall.Version, l *oncall.Layer) { l.Name = "" }, []string{"layers[0].name"}},
		"layer twice":        {func(v *oncall.Version, l *oncall.Layer) { v.Layers = append(v.Layers, *l) }, []string{"layers[1].name"}},
		"no members":         {func(v *oncall.Version, l *oncall.Layer) { l.Members = nil }, []string{"layers[0].members"}},
		"nobody a member":    {func(v *oncall.Version, l *oncall.Layer) { l.Members[2] = 0 }, []string{"layers[0].members[2]"}},
		"unknown position":   {func(v *oncall.Version, l *oncall.Layer) { l.Positions = []oncall.Position{"front"} }, []string{"layers[0].positions[0]"}},
		"no start":           {func(v *oncall.Version, l *oncall.Layer) { l.Start = oncall.WallTime{} }, []string{"layers[0].start"}},
		"no such date":       {func(v *oncall.Version, l *oncall.Layer) { l.Start.Day = 40 }, []string{"layers[0].start"}},
		"never long":         {func(v *oncall.Version, l *oncall.Layer) { l.Rotate = &oncall.Rotate{Unit: oncall.Day} }, []string{"layers[0].rotate.every"}},
		"far too long":       {func(v *oncall.Version, l *oncall.Layer) { l.Rotate = &oncall.Rotate{Every: 1e6, Unit: oncall.Day} }, []string{"layers[0].rotate.every"}},
		"unknown unit":       {func(v *oncall.Version, l *oncall.Layer) { l.Rotate = &oncall.Rotate{Every: 1, Unit: "year"} }, []string{"layers[0].rotate.unit"}},
		"one without either": {func(v *oncall.Version, l *oncall.Layer) { l.Start, l.Rotate = oncall.WallTime{}, nil }, nil},
		"window's bounds": {func(v *oncall.Version, l *oncall.Layer) {
			l.Restrictions = []oncall.Window{{From: 24 * 60, To: 24 * 60}, {From: -1, To: 24*60 + 1}}
		}, []string{"layers[0].restrictions[0].from", "layers[0].restrictions[1].from", "layers[0].restrictions[1].to"}},
		"window's days": {func(v *oncall.Version, l *oncall.Layer) {
			l.Restrictions = []oncall.Window{{Days: []oncall.Weekday{oncall.Monday, oncall.Monday, 7}}}
		}, []string{"layers[0].restrictions[0].days[1]", "layers[0].restrictions[0].days[2]"}},
		"empty earlier list": {func(v *oncall.Version, l *oncall.Layer) { l.Held = &oncall.Held{Before: 1} }, []string{"layers[0].held.members"}},
		"shadow": {func(v *oncall.Version, l *oncall.Layer) {
			now := time.Unix(0, 0)
			v.Shadows = []oncall.Shadow{{Position: "front", From: now, To: now}}
		}, []string{"shadows[0].person", "shadows[0].position", "shadows[0].to"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := payments().Versions[0]
			test.spoil(&v, &v.Layers[0])
			if diff := gocmp.Diff(test.want, wrong(t, v.Validate())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestValidateOverride(t *testing.T) {
	t.Parallel()
	from, to := utc("2026-01-06T00:00Z"), utc("2026-01-08T00:00Z")
	tests := map[string]struct {
		override oncall.Override
		want     []string
	}{
		"replace":      {oncall.Override{From: from, To: to, Kind: oncall.Replace, Out: ana, In: ben}, nil},
		"add":          {oncall.Override{From: from, To: to, Kind: oncall.Add, In: ben}, nil},
		"remove":       {oncall.Override{From: from, To: to, Kind: oncall.Remove, Out: ana}, nil},
		"remove all":   {oncall.Override{From: from, To: to, Kind: oncall.Remove}, nil},
		"nothing":      {oncall.Override{}, []string{"from", "to", "kind"}},
		"backwards":    {oncall.Override{From: to, To: from, Kind: oncall.Add, In: ben}, []string{"to"}},
		"nobody":       {oncall.Override{From: from, To: to, Kind: oncall.Replace}, []string{"out", "in"}},
		"oneself":      {oncall.Override{From: from, To: to, Kind: oncall.Replace, Out: ana, In: ana}, []string{"in"}},
		"add takes":    {oncall.Override{From: from, To: to, Kind: oncall.Add, Out: ana, In: ben}, []string{"out"}},
		"remove gives": {oncall.Override{From: from, To: to, Kind: oncall.Remove, Out: ana, In: ben}, []string{"in"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := gocmp.Diff(test.want, wrong(t, test.override.Validate())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTextForms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]oncall.Clock{"00:00": 0, "9:05": 545, "23:59": 1439, "24:00": 1440} {
		if got, err := oncall.ParseClock(text); err != nil || got != want {
			t.Errorf("ParseClock(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "24:01", "12:60", "noon", "-1:00", "09:00:00"} {
		if got, err := oncall.ParseClock(text); err == nil {
			t.Errorf("ParseClock(%q) = %v", text, got)
		}
	}
	for _, text := range []string{"2026-01-05 09:00", "2026-01-05T09:00"} {
		if got, err := oncall.ParseWallTime(text); err != nil || got.String() != "2026-01-05 09:00" {
			t.Errorf("ParseWallTime(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"2026-02-30 09:00", "2026-01-05", "2026-01-05 24:00", "soon"} {
		if got, err := oncall.ParseWallTime(text); err == nil {
			t.Errorf("ParseWallTime(%q) = %v", text, got)
		}
	}
	var day oncall.Weekday
	if err := day.UnmarshalText([]byte("Sat")); err != nil || day != oncall.Saturday {
		t.Errorf("Sat is %v, %v", day, err)
	}
	if err := day.UnmarshalText([]byte("caturday")); err == nil {
		t.Error("caturday is a day")
	}
}
