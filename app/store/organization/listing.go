package organization

import (
	"context"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Listing is the configuration as it may be listed to whoever may see it:
// without anybody's contact methods and rules, without keys, and without what
// incidents refer to.
func (s *Store) Listing(ctx context.Context) (*blueprint.State, error) {
	state := &blueprint.State{At: s.db.Now()}
	err := s.db.Snapshot(ctx, func(g *gorm.DB) error {
		var integrations []catalog.Integration
		if err := db.ReadAll(g, "", &state.Organization); err != nil {
			return err
		}
		if err := db.ReadAll(g, "id", &state.Users, &state.Teams, &state.Deployments, &state.Services, &state.SLOs, &integrations); err != nil {
			return err
		}
		if err := db.ReadAll(g, "team_id, user_id", &state.Members); err != nil {
			return err
		}
		if err := db.ReadAll(g, "service_id, deployment_id", &state.ServiceDeployments); err != nil {
			return err
		}
		if err := db.ReadAll(g, "level", &state.Priorities); err != nil {
			return err
		}
		for _, i := range integrations {
			i.KeyHMAC, i.KeySealed = nil, nil
			state.Integrations = append(state.Integrations, blueprint.KeptIntegration{Integration: i})
		}
		for i := range state.Users {
			state.Users[i].PasswordHash = ""
		}
		var err error
		if state.Schedules, err = readSchedules(g, ""); err != nil {
			return err
		}
		state.Policies, err = readPolicies(g)
		return err
	})
	return state, err
}
