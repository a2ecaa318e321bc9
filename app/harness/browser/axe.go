package browser

import (
	_ "embed"
	"fmt"
	"strings"
)

// axeScript is axe-core 4.14.1 by Deque Systems, unchanged, under the Mozilla
// Public License 2.0: see axe.LICENSE. It is for tests; no binary holds it.
//
//go:embed axe.min.js
var axeScript string

// axeRun asks for every rule, the best practices and the size of targets (off
// by default, though WCAG 2.2 AA asks for it) among them.
const axeRun = `axe.run(document, {resultTypes: ['violations'], rules: {'target-size': {enabled: true}}})
	.then((r) => r.violations.map((v) => ({
		rule: v.id, impact: v.impact, help: v.help,
		elements: v.nodes.map((n) => n.target.join(' ') + ': ' + n.failureSummary.replace(/\s+/g, ' ')),
	})))`

// Violation is a rule of accessibility that a page breaks.
type Violation struct {
	Rule     string   // "color-contrast"
	Impact   string   // "serious"
	Help     string   // what the rule asks for
	Elements []string // what breaks it, each a selector and the reason
}

func (v Violation) String() string {
	return fmt.Sprintf("%s (%s): %s\n\t%s", v.Rule, v.Impact, v.Help, strings.Join(v.Elements, "\n\t"))
}

// Axe runs axe-core on the page as it stands. It is itself a script: it works
// only where scripts are on.
func (tab *Tab) Axe() []Violation {
	tab.t.Helper()
	if !Eval[bool](tab, "typeof axe === 'object'") {
		tab.t.Helper()
		Eval[bool](tab, axeScript+";true")
	}
	return Eval[[]Violation](tab, axeRun)
}
