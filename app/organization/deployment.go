package organization

import (
	"github.com/tocsin-oncall/tocsin/app/catalog"
)

// KindDeployment is the kind of deployments.
const KindDeployment Kind = "deployment"

// Deployment is an environment.
type Deployment struct {
	Slug   string `yaml:"slug"`
	Name   string `yaml:"name,omitempty"`
	Region string `yaml:"region,omitempty"`
	Kind   string `yaml:"kind,omitempty"`
}

func (d Deployment) key() string { return d.Slug }

// PutDeployment creates or changes a deployment.
type PutDeployment = Put[Deployment]

func deploymentSection() section {
	return &list[Deployment]{
		kind: KindDeployment,
		name: "deployments",
		in:   func(d *Document) *[]Deployment { return &d.Deployments },
		key:  Deployment.key,
		describeAll: func(s *State, _ names) []Deployment {
			return convert(s.Deployments, func(d catalog.Deployment) Deployment {
				return Deployment{Slug: d.Slug, Name: d.Name, Region: d.Region, Kind: d.Kind}
			})
		},
		names: func(s *State) named {
			return namesOf(s.Deployments, func(d catalog.Deployment) (int64, string) { return d.ID, d.Slug })
		},
		check: (*checker).deployment,
		complete: func(_ *draft, v, _ *Deployment, _ thing) {
			orDefault(&v.Name, v.Slug)
			orDefault(&v.Kind, catalog.Production)
		},
	}
}

func (c *checker) deployment(d *Deployment, path string) {
	c.slug(path, &d.Slug, d.Name)
	c.nameOrDefault(path+".name", d.Name)
	if c.given(path+".kind") && !c.takesDefault(d.Kind) && !isSlug(d.Kind) {
		c.problem(path+".kind", "A kind is production, or another word of lower-case letters.")
	}
}
