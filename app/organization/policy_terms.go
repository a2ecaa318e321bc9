package organization

import "github.com/tocsin-oncall/tocsin/app/escalation"

// Numbers finds the ids of what a document names.
type Numbers struct {
	User, Team, Schedule func(name string) int64
	Level                func(priority string) int
}

// Definition is the policy in the terms of package escalation.
func (p Policy) Definition(n Numbers) escalation.Policy {
	policy := escalation.Policy{Repeat: p.Repeat, Fallback: n.targets(p.Fallback), Steps: []escalation.Step{}}
	for _, s := range p.Steps {
		step := escalation.Step{Timeout: s.Timeout.seconds(), OutsideCover: escalation.OutsideCover(s.OutsideCover), Targets: n.targets(s.Targets)}
		for name, d := range s.TimeoutFor {
			if step.TimeoutFor == nil {
				step.TimeoutFor = map[int]int64{}
			}
			step.TimeoutFor[n.Level(name)] = d.seconds()
		}
		policy.Steps = append(policy.Steps, step)
	}
	return policy
}

func (n Numbers) targets(targets []Target) []escalation.Target {
	var all []escalation.Target
	for _, t := range targets {
		target := escalation.Target{Position: t.Position, Role: t.Role}
		switch {
		case t.Schedule != "":
			target.Schedule = n.Schedule(t.Schedule)
		case t.User != "":
			target.User = n.User(t.User)
		case t.Team != "":
			target.Team = n.Team(t.Team)
		}
		all = append(all, target)
	}
	return all
}

func (n names) policy(p PolicyRecord) Policy {
	policy := Policy{Slug: p.Slug, Name: p.Name, Team: n.ref(KindTeam, p.TeamID), Repeat: p.Policy.Repeat,
		Fallback: n.targets(p.Policy.Fallback)}
	for _, s := range p.Policy.Steps {
		step := Step{Timeout: inSeconds(s.Timeout), OutsideCover: string(s.OutsideCover), Targets: n.targets(s.Targets)}
		for level, seconds := range s.TimeoutFor {
			if step.TimeoutFor == nil {
				step.TimeoutFor = map[string]Duration{}
			}
			step.TimeoutFor[n[KindPriority][int64(level)]] = inSeconds(seconds)
		}
		policy.Steps = append(policy.Steps, step)
	}
	return policy
}

func (n names) targets(targets []escalation.Target) []Target {
	var all []Target
	for _, t := range targets {
		all = append(all, Target{n.of(KindSchedule, t.Schedule), t.Position, n.of(KindUser, t.User), n.of(KindTeam, t.Team), t.Role})
	}
	return all
}
