package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// Listing is the configuration as it may be listed to whoever may see it:
// without anybody's contact methods and rules, without keys, and without what
// incidents refer to.
func (db *DB) Listing(ctx context.Context) (*organization.State, error) {
	s := &organization.State{At: db.Now()}
	err := db.atOnce(ctx, func(g *gorm.DB) error {
		var integrations []catalog.Integration
		if err := readAll(g, "", &s.Organization); err != nil {
			return err
		}
		if err := readAll(g, "id", &s.Users, &s.Teams, &s.Deployments, &s.Services, &s.SLOs, &integrations); err != nil {
			return err
		}
		if err := readAll(g, "team_id, user_id", &s.Members); err != nil {
			return err
		}
		if err := readAll(g, "service_id, deployment_id", &s.ServiceDeployments); err != nil {
			return err
		}
		if err := readAll(g, "level", &s.Priorities); err != nil {
			return err
		}
		for _, i := range integrations {
			i.KeyHMAC, i.KeySealed = nil, nil
			s.Integrations = append(s.Integrations, organization.IntegrationRecord{Integration: i})
		}
		for i := range s.Users {
			s.Users[i].PasswordHash = ""
		}
		var err error
		if s.Schedules, err = readSchedules(g, ""); err != nil {
			return err
		}
		s.Policies, err = readPolicies(g)
		return err
	})
	return s, err
}
