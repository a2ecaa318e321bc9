package catalog

import (
	"slices"
	"strings"
)

// SLO is an objective for one SLI of a service.
type SLO struct {
	ID        int64 `gorm:"primaryKey"`
	ServiceID int64
	Slug      string
	Name      string
	Endpoint  string
	SLI       string
	Objective float64 // percent
	// Window is the period the objective stands for, as the configuration
	// writes it: "28d".
	Window string
	// Default says that endpoints without an SLO of their own fall under it, for its
	// SLI. A service has at most one for an SLI.
	Default bool `gorm:"column:is_default"`
	// Deployments are the slugs of those in which it applies; none stands for all.
	Deployments []string `gorm:"serializer:json"`
	// Priority is the level that a breach of this SLO gets: NoPriority, or nil where
	// it is unset. It never changes during an incident. PriorityReason says why, like
	// a decision record.
	Priority       *int
	PriorityReason string
}

// TableName is explicit, since the letters would be taken apart.
func (SLO) TableName() string { return "slos" }

// AppliesIn reports whether the SLO applies in a deployment that is known.
func (o *SLO) AppliesIn(deployment string) bool {
	return len(o.Deployments) == 0 || slices.Contains(o.Deployments, deployment)
}

// SLOMeant finds the SLO of a service that a signal means: by slug, else by name, else
// by endpoint and SLI where only one fits, else the service's default for the SLI,
// unless the endpoint has SLOs of its own. Where several bear the name, one that
// applies in the deployment goes before others, and then the one whose endpoint and
// SLI agree best.
func (s *Snapshot) SLOMeant(serviceID int64, name, deployment, endpoint, sli string) (SLO, bool) {
	slos := s.slos[serviceID]
	if name != "" {
		if i := slices.IndexFunc(slos, func(o SLO) bool { return o.Slug == name }); i >= 0 {
			return slos[i], true
		}
		if o, ok := bestNamed(slos, name, deployment, endpoint, sli); ok {
			return o, true
		}
	}
	if sli == "" {
		return SLO{}, false
	}
	fits, ofDefault := -1, -1
	several := false
	for i := range slos {
		o := &slos[i]
		if !strings.EqualFold(o.SLI, sli) {
			continue
		}
		if o.Default {
			ofDefault = i
			continue
		}
		if o.Endpoint != endpoint {
			continue
		}
		several = fits >= 0
		if fits = i; several {
			break
		}
	}
	switch {
	case fits >= 0 && !several:
		return slos[fits], true
	case ofDefault >= 0 && (!several || endpoint == ""):
		return slos[ofDefault], true
	}
	return SLO{}, false
}

func bestNamed(slos []SLO, name, deployment, endpoint, sli string) (best SLO, ok bool) {
	found := -1
	for i := range slos {
		o := &slos[i]
		if !strings.EqualFold(o.Name, name) {
			continue
		}
		score := 0
		if deployment == "" || o.AppliesIn(deployment) {
			score += 4
		}
		if o.Endpoint == endpoint {
			score += 2
		}
		if strings.EqualFold(o.SLI, sli) {
			score++
		}
		if score > found {
			best, found = *o, score
		}
	}
	return best, found >= 0
}
