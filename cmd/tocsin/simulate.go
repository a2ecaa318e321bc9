package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/server"
	"github.com/tocsin-oncall/tocsin/app/simulate"
)

func (c *cli) simulate() *cobra.Command {
	var file, integration, service, at, span string
	var acks []string
	cmd := &cobra.Command{
		Use:   "simulate -f FILE (--integration SLUG | --service SLUG)",
		Short: "Say who would be paged when by a breach, and page nobody",
		Long: `Say who would be paged when by a breach, through which rule, and page nobody. The
same code decides that pages in earnest.

An --ack of 5m has whoever was told last before acknowledge five minutes after
the signal; 5m=ana@example.com has that person do so.`,
		Example: "  tocsin simulate -f breach.json --service checkout-api --at \"2026-12-24 03:00\" --ack 20m",
		Args:    arguments(),
		RunE: c.with(func(cmd *cobra.Command, in *installation, _ []string) error {
			ctx := cmd.Context()
			_, payload, err := readInput(cmd, file)
			if err != nil {
				return err
			}
			input, err := in.simulation(ctx, integration, service)
			if err != nil {
				return err
			}
			input.Payload = payload
			if input.At, err = in.moment(ctx, at); err != nil {
				return err
			}
			if span != "" {
				d, err := organization.ParseDuration(span)
				if err != nil {
					return fault.Invalid("%q is no length of time: write 12h, or 3d.", span)
				}
				input.Span = time.Duration(d)
			}
			formats, err := server.Formats()
			if err != nil {
				return err
			}
			format, ok := formats.Kind(input.Integration.Kind)
			if !ok {
				return fault.Invalid("Integrations of kind %s are not part of this version of Tocsin.", input.Integration.Kind)
			}
			input.Format = format
			if err := in.answer(ctx, &input, acks); err != nil {
				return err
			}
			timeline, err := simulate.Run(ctx, input)
			if err != nil {
				return err
			}
			zone := zoneOf(input.Snapshot.Organization().Timezone)
			return simulate.Text(cmd.OutOrStdout(), timeline, zone, func(id int64) string { return input.Roster.People[id].Name })
		}),
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the `FILE` with the breach, in JSON; - reads standard input")
	cmd.Flags().StringVar(&integration, "integration", "", "the integration that it comes in by, its `SLUG`")
	cmd.Flags().StringVar(&service, "service", "", "the service that it is of, its `SLUG`")
	cmd.Flags().StringVar(&at, "at", "", "when it comes in, a `TIME` (default: now): 2026-12-24 18:00, in the organisation's zone, or 2026-12-24T18:00:00+01:00")
	cmd.Flags().StringVar(&span, "for", "", "how long to look on, a `TIME` such as 12h (default: 72h)")
	cmd.Flags().StringArrayVar(&acks, "ack", nil, "an acknowledgment so long `AFTER` the signal; may be given several times")
	required(cmd, "file")
	cmd.MarkFlagsMutuallyExclusive("integration", "service")
	cmd.MarkFlagsOneRequired("integration", "service")
	return cmd
}

// simulation is the current configuration, with the integration of the signal.
func (in *installation) simulation(ctx context.Context, integration, service string) (simulate.Input, error) {
	view, err := in.view(ctx)
	if err != nil {
		return simulate.Input{}, err
	}
	works, err := in.works(ctx)
	if err != nil {
		return simulate.Input{}, err
	}
	input := simulate.Input{Works: works, Policy: view.PolicyVersion, Snapshot: view.Catalog(), Roster: view.Roster(), Recipients: view.Recipients()}
	if integration != "" {
		record, err := view.IntegrationBySlug(integration)
		input.Integration = record.Integration
		return input, err
	}
	// An integration that takes signals for one service alone.
	s, err := view.ServiceBySlug(service)
	input.Integration = catalog.Integration{Name: "simulation", Kind: catalog.KindSLO, ServiceID: &s.ID}
	return input, err
}

// answer adds acknowledgments, each by the named person or by the one who would have
// been notified last before it.
func (in *installation) answer(ctx context.Context, input *simulate.Input, acks []string) error {
	for _, ack := range acks {
		text, email, named := strings.Cut(ack, "=")
		after, err := organization.ParseDuration(text)
		if err != nil {
			return fault.Invalid("%q is no acknowledgment: write 5m, or 5m=ana@example.com.", ack)
		}
		answer := simulate.Answer{After: time.Duration(after), Kind: simulate.Acknowledge}
		if named {
			u, err := in.auth.UserByEmail(ctx, auth.Tocsin, email)
			if err != nil {
				return err
			}
			answer.Person = u.ID
		}
		input.Answers = append(input.Answers, answer)
	}
	return nil
}
