package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Report is what was measured of an SLO in an interval. Of Event, the names of what
// was measured and the error budget belong to it.
type Report struct {
	From, To time.Time // in UTC and whole microseconds; To is after From
	// Total and Good count what was measured, nil where the sender gives none.
	Total, Good *int64
}

// RecordedReport is a stored report. Percentages and counts that the sender did not
// give are nil.
type RecordedReport struct {
	ID            int64 `gorm:"primaryKey"`
	ServiceID     int64
	IntegrationID int64
	// SLOID is the SLO of the catalog at the time of receipt, nil for none. The names
	// are the sender's; SLA says that SLOName names a contract's objective.
	SLOID      *int64 `gorm:"column:slo_id"`
	SLOName    string `gorm:"column:slo_name"`
	SLA        bool   `gorm:"column:sla"`
	SLI        string
	Endpoint   string
	Deployment string
	From       time.Time `gorm:"column:interval_from"`
	To         time.Time `gorm:"column:interval_to"`

	Objective       *float64
	Observed        *float64
	BudgetRemaining *float64
	BudgetDepleted  *float64
	// DepletionWindow is what BudgetDepleted went in, in seconds; 0 for none.
	DepletionWindow int64
	BurnRate        *float64
	Total           *int64
	Good            *int64

	ReceivedAt time.Time
	Body       []byte // as it was sent
}

// TableName implements gorm's Tabler.
func (RecordedReport) TableName() string { return "slo_reports" }

// Reports stores the reports of SLOs.
type Reports interface {
	// RecordReports writes reports, durably before it returns. One of the same service,
	// SLO, SLI, endpoint, deployment and interval replaces the one before.
	RecordReports(ctx context.Context, reports []RecordedReport) error
}

// resolveReport finds the service and the SLO of a report. Faults are those of
// Resolve, and Invalid for an interval that ends more than maxAhead after the receipt.
func resolveReport(snapshot *catalog.Snapshot, integration catalog.Integration, format *Format, ev *Event, at time.Time) (r RecordedReport, warnings []string, err error) {
	service, warning, err := serviceOf(snapshot, integration, format, ev.ServiceName)
	if err != nil {
		return RecordedReport{}, nil, err
	}
	if ev.Report.To.After(at.Add(maxAhead)) {
		return RecordedReport{}, nil, fault.Invalid("The interval ends in the future.").
			With(fault.Field{Path: format.Names.IntervalTo, Message: "lies in the future"})
	}
	warnings = append(warnings, ev.Warnings...)
	if warning != "" {
		warnings = append(warnings, warning)
	}
	facts := &ev.Facts
	r = RecordedReport{
		ServiceID: service.ID, IntegrationID: integration.ID,
		SLOName: facts.SLOName, SLA: facts.SLA, SLI: facts.SLI, Endpoint: facts.Endpoint, Deployment: ev.Deployment,
		From: ev.Report.From, To: ev.Report.To, Objective: facts.Objective, Observed: facts.Observed,
		BudgetRemaining: ev.Budget.Remaining, BudgetDepleted: ev.Budget.Depleted, DepletionWindow: int64(ev.Budget.DepletionWindow / time.Second),
		BurnRate: ev.Budget.BurnRate, Total: ev.Report.Total, Good: ev.Report.Good, ReceivedAt: at, Body: ev.Body,
	}
	deployment, known := snapshot.Deployment(ev.Deployment)
	if !known && ev.Deployment != "" {
		warnings = append(warnings, unknownDeployment(ev.Deployment))
	}
	slo, ok := sloMeant(snapshot, service.ID, &ev.Event)
	switch {
	case facts.SLA:
	case !ok:
		warnings = append(warnings, fmt.Sprintf("The service %s has no such SLO; the report is kept under its name.", service.Slug))
	case known && !slo.AppliesIn(deployment.Slug):
		warnings = append(warnings, fmt.Sprintf("The SLO %s does not apply in the deployment %s.", slo.Slug, deployment.Slug))
		r.SLOID = &slo.ID
	default:
		r.SLOID = &slo.ID
	}
	return r, warnings, nil
}

func unknownDeployment(name string) string {
	return fmt.Sprintf("The deployment %q is not known.", name)
}
