package organization

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/catalog"
)

// KindService is the kind of services.
const KindService Kind = "service"

// Service is what may break.
type Service struct {
	Slug             string   `yaml:"slug"`
	Name             string   `yaml:"name,omitempty"`
	Description      string   `yaml:"description,omitempty"`
	Parent           string   `yaml:"parent,omitempty"`
	Team             string   `yaml:"team,omitempty"`
	Deployments      []string `yaml:"deployments,omitempty"`
	EscalationPolicy string   `yaml:"escalation_policy,omitempty"`
	Runbook          string   `yaml:"runbook,omitempty"`
	Dashboards       []Link   `yaml:"dashboards,omitempty"`
	ReopenWindow     Duration `yaml:"reopen_window"`
	SLOs             []SLO    `yaml:"slos,omitempty"`
}

// Link is a titled address.
type Link struct {
	Text string `yaml:"text"`
	Href string `yaml:"href"`
}

// SLO is an objective for one SLI.
type SLO struct {
	Slug           string   `yaml:"slug"`
	Name           string   `yaml:"name,omitempty"`
	Default        bool     `yaml:"default,omitempty"`
	Endpoint       string   `yaml:"endpoint,omitempty"`
	SLI            string   `yaml:"sli"`
	Objective      float64  `yaml:"objective"`
	Window         string   `yaml:"window"`
	Deployments    []string `yaml:"deployments,omitempty"`
	Priority       *int     `yaml:"priority,omitempty"`
	PriorityReason string   `yaml:"priority_reason,omitempty"`
}

func (s Service) key() string { return s.Slug }

// PutService creates or changes a service.
type PutService = Put[Service]

func serviceSection() section {
	return &list[Service]{
		kind: KindService,
		name: "services",
		in:   func(d *Document) *[]Service { return &d.Services },
		key:  Service.key,
		describeAll: func(s *State, n names) []Service {
			return convert(s.Services, func(v catalog.Service) Service { return n.service(s, v) })
		},
		names:    func(s *State) named { return namesOf(s.Services, serviceName) },
		id:       func(s *State, v Service) int64 { return idOf(s.Services, v.Slug, serviceName) },
		archived: func(s *State) named { return namesOf(s.Archived.Services, serviceName) },
		check:    (*checker).service,
		complete: func(_ *draft, v, was *Service, t thing) {
			orDefault(&v.Name, v.Slug)
			if was == nil && !t.given("reopen_window") {
				v.ReopenWindow = Duration(catalog.DefaultReopenWindow)
			}
		},
		references: Service.references,
		checkAll:   (*draft).orderServices,
		inUse:      (*draft).serviceInUse,
		sort: func(s *Service) {
			s.Deployments = sortedUnique(s.Deployments)
			s.SLOs = slices.Clone(s.SLOs)
			for i := range s.SLOs {
				s.SLOs[i].Deployments = sortedUnique(s.SLOs[i].Deployments)
			}
			slices.SortFunc(s.SLOs, func(a, b SLO) int { return strings.Compare(a.Slug, b.Slug) })
		},
	}
}

func (c *checker) service(s *Service, path string) {
	c.slug(path, &s.Slug, s.Name)
	c.nameOrDefault(path+".name", s.Name)
	for i, d := range s.Dashboards {
		at := fmt.Sprintf("%s.dashboards[%d]", path, i)
		c.require(at, "text")
		if c.require(at, "href") {
			if !isWebAddress(d.Href) {
				c.problem(at+".href", "Write an address that begins with https://.")
			}
		}
	}
	if beginsAddress.MatchString(s.Runbook) && !isWebAddress(s.Runbook) {
		c.problem(path+".runbook", "Write the name of a runbook, or an address that begins with https://.")
	}
	checkEach(c, path+".slos", s.SLOs, c.slo, func(o *SLO) string { return o.Slug })
	c.defaultSLOs(s.SLOs, path+".slos")
}

// beginsAddress tells a runbook's address from a name. A name may have a colon before a
// space.
var beginsAddress = regexp.MustCompile(`^\s*[A-Za-z][A-Za-z0-9+.-]*:\S|://`)

func isWebAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// defaultSLOs refuses a second default for an SLI.
func (c *checker) defaultSLOs(slos []SLO, path string) {
	has := map[string]string{}
	for i, o := range slos {
		if !o.Default {
			continue
		}
		sli := strings.ToLower(o.SLI)
		if first, twice := has[sli]; twice {
			c.problem(fmt.Sprintf("%s[%d].default", path, i), "%s is the default for %s already.", first, o.SLI)
			continue
		}
		has[sli] = o.Slug
	}
}

func (c *checker) slo(o *SLO, path string) {
	c.slug(path, &o.Slug, o.Name)
	c.require(path, "name")
	c.givenName(path+".name", o.Name)
	c.require(path, "sli")
	if o.Default && o.Endpoint != "" {
		c.problem(path+".endpoint", "A default is for the endpoints that have no SLO of their own; leave the endpoint out.")
	}
	if c.require(path, "objective") && !(o.Objective > 0 && o.Objective <= 100) {
		c.problem(path+".objective", "An objective is a percentage above 0, up to 100.")
	}
	if c.require(path, "window") {
		if d, err := ParseDuration(o.Window); err != nil || d == 0 {
			c.problem(path+".window", "A window is a length of time such as 28d.")
		}
	}
}

func (n names) service(s *State, v catalog.Service) Service {
	service := Service{Slug: v.Slug, Name: v.Name, Description: v.Description, Parent: n.ref(KindService, v.ParentID),
		Team: n.ref(KindTeam, v.TeamID), EscalationPolicy: n.ref(KindPolicy, v.PolicyID), Runbook: v.Runbook,
		ReopenWindow: inSeconds(v.ReopenWindow)}
	for _, d := range s.ServiceDeployments {
		if d.ServiceID == v.ID {
			service.Deployments = append(service.Deployments, n.of(KindDeployment, d.DeploymentID))
		}
	}
	slices.Sort(service.Deployments)
	for _, l := range v.Dashboards {
		service.Dashboards = append(service.Dashboards, Link{l.Text, l.Href})
	}
	for _, o := range s.SLOs {
		if o.ServiceID == v.ID {
			service.SLOs = append(service.SLOs, SLO{Slug: o.Slug, Name: o.Name, Default: o.Default, Endpoint: o.Endpoint, SLI: o.SLI,
				Objective: o.Objective, Window: o.Window, Deployments: o.Deployments, Priority: o.Priority, PriorityReason: o.PriorityReason})
		}
	}
	slices.SortFunc(service.SLOs, func(a, b SLO) int { return cmp.Compare(a.Slug, b.Slug) })
	return service
}

func (s Service) references(refer referFunc) {
	refer("parent", KindService, s.Parent)
	refer("team", KindTeam, s.Team)
	refer("escalation_policy", KindPolicy, s.EscalationPolicy)
	for i, v := range s.Deployments {
		refer(fmt.Sprintf("deployments[%d]", i), KindDeployment, v)
	}
	for i, o := range s.SLOs {
		for j, v := range o.Deployments {
			refer(fmt.Sprintf("slos[%d].deployments[%d]", i, j), KindDeployment, v)
		}
		if o.Priority != nil && *o.Priority != catalog.NoPriority {
			refer(fmt.Sprintf("slos[%d].priority", i), KindPriority, fmt.Sprint(*o.Priority))
		}
	}
}

// orderServices refuses services that are below themselves, and puts every service
// after its parent, so that they can be made in turn.
func (d *draft) orderServices() {
	bySlug := map[string]Service{}
	for _, s := range d.desired.Services {
		bySlug[s.Slug] = s
	}
	done := map[string]bool{}
	var ordered []Service
	var visit func(s Service, above []string)
	visit = func(s Service, above []string) {
		if i := slices.Index(above, s.Slug); i >= 0 {
			circle := append(slices.Clone(above[i:]), s.Slug)
			d.problem(d.thing(KindService, above[len(above)-1]), "parent", "Services cannot be above themselves: %s.", strings.Join(circle, " is below "))
			return
		}
		if done[s.Slug] {
			return
		}
		if above = append(above, s.Slug); bySlug[s.Parent].Slug != "" {
			visit(bySlug[s.Parent], above)
		}
		if !done[s.Slug] {
			done[s.Slug] = true
			ordered = append(ordered, s)
		}
	}
	for _, s := range d.desired.Services {
		visit(s, nil)
	}
	d.desired.Services = ordered
}

// serviceName is a record's id and slug.
func serviceName(s catalog.Service) (id int64, slug string) { return s.ID, s.Slug }

func (d *draft) serviceInUse(s Service) string {
	if d.desired.Organization.CatchAllService == s.Slug {
		return "the organization, as its catch-all service"
	}
	return ""
}
