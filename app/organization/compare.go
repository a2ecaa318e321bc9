package organization

// compare writes the plan: what the desired document has that the current one
// has not, or has otherwise. Whatever is referred to comes first, what there is
// once behind it, and what is deleted last, the other way round.
func (d *draft) compare() {
	for _, lists := range []bool{true, false} {
		for _, s := range sections {
			if s.removable() == lists {
				s.compare(d)
			}
		}
	}
	d.plan.Changes = append(d.plan.Changes, d.removed...)
	d.deactivationNotes()
	d.lateRuleNotes()
}

func (d *draft) create(kind Kind, key string, v any, words ...string) {
	d.plan.Changes = append(d.plan.Changes, Change{Op: Create, Kind: kind, Key: key, Words: words, Value: v})
}

// update adds an update where there is a difference, which words say.
func (d *draft) update(kind Kind, key string, v any, words, people []string) {
	switch {
	case len(words) > 0:
		d.plan.Changes = append(d.plan.Changes, Change{Op: Update, Kind: kind, Key: key, Words: words, People: people, Value: v})
	case d.thing(kind, key).touched:
		d.plan.Unchanged++
	}
}
