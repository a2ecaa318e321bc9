package blueprint_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
)

// The text of each file begins in line 1; each mistake is a line.
var wrongFiles = []struct{ name, file, want string }{
	{"nothing", "", `acme.yaml:1:1: The file is empty. It begins with version: 1.`},
	{"a comment", "# later\n", `acme.yaml:1:1: The file is empty. It begins with version: 1.`},
	{"a list", "- a\n", `acme.yaml:1:1: The file has to be a mapping that begins with version: 1.`},
	{"no YAML", "version: 1\nteams: [{slug: a\nusers: []\n", `acme.yaml:3:1: This is not YAML: ',' or '}' must be specified.`},
	{"a key twice", "version: 1\nteams: []\nteams: []\n", `acme.yaml:3:1: This is not YAML: mapping key "teams" already defined at [2:1].`},
	{"two documents", "version: 1\n---\nversion: 1\n", `acme.yaml:3:1: A file is one document.`},
	{"no version", "teams: []\n", `acme.yaml:1:1: version: Say which version of the format this is: version: 1.`},
	{"another version", "version: 2\n", `acme.yaml:1:10: version: This version of Tocsin reads version 1 of the format.`},
	{"what comes later", `version: 1
organization:
  name: Acme
  business_hours: {default: {days: [mon]}}
stakeholder_groups:
  - {slug: a}
management_group: leadership
`, `
acme.yaml:4:3: organization.business_hours: business_hours (line 4) is not part of this version of Tocsin.
acme.yaml:5:1: stakeholder_groups: stakeholder_groups (line 5) is not part of this version of Tocsin.
acme.yaml:7:1: management_group: management_group (line 7) is not part of this version of Tocsin.`},
	{"unknown keys", `version: 1
team: []
users:
  - email: ana@acme.example
    name: Ana
    rolle: responder
    shoe_size: 40
`, `
acme.yaml:2:1: team: There is no key team here. Did you mean teams?
acme.yaml:6:5: users[0].rolle: There is no key rolle here. Did you mean role?
acme.yaml:7:5: users[0].shoe_size: There is no key shoe_size here.`},
	{"wrong shapes", `version: one
users: {email: a}
teams:
  - Payments
  - {slug: [a], members: ana@acme.example, name:}
priorities: [{level: 1.5, hotfix: maybe, criteria: [a]}]
`, `
acme.yaml:1:10: version: "one" is not a whole number.
acme.yaml:2:8: users: This has to be a list.
acme.yaml:4:5: teams[0]: This has to be a mapping with the keys slug, name, manager, members, chat, support_hours.
acme.yaml:5:12: teams[1].slug: This has to be a single value.
acme.yaml:5:26: teams[1].members: This has to be a list.
acme.yaml:5:49: teams[1].name: This is empty. Leave it out, or write the empty value: "", [] or {}.
acme.yaml:6:22: priorities[0].level: "1.5" is not a whole number.
acme.yaml:6:35: priorities[0].hotfix: "maybe" is neither true nor false.
acme.yaml:6:52: priorities[0].criteria: This has to be a mapping.`},
	{"anchors", "version: 1\nteams:\n  - &a {slug: a}\n  - *a\n", `
acme.yaml:3:5: teams[0]: Anchors, aliases and tags are not part of this format.
acme.yaml:4:5: teams[1]: Anchors, aliases and tags are not part of this format.`},
	{"the environment", "version: 1\norganization: {name: \"${NOBODY} of ${COMPANY}\"}\nteams:\n  - {slug: a, name: \"a${b\"}\n", `
acme.yaml:2:22: organization.name: The environment variable NOBODY is not set.
acme.yaml:4:21: teams[0].name: "${b" begins with ${ and has no }. Write $${ for the characters themselves.`},
	{"people", `version: 1
users:
  - {email: ana, name: " Ana", role: boss, timezone: Madrid}
  - email: ben@acme.example
    contacts:
      - {id: SMS, type: pigeon, value: x}
      - {id: a, type: sms, value: "0600"}
      - {id: a, type: email, value: ben@acme.example}
    rules: [{urgency: urgent, after: 5, contact: a}]
  - {email: Ben@ACME.example}
`, `
acme.yaml:3:13: users[0].email: Enter an email address such as ana@example.com.
acme.yaml:3:24: users[0].name: A name neither begins nor ends with a space.
acme.yaml:3:38: users[0].role: A role is stakeholder, responder, manager or administrator.
acme.yaml:3:54: users[0].timezone: "Madrid" is not a time zone such as Europe/Berlin.
acme.yaml:6:14: users[1].contacts[0].id: An id is of lower-case letters, digits and hyphens.
acme.yaml:6:25: users[1].contacts[0].type: Choose sms, email, slack or voice.
acme.yaml:7:35: users[1].contacts[1].value: Enter a phone number with country code, such as +34600000001.
acme.yaml:8:9: users[1].contacts[2]: a is there already, in line 7.
acme.yaml:9:23: users[1].rules[0].urgency: An urgency is high or low.
acme.yaml:9:38: users[1].rules[0].after: "5" is not a length of time such as 90s, 5m, 1h30m or 1d.
acme.yaml:10:5: users[2]: ben@acme.example is there already, in line 4.`},
	{"schedules", `version: 1
schedules:
  - slug: payments
    positions: [main, main]
    layers:
      - name: weekly
        start: 5 January
        rotate: {every: 0, unit: fortnight}
        members: []
        restrictions: [{days: [mon, mon, funday], from: "9", to: "24:00"}]
      - {rotate: {every: 1, unit: week}, members: [a@x.example]}
    overrides:
      - {from: "2026-12-24 09:00", replace: a@x.example}
      - {from: tomorrow, to: "2026-12-24 09:00", add: a@x.example, remove: b@x.example}
`, `
acme.yaml:4:23: schedules[0].positions[1]: main is there already.
acme.yaml:7:16: schedules[0].layers[0].start: "5 January" is not a date and time such as 2026-01-05 09:00.
acme.yaml:8:25: schedules[0].layers[0].rotate.every: A period lasts at least 1 unit.
acme.yaml:8:34: schedules[0].layers[0].rotate.unit: The unit is one of hour, day, week and month.
acme.yaml:9:18: schedules[0].layers[0].members: A rotation needs at least one person.
acme.yaml:10:37: schedules[0].layers[0].restrictions[0].days[1]: mon is there already.
acme.yaml:10:42: schedules[0].layers[0].restrictions[0].days[2]: "funday" is not a day of the week such as mon.
acme.yaml:10:57: schedules[0].layers[0].restrictions[0].from: "9" is not a time of day such as 09:00.
acme.yaml:11:9: schedules[0].layers[1]: The key name is missing here.
acme.yaml:11:9: schedules[0].layers[1]: The key start is missing here.
acme.yaml:13:9: schedules[0].overrides[0]: The key to is missing here.
acme.yaml:13:9: schedules[0].overrides[0]: An override is one of {replace, with}, {add} and {remove}.
acme.yaml:14:9: schedules[0].overrides[1]: An override is one of {replace, with}, {add} and {remove}.
acme.yaml:14:16: schedules[0].overrides[1].from: "tomorrow" is not a moment such as 2026-12-24 09:00 or 2026-12-24T09:00:00+01:00.`},
	{"policies", `version: 1
escalation_policies:
  - slug: a
    repeat: 101
    steps:
      - {timeout: 0s, timeout_for: {P1: 0s}, targets: []}
      - {targets: [{schedule: a}, {user: a@x.example, team: a}, {team: a, role: responder}, {role: boss}, {}]}
`, `
acme.yaml:4:13: escalation_policies[0].repeat: Repeats are 0 to 100.
acme.yaml:6:19: escalation_policies[0].steps[0].timeout: The minimum timeout is 1s.
acme.yaml:6:41: escalation_policies[0].steps[0].timeout_for.P1: The minimum timeout is 1s.
acme.yaml:6:55: escalation_policies[0].steps[0].targets: A step needs at least one target.
acme.yaml:7:9: escalation_policies[0].steps[1]: The key timeout is missing here.
acme.yaml:7:20: escalation_policies[0].steps[1].targets[0]: Say which position of the schedule a is meant.
acme.yaml:7:35: escalation_policies[0].steps[1].targets[1]: A target is one of {schedule, position}, {user}, {team}, {team, role: manager} and {role}.
acme.yaml:7:81: escalation_policies[0].steps[1].targets[2].role: Within a team the role is manager.
acme.yaml:7:100: escalation_policies[0].steps[1].targets[3].role: A role is responder, manager or administrator.
acme.yaml:7:107: escalation_policies[0].steps[1].targets[4]: A target is one of {schedule, position}, {user}, {team}, {team, role: manager} and {role}.`},
	{"runbooks", `version: 1
services:
  - {slug: a, runbook: "javascript:alert(1)"}
  - {slug: b, runbook: "https:///x"}
  - {slug: c, runbook: "Ledger: failover at 90%"}
  - {slug: d, runbook: "https://wiki.acme.example/r"}
`, `
acme.yaml:3:24: services[0].runbook: Write the name of a runbook, or an address that begins with https://.
acme.yaml:4:24: services[1].runbook: Write the name of a runbook, or an address that begins with https://.`},
	{"the catalog", `version: 1
priorities: [{level: 6, name: P 6}]
teams: [{name: "!!!"}, {slug: Payments, chat: {slack: payments}}]
deployments: [{region: EU}]
services:
  - name: API
    dashboards: [{text: a, href: "javascript:alert(1)"}]
    slos: [{name: a, sli: b, objective: 101, window: month}]
integrations:
  - {slug: a, kind: telegraph, key: SECRET, rate_limit: -1}
  - {slug: b, key: slo0000000000000000000000000key1}
  - {slug: c, key: slo0000000000000000000000000key1}
  - {slug: d, dedup: 'event.service + evnt.sli'}
  - {slug: e, dedup: event.slo.objective > 99}
  - slug: f
    dedup: |
      event.service +
        "/" +
`, `
acme.yaml:2:22: priorities[0].level: A level is 1 (the most urgent) to 5.
acme.yaml:2:31: priorities[0].name: A priority's name is one short word such as P1.
acme.yaml:3:16: teams[0].name: No slug can be made from this name. Write one: slug: my-slug.
acme.yaml:3:31: teams[1].slug: A slug is of lower-case letters, digits and hyphens, at most 64.
acme.yaml:3:55: teams[1].chat.slack: Write a Slack channel such as "#payments", or its ID.
acme.yaml:4:15: deployments[0]: This needs a slug or a name.
acme.yaml:7:34: services[0].dashboards[0].href: Write an address that begins with https://.
acme.yaml:8:41: services[0].slos[0].objective: An objective is a percentage above 0, up to 100.
acme.yaml:8:54: services[0].slos[0].window: A window is a length of time such as 28d.
acme.yaml:10:21: integrations[0].kind: Integrations of kind telegraph are not part of this version of Tocsin; the kinds are ` + strings.Join(catalog.Kinds, ", ") + `.
acme.yaml:10:37: integrations[0].key: A key has 32 digits and lower-case letters; this one has 6 characters.
acme.yaml:10:57: integrations[0].rate_limit: A limit is a number of signals a minute, or 0 for none.
acme.yaml:12:20: integrations[2].key: b has the same key.
acme.yaml:13:22: integrations[3].dedup: This is no expression over the event, such as event.service + "/" + event.slo.name. At line 1, character 17: undeclared reference to 'evnt' (did you mean 'event'?).
acme.yaml:14:22: integrations[4].dedup: The expression has to yield text, and yields bool. string() makes text of a number.
acme.yaml:16:12: integrations[5].dedup: This is no expression over the event, such as event.service + "/" + event.slo.name. At line 2, character 8: the expression ends too early.`},
}

func TestMistakesAreNamedAllAtOnce(t *testing.T) {
	t.Parallel()
	env := func(name string) (string, bool) { return "Acme", name == "COMPANY" }
	for _, test := range wrongFiles {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := blueprint.Parse("acme.yaml", []byte(test.file), env)
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), mistakes(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// These are right by themselves, and wrong for the configuration that begun
// returns.
var unfitFiles = []struct{ name, file, want string }{
	{"unknown references", `version: 1
organization: {catch_all_service: shop}
teams:
  - {slug: payments, manager: adnim@acme.example, members: [admin@acme.example, eve@acme.example]}
schedules:
  - slug: main
    team: paymets
    timezone: UTC
    positions: [main]
    layers: [{name: a, members: [eve@acme.example], positions: [backup]}]
    overrides: [{from: "2026-12-24 09:00", to: "2026-12-24 08:00", position: second, add: admin@acme.example}]
escalation_policies:
  - slug: a
    steps:
      - {timeout: 5m, timeout_for: {P9: 1m}, targets: [{schedule: main, position: mian}, {schedule: night, position: main}, {team: a}]}
services:
  - {slug: api, parent: shop, team: sales, deployments: [prod], escalation_policy: b, slos: [{name: a, sli: a, objective: 99, window: 28d, priority: 2}]}
integrations: [{slug: sre, service: apo}]
`, `
acme.yaml:2:35: organization.catch_all_service: There is no service shop.
acme.yaml:4:31: teams[0].manager: There is no user adnim@acme.example. Did you mean admin@acme.example?
acme.yaml:4:81: teams[0].members[1]: There is no user eve@acme.example.
acme.yaml:7:11: schedules[0].team: There is no team paymets. Did you mean payments?
acme.yaml:10:34: schedules[0].layers[0].members[0]: There is no user eve@acme.example.
acme.yaml:10:65: schedules[0].layers[0].positions[0]: The schedule has no position "backup".
acme.yaml:11:48: schedules[0].overrides[0].to: The override has to end after it begins.
acme.yaml:11:78: schedules[0].overrides[0].position: There is no position second.
acme.yaml:15:41: escalation_policies[0].steps[0].timeout_for.P9: There is no priority P9. Did you mean P1?
acme.yaml:15:83: escalation_policies[0].steps[0].targets[0].position: The schedule main has no position mian. Did you mean main?
acme.yaml:15:101: escalation_policies[0].steps[0].targets[1].schedule: There is no schedule night.
acme.yaml:15:132: escalation_policies[0].steps[0].targets[2].team: There is no team a.
acme.yaml:17:25: services[0].parent: There is no service shop.
acme.yaml:17:37: services[0].team: There is no team sales.
acme.yaml:17:58: services[0].deployments[0]: There is no deployment prod.
acme.yaml:17:84: services[0].escalation_policy: There is no escalation policy b. Did you mean a?
acme.yaml:17:150: services[0].slos[0].priority: There is no priority 2. Did you mean 1?
acme.yaml:18:37: integrations[0].service: There is no service apo. Did you mean api?`},
	{"a circle", `version: 1
services:
  - {slug: a, parent: c}
  - {slug: b, parent: a}
  - {slug: c, parent: b}
`, `acme.yaml:4:23: services[1].parent: Services cannot be above themselves: a is below c is below b is below a.`},
	{"what a new thing needs", `version: 1
users: [{email: eve@acme.example, rules: [{urgency: high, after: 0s, contact: sms}]}]
schedules: [{slug: main, layers: []}]
escalation_policies: [{slug: a}]
`, `
acme.yaml:2:9: users[0]: eve@acme.example is new here and needs a name.
acme.yaml:2:42: users[0].rules: eve@acme.example has no contact sms.
acme.yaml:3:13: schedules[0].positions: A schedule needs at least one position, such as main.
acme.yaml:4:23: escalation_policies[0].steps: A policy needs at least one step.`},
	{"the last administrator", "version: 1\nusers:\n  - {email: admin@acme.example, role: manager}\n",
		`acme.yaml:3:39: users[0].role: admin@acme.example is the last administrator. Make somebody else one first.`},
	{"a name taken", "version: 1\npriorities: [{level: 2, name: P1}]\n", `acme.yaml:2:31: priorities[0].name: Another priority is called P1.`},
}

func TestWhatDoesNotFitIsNamedAllAtOnce(t *testing.T) {
	t.Parallel()
	for _, test := range unfitFiles {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, test.file).Plan(begun(), blueprint.Options{})
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), mistakes(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
